"""A wall in tests: a unit of work that has named an application writes no row of another one.

Knows: the tables whose rows are found by a key that carries its application. Does not know: what a unit does.
SQLite tells of such rows only; of the others (edges, entries) their nodes are asked for when they are made.
"""

from __future__ import annotations

from typing import Any

import apsw

from outeract_core._domain.values.ids import app_of
from outeract_core._store.engine import opening
from outeract_core._store.engine.sqlite import Connection

__all__ = ["KEYED", "walled"]

KEYED = frozenset({
    "event", "person", "puser", "file", "conversation", "delivery", "outbox", "processed", "link_attempt",
    "profile", "erasing",
})  # fmt: skip


def walled(*args: Any) -> Connection:
    """`open_writer`, whose connection refuses what a unit has not named."""
    connection = opening.open_writer(*args)

    def look(_change: int, _file: str, table: str, key: int) -> None:
        whose = connection.whose
        named = whose if isinstance(whose, frozenset) else {whose}
        if whose is not None and table in KEYED and app_of(key) not in named:
            raise AssertionError(f"a unit of {whose} writes {table} {key} of {app_of(key)}")

    connection.db.set_update_hook(look)
    return connection


def held(connection: Connection) -> set[str]:
    """Tables that a wall can see: those whose rows have a number."""
    found: set[str] = set()
    for (name,) in connection.script("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        try:
            connection.script(f"SELECT rowid FROM {name} LIMIT 1")
        except apsw.SQLError:
            continue
        found.add(name)
    return found
