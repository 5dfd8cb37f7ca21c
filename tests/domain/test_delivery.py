"""The pure rules of delivery: the fold of statuses, backoff, pacing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.delivery import (
    BACKOFF,
    EVENT_STATUS,
    RANK,
    Progress,
    advance,
    backoff,
)

STATUSES = st.sampled_from(sorted(set(EVENT_STATUS.values())))


@given(st.lists(st.tuples(STATUSES, st.integers(1, 10**6)), max_size=12))
def test_a_status_never_moves_backwards(steps: list[tuple[str, int]]) -> None:
    """Whatever arrives in whatever order, the rank only grows, and the first failure's reason stays."""
    progress = Progress()
    for number, (status, at) in enumerate(steps):
        after = advance(progress, status, at, f"reason {number}", [status])
        assert RANK[after.status] >= RANK[progress.status]
        assert progress.reason is None or after.reason == progress.reason
        progress = after


@given(st.permutations(["sent", "delivered", "read"]))
def test_the_order_of_arrival_does_not_matter(order: list[str]) -> None:
    """All permutations of sent, delivered, read end in the same state with the same times."""
    at = {"sent": 1, "delivered": 2, "read": 3}
    progress = Progress()
    furthest = "queued"
    for status in order:
        furthest = max(furthest, status, key=RANK.__getitem__)
        progress = advance(progress, status, at[status], None, [furthest])
    assert progress.status == "read"


def test_a_message_in_parts_is_as_far_as_its_slowest_part() -> None:
    """Two of three parts delivered: the message is not."""
    progress = advance(Progress(parts=3), "delivered", 5, None, ["delivered", "delivered", "sent"])
    assert progress.status == "sent"
    assert advance(progress, "delivered", 6, None, ["delivered"] * 3).status == "delivered"


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_backoff_grows_and_is_bounded(attempt: int, jitter: float) -> None:
    """Each wait lies around its base; after the last base it stays there."""
    base = BACKOFF[min(attempt, len(BACKOFF)) - 1]
    assert 0.75 * base <= backoff(attempt, jitter) <= 1.25 * base
