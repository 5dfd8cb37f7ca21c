"""Changes of several tables as one statement, for who has to wait for Python's lock at each.

Knows: that a view which only this connection sees takes all of them in one step, and makes each by a trigger; which texts
can be put so. Does not know: SQLite's interface, when it is worth it.

A row takes SQLite half as much again this way; a lock that is lost costs a switch interval.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..sets import MOST, parts, widened

__all__ = ["CHANGED", "Bundle"]

_WIDTH, _MANY, _KINDS, _FULL = 10, 400, 60, 4096
"""Values of a row: tables with more are few, and few rows come into them at once. Rows of one text: for more a statement
of their own is worth it. Texts: each row asks each of them whether it is its own. And rows that wait in memory.
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
_MUST = "SELECT RAISE(ABORT, 'not one row was changed') WHERE changes() <> 1"
_VALUE = re.compile(r":\w+|\?")
_MAKES = re.compile(r"(INSERT|UPDATE|DELETE) ")
_NOT_SO = re.compile(r"RETURNING|--|'[^']*[:?][^']*'")
"""What is told, and where what looks like a value is none."""


class _Kind:
    """A text that can be put so. `names`: its values in their order; `rest`: the columns that it leaves empty; `adds`:
    it adds a row; `trigger`: what makes such a change.
    """

    __slots__ = ("adds", "names", "number", "rest", "trigger")

    def __init__(self, number: int, sql: str, names: list[str], adds: bool) -> None:
        self.number, self.names, self.adds = number, names, adds
        self.trigger = _trigger(number, sql, adds)
        self.rest = (None,) * (_WIDTH - len(names))


class Bundle:
    """The changes that wait to be made together. `run`: executes SQL with values."""

    def __init__(self, run: Callable[[str, Sequence[Any]], Any]) -> None:
        self._run = run
        self._kinds: dict[str, _Kind | None] = {}
        self._made: set[str] = set()
        self._rows: list[tuple[Any, ...]] = []

    def put(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Have these rows wait; False when the text is not of a kind that can, or they are many."""
        if not 0 < len(rows) <= _MANY:
            return not rows
        kind = self._kind(sql)
        if kind is None or not kind.adds:
            return False
        head, rest = (kind.number,), kind.rest
        self._rows += [head + row + rest for row in rows]
        return True

    def put_one(self, sql: str, values: Mapping[str, Any], *, must: bool = False) -> bool:
        """Have a change wait, with its values by name; False when the text is not of a kind that can. `must`: it is made
        to one row, or nothing is.
        """
        kind = self._kind(f"{sql};\n{_MUST}" if must else sql)
        if kind is None:
            return False
        self._rows.append((kind.number, *(values[name] for name in kind.names), *kind.rest))
        return True

    @property
    def waits(self) -> bool:
        """Whether anything waits."""
        return bool(self._rows)

    @property
    def is_one(self) -> bool:
        """Whether one statement can have all that wait, and what guards them."""
        return len(self._rows) < MOST

    def send(self, since: int | None = None) -> None:
        """Make all that wait, in the order in which they came.

        `since`: none of them, should another connection have written since the file had this `data_version`.
        """
        rows, self._rows = self._rows, []
        if since is not None:
            self._make(_GUARD, _GUARD)
            rows.append((0, since, *(None,) * (_WIDTH - 1)))
        for start in range(0, len(rows), MOST):
            self._run(*widened(_ADD, rows[start : start + MOST]))

    def forget(self) -> None:
        """The transaction was undone: what waited, and what was made in it, is not there."""
        self._rows.clear()
        self._made.clear()

    def _kind(self, sql: str) -> _Kind | None:
        """A text keeps its number for good. None: it cannot be put so, or enough waits."""
        if len(self._rows) >= _FULL:
            return None
        if sql in self._made:
            return self._kinds[sql]
        if sql not in self._kinds:
            adds = parts(sql) is not None
            names = _names(sql, adds) if len(self._kinds) < _KINDS else []
            self._kinds[sql] = _Kind(len(self._kinds) + 1, sql, names, adds) if names else None
        kind = self._kinds[sql]
        if kind is not None:
            self._make(sql, kind.trigger)
        return kind

    def _make(self, sql: str, trigger: str) -> None:
        """What is there already stays."""
        if sql not in self._made:
            self._run(_VIEW, ())
            self._run(trigger, ())
            self._made.add(sql)


def _names(sql: str, adds: bool) -> list[str]:
    """The values of a text in their order, of one that adds a row each as often as it stands there; none: it cannot be
    put so.
    """
    if not _MAKES.match(sql) or _NOT_SO.search(sql):
        return []
    found = _VALUE.findall(sql)
    names = found if adds else list(dict.fromkeys(found))
    return [name[1:] for name in names] if len(names) <= _WIDTH else []


def _trigger(number: int, sql: str, adds: bool) -> str:
    """What makes a change of this kind."""
    names: dict[Any, int] = {}

    def column(found: re.Match[str]) -> str:
        name = found.start() if adds else found[0]
        return f"NEW.c{names.setdefault(name, len(names) + 1)}"

    return (
        f"CREATE TEMP TRIGGER IF NOT EXISTS bundle_{number} INSTEAD OF INSERT ON bundle "
        f"WHEN NEW.kind = {number} BEGIN {_VALUE.sub(column, sql).rstrip().rstrip(';')}; END"
    )
