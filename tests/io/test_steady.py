"""The steady clock: only forward, whatever is done to the time of day."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.values.ids import utc_now
from outeract_core._io.steady import steady
from outeract_core.testing import ManualClock

HOURS = st.floats(-1e6, 1e6)


@given(st.lists(HOURS, max_size=30))
def test_an_injected_clock_is_followed_forward(steps: list[float]) -> None:
    """What went by between corrections counts, and a correction backwards is no time."""
    clock = ManualClock()
    passed, seen = steady(clock), [steady(clock)()]
    seen = [passed()]
    for step in steps:
        clock.advance(step)
        seen.append(passed())
    assert all(b >= a for a, b in pairwise(seen))
    went = sum(step for step in steps if step > 0) * 1000
    assert abs(seen[-1] - seen[0] - went) <= len(steps) + 1


def test_the_machines_clock_is_the_monotonic_one() -> None:
    """The library's own clock never goes back, and is not the time of day."""
    passed = steady(utc_now)
    assert passed() <= passed()
    assert passed is steady(utc_now)
