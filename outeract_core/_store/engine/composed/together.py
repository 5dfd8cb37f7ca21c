"""Several queries in one statement: their rows come under each other, and are told apart again.

Knows: that a union has as many columns in every query, and that some engines give each of them one type.
Does not know: what the queries ask.

Each statement may hand Python's lock to another thread, and asks for the file's: one for a page, with all that stands
around it, asks once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from attrs import field

from ...._domain.values.classes import frozen

__all__ = ["Arm", "Together"]

Row = tuple[Any, ...]


@frozen
class Arm:
    """One query: `columns` are the types of what it gives, `n` a number, `b` bytes, `t` a text each."""

    sql: str = field(repr=False)
    columns: str


class Together:
    """`arms` under each other. `common`: queries that several of them read from, each asked once, by name and columns."""

    def __init__(self, common: Mapping[str, str], arms: Sequence[Arm]) -> None:
        layout = _layout([arm.columns for arm in arms])
        places = [_places(layout, arm.columns) for arm in arms]
        self.sql = _statement(common, arms, places, len(layout))
        self._number = itemgetter(len(layout))
        self._natural = [_picked(each) for each in places]

    def apart(self, rows: Sequence[Row]) -> list[list[Row]]:
        """The rows of each query, as it gives them."""
        found: list[list[Row]] = [[] for _ in self._natural]
        for number, some in groupby(rows, self._number):
            found[number].extend(map(self._natural[number], some))
        return found


def _layout(columns: Sequence[str]) -> str:
    """The types of a row that has room for each of the queries': the first's, and what others need beyond."""
    layout = columns[0]
    for each in columns[1:]:
        layout += "".join(
            kind * max(0, each.count(kind) - layout.count(kind)) for kind in sorted(set(each))
        )
    return layout


def _places(layout: str, columns: str) -> list[int]:
    """Where in the row each column of a query stands: the next place of its type."""
    free = {
        kind: iter([at for at, one in enumerate(layout) if one == kind]) for kind in set(layout)
    }
    return [next(free[kind]) for kind in columns]


def _statement(
    common: Mapping[str, str], arms: Sequence[Arm], places: Sequence[Sequence[int]], width: int
) -> str:
    once = [f"{name} AS MATERIALIZED (\n{sql}\n)" for name, sql in common.items()]
    tables = [
        f"q{number}({', '.join(f'c{at}' for at in each)}) AS (\n{arm.sql}\n)"
        for number, (arm, each) in enumerate(zip(arms, places, strict=True))
    ]
    asked = (
        f"SELECT {', '.join(f'c{at}' if at in each else 'NULL' for at in range(width))}, {number} FROM q{number}"
        for number, each in enumerate(places)
    )
    return f"WITH {', '.join([*once, *tables])} {' UNION ALL '.join(asked)}"


def _picked(places: Sequence[int]) -> Callable[[Row], Row]:
    first = places[0]
    if list(places) == list(range(first, first + len(places))):  # also of one: that is a row, too
        return itemgetter(slice(first, first + len(places)))
    return itemgetter(*places)
