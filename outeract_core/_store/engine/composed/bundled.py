"""Rows for several tables as one statement, for who has to wait for Python's lock at each.

Knows: that a view which only this connection sees takes all of them in one step, and puts each into its table by a trigger;
which texts can be put so. Does not know: SQLite's interface, when it is worth it.

A row takes SQLite half as much again this way; a lock that is lost costs a switch interval.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from ..sets import MOST, parts, widened

__all__ = ["CHANGED", "Bundle"]

_WIDTH, _MANY = 9, 400
"""Values of a row: tables with more are few, and few rows come into them at once. And rows: for more a statement of their own is
worth it.
"""
_COLUMNS = ", ".join(f"c{number}" for number in range(1, _WIDTH + 1))
_VIEW = f"CREATE TEMP VIEW IF NOT EXISTS bundle(kind, {_COLUMNS}) AS SELECT {', '.join('0' * (_WIDTH + 1))}"
_ADD = f"INSERT INTO bundle(kind, {_COLUMNS}) VALUES ({', '.join('?' * (_WIDTH + 1))})"
CHANGED = "another connection has written"
"""What SQLite says of rows that were not put because of it."""
_GUARD = (
    "CREATE TEMP TRIGGER IF NOT EXISTS bundle_0 INSTEAD OF INSERT ON bundle WHEN NEW.kind = 0 BEGIN "
    f"SELECT RAISE(ABORT, '{CHANGED}') "
    "WHERE (SELECT data_version FROM pragma_data_version) IS NOT NEW.c1; END"
)
_VALUE = re.compile(r":\w+|\?")


class Bundle:
    """The rows that wait to be put into their tables together. `run`: executes SQL with values."""

    def __init__(self, run: Callable[[str, Sequence[Any]], Any]) -> None:
        self._run = run
        self._kinds: dict[str, tuple[int, tuple[None, ...]]] = {}
        self._made: set[str] = set()
        self._rows: list[tuple[Any, ...]] = []

    def put(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Have these rows wait; False when the text is not of a kind that can, or they are many."""
        if not 0 < len(rows) <= _MANY:
            return not rows
        if sql not in self._made:
            if not _takes(sql, len(rows[0])):
                return False
            self._make(sql, len(rows[0]))
        kind, rest = self._kinds[sql]
        self._rows += [(kind, *row, *rest) for row in rows]
        return True

    @property
    def waits(self) -> bool:
        """Whether any row waits."""
        return bool(self._rows)

    @property
    def is_one(self) -> bool:
        """Whether one statement can have all that wait, and what guards them."""
        return len(self._rows) < MOST

    def send(self, since: int | None = None) -> None:
        """Put all that wait into their tables, in the order in which they came.

        `since`: none of them, should another connection have written since the file had this `data_version`.
        """
        rows, self._rows = self._rows, []
        if since is not None:
            self._guard()
            rows.append((0, since, *(None,) * (_WIDTH - 1)))
        for start in range(0, len(rows), MOST):
            self._run(*widened(_ADD, rows[start : start + MOST]))

    def forget(self) -> None:
        """The transaction was undone: what waited, and what was made in it, is not there."""
        self._rows.clear()
        self._made.clear()

    def _guard(self) -> None:
        if _GUARD not in self._made:
            self._run(_VIEW, ())
            self._run(_GUARD, ())
            self._made.add(_GUARD)

    def _make(self, sql: str, width: int) -> None:
        """What is there already stays; a text keeps its number for good."""
        kind, _ = self._kinds.setdefault(sql, (len(self._kinds) + 1, (None,) * (_WIDTH - width)))
        self._run(_VIEW, ())
        self._run(_trigger(kind, sql), ())
        self._made.add(sql)


def _takes(sql: str, width: int) -> bool:
    found = parts(sql)
    return width <= _WIDTH and found is not None and "RETURNING" not in found[2]


def _trigger(kind: int, sql: str) -> str:
    """What puts a row of this kind into its table."""
    found, numbers = parts(sql), count(1)
    assert found is not None  # noqa: S101 - it is taken
    head, values, tail = found
    values = _VALUE.sub(lambda _: f"NEW.c{next(numbers)}", values)
    return (
        f"CREATE TEMP TRIGGER IF NOT EXISTS bundle_{kind} INSTEAD OF INSERT ON bundle WHEN NEW.kind = {kind} "
        f"BEGIN {head}VALUES ({values}){tail.rstrip().rstrip(';')}; END"
    )
