"""Work in a worker thread that stops when its caller has gone or its time is over.

Knows: worker threads, cancellation, the machine's clock.
Does not know: what the work is; it calls `go_on` now and then (`_domain/values/interrupt.py`), and so does
SQLite while it answers a query.

A thread cannot be ended from outside. The caller leaves at once, and the work that is left behind ends
where it looks next.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from attrs import define

from ..._domain.values.interrupt import STOP
from ...errors import ReadTimeout

__all__ = ["Abandoned", "aside"]

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
