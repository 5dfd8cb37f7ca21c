"""Run a bot anew whenever a file beside it changes: for writing one, not for serving people.

Knows: the Python files in the bot's folder, the process that runs it.
Does not know: what a bot does, how it ends in order (it is told by SIGTERM).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from .._io.processes.orphan import PARENT
from .printing import complain

_LOOK = 0.3
"""Seconds between two looks at the files."""
_PATIENCE = 20.0
"""Seconds that a bot has to end."""


def reloading(bot: str) -> int:
    """Until a signal: the exit code of the bot that ran last."""
    folder, command = (
        Path(bot).resolve().parent,
        [sys.executable, "-m", "outeract_core", "run", bot],
    )
    with _told() as end:
        while True:
            before = stamps(folder)
            child = subprocess.Popen(command, env={**os.environ, PARENT: str(os.getpid())})  # noqa: S603 - what was typed
            _until_changed(folder, before, child, end)
            _ended(child)
            if end.is_set():
                code = child.returncode
                return code if code >= 0 else 128 - code
            complain(f"outeract: {bot} has changed, and is run anew")


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """When each Python file in a folder was written, hidden folders left out."""
    found = {}
    for path in folder.rglob("*.py"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            try:
                told = path.stat()
            except OSError:  # it was taken away between the two
                continue
            found[str(path)] = (told.st_mtime_ns, told.st_size)
    return found


def _until_changed(
    folder: Path, before: dict[str, tuple[int, int]], child: subprocess.Popen[bytes], end: Event
) -> None:
    """A bot that has ended by itself (a typing error, say) is run again when its file is mended."""
    told = False
    while not end.wait(_LOOK) and stamps(folder) == before:
        if not told and child.poll() is not None:
            told = True
            complain(f"outeract: it has ended with {child.returncode}; waiting for a change")


def _ended(child: subprocess.Popen[bytes]) -> None:
    """Told to end, and ended: in order, unless it takes far longer than `Outeract.run` does."""
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def _told() -> Iterator[Event]:
    """Set when a signal tells this process to end."""
    end = Event()

    def tell(_number: int, _frame: Any) -> None:
        end.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield end
    finally:
        for number, old in before.items():
            signal.signal(number, old)
