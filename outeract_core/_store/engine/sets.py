"""One statement for many rows: the text that adds a row becomes one that adds as many as are given.

Knows: that each step of SQLite may hand Python's lock to another thread, so that a row a step is dear
beside a host that computes; that a text which comes again is prepared once.
Does not know: SQLite's interface, what the rows are.

A text is kept for some sizes only. The rows up to the next size are empty and are left out by their
first column, which is a key of the table and never NULL.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

_ADDS = re.compile(
    r"(INSERT INTO \w+\([\w, ]+\)\s+)VALUES \(((?:(?:\w+\([:?\w]+\)|[:?\w]+)(?:, )?)+)\)([^:]*)",
    re.DOTALL,
)
_NAMED = re.compile(r":\w+")
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


def portions(
    sql: str, rows: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:  # fmt: skip
    """Text and values of the statements that add these rows: one, unless they are over a thousand."""
    for start in range(0, len(rows), _SIZES[-1]):
        some = rows[start : start + _SIZES[-1]]
        size = _SIZES[bisect_left(_SIZES, len(some))]
        nothing = (None,) * (len(some[0]) * (size - len(some)))
        yield _widened(sql, size), (*chain.from_iterable(some), *nothing)


@cache
def _widened(sql: str, size: int) -> str:
    found = _ADDS.fullmatch(sql)
    if found is None:
        raise ValueError(f"no text that adds one row by its values alone: {sql:.60}")
    head, values, tail = found.groups()
    row = f"({_NAMED.sub('?', values)})"
    return f"{head}SELECT * FROM (VALUES {','.join([row] * size)}) WHERE column1 IS NOT NULL{tail}"
