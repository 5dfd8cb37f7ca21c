"""Pacing: no window ever holds more than its rate, whoever asks how often, and a hold is a hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.pacing import BURST_SECONDS, Pace, Rate

ASKED = st.lists(st.integers(0, 400), min_size=1, max_size=120)


@given(st.sampled_from([1 / 30, 0.0125, 0.2, 1.0, 3.0]), ASKED)
def test_a_strict_rate_holds_in_every_window(interval: float, pauses: list[int]) -> None:
    """However many ask at once, no second holds more than the manifest says of one."""
    rate, pace, now, left = Rate("connection", interval, strict=True), Pace(), 0, []
    for pause in pauses:
        now += pause
        left += [now for _ in range(7) if not pace.reserve([rate], now)]
    for first in left:
        assert sum(first <= at < first + rate.window for at in left) <= rate.places


@given(st.floats(0.01, 10), ASKED)
def test_a_chats_rate_holds_over_time(interval: float, pauses: list[int]) -> None:
    """A span holds no more than its rate and one burst."""
    rate, pace, now, left = Rate("chat", interval), Pace(), 0, []
    for pause in pauses:
        now += pause
        now += pace.delay([rate], now)
        assert pace.reserve([rate], now) == 0
        left.append(now)
    burst = max(BURST_SECONDS, interval) / interval
    assert len(left) <= (left[-1] - left[0]) / 1000 / interval + burst + 1.01


@given(st.integers(1, 200))
def test_a_place_is_taken_when_it_is_found(asking: int) -> None:
    """Many that look before any of them has sent: each place is given once."""
    pace, rate = Pace(), Rate("connection", 1 / 30, strict=True)
    assert sum(pace.reserve([rate], 0) == 0 for _ in range(asking)) == min(asking, 30)


def test_both_rates_or_neither() -> None:
    """What the connection has no place for takes none of its chat's either."""
    pace, connection, chat = Pace(), Rate("connection", 1.0, strict=True), Rate("chat", 1.0)
    assert pace.reserve([connection, chat], 0) == 0
    for _ in range(20):
        assert pace.reserve([connection, chat], 0) == 1000
    assert [pace.reserve([chat], 0) for _ in range(5)] == [0, 0, 0, 0, 1000]


def test_what_left_before_the_start_counts() -> None:
    """A process that begins anew has no new burst."""
    pace, rate = Pace(), Rate("connection", 1 / 30, strict=True)
    for at in range(0, 300, 10):
        pace.spend(rate, at)
    assert pace.delay([rate], 300) == 700


def test_a_hold_silences_until_its_time() -> None:
    """After a platform's "wait", nothing leaves before that time, also where there is no pace."""
    pace = Pace()
    pace.hold("chat", 60_000)
    pace.hold("chat", 30_000)
    assert pace.delay([Rate("chat", 1.0)], 0) == 60_000
    assert pace.delay([Rate("chat", 0.0)], 59_999) == 1
    assert pace.delay([Rate("chat", 1.0)], 60_000) == 0
    assert pace.delay([Rate("other", 1.0)], 0) == 0
    assert pace.delay([], 0) == 0
