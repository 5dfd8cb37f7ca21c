"""Serve a bot's file: load it, find the store that it has opened, work until SIGTERM.

Knows: how a bot's file is loaded, which of its names is the store, how often Python's threads take turns.
Does not know: how work ends (`Outeract.run`), when it is loaded anew (`reload.py`).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from .. import blocking
from .._api.app import App
from .._api.outeract import Outeract
from .._io.processes.orphan import PARENT, orphaned
from .._io.threads.handover import ADVISED
from ..errors import BadInput, StoreClosed
from .printing import complain

Store: TypeAlias = Outeract | blocking.Outeract
TURNS = ADVISED
"""Seconds after which a thread that computes lets another one in (Python's own: 5 ms). The process is
ours, so it is ours to say; `docs/how-to/busy-host.md` says what it does.
"""


def run(options: argparse.Namespace) -> int:
    """Work until a signal; 0 when it ended in order."""
    if options.reload:
        from .reload import reloading

        return reloading(options.bot)
    take_turns()
    reloader = os.environ.pop(PARENT, None)
    if reloader is not None:  # where that was killed, nobody would end this one
        orphaned(int(reloader), partial(os.kill, os.getpid(), signal.SIGTERM))
    _work(store_of(loaded(options.bot)))
    return 0


def _work(store: Store) -> None:
    """Until it is told; a file that has served, or closed its store, has done so by itself."""
    own = store if isinstance(store, Outeract) else store._inner  # noqa: SLF001 - of this house
    try:
        if own._workers.served:  # noqa: SLF001
            store.close()
        elif isinstance(store, Outeract):
            store.run()
        else:
            with store:
                store.serve()
    except StoreClosed:
        pass


def take_turns() -> None:
    """Let threads take turns more often than Python does, unless somebody has said so already."""
    if sys.getswitchinterval() > TURNS:
        sys.setswitchinterval(TURNS)


def loaded(bot: str, **given: Any) -> ModuleType:
    """The bot's file as a module, which its worker processes can import too; `given`: what it finds in it, by name.

    Raises BadInput.
    """
    path = Path(bot).resolve()
    spec = spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise BadInput(f"there is no Python file {bot}")
    if path.stem in {"outeract_core", *sys.stdlib_module_names}:
        raise BadInput(f"{bot} would hide the module {path.stem}; give the file another name")
    sys.path.insert(0, str(path.parent))
    sys.argv = [bot]
    module = sys.modules[path.stem] = module_from_spec(spec)
    vars(module).update(given)
    spec.loader.exec_module(module)
    return module


def store_of(module: ModuleType) -> Store:
    """What `core` is in it, or the one store that it has opened. Raises BadInput when that is not clear."""
    named = {name: _store(value) for name, value in vars(module).items()}
    core = named.get("core") or named.get("app")
    found = {id(store): store for store in named.values() if store is not None}
    if core is not None:
        if len(found) > 1:
            complain(f"outeract: {module.__file__} has {len(found)} stores; {core} is served")
        return core
    if len(found) != 1:
        raise BadInput(
            f"{module.__file__} has {len(found) or 'no'} stores to choose from: "
            "say `core = Outeract(…)` in it, at the top level"
        )
    return found.popitem()[1]


def _store(value: Any) -> Store | None:
    if isinstance(value, App | blocking.App):
        value = value._opened_by  # noqa: SLF001 - the command line is of this house
    return value if isinstance(value, Outeract | blocking.Outeract) else None
