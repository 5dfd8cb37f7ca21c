"""Time and ids that a test decides.

Knows: a clock is a callable that returns aware UTC; an id source makes UUIDv7s of milliseconds.
Does not know: who asks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

__all__ = ["ManualClock", "SequentialIds"]

START = datetime(2026, 1, 1, tzinfo=UTC)
_TIME_BITS, _COUNT_BITS = 48, 74


class ManualClock:
    """A clock that stands still until it is told otherwise; hand it over where a clock is wanted.

    >>> clock = ManualClock()
    >>> clock.advance(90)
    datetime.datetime(2026, 1, 1, 0, 1, 30, tzinfo=datetime.timezone.utc)
    """

    def __init__(self, start: datetime = START) -> None:
        """`start`: aware, in any zone. Raises ValueError for a naive datetime."""
        self._now = _utc(start)

    def __call__(self) -> datetime:
        """The time, aware and in UTC."""
        return self._now

    now = __call__

    def advance(self, seconds: float) -> datetime:
        """Move on by `seconds` (negative: a clock that was corrected); the new time."""
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, when: datetime) -> datetime:
        """Jump to `when`; the new time. Raises ValueError for a naive datetime."""
        self._now = _utc(when)
        return self._now


class SequentialIds:
    """UUIDv7s (RFC 9562) without chance: the same calls give the same ids, each above the last.

    The 74 bits that are random in a real id hold a counter; two sources with the same `start`
    give the same ids.
    """

    def __init__(self, start: int = 0) -> None:
        self._count = start
        self._latest = 0

    def __call__(self, now_ms: int) -> UUID:
        """The next id at `now_ms` milliseconds since 1970; a clock that goes back is not followed."""
        self._latest = max(self._latest, now_ms)
        self._count += 1
        high, low = divmod(self._count % (1 << _COUNT_BITS), 1 << 62)
        time = self._latest & ((1 << _TIME_BITS) - 1)
        return UUID(int=time << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def _utc(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone; give an aware time, e.g. tzinfo=UTC")
    return when.astimezone(UTC)
