"""Whether a connection had to wait for Python's lock lately: then it gives the lock away as seldom as it can, for a while.

Knows: how long what it does takes where nobody computes. Does not know: who computes, what is done about it.

Nothing is measured beside the work itself, and nothing global is changed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["A_WHILE", "Waits", "waited"]

A_WHILE = 1.0
"""Seconds. Then it is seen whether the host still computes."""
_ROW = 0.000_05
"""Seconds: a row that nobody has to wait for takes a tenth of it to fetch, half of it to write."""


class Waits:
    """What one connection has seen of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = self.until = 0.0

    def begin(self) -> bool:
        """Something begins; whether the lock is to be spared."""
        self.began = self.clock()
        return self.lately

    @property
    def lately(self) -> bool:
        """Whether what has begun is to spare the lock."""
        return self.began < self.until

    @property
    def known(self) -> bool:
        """Whether it need not be seen again yet: what takes the time of a disk as well does not tell."""
        return self.began < self.until - A_WHILE / 5

    def end(self, rows: int) -> None:
        """It is over. `rows` were fetched or written one by one, by statements that were run before."""
        now = self.clock()
        if waited(now - self.began, rows, sys.getswitchinterval()):
            self.until = now + A_WHILE


def waited(seconds: float, rows: int, interval: float) -> bool:
    """Whether it took so long because another thread had the lock, which it keeps for `interval` seconds."""
    return rows > 0 and seconds > max(interval * 0.8, rows * _ROW)
