"""How long a thread of this process waits for its turn: two that answer each other, timed.

Knows: Python's switch interval, which wait is long, what a host can do about it.
Does not know: who computes. It changes nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from queue import SimpleQueue
from statistics import median
from threading import Thread

from attrs import define, frozen

__all__ = ["HandOver", "Patience", "measured"]

SLOW = 2.0
"""Milliseconds. Where nobody computes, a hand-over takes a twentieth of one."""
ADVISED = 0.0005
"""Seconds, for `sys.setswitchinterval`."""
_TIMES, _ROW = 9, 3
"""Hand-overs of which the median is told; slow measurements in a row before the log says so."""


@frozen
class HandOver:
    """How long one thread of this program waits for another, now.

    milliseconds   the median of a few hand-overs.
    interval       seconds after which a thread that computes lets another one in (`sys.getswitchinterval`).
    """

    milliseconds: float
    interval: float

    @property
    def slow(self) -> bool:
        """Whether it is worth doing something about: more than 2 ms."""
        return self.milliseconds > SLOW

    @property
    def advice(self) -> str | None:
        """What to do, in words; None when all is well."""
        if not self.slow:
            return None
        told = f"something computes in this program: threads wait {self.milliseconds:.1f} ms for a turn; "
        if self.interval > ADVISED:
            told += f"sys.setswitchinterval({ADVISED}) lets them have it more often, or "
        return f"{told}compute in a process (docs/how-to/busy-host.md)"


def measured(clock: Callable[[], float] = time.perf_counter) -> HandOver:
    """Two threads, this one and another, answer each other a few times. It blocks for as long as that takes:
    some 50 µs alone, a switch interval for each hand-over beside a thread that computes.
    """
    there: SimpleQueue[bool] = SimpleQueue()
    back: SimpleQueue[bool] = SimpleQueue()

    def answer() -> None:
        while there.get():
            back.put(True)

    Thread(target=answer, name="outeract hand-over", daemon=True).start()
    took = [_once(there, back, clock) for _ in range(_TIMES)]
    there.put(False)
    return HandOver(median(took) / 2 * 1000, sys.getswitchinterval())


def _once(there: SimpleQueue[bool], back: SimpleQueue[bool], clock: Callable[[], float]) -> float:
    start = clock()
    there.put(True)
    back.get()
    return clock() - start


@define
class Patience:
    """What of many measurements is worth a line in the log: that a few in a row were slow, and once."""

    slow: int = 0
    told: bool = False

    def sees(self, found: HandOver) -> str | None:
        """The line, when it is time for it."""
        self.slow = self.slow + 1 if found.slow else 0
        if self.told or self.slow < _ROW:
            return None
        self.told = True
        return found.advice
