"""What is taken out of an event: what is theirs, marked, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.redaction import MARK, Names, Quoting, Redaction
from outeract_core._store.engine.guards import PERMITS

ANN = Names(frozenset({"7300001234", "UANN01234", "42"}), frozenset({"Ann Example"}))
TELEGRAM = Quoting(
    frozenset({"reply_to_message", "quote"}), frozenset({"user", "members"}), frozenset({"origin"})
)


def _of(value: Any, *, answered: bool = False) -> Any:
    return Redaction(ANN, TELEGRAM, answered).of(value)[0]


CASES = {
    "an id alone": ({"id": 7300001234}, {"id": MARK}),
    "an id in a text": ({"text": "hi <@UANN01234>!"}, {"text": "hi <@[erased]>!"}),
    "within another word": ({"text": "XUANN01234", "n": 173000012345}, ...),
    "too short to tell": ({"message_id": 42, "text": "42 apples"}, ...),
    "a name that others share": ({"from": {"first_name": "Ann Example"}}, ...),
    "a name where somebody is named": ({"user": {"name": "Ann Example"}}, {"user": MARK}),
    "a short id where somebody is named": ({"user": {"id": 42}}, {"user": MARK}),
    "one of several": ({"members": [{"id": 42}, {"id": 43}]}, {"members": [MARK, {"id": 43}]}),
    "what she has said": (
        {"reply_to_message": {"from": {"id": 42}, "text": "hers"}, "quote": {"text": "hers"}},
        {"reply_to_message": MARK, "quote": MARK},
    ),
    "what somebody else has said": (
        {"reply_to_message": {"from": {"id": 43}, "text": "his"}, "quote": {"text": "his"}}, ...,
    ),
    "true is no number": ({"user": {"id": True}}, ...),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_theirs_is_marked(name: str) -> None:
    """Ids anywhere they tell, names and words where the platform says that they are somebody's."""
    before, after = CASES[name]
    assert _of(before) == (before if after is ... else after)


def test_what_answers_the_erased_quotes_them_by_no_name() -> None:
    """A quote has no name in it: it goes when what is answered goes."""
    told = {"text": "mine", "quote": "hers", "reply_to_message": {"text": "hers"}}
    gone = {"text": "mine", "quote": MARK, "reply_to_message": MARK}
    assert _of(told, answered=True) == gone


KEYS = st.sampled_from(["user", "members", "quote", "origin", "text", 'a"b', "a.b", "", "ü"])
LEAVES = st.sampled_from(
    [7300001234, 42, "UANN01234", "x UANN01234 y", "Ann Example", None, True, 1.5]
)
ITEMS = st.recursive(
    LEAVES | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(ITEMS, st.booleans())
def test_whatever_is_changed_says_so(item: Any, answered: bool) -> None:
    """The file would allow it: a value is as it was or marked; done twice it changes nothing more."""
    told = {"item": item}
    after = _of(told, answered=answered)
    assert _of(after, answered=answered) == after
    old, new = (json.dumps(one, ensure_ascii=False) for one in (told, after))
    if "\\u0000" not in old and "\\ud" not in old:
        assert apsw.Connection(":memory:").execute(
            PERMITS, {"old": old, "new": new}
        ).fetchall() == [(1,)]
    assert not Names(frozenset(ANN.telling)).within(after)
