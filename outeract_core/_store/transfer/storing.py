"""Rows of an import with the numbers of this file, and the unit of work that writes them.

Knows: which statement takes which rows, and that what refers comes after what it refers to.
Does not know: lines and rules (`load.py`), what becomes of a value (`relative.py`), when it is whose turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ...driver import Statement, Tx
from ..engine.composed.tables import adding
from . import rebuild, soundness
from .dump import RULES
from .load import Rows
from .relative import Remap
from .tables import AFTER, BEFORE, LOG, TABLES, Table

_EVENT = ("own", "", "conn", "", "", "", "", "", "")
_EDGE = ("node", "", "node", "")
"""What `load.py` has left to be placed of events and edges: a word for each column."""


def placed(rows: Rows, kinds: Mapping[str, int], remap: Remap) -> Rows:
    """The same rows as their tables take them. Raises ValueError for a number out of range."""
    others = {
        name: _placed([column.role for column in TABLES[name].shown], found, kinds, remap)
        for name, found in rows.others.items()
    }
    return Rows(
        _placed(_EVENT, rows.events, kinds, remap),
        _placed(_EDGE, rows.edges, kinds, remap),
        {name: _with_app(TABLES[name], found, remap.app) for name, found in others.items()},
    )


def _placed(
    words: Sequence[str], rows: list[tuple[Any, ...]], kinds: Mapping[str, int], remap: Remap
) -> list[tuple[Any, ...]]:
    """Column by column, which takes few calls."""
    columns: list[Sequence[Any]] = []
    for word, column in zip(words, zip(*rows, strict=True), strict=bool(rows)):
        place = remap.placing(word, kinds)
        columns.append(column if place is None else place(column))
    return list(zip(*columns, strict=True))


def _with_app(table: Table, rows: list[tuple[Any, ...]], app: int) -> list[tuple[Any, ...]]:
    return [(*row, app) for row in rows] if "app" in table.names else rows


# ── the unit of work ──────────────────────────────────────────────────────────────────────────


def store(tx: Tx, rows: Rows, remap: Remap) -> None:
    """Write what is `placed`. Raises what SQLite does of a row that cannot be, and ValueError."""
    _tables(tx, rows, remap, BEFORE[:1])
    if not rows.only_connections and not soundness.connected(tx, remap.app, remap.count):
        raise ValueError("connections stand before all that may refer to them")
    _tables(tx, rows, remap, BEFORE[1:])
    tx.add(adding("event", LOG["event"]), rows.events)
    tx.add(adding("edge", LOG["edge"]), rows.edges)
    if rows.events:
        rebuild.add_entries(tx, rows.events[0][0], rows.events[-1][0] + 1)
    _tables(tx, rows, remap, AFTER)


def _tables(tx: Tx, rows: Rows, remap: Remap, tables: tuple[Table, ...]) -> None:
    for table in tables:
        found = rows.others.get(table.name, [])
        if table.scope == "rule" and found:
            found = _ruled(tx, remap.app, found)
        tx.add(adding_to(table.name), found)


@cache
def adding_to(name: str) -> Statement[Any]:
    """What adds the rows of a table that a line has."""
    table = TABLES[name]
    names = [column.name for column in table.shown]
    return adding(name, [*names, "app"] if "app" in table.names else names)


def _ruled(tx: Tx, app: int, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """With the numbers that the rules of retention have been given."""
    numbers = {uid: number for number, uid in tx.all(RULES, app=app)}
    if any(row[0] not in numbers for row in rows):
        raise ValueError("passed_by.rule names a rule that is not there")
    return [(numbers[row[0]], *row[1:]) for row in rows]
