"""Values become JSON text: the same that the standard library's own encoder writes, or its refusal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.values.codec import DEEPEST, decode, encode

_TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
_FOREIGN = st.sampled_from([
    float("nan"), float("inf"), Decimal(1), datetime(2026, 1, 1, tzinfo=UTC), b"x", {1}, object()
])  # fmt: skip
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS
_KEYS = _TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)


def _values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(_KEYS, inner, max_size=3)
        ),
        max_leaves=8,
    )


def _slowly(value: Any) -> Any:
    """What the encoder of the standard library makes of it; None: it refuses."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError):
        return None


@given(_values(_LEAVES | _FOREIGN))
def test_the_text_is_that_of_the_standard_library(value: Any) -> None:
    """To the character; what cannot be written as UTF-8 is escaped, and reads back the same."""
    wanted = _slowly(value)
    if wanted is None:
        with pytest.raises((ValueError, TypeError)):
            encode(value)
        return
    text = encode(value)
    assert text == wanted or decode(text) == decode(wanted)
    text.encode()


def _within_itself(kind: str) -> Any:
    if kind == "list":
        own: list[Any] = []
        own.append(own)
        return own
    holder: dict[str, Any] = {}
    holder["it"] = [holder]
    return holder


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_a_value_within_itself_is_refused(kind: str) -> None:
    """As a fault of the value, not of the stack; and the next one is written."""
    with pytest.raises(ValueError, match="holds itself"):
        encode(_within_itself(kind))
    assert encode({"a": 1}) == '{"a":1}'


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, 100_000])
def test_what_is_too_deep_is_refused(levels: int) -> None:
    """However deep it is."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    if levels <= DEEPEST:
        assert encode(value) == "[" * levels + '"x"' + "]" * levels
        return
    with pytest.raises(ValueError, match="nested deeper"):
        encode(value)
