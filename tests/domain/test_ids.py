"""Ids and times: UUIDv7 as RFC 9562 draws it, keys that carry their application, milliseconds.

Knows: bits. Does not know: tables.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._domain.values.ids import (
    SHIFT,
    app_of,
    from_ms,
    jitter,
    span,
    to_ms,
    utc_now,
    uuid7,
)
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.store.platform import connect, events, said, take

MOMENTS = st.integers(0, 2**48 - 1)
SOURCES = [uuid7, SequentialIds()]


# ── UUIDv7 ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("source", SOURCES, ids=["random", "sequential"])
def test_an_id_has_the_layout_of_the_rfc(source: type[UUID]) -> None:
    """48 bits of milliseconds, version 7, variant 10, and a text form with the 7 in its place."""
    now = to_ms(datetime(2026, 1, 1, tzinfo=UTC))
    made = source(now)  # type: ignore[arg-type]
    assert made.int >> 80 == now
    assert (made.version, made.variant) == (7, RFC_4122)
    assert str(made)[14] == "7"
    assert str(made)[19] in "89ab"


def test_the_example_of_the_rfc_is_met() -> None:
    """RFC 9562, appendix A.6: the time of 017F22E2-79B0-7CC3-98C4-DC0C0C07398F stands in its front."""
    example = UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")
    when = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert to_ms(when) == 0x017F22E279B0
    made = uuid7(to_ms(when))
    assert made.hex[:13] == example.hex[:13]


@given(MOMENTS)
def test_any_moment_can_be_read_back(moment: int) -> None:
    """The time in an id is the time that it was made with, up to the year 10889."""
    made = uuid7(moment)
    assert made.int >> 80 == moment
    assert (made.version, made.variant) == (7, RFC_4122)


@given(st.lists(MOMENTS, unique=True, min_size=2))
def test_ids_of_different_moments_are_in_order(moments: list[int]) -> None:
    """Ids, as numbers, bytes and text, sort as their milliseconds do."""
    made = [uuid7(moment) for moment in sorted(moments)]
    assert made == sorted(made)
    assert [m.bytes for m in made] == sorted(m.bytes for m in made)
    assert [str(m) for m in made] == sorted(map(str, made))


def test_ids_of_one_moment_differ() -> None:
    """Ten thousand ids of one millisecond are ten thousand ids, and every random bit varies."""
    made = {uuid7(1).int for _ in range(10_000)}
    assert len(made) == 10_000
    ones = zeros = 0
    for number in made:
        ones |= number
        zeros |= ~number
    free = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)
    assert ones & free == free
    assert zeros & free == free


def test_sequential_ids_repeat_and_never_go_back() -> None:
    """Two sources of a test give the same ids; a clock that goes back does not take them back."""
    moments = [5, 5, 6, 4, 5, 7]
    one, two = SequentialIds(), SequentialIds()
    made = [one(moment) for moment in moments]
    assert made == [two(moment) for moment in moments]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


# ── a clock that goes back ────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_the_log_is_in_order_whatever_the_clock_says(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """When the clock jumps back by a year, positions go on, times are what the clock said."""
    plain = connect(core, app)
    told = []
    for number, step in enumerate((60, -365 * 86400, 1, 86400)):
        told.append(clock.advance(step))
        await take(core, plain, said(f"m{number}"))
    found = await events(app)
    assert [event.external_message_id for event in found] == ["m0", "m1", "m2", "m3"]
    assert [event.created_at for event in found] == told
    positions = [event.position for event in found]
    assert positions == sorted(positions)
    assert len({event.id for event in found}) == 4
    page = await (await app.conversations.of(found[0])).page()
    assert [event.position for event in page] == positions[::-1]


# ── times ─────────────────────────────────────────────────────────────────────────────────────


@given(st.datetimes(timezones=st.timezones()))
def test_times_come_back_to_the_millisecond(when: datetime) -> None:
    """A time of any zone is the same moment afterwards, in UTC, cut to the millisecond."""
    back = from_ms(to_ms(when))
    assert back.tzinfo is UTC
    assert timedelta() <= when - back < timedelta(milliseconds=1)
    assert to_ms(back) == to_ms(when)


def test_a_naive_time_is_refused() -> None:
    """A time without a zone could be any moment, so it is none."""
    with pytest.raises(ValueError, match="time zone"):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001
    assert utc_now().tzinfo is UTC


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 2**23 - 1), st.integers(1, 2**SHIFT - 1))
def test_a_key_tells_its_application(app: int, number: int) -> None:
    """Every key lies in the span of its application and in no other, and fits 63 bits."""
    key = app << SHIFT | number
    low, high = span(app)
    assert app_of(key) == app
    assert low < key < high == span(app + 1)[0]
    assert high <= 2**63


def test_jitter_is_a_fraction() -> None:
    """Jitter lies in [0, 1) and is not always the same."""
    found = [jitter() for _ in range(1000)]
    assert all(0 <= each < 1 for each in found)
    assert len(set(found)) > 900
