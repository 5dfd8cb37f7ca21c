"""What a value of an export may be: one rule for each word that stands behind a column in `tables.py`.

Knows: types, ranges, forms; that a whole column is looked at with few calls.
Does not know: which columns there are, lines, what is done with a value that breaks its rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from attrs import field

from ..._domain.rules import patterns
from ..._domain.rules.delivery import RANK
from ..._domain.values.classes import frozen
from ..._domain.values.codec import readable, storable
from ...errors import BadInput
from ...events import NAME

MOST = 2**53
"""The largest number that every reader of JSON keeps as it is."""
_LONG, _LONGEST = 64 * 1024, 32 * 1024 * 1024


@frozen
class Bounds:
    """What an export's header says that its lines must keep to; `brought`: the digests whose bytes it
    brings itself, None when whoever has signed it is believed.
    """

    last: int
    count: int
    brought: frozenset[str] | None = None


@frozen
class Rule:
    """`says`: in words; `type` and `fits` of a value. `fits` is asked once for each distinct value."""

    says: str
    type: type
    fits: Callable[[Any], bool] = field(default=lambda _value: True)

    def first_wrong(self, values: Sequence[Any], *, nullable: bool) -> int | None:
        """Where the first value stands that is none, or None."""
        if self.right(values, nullable=nullable):
            return None
        return next(n for n, v in enumerate(values) if not self.right((v,), nullable=nullable))

    def right(self, values: Sequence[Any], *, nullable: bool) -> bool:
        """Whether all of them fit."""
        types = set(map(type, values))
        if nullable:
            types.discard(type(None))
        if not types:
            return True
        return types == {self.type} and all(map(self.fits, set(values) - {None}))


@frozen
class Number(Rule):
    """A whole number from `lo` to `hi`."""

    lo: int = 0
    hi: int = MOST

    def right(self, values: Sequence[Any], *, nullable: bool) -> bool:
        """Whether all of them fit: a column of numbers is compared by its ends."""
        found = [value for value in values if value is not None] if nullable else values
        if not found:
            return True
        return set(map(type, found)) == {int} and self.lo <= min(found) and max(found) <= self.hi


def number(lo: int, hi: int) -> Number:
    """A whole number of this range."""
    return Number(f"a whole number from {lo} to {hi}", int, lo=lo, hi=hi)


def _matches(says: str, pattern: str) -> Rule:
    return Rule(says, str, re.compile(pattern, re.ASCII).fullmatch)  # type: ignore[arg-type]


def _one_of(*names: str) -> Rule:
    return Rule(f"one of {', '.join(names)}", str, frozenset(names).__contains__)


def _plain(value: str) -> bool:
    return len(value) <= _LONG and "\0" not in value and storable(value)


def _said(value: str) -> bool:
    return len(value) <= _LONGEST and storable(value)


def _label(value: str) -> bool:
    return 0 < len(value) <= 255 and value.isprintable()


def _json(value: str) -> bool:
    return len(value) <= _LONGEST and storable(value) and readable(value)


def _object(value: str) -> bool:
    return _json(value) and isinstance(json.loads(value), dict)


def _pattern(value: str) -> bool:
    try:
        patterns.checked(value)
    except BadInput:
        return False
    return len(value) <= KIND


KIND = 1000
"""Characters of the name of an event or edge type."""


def is_kind(name: Any) -> bool:
    """Whether an event or edge type may be called so: the rule that the API has."""
    return isinstance(name, str) and len(name) <= KIND and NAME.fullmatch(name) is not None


TIME = number(-62_135_596_800_000, 253_402_300_799_999)
"""Milliseconds since 1970, within the years that Python knows."""
BODY = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)
_HEX32 = _matches("16 bytes in lower-case hexadecimal", "[0-9a-f]{32}")
_HEX64 = _matches("32 bytes in lower-case hexadecimal", "[0-9a-f]{64}")
RULES: dict[str, Rule] = {
    # numbers
    "time": TIME,
    "due": number(0, TIME.hi),
    "count": number(0, MOST),
    "number": number(0, MOST),
    "flag": number(0, 1),
    "reach": number(0, 2),
    # bytes
    "uid": _HEX32,
    "rule": _HEX32,
    "hash": _HEX64,
    "digest": _matches("a SHA-256 in lower-case hexadecimal", "[0-9a-f]{64}"),
    "body": Rule("bytes in lower-case hexadecimal", str, BODY.fullmatch),  # type: ignore[arg-type]
    # texts
    "id": Rule(f"text of at most {_LONG} characters without NUL", str, _plain),
    "text": Rule(f"text of at most {_LONGEST} characters", str, _said),
    "label": Rule("1 to 255 characters that can be printed", str, _label),
    "word": _matches("a short name in a-z, 0-9, '_', '.', '-'", "[a-z0-9_][a-z0-9_.-]{0,99}"),
    "token": _matches("letters, digits, '_' and '-'", "[A-Za-z0-9_-]{8,200}"),
    "method": _matches("the method of a request", "[A-Z]{1,20}"),
    "kind": Rule("an event or edge type (a-z, 0-9, '_', '.')", str, is_kind),
    "kind_name": Rule("an event type (a-z, 0-9, '_', '.')", str, is_kind),
    "pattern": Rule("a pattern of event types", str, _pattern),
    "json": Rule("JSON", str, _json),
    "object": Rule("a JSON object", str, _object),
    "filename": Rule(f"text of at most {_LONG} characters without NUL", str, _plain),
    "mime": Rule(f"text of at most {_LONG} characters without NUL", str, _plain),
    # states
    "disabled": _matches("a connection's state", "[a-z_]{1,40}"),
    "puser_kind": _one_of("person", "system", "group", "channel"),
    "file_status": _one_of("pending", "stored", "failed", "erased"),
    "status": _one_of(*RANK),
    "queue": _one_of("queued", "sending", "copied"),
    "kept": _one_of("unparsed", "held", "erased"),
    "attempted": _one_of("send", "handle"),
}
"""By the word that stands behind a column."""

NODES = {"node", "own", "event", "person", "puser", "file"}
"""Words for a node's number: of any kind, the row's own, or of this kind."""


def rule_of(role: str, bounds: Bounds) -> Rule:
    """The rule behind a word; what has numbers keeps to those of the application."""
    if role in NODES:
        return number(1, bounds.last)
    if role in ("node0", "position"):
        return number(0, bounds.last)
    if role == "parts":
        return Rule(
            f"a JSON object, its files a list of {number(1, bounds.last).says}s", str,
            lambda text: _object(text) and _files_are_there(json.loads(text), bounds.last),
        )  # fmt: skip
    if role == "conn":
        return number(1, bounds.count)
    if role == "conn0":
        return number(0, bounds.count)
    return RULES[role]


def _files_are_there(parts: dict[str, Any], last: int) -> bool:
    files = parts.get("files", [])
    return isinstance(files, list) and number(1, last).right(files, nullable=False)


DK = (int, str, type(None))
_64_BIT = number(-(2**63), 2**63 - 1)


def dedupe_keys(values: Sequence[Any]) -> bool:
    """Whether all of them could be dedupe keys: text, numbers of 64 bits, or nothing."""
    numbers = [value for value in values if type(value) is int]
    texts = [value for value in values if type(value) is str]
    if not set(map(type, values)) <= set(DK) or not _64_BIT.right(numbers, nullable=False):
        return False
    joined = "".join(texts)
    return max(map(len, texts), default=0) <= _LONG and "\0" not in joined and storable(joined)
