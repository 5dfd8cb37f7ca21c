"""Ids and times: UUIDv7 outside, integer keys inside, milliseconds in between.

Knows: how an id is made, how a key carries its application.
Does not know: the clock (it is handed over), tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from ...errors import BadInput

Clock: TypeAlias = Callable[[], datetime]
IdSource: TypeAlias = Callable[[int], UUID]

SHIFT = 40
"""A node key is (application << SHIFT) + n: 2^40 nodes in each of 2^23 applications."""

_VERSION = 0x7 << 76 | 0x2 << 62
_ROOM = ~(0xF << 76 | 0x3 << 62)
_POOL: list[bytes] = []
if hasattr(os, "register_at_fork"):  # absent on Windows, which cannot fork
    os.register_at_fork(after_in_child=_POOL.clear)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


def to_ms(when: datetime) -> int:
    """Milliseconds since 1970. Raises BadInput for a naive datetime."""
    if when.tzinfo is None:
        raise BadInput(f"{when!r} has no time zone; times must be aware, e.g. tzinfo=UTC")
    return (when - _EPOCH) // _MILLISECOND


def maybe_ms(when: datetime | None) -> int | None:
    """`to_ms` of a time that may not be given. Raises BadInput."""
    return None if when is None else to_ms(when)


def window(since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
    """Both ends of a time window in milliseconds. Raises BadInput, also when it ends before it begins."""
    begin, end = maybe_ms(since), maybe_ms(until)
    if begin is not None and end is not None and end < begin:
        raise BadInput(
            f"nothing is since {since} and before {until}: the times are the wrong way round"
        )
    return begin, end


def from_ms(ms: int) -> datetime:
    """The aware UTC time of `ms`."""
    seconds, rest = divmod(ms, 1000)
    return _EPOCH + timedelta(0, seconds, rest * 1000)


def uuid7(now_ms: int) -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of time, 74 random bits."""
    return UUID(bytes=uuid7_bytes(now_ms))


def uuid7_bytes(now_ms: int) -> bytes:
    """The 16 bytes of a UUIDv7."""
    value = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(_random())
    return (value & _ROOM | _VERSION).to_bytes(16)


def _random() -> bytes:
    """Ten random bytes. The system is asked for many at a time; a forked child starts without."""
    try:
        return _POOL.pop()
    except IndexError:
        fresh = os.urandom(10 * 256)
        _POOL.extend(fresh[start : start + 10] for start in range(10, len(fresh), 10))
        return fresh[:10]


def app_of(key: int) -> int:
    """The application that a node key belongs to."""
    return key >> SHIFT


def span(app: int) -> tuple[int, int]:
    """The first key of an application, and the first of the next one."""
    return app << SHIFT, (app + 1) << SHIFT


def jitter() -> float:
    """A number in [0, 1) that spreads retries; no secret."""
    return int.from_bytes(os.urandom(4)) / 2**32
