"""A file of SQLite, looked at as a whole: for the doctor.

Knows: SQLite's own checks, what a row that cannot be read looks like.
Does not know: what the tables are for, what is advised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...driver import Tx
from .sqlite import FAULTS, Connection, own


def integrity(tx: Tx, progress: Callable[[int | str], None]) -> list[str]:
    """What is wrong with the file, looking at all of it; empty when it is well."""
    db = own(tx)
    progress("pages")
    faults = [row[0] for row in db.script("PRAGMA integrity_check") if row[0] != "ok"]
    progress("references")
    faults += [f"broken reference in {row[0]}" for row in db.script("PRAGMA foreign_key_check")]
    return faults + _unreadable(db, progress)


def _unreadable(db: Connection, progress: Callable[[int | str], None]) -> list[str]:
    """Tables of which rows cannot be read: every row is, and every text in JSON."""
    tables = db.script(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"
    )
    faults = []
    for (name,) in tables:
        progress(name)
        try:
            for _row in db.stream(f"SELECT * FROM {name}", {}):
                pass
        except FAULTS as error:
            faults.append(f"damage in the table {name}: {error}")
    sql = "SELECT count(*) FROM event WHERE NOT json_valid(payload_out(payload))"
    bad = db.dynamic(sql, {})[0][0]
    return faults + ([f"damage in the table event: {bad} payloads are no JSON"] if bad else [])


def versions(tx: Tx) -> dict[str, Any]:
    """The file's schema and the SQLite that reads it."""
    db = own(tx)
    return {
        "schema": db.script("PRAGMA user_version")[0][0],
        "sqlite": db.script("SELECT sqlite_version()")[0][0],
    }
