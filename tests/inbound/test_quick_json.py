"""The extra `fast` changes how long a body takes to read, and nothing else."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outeract_core import exchange
from outeract_core.exchange import Inbound, Reply

pytest.importorskip("msgspec")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["\ud83d", "a\0b", 2**64, -(2**70), 1e400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
TEXTS = st.builds(lambda value, plain: json.dumps(value, ensure_ascii=plain), VALUES, st.booleans())


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON in several encodings, sometimes damaged, and what is no JSON at all."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32-le"]))
    body = bytearray(draw(TEXTS).encode(encoding, "surrogatepass"))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        body[at : at + 1] = draw(st.binary(max_size=2))
    return bytes(body)


def _read(body: bytes) -> Any:
    inbound = Inbound("POST", {}, {}, body, datetime.now(UTC))
    try:
        return inbound.json()
    except (ValueError, RecursionError) as error:
        return type(error)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and repr(one) == repr(other)


@settings(max_examples=400)
@given(bodies() | st.binary(max_size=40))
@example(b"[" * 5000 + b"]" * 5000)
@example(b'{"a":1,"a":2}')
@example(b"[1e400]")
@example(b"1" * 5000)
@example(b'"\\ud83d"')
def test_with_and_without_it_a_body_says_the_same(body: bytes) -> None:
    """Every body, good or damaged, is read alike by both decoders."""
    quick = _read(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "quick", lambda: None)
        plain = _read(body)
    assert _same(quick, plain), (quick, plain)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000]
)
def test_what_is_nested_too_deep_is_no_json(body: bytes) -> None:
    """A delivery says so as of all that is none; an answer is None, so that no adapter breaks by it."""
    with pytest.raises(ValueError, match="too deep"):
        Inbound("POST", {}, {}, body, datetime(2026, 1, 1, tzinfo=UTC)).json()
    assert Reply(200, {}, body).json() is None
