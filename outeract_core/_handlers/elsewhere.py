"""Runs a plain function in a worker process, with what it is given as a value.

Knows: anyio's worker processes, what can travel there and back, how a process that died looks.
Does not know: turns, the store, what is made of the answer; nor does what runs there.
"""

from __future__ import annotations

import inspect
import math
import os
import pickle
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from io import BytesIO
from typing import Any

from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from .._domain.values.sinks import traced, worded
from .._io.processes.orphan import orphaned
from ..errors import BadInput, HandlerDied

__all__ = ["AT_ONCE", "elsewhere", "fit", "is_worker", "ready", "slot"]

AT_ONCE = os.cpu_count() or 2
"""Worker processes that compute at once: as many as anyio lets run."""
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


@asynccontextmanager
async def slot() -> AsyncIterator[None]:
    """As long as a process of this event loop may compute for the block; whoever finds none free waits here."""
    limiter, me = to_process.current_default_process_limiter(), object()
    await limiter.acquire_on_behalf_of(me)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(me)


async def ready(name: str) -> None:
    """A worker process is there that has read the program's file: what that takes is no part of a run.

    To be called in a `slot`. Raises HandlerDied.
    """
    try:
        await to_process.run_sync(os.getpid, cancellable=True, limiter=_no_limit())
    except BrokenWorkerProcess as broken:
        file = getattr(sys.modules["__main__"], "__file__", None)
        read = "" if file is None else f" (it reads {file}, which the program was started from)"
        raise HandlerDied(f"{name}: no worker process could begin{read}{_last(broken)}") from broken


async def elsewhere(name: str, call: Callable[[Any], Any], value: Any) -> Answer:
    """What `call(value)` comes to there, with the traceback from there as a note. Cancelled, its process is killed.

    To be called in a `slot`. Raises HandlerDied, and what pickle raises.
    """
    asked = pickle.dumps((call, value))
    try:
        well, packed, told = await to_process.run_sync(
            _there, asked, cancellable=True, limiter=_no_limit()
        )
    except BrokenWorkerProcess as broken:
        raise HandlerDied(
            f"{name}: its worker process ended without an answer: it was killed (no memory left?), or has left by itself"
        ) from broken
    return (_here(packed), None) if well else (None, _raised(packed, *told))


def _no_limit() -> CapacityLimiter:
    """Whoever asks has a slot already."""
    return CapacityLimiter(math.inf)


def is_worker() -> bool:
    """Whether this process is one of anyio's workers, which has only been given something to compute."""
    return sys.orig_argv[-2:] == ["-m", "anyio.to_process"]


# ── in the worker ─────────────────────────────────────────────────────────────────────────────

Packed = tuple[bool, bytes, tuple[str, str]]
"""Whether it has returned; what it has returned or raised, as pickle has it; of what was raised, the words and the
traceback. Nothing in it can fail to travel.
"""


def _there(asked: bytes) -> Packed:
    """Ctrl-C in a terminal and the SIGTERM of a service manager reach a worker too, and are the program's to
    answer, which ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _leave_with_the_program()
    try:
        call, value = pickle.loads(asked)  # noqa: S301 - it was made in the program
        with _apart():
            result = call(value)
        if inspect.isawaitable(result):
            getattr(result, "close", lambda: None)()
            raise BadInput(
                "a handler with process=True is a plain function, and it gave a coroutine"
            )
        return True, pickle.dumps(result), ("", "")
    except BaseException as error:
        return False, _packed(error), _told(error)


@contextmanager
def _apart() -> Iterator[None]:
    """Input and output are the way to the program: what the block starts has neither, nor has what writes past Python."""
    kept = [os.dup(0), os.dup(1)]
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        for number in (0, 1):
            os.dup2(nothing, number)
        yield
    finally:
        for number, own in enumerate(kept):
            os.dup2(own, number)
            os.close(own)
        os.close(nothing)


@cache
def _leave_with_the_program() -> None:
    """End when the program has: one that was killed cannot kill its workers, and nobody wants the answer."""
    orphaned(os.getppid(), partial(os._exit, 1))


def _packed(error: BaseException) -> bytes:
    """As pickle has it; nothing, where it cannot."""
    try:
        return pickle.dumps(error)
    except Exception:
        return b""


def _told(error: BaseException) -> tuple[str, str]:
    """In words, and with the traceback; also what cannot say what it is."""
    return worded(error), traced(error)


# ── back in the program ───────────────────────────────────────────────────────────────────────


class _Here(pickle.Unpickler):
    """What the program's own file has defined is called otherwise there. Of what was raised nothing is imported:
    that may take seconds, and holds the event loop.
    """

    imports = True

    def find_class(self, module: str, name: str) -> Any:
        """The class or function of that name."""
        if not self.imports and module not in {"__mp_main__", *sys.modules}:
            raise pickle.UnpicklingError(f"{module} is not loaded here")
        return super().find_class("__main__" if module == "__mp_main__" else module, name)


def _here(packed: bytes, *, imports: bool = True) -> Any:
    loader = _Here(BytesIO(packed))
    loader.imports = imports
    return loader.load()


def _raised(packed: bytes, words: str, trace: str) -> BaseException:
    """What was raised there; what cannot be made anew here is told in words."""
    try:
        error = _here(packed, imports=False)
    except Exception:
        error = None
    found = error if isinstance(error, BaseException) else RuntimeError(words)
    found.add_note(f"in the worker process:\n{trace}")
    return found


def _last(error: BaseException) -> str:
    """What was behind it all, in words."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f": {type(error).__name__}: {error}"
