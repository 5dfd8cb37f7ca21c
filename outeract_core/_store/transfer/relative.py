"""What a value is called without its file, and what it becomes in another: a function for each word.

Knows: that a key is its number within the application, a connection its rank, a type its name, bytes
are hexadecimal; how each is undone, so that no value can lead into another application.
Does not know: which column has which word (`tables.py`), what else may stand there (`values.py`), SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from .values import NODES, Bounds, rule_of

Spelling: TypeAlias = Callable[[Sequence[Any]], Iterable[str]]
"""Values of a column to JSON text, many at once: a call for each would be half of the work."""
Placing: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""A column of a line's values to what its table takes."""

PAUSED = 1 << 60
"""Milliseconds that work is put off while it is being imported, so that nobody begins it."""

quoted = json.JSONEncoder(ensure_ascii=False).encode
"""Text as JSON."""
_BYTES = ("uid", "hash", "body")

# ── out ───────────────────────────────────────────────────────────────────────────────────────


@frozen
class Outside:
    """What an application's own is called outside of its file: keys from `lo` on, and by number the
    ranks of connections, the names of types and the ids of rules, as JSON text.
    """

    lo: int
    ranks: Mapping[int, str]
    kinds: Mapping[int, str]
    rules: Mapping[int, str]

    def spelling(self, word: str) -> Spelling:
        """How values with this word are spelt."""
        if word in NODES or word == "position":
            return self._nodes
        if word in _BYTES:
            return lambda column: [f'"{value.hex()}"' for value in column]
        own: dict[str, Spelling] = {
            "node0": lambda column: self._nodes([value or self.lo for value in column]),
            "conn": lambda column: [self.ranks.get(value, "null") for value in column],
            "conn0": lambda column: [self.ranks.get(value, "0") for value in column],
            "kind": lambda column: [self.kinds.get(value, "null") for value in column],
            "rule": lambda column: [self.rules.get(value, '""') for value in column],
            "parts": lambda column: [
                quoted(_moved(text, lambda file: file - self.lo)) for text in column
            ],
        }
        return own.get(word, _plain)

    def _nodes(self, column: Sequence[int | None]) -> Iterable[str]:
        lo = self.lo
        return ["null" if value is None else str(value - lo) for value in column]


def plain(value: str | int | None) -> str:
    """Text, a number or nothing, as JSON."""
    if value is None:
        return "null"
    return quoted(value) if value.__class__ is str else str(value)


def _plain(column: Sequence[str | int | None]) -> Iterable[str]:
    kinds = set(map(type, column))
    if kinds == {int}:
        return map(str, column)
    return map(quoted, column) if kinds == {str} else map(plain, column)


def _moved(text: str, move: Callable[[Any], Any]) -> str:
    """What is still to be sent, with its files under other numbers."""
    spec = stored.values(text, "outbox", "")
    files = spec.get("files")
    if not isinstance(files, list) or not files:
        return text
    return encode({**spec, "files": [move(file) if _is_number(file) else file for file in files]})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


# ── in ────────────────────────────────────────────────────────────────────────────────────────


@frozen
class Remap:
    """Where an application's numbers begin: keys at `base`, up to `last` of them; connections."""

    app: int
    base: int
    last: int
    conns: int
    count: int

    def placing(self, word: str, kinds: Mapping[str, int]) -> Placing | None:
        """What becomes of a column with this word; None: it stays as it is.

        What is placed raises ValueError for a number that is none of the application's.
        """
        if word in NODES or word in ("node0", "position", "conn", "conn0"):
            return self._numbers(word)
        if word in (*_BYTES, "rule"):
            return lambda column: list(map(bytes.fromhex, column))
        own: dict[str, Placing] = {
            "kind": lambda column: [kinds[name] for name in column],
            "due": lambda column: [None if at is None else at + PAUSED for at in column],
            "disabled": lambda column: ["disabled"] * len(column),
            "parts": lambda column: [_moved(text, self._file) for text in column],
        }
        return own.get(word)

    def _numbers(self, word: str) -> Placing:
        rule = rule_of(word, Bounds(self.last, self.count))
        base = self.conns if word in ("conn", "conn0") else self.base
        nothing = (None, 0) if word in ("node0", "conn0") else (None,)

        def placed(column: Sequence[Any]) -> Sequence[Any]:
            if not rule.right(column, nullable=True):
                raise ValueError(f"no such number: it is {rule.says}")
            return [value if value in nothing else base + value for value in column]

        return placed

    def _file(self, file: Any) -> int:
        if type(file) is not int or not 1 <= file <= self.last:
            raise ValueError(f"outbox.parts names a file that is not there: {file!r:.80}")
        return self.base + file
