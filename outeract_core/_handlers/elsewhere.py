"""Runs a plain function in a worker process, with what it is given as a value.

Knows: anyio's worker processes, what can travel there and back, how a process that died looks.
Does not know: turns, the store, what is made of the answer; nor does what runs there.
"""

from __future__ import annotations

import inspect
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

from anyio import BrokenWorkerProcess, to_process

from ..errors import BadInput, HandlerDied

__all__ = ["AT_ONCE", "elsewhere", "fit", "is_worker"]

AT_ONCE = os.cpu_count() or 2
"""Worker processes that compute at once: as many as anyio lets run."""
_LOOK = 1.0
"""Seconds between two looks of a worker whether its program is there."""
Answer = tuple[Any, BaseException | None]
"""What the function has returned, or raised."""


def fit(call: Callable[..., Any]) -> None:
    """Raises BadInput for what a worker process cannot be given, because it finds it by its name."""
    name = getattr(call, "__qualname__", repr(call))
    if inspect.isfunction(call):
        if "<" in name:
            raise BadInput(
                f"process=True runs {name} in a worker process, which finds it by its name: "
                "write it as a function at the top level of a module"
            )
        return  # a decorator is called before the name stands in its module
    try:
        pickle.dumps(call)
    except Exception as error:
        raise BadInput(
            f"process=True runs {name} in a worker process, and it cannot travel: {error}"
        ) from error


async def elsewhere(name: str, call: Callable[[Any], Any], value: Any) -> Any:
    """What `call(value)` returns there. Cancelled, its process is killed.

    Raises what it raises, with the traceback from there as a note; HandlerDied; and what pickle raises.
    """
    try:
        result, error = await to_process.run_sync(_there, call, value, cancellable=True)
    except BrokenWorkerProcess as broken:
        why = "" if broken.__cause__ is None else f": {_last(broken.__cause__)}"
        raise HandlerDied(f"{name}: its worker process ended without an answer{why}") from broken
    if error is not None:
        raise error
    return result


def is_worker() -> bool:
    """Whether this process is one of anyio's workers, which has only been given something to compute."""
    return sys.orig_argv[-2:] == ["-m", "anyio.to_process"]


def _there(call: Callable[[Any], Any], value: Any) -> Answer:
    """In the worker: Ctrl-C in a terminal and the SIGTERM of a service manager reach it too, and are the program's to
    answer, which ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _leave_with_the_program()
    try:
        result = call(value)
        if inspect.isawaitable(result):
            getattr(result, "close", lambda: None)()
            raise BadInput(
                "a handler with process=True is a plain function, and it gave a coroutine"
            )
        pickle.loads(pickle.dumps(result))  # noqa: S301 - it was made here
    except BaseException as error:
        return None, _portable(error)
    return result, None


@cache
def _leave_with_the_program() -> None:
    """End when the program has: one that was killed cannot kill its workers, and nobody wants the answer."""
    program = os.getppid()

    def look() -> None:
        while os.getppid() == program:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def _portable(error: BaseException) -> BaseException:
    """The error as it can travel, with the traceback as a note; one that cannot is told in words."""
    trace = "".join(traceback.format_exception(error))
    try:
        travels: BaseException = pickle.loads(pickle.dumps(error))  # noqa: S301 - it was made here
    except Exception:
        travels = RuntimeError(f"{type(error).__name__}: {error}")
    travels.add_note(f"in the worker process:\n{trace}")
    return travels


def _last(error: BaseException) -> str:
    """What was behind it all, in words."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"
