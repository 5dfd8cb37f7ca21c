"""One statement for many rows: the text that adds a row becomes one that adds as many as are given.

Knows: that each step of SQLite may hand Python's lock to another thread, so that a row a step is dear
beside a host that computes; that a text which comes again is prepared once.
Does not know: SQLite's interface, what the rows are.

A text is kept for some sizes only. The rows up to the next size are empty and are left out by their
first column, which is a key of the table and never NULL. Where no row is empty the values are added as
they stand: to look at them first takes SQLite twice as long.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

_ONE = r"(?:\w+\([:?\w]+\)|'\w+'|[:?\w]+)"
_ADDS = re.compile(
    rf"(INSERT INTO \w+\([\w, ]+\)\s+)VALUES \(({_ONE}(?:, {_ONE})*)\)([^:]*)", re.DOTALL
)
_NAMED = re.compile(r":\w+")
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 640, 768, 1024)
MOST = _SIZES[-1]
"""Rows that one statement adds."""


def widened(sql: str, rows: Sequence[tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    """Text and values of the one statement that adds these rows, of which there are 1 to `MOST`."""
    count = len(rows)
    size = _SIZES[bisect_left(_SIZES, count)]
    if size == count:
        return exactly(sql, size), (*chain.from_iterable(rows),)
    nothing = (None,) * (len(rows[0]) * (size - count))
    return _at_most(sql, size), (*chain.from_iterable(rows), *nothing)


@cache
def exactly(sql: str, size: int) -> str:
    """The text that adds so many rows."""
    head, rows, tail = _wide(sql, size)
    return f"{head}VALUES {rows}{tail}"


@cache
def _at_most(sql: str, size: int) -> str:
    head, rows, tail = _wide(sql, size)
    return f"{head}SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL{tail}"


def _wide(sql: str, size: int) -> tuple[str, str, str]:
    found = parts(sql)
    if found is None:
        raise ValueError(f"no text that adds one row by its values alone: {sql:.60}")
    head, values, tail = found
    row = _NAMED.sub("?", values).replace(", ", ",")
    return head, ",".join([f"({row})"] * size), tail


def parts(sql: str) -> tuple[str, str, str] | None:
    """What stands before the values, they, and what follows; None: it is no text that adds one row by them."""
    found = _ADDS.fullmatch(sql)
    return None if found is None else (found[1], found[2], found[3])
