"""What other threads bring to one that takes it, and how much it takes at a time.

Knows: when each came, how long the taker had what it took. Does not know: what is brought, what is done with it.

Who brings waits for an answer, and then brings the next. Were all that wait taken at once, either thread would rest
while the other one works. So a taker that had to wait leaves half for the next time: while it works on one half, who
waited for the other brings again. And it takes no more than makes a portion cheap. Both hold while it is about as fast
as they are: where it is slower (a disk that takes its time, a host that computes), few portions are the fastest.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

__all__ = ["CHEAP", "Arrivals"]

_LATE = 0.004
"""Seconds: four fifths of the switch interval of Python. Who has set a shorter one does not wait so long."""
_FEW, _MANY, CHEAP = 32, 64, 110
"""Fewer are not worth being parted, more are in any case; of so many a portion is cheap where nothing is slow."""
_SLOW, _PORTIONS, _AT_MOST = 2.5, 8, 4.0
"""So many times slower than who brings, by the mean of the last portions, of which one counts so much at most."""
_NORMAL = 0.001
"""Seconds that a portion is taken to be in hand, and to be brought in, before there was any."""
_A_WHILE = 1.0
"""Seconds for which all is taken then. After them it is seen again."""


class Brought(Protocol):
    """What is brought. `at`: when, in seconds of the monotonic clock."""

    at: float


A = TypeVar("A", bound=Brought)


class Pace:
    """How much slower the taker is than who brings, and whether it takes all that wait because of it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._taken = self._brought = _NORMAL

    def all(self, now: float) -> bool:
        """Whether it takes all."""
        return now < self._until

    def took(self, now: float, taken: float, brought: float) -> None:
        """A portion was in hand for `taken` seconds; in `brought` seconds as many are brought."""
        self._taken += (min(taken, brought * _AT_MOST) - self._taken) / _PORTIONS
        self._brought += (brought - self._brought) / _PORTIONS
        if self._taken > self._brought * _SLOW:
            self._taken, self._until = self._brought, now + _A_WHILE


class Arrivals(Generic[A]):
    """What has come, for one thread that takes it; None ends it. `late` is called when that thread waited for one, and
    has it only long after it came: another one has Python's lock.
    """

    def __init__(
        self, late: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._late, self._clock = late, clock
        self._pace, self._waited, self._began = Pace(), False, 0.0
        self._brought: queue.SimpleQueue[A | None] = queue.SimpleQueue()
        self.put, self.empty = self._brought.put, self._brought.empty

    def get(self, timeout: float | None = None) -> A | None:
        """The next. Raises queue.Empty after so many seconds."""
        self._waited, began = self.empty(), self._clock()
        one = self._brought.get(timeout=timeout)
        if one is not None and one.at >= began and self._clock() - one.at > _LATE:
            self._late()
        return one

    def portion(self, first: A, most: int) -> tuple[list[A], bool]:
        """What is taken with the first, in the order in which it came; and whether nothing comes after it."""
        self._began = self._clock()
        if self.empty():
            return [first], False
        taken, size = [first], self._size(most)
        while len(taken) < size and not self.empty():
            one = self._brought.get()  # nobody else takes from it
            if one is None:
                return taken, True
            taken.append(one)
        return taken, False

    def _size(self, most: int) -> int:
        there = self._brought.qsize() + 1
        if there < _FEW or self._pace.all(self._began):
            return most
        half = self._waited or there > _MANY
        return min(most, CHEAP, there // 2 if half else there)

    def done(self, portion: Sequence[A]) -> None:
        """It is no longer in hand."""
        if len(portion) >= _FEW // 2:
            now = self._clock()
            self._pace.took(now, now - self._began, len(portion) * _spacing(portion))


def _spacing(portion: Sequence[Brought]) -> float:
    """Seconds from one to the next, while who brings does nothing else: it does not wait for the taker."""
    after = sorted(later.at - one.at for one, later in pairwise(portion))
    return after[len(after) // 2]
