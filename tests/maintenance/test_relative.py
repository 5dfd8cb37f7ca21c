"""Numbers of a file made relative to an application and back: nothing is lost, nothing leads elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._store.transfer.relative import PAUSED, Outside, Remap
from outeract_core._store.transfer.tables import TABLES
from outeract_core._store.transfer.values import NODES

BASE, LAST, CONNS, COUNT = 7 << 40, 1000, 30, 3
KINDS = {"message.inbound": 1, "reply_to": 9}
UIDS = {4: b"\x00" * 16, 5: bytes(range(16))}
TO = Remap(7, BASE, LAST, CONNS, COUNT)
OUTSIDE = Outside(
    BASE,
    {CONNS + rank: str(rank) for rank in range(1, COUNT + 1)},
    {number: json.dumps(name) for name, number in KINDS.items()},
    {number: json.dumps(uid.hex()) for number, uid in UIDS.items()},
)
WORDS = {column.role for table in TABLES.values() for column in table.shown}
NODE = st.integers(BASE + 1, BASE + LAST)
CONN = st.integers(CONNS + 1, CONNS + COUNT)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(NODES, st.none() | NODE),
    "node0": st.just(0) | NODE,
    "position": st.integers(BASE, BASE + LAST),
    "conn": st.none() | CONN,
    "conn0": st.just(0) | CONN,
    "kind": st.sampled_from(sorted(KINDS.values())),
    **dict.fromkeys(("uid", "hash", "body"), st.binary(max_size=40)),
    "parts": st.lists(NODE).map(lambda files: json.dumps({"files": files}, separators=(",", ":"))),
}
PLAIN = (
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"]))
)
"""What stays as it is under any other word."""
CHANGED = {"rule", "due", "disabled"}
"""Words whose values do not come back as they were; each has a test of its own."""


@pytest.mark.parametrize("word", sorted(WORDS - CHANGED))
@given(data=st.data())
def test_what_goes_out_comes_in_as_it_was(word: str, data: st.DataObject) -> None:
    """Into the same place: any value that may stand under a word."""
    column = data.draw(st.lists(VALUES.get(word, PLAIN), min_size=1, max_size=5))
    outside = list(map(json.loads, OUTSIDE.spelling(word)(column)))
    place = TO.placing(word, KINDS)
    assert column == (outside if place is None else list(place(outside)))


def test_what_comes_in_otherwise() -> None:
    """A rule is its id until its number is known; work waits; a connection is disabled."""
    rules, due, disabled = (TO.placing(word, KINDS) for word in ("rule", "due", "disabled"))
    assert rules is not None and due is not None and disabled is not None  # noqa: PT018
    told = list(map(json.loads, OUTSIDE.spelling("rule")(list(UIDS))))
    assert rules(told) == list(UIDS.values())
    assert due([0, None, 7]) == [PAUSED, None, PAUSED + 7]
    assert disabled(["active", "error"]) == ["disabled", "disabled"]


@pytest.mark.parametrize("word", [*sorted(NODES), "node0", "position", "conn", "conn0"])
@pytest.mark.parametrize("value", [-1, 1 << 40, LAST + 1, "1", 1.0, True, []])
def test_no_number_leads_into_another_application(word: str, value: Any) -> None:
    """Whatever was looked at before, what is out of range is not placed."""
    place = TO.placing(word, KINDS)
    assert place is not None
    with pytest.raises((ValueError, TypeError)):
        place([1, value])


@pytest.mark.parametrize("word", [*sorted(NODES), "conn"])
def test_zero_is_nobody(word: str) -> None:
    """Only where a word has a meaning for it."""
    place = TO.placing(word, KINDS)
    assert place is not None
    with pytest.raises(ValueError, match="no such number: it is a whole number from 1"):
        place([0])
