"""Whether Python's lock had to be waited for lately: then a connection gives it away as seldom as it can, for a while.

Knows: how long what it does takes where nobody computes. Does not know: who computes, what is done about it.

Nothing is measured beside the work itself, and nothing global is changed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

__all__ = ["A_WHILE", "Waits", "waited"]

A_WHILE = 1.0
"""Seconds. Then it is seen whether the host still computes."""
_MOST = 0.8
"""Of a switch interval: what takes longer has waited."""
_ROW = 0.000_05
"""Seconds: a row that nobody has to wait for takes a tenth of it to fetch, half of it to write."""


class Host:
    """What the connections of this process to one file have seen of it. `until`: so long the lock is spared."""

    until = 0.0


_HOSTS: WeakValueDictionary[str, Host] = WeakValueDictionary()


class Waits:
    """What one connection has seen, for itself and for the others to the same file."""

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = 0.0
        self.host = _HOSTS.setdefault(path, Host())

    def begin(self) -> bool:
        """Something begins; whether the lock is to be spared."""
        self.began = now = self.clock()
        return now < self.host.until

    @property
    def lately(self) -> bool:
        """Whether what has begun is to spare the lock."""
        return self.began < self.host.until

    @property
    def known(self) -> bool:
        """Whether it need not be seen again yet: what takes the time of a disk as well does not tell."""
        return self.began < self.host.until - A_WHILE / 5

    def late(self) -> None:
        """Who was given something to do had to wait for the lock before."""
        self._spare(self.clock())

    def end(self, rows: int) -> None:
        """It is over. `rows` were fetched or written one by one, by statements that were run before."""
        now = self.clock()
        if waited(now - self.began, rows, sys.getswitchinterval()):
            self._spare(now)

    def _spare(self, now: float) -> None:
        self.host.until = max(self.host.until, now + A_WHILE)


def waited(seconds: float, rows: int, interval: float) -> bool:
    """Whether it took so long because another thread had the lock, which it keeps for `interval` seconds."""
    return rows > 0 and seconds > max(interval * _MOST, rows * _ROW)
