"""A fair claim: in order, no connection beyond its share, nothing left that there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.fair import fairly, shares

CONNS = st.integers(1, 4)


@given(
    st.lists(CONNS, max_size=40),
    st.lists(CONNS, max_size=12),
    st.integers(1, 5),
    st.integers(0, 30),
)
def test_a_claim_is_fair(due: list[int], held: list[int], each: int, limit: int) -> None:
    """With what is held, nobody has more than `each`; what is passed over had no room."""
    left = shares({*due, *held}, held, each)
    taken = fairly([(conn, number) for number, conn in enumerate(due)], left, limit)
    assert taken == sorted(taken)
    assert len(taken) <= limit
    for conn in {*due, *held}:
        mine = sum(due[number] == conn for number in taken)
        assert not mine or mine + held.count(conn) <= each
    for number in set(range(len(due))) - set(taken):
        before = [one for one in taken if one < number]
        full = sum(due[one] == due[number] for one in before) + held.count(due[number]) >= each
        assert full or len(before) >= limit
