"""Pacing: when the next request may leave, per connection and per chat.

Knows: rates, and that a place is taken in the moment when it is found free.
Does not know: clocks (steady times are handed over), platforms.

A connection's rate holds in every window of a second (a sliding window); a chat's holds over time,
with a burst after it was quiet (GCRA, a leaky bucket).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from attrs import Factory

from ..values.classes import define, frozen

_MANY = 10_000
BURST_SECONDS = 5.0
"""A chat that was quiet may take this many seconds' worth of messages at once, at least one."""


@frozen
class Rate:
    """One request per `interval` seconds for `key`; 0: as many as come.

    `strict`: in every second (of a connection); else after a burst (of a chat).
    """

    key: object
    interval: float
    strict: bool = False

    @property
    def places(self) -> int:
        """How many may leave at once."""
        return max(1, int((1.0 if self.strict else BURST_SECONDS) / self.interval + 1e-9))

    @property
    def window(self) -> float:
        """Milliseconds in which a strict rate allows `places`."""
        return self.places * self.interval * 1000


@define
class Pace:
    """What has left, by key. Times in milliseconds of a steady clock."""

    _next: dict[object, float] = Factory(dict)
    _left: dict[object, deque[int]] = Factory(dict)
    _held: dict[object, int] = Factory(dict)

    @property
    def asked(self) -> bool:
        """Whether a platform has asked for silence, which may still last."""
        return bool(self._held)

    def reserve(self, rates: Sequence[Rate], now: int) -> int:
        """Take a place at all these rates and give 0; or the milliseconds until there may be one.

        Between looking and taking nothing else can come: what was found free is taken.
        """
        wait = self.delay(rates, now)
        if not wait:
            self._forget_the_quiet(now)
            for rate in rates:
                self.spend(rate, now)
        return wait

    def delay(self, rates: Iterable[Rate], now: int) -> int:
        """Milliseconds until all these rates have a place, taking none."""
        waits = [max(self._held.get(rate.key, 0), self._free(rate)) - now for rate in rates]
        return max(0, *(-int(-wait // 1) for wait in waits)) if waits else 0

    def hold(self, key: object, until: int) -> None:
        """The platform has asked for silence until then."""
        self._held[key] = max(self._held.get(key, 0), until)

    def recall(self, rate: Rate, times: Sequence[int], now: int) -> None:
        """What a log knows to have left, oldest first: by other processes, or before this one began.

        Of what left here both may know, so the one that knows of more counts.
        """
        other = Pace()
        for at in times:
            other.spend(rate, at)
        if rate.strict and rate.key in other._left:
            begins, mine = now - rate.window, self._left.get(rate.key, deque())
            if sum(at > begins for at in other._left[rate.key]) > sum(at > begins for at in mine):
                self._left[rate.key] = other._left[rate.key]
        elif rate.key in other._next:
            self._next[rate.key] = max(self._next.get(rate.key, 0.0), other._next[rate.key])

    def spend(self, rate: Rate, at: int) -> None:
        """One has left at that time."""
        if rate.interval <= 0:
            return
        if rate.strict:
            self._left.setdefault(rate.key, deque(maxlen=rate.places)).append(at)
        else:
            self._next[rate.key] = max(self._next.get(rate.key, 0.0), at) + rate.interval * 1000

    def _free(self, rate: Rate) -> float:
        """When there is a place."""
        if rate.interval <= 0:
            return 0.0
        if rate.strict:
            left = self._left.get(rate.key)
            return left[0] + rate.window if left and len(left) >= rate.places else 0.0
        return self._next.get(rate.key, 0.0) - (rate.places - 1) * rate.interval * 1000

    def _forget_the_quiet(self, now: int) -> None:
        """Keys whose time is over say nothing any more; drop them when there are many."""
        for times in (self._next, self._held):
            if len(times) >= _MANY:
                for key in [key for key, time in times.items() if time <= now]:
                    del times[key]
