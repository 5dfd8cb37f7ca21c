"""How long a thread of this process waits for its turn: one that sleeps for a moment, and how late it wakes.

Knows: Python's switch interval, which wait is long, what a host can do about it.
Does not know: who computes. It changes nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from ..._domain.values.classes import define, frozen

__all__ = ["HandOver", "Patience", "measured"]

SLOW = 2.0
"""Milliseconds. Where nobody computes, a hand-over takes a twentieth of one."""
ADVISED = 0.0005
"""Seconds, for `sys.setswitchinterval`."""
_NAP = 0.0002
"""Seconds: long enough for a thread that computes to be let in."""
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


def measured(
    clock: Callable[[], float] = time.perf_counter, nap: Callable[[float], object] = time.sleep
) -> HandOver:
    """A thread, this one, lets go for a moment a few times, and is as late as it waits for its turn: some 50 µs
    alone, a switch interval beside a thread that computes. It blocks for as long as that takes.

    Two threads that answer each other would show nothing: what one lets go the other takes, and who
    computes is passed by.
    """
    late = [_late(clock, nap) for _ in range(_TIMES)]
    return HandOver(sorted(late)[_TIMES // 2] * 1000, sys.getswitchinterval())


def _late(clock: Callable[[], float], nap: Callable[[float], object]) -> float:
    start = clock()
    nap(_NAP)
    return max(0.0, clock() - start - _NAP)


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
