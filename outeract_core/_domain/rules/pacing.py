"""Pacing: when the next message may leave, per connection and per chat (GCRA, a leaky bucket).

Knows: rates with a burst. Does not know: clocks (times are handed over), platforms.
"""

from __future__ import annotations

from attrs import Factory, define

_MANY = 10_000
BURST_SECONDS = 5.0
"""A chat that was quiet may take this many seconds' worth of messages at once, at least one."""


@define
class Pace:
    """Theoretical arrival times by key. Times in milliseconds."""

    _next: dict[object, float] = Factory(dict)

    def delay(self, key: object, interval: float, now: int) -> int:
        """Milliseconds until `key` may send again at one message per `interval` seconds.

        Without an interval only what the platform has asked for holds.
        """
        burst = max(BURST_SECONDS, interval) * 1000
        return max(0, int(self._next.get(key, 0.0) - now - burst + interval * 1000))

    def spend(self, key: object, interval: float, now: int) -> None:
        """One message leaves now."""
        if interval > 0:
            self._forget_the_quiet(now)
            self._next[key] = max(self._next.get(key, 0.0), float(now)) + interval * 1000

    def _forget_the_quiet(self, now: int) -> None:
        """Keys whose time is over say nothing any more; drop them when there are many."""
        if len(self._next) >= _MANY:
            self._next = {key: time for key, time in self._next.items() if time > now}

    def hold(self, key: object, until: int) -> None:
        """The platform has asked for silence until then."""
        self._next[key] = max(self._next.get(key, 0.0), until + BURST_SECONDS * 1000)
