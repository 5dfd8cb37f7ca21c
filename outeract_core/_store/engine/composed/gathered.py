"""All rows of a query as one, for who has to wait for Python's lock at each row that is fetched.

Knows: how rows become one text in SQLite, and rows again. Does not know: which queries, who computes meanwhile.

It costs the time of writing and reading the text, as much again as a page of fifty; a lock that is lost costs a
switch interval. A number and a text stand in it as they are, bytes as `[hexadecimal]`, a fraction as `[0, digits]`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

__all__ = ["apart", "gathered", "worth"]

_FEWEST, _MOST = 8, 500
"""Rows: fewer are as soon fetched, and of more the text would be long."""


def worth(rows: int) -> bool:
    """Whether a query with so many rows is worth it."""
    return _FEWEST <= rows <= _MOST


def gathered(sql: str, columns: int) -> str:
    """The same query with one row, one text."""
    names = [f"c{at}" for at in range(columns)]
    values = (
        f"CASE typeof({c}) WHEN 'blob' THEN json_array(hex({c})) WHEN 'real' THEN json_array(0, printf('%!.17g', {c})) ELSE {c} END"
        for c in names
    )
    return (
        f"WITH gathered({', '.join(names)}) AS (\n{sql.rstrip().rstrip(';')}\n) "
        f"SELECT json_group_array(json_array({', '.join(values)})) FROM gathered"
    )


def apart(text: str) -> list[tuple[Any, ...]]:
    """The rows that the text holds."""
    return [
        tuple([_value(one) if type(one) is list else one for one in row])
        for row in json.loads(text)
    ]


def _value(packed: Sequence[Any]) -> bytes | float:
    return bytes.fromhex(packed[0]) if len(packed) == 1 else float(packed[1])
