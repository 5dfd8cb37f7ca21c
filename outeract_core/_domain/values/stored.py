"""Columns to values: the one door through which what is stored is decoded.

Knows: JSON, ids, times and closed lists of words as columns hold them; that what cannot be decoded is
damage, and that its table and row must be named.
Does not know: which columns there are, who reads them.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from ...errors import StoreCorrupt
from .ids import from_ms

T = TypeVar("T")
W = TypeVar("W", bound="str | None")


def value(text: Any, table: str, row: object) -> Any:
    """The value of a text in JSON. Raises StoreCorrupt."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(table, row, f"is no JSON ({type(error).__name__})") from None


def values(text: Any, table: str, row: object) -> dict[str, Any]:
    """The same of a text that holds an object. Raises StoreCorrupt."""
    found = value(text, table, row)
    if not isinstance(found, dict):
        raise _damaged(table, row, "is no JSON object")
    return found


def uid(data: Any, table: str, row: object) -> UUID:
    """The public id in 16 bytes. Raises StoreCorrupt."""
    try:
        return UUID(bytes=data)
    except (ValueError, TypeError):
        raise _damaged(table, row, "is no id") from None


def moment(ms: Any, table: str, row: object) -> datetime:
    """The time of so many milliseconds. Raises StoreCorrupt."""
    try:
        return from_ms(ms)
    except (OverflowError, TypeError):
        raise _damaged(table, row, "is no time") from None


def maybe_moment(ms: int | None, table: str, row: object) -> datetime | None:
    """`moment` of a column that may be empty. Raises StoreCorrupt."""
    return None if ms is None else moment(ms, table, row)


def word(text: W, among: Container[Any], table: str, row: object) -> W:
    """A word out of a closed list. Raises StoreCorrupt."""
    if text not in among:
        raise _damaged(table, row, f"is {text!r:.40}, which is none of its words")
    return text


def behind(number: Any, among: Mapping[Any, T], table: str, row: object) -> T:
    """What a number leads to. Raises StoreCorrupt."""
    try:
        return among[number]
    except KeyError:
        raise _damaged(table, row, f"leads to {number}, which is nothing") from None


def count(number: int, table: str, row: object) -> int:
    """How many there are of something that is then gone through one by one. Raises StoreCorrupt."""
    if not 0 <= number <= _MANY:
        raise _damaged(table, row, f"counts {number}")
    return number


_MANY = 1_000_000
"""Parts of one message: more than any message has."""


def _damaged(table: str, row: object, how: str) -> StoreCorrupt:
    return StoreCorrupt(f"a column of row {row} {how}", table)
