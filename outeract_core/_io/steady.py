"""A clock for intervals: it only ever goes forward, whatever is done to the time of day.

Knows: the machine's monotonic clock, and how to make one of a clock that a test decides.
Does not know: what the time of day is for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from .._domain.values.ids import Clock, to_ms, utc_now

START = datetime(2000, 1, 1, tzinfo=UTC)


def steady(clock: Clock) -> Callable[[], int]:
    """Milliseconds since some moment, never fewer than before.

    With the library's own clock they are the machine's. A clock that the host injects is followed
    forward; when it goes back, no time has passed.
    """
    return _machine if clock is utc_now else _Followed(clock)


_MACHINE = getattr(time, "CLOCK_BOOTTIME", None)
"""Where there is one: a clock that counts what the machine has slept, too; leases go on meanwhile."""


def _machine() -> int:
    ns = time.monotonic_ns() if _MACHINE is None else time.clock_gettime_ns(_MACHINE)
    return ns // 1_000_000


class _Followed:
    """Time that has passed on another clock, not counting when it was set back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = to_ms(clock())
        self._passed = to_ms(START)

    def __call__(self) -> int:
        now = to_ms(self._clock())
        self._passed += max(0, now - self._seen)
        self._seen = now
        return self._passed
