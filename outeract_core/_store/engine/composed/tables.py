"""Statements that are made from the description of a table: its rows out, in, away, and compared.

Knows: how the rows of one application are told from all others; that content passes its door.
Does not know: which tables there are, what a column means (`_store/transfer/tables.py`).

Names come from descriptions in our own code, values travel as parameters: `:app`, `:lo` and `:hi` say
whose rows are meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...._domain.values.at_rest import COLUMNS
from ....driver import Statement

_SCOPES = {
    "app": "t.app = :app",
    "conn": "t.conn IN (SELECT c.id FROM connection c WHERE c.app = :app)",
    "rule": "t.rule IN (SELECT r.id FROM retention r WHERE r.app = :app)",
}


def own(scope: str) -> str:
    """Which rows of `t` are an application's, by the column that tells it; else it is a key."""
    return _SCOPES.get(scope, f"t.{scope} >= :lo AND t.{scope} < :hi")


# ── rows ──────────────────────────────────────────────────────────────────────────────────────


def selecting(
    table: str, columns: Sequence[str], scope: str, order: Sequence[str], interned: str | None = None
) -> str:  # fmt: skip
    """An application's rows, in order; those of one connection, `:conn`, where that tells whose they are.

    `interned`: the column that has the number of a type; its place in the order is that of the name.
    """
    taken = ", ".join(_passing(table, column, f"t.{column}", "out") for column in columns)
    whose = "t.conn = :conn" if scope == "conn" else own(scope)
    places = ", ".join(
        f"(SELECT k.name FROM kind k WHERE k.id = t.{column})"
        if column == interned
        else f"t.{column}"
        for column in order
    )
    return f"SELECT {taken} FROM {table} t WHERE {whose} ORDER BY {places}"


def adding(table: str, columns: Sequence[str]) -> Statement[Any]:
    """What adds a row, a value for each column; `Tx.add` makes it add many."""
    values = ", ".join(_passing(table, column, "?", "in") for column in columns)
    return Statement(f"add_{table}", f"INSERT INTO {table}({', '.join(columns)}) VALUES ({values})")


def removing(table: str, scope: str) -> str:
    """What removes an application's rows."""
    return f"DELETE FROM {table} AS t WHERE {own(scope)}"


def _passing(table: str, column: str, value: str, way: str) -> str:
    """The value through its column's door, where it has one."""
    door = COLUMNS.get(table, {}).get(column)
    return value if door is None else f"{door}_{way}({value})"


# ── whether all fits together ─────────────────────────────────────────────────────────────────


def dangling(table: str, column: str, scope: str, home: str, key: str) -> str:
    """Whether a row of an application names something that is not in its `home`."""
    return (
        f"SELECT EXISTS (SELECT 1 FROM {table} t WHERE {own(scope)} AND t.{column} IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {home} h WHERE h.{key} = t.{column}))"
    )


def nowhere(table: str, column: str, scope: str, homes: Mapping[str, str]) -> str:
    """Whether a row names something that is in none of the homes, tables and their keys."""
    missing = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {home} h WHERE h.{key} = t.{column})"
        for home, key in homes.items()
    )
    return f"SELECT EXISTS (SELECT 1 FROM {table} t WHERE {own(scope)} AND {missing})"


def shared(table: str, scope: str, other: str, key: str) -> str:
    """Whether a key of an application is the key of a row of another table too."""
    return (
        f"SELECT EXISTS (SELECT 1 FROM {table} t JOIN {other} h ON h.{key} = t.{scope} "
        f"WHERE {own(scope)})"
    )


# ── tables that follow from others ────────────────────────────────────────────────────────────


def deriving(table: str, rows: Statement[Any]) -> str:
    """What adds the rows that follow."""
    return f"INSERT INTO {table} {rows.sql}"


def lacking(table: str, scope: str, rows: Statement[Any]) -> str:
    """How many rows follow and are not in the table."""
    return _counted(f"{rows.sql} EXCEPT {_stored(table, scope)}")


def excess(table: str, scope: str, rows: Statement[Any]) -> str:
    """How many rows are in the table and do not follow."""
    return _counted(f"{_stored(table, scope)} EXCEPT {rows.sql}")


def _stored(table: str, scope: str) -> str:
    return f"SELECT * FROM {table} t WHERE {own(scope)}"


def _counted(sql: str) -> str:
    return f"SELECT count(*) FROM ({sql}) c"
