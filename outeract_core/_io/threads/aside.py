"""Work in a worker thread that stops when its caller has gone or its time is over.

Knows: worker threads, cancellation, the machine's clock.
Does not know: what the work is; it calls `go_on` now and then (`_domain/values/interrupt.py`), and so does
SQLite while it answers a query.

A thread cannot be ended from outside. The caller leaves at once, and the work that is left behind ends
where it looks next.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ..._domain.values.classes import define
from ..._domain.values.interrupt import STOP
from ...errors import ReadTimeout
from ..wakeup import call, waiter

__all__ = ["Abandoned", "aside", "loaded", "to_the_end"]

T = TypeVar("T")


class Abandoned(Exception):
    """Nobody waits for this work any more; nobody sees this either."""


@define
class Watch:
    """Whether the work is still wanted. `ends`: by the machine's monotonic clock, in seconds."""

    ends: float
    left: bool = False

    def __call__(self) -> None:
        if self.left:
            raise Abandoned
        if time.monotonic() > self.ends:
            raise ReadTimeout(
                "the answer took longer than it may; ask for less (a narrower filter, a shorter "
                "time), or open the file with a larger `read_timeout`"
            )


async def aside(work: Callable[[], T], within: float | None = None) -> T:
    """Do `work` in a worker thread. A cancelled call returns at once, and the work ends soon after.

    `within`: seconds. Raises ReadTimeout when they are over, and what `work` raises. It must have no
    outside effect: it may be left half done.
    """
    watch = Watch(math.inf if within is None else time.monotonic() + within)

    def run() -> T:
        STOP.set(watch)  # the context is the thread's own copy
        return work()

    try:
        return await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
    finally:
        watch.left = True


async def to_the_end(work: Callable[[], object]) -> None:
    """Do `work` in a thread of its own and wait for it, whatever becomes of the caller.

    No worker thread: those of a loop that ends by Ctrl-C are never told to end, and the program would wait
    for them. Where even the shielded wait is broken off (the loop is being closed), it is waited for in line.
    """
    via, wake, woken = waiter()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            call(via, wake)

    thread = threading.Thread(target=run, name="outeract closing", daemon=True)
    thread.start()
    try:
        with anyio.CancelScope(shield=True):
            await woken
    finally:
        thread.join()
    if failed:
        raise failed.pop()


_LOADED: set[Callable[[], Any]] = set()


def is_loaded(load: Callable[[], Any]) -> bool:
    """Whether it was."""
    return load in _LOADED


async def loaded(load: Callable[[], T]) -> T:
    """What `load` imports: the first time in a thread of its own, since modules take many milliseconds to read."""
    if load not in _LOADED:
        await to_the_end(load)
        _LOADED.add(load)
    return load()
