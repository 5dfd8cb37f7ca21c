"""What counts as JSON is one thing, whoever looks: with the extra `fast`, without it, and in SQLite."""

from __future__ import annotations

import json
from typing import Any

import apsw
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outeract_core._domain.values import codec

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_PIECES = st.sampled_from(
    [*'{}[]",:0123456789.eE+-\\/u \t\n\0\x1f\x7fé', "\ud800", "true", "NaN", "null", "00"]
)


@st.composite
def texts(draw: Any) -> str:
    """JSON in which a little was put in or left out, or nothing."""
    text: str = json.dumps(draw(_VALUES), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(_PIECES | st.just("")) + text[at + draw(st.integers(0, 1)) :]
    return text


@settings(max_examples=300, deadline=None)
@given(_VALUES, st.booleans())
@example(2**70, False)
@example("\ud800", True)
def test_a_rough_value_is_the_value(value: Any, as_ascii: bool) -> None:
    """But for whole numbers that are too long for 64 bits, which may be floats; what is no JSON is refused by both."""
    text = json.dumps(value, ensure_ascii=as_ascii)
    rough = codec.decode_roughly(text)
    assert rough == codec.decode(text) or (isinstance(rough, float) and rough == float(value))
    with pytest.raises(ValueError):
        codec.decode_roughly(text + "]")


@settings(max_examples=500, deadline=None)
@given(texts())
@example('"\\ud800"')
@example('"\ud800"')
@example("1" * 5000)
@example("1e999")
@example("[" * 600 + "]" * 600)
@example("[" * 3000 + "]" * 3000)
@example(" [1] ")
@example("[1]\0")
@example("")
@example("NaN")
@example("[1,]")
@example('"\t"')
def test_json_is_json_whoever_looks(text: str) -> None:
    """The quick look takes nothing that the slow one refuses, and what it does not take is looked at again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "quick", lambda: None)
        slow = codec.is_json(text)
    assert codec.is_json(text) == slow
    if codec.storable(text) and "\0" not in text and text.count("[") + text.count("{") < 1000:
        db = apsw.Connection(":memory:")
        assert slow == bool(db.execute("SELECT json_valid(?)", (text,)).fetchall()[0][0])
