"""Queries of the doctor: integrity, versions, how much waits.

Knows: what to count. Does not know: what is too much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ..._domain.values.ids import span
from ...driver import Statement
from ..engine.sqlite import Connection, Fault
from ..engine.statements import statement
from ..records.log import id_of
from ..writing import search as index
from .enrolment import newest, stored_before

DEPTHS: Statement[tuple[int, str, int, int]] = statement("outbox_depths")
FILES: Statement[tuple[int]] = statement("depth_files")
UNPARSED: Statement[tuple[str, int]] = statement("depth_unparsed")
RETRYING: Statement[tuple[int]] = statement("depth_retries")
HUNG: Statement[tuple[int]] = statement("depth_hung")
PARKED: Statement[tuple[int, int | None, int | None]] = statement("depth_parked")
FOREIGN: Statement[tuple[str, str, int, int, int]] = statement("foreign_counts")
COUNTS: Statement[tuple[str, int]] = statement("counts")


def integrity(tx: Connection, progress: Callable[[int | str], None]) -> list[str]:
    """What is wrong with the file, looking at all of it; empty when it is well."""
    progress("pages")
    faults = [row[0] for row in tx.script("PRAGMA integrity_check") if row[0] != "ok"]
    progress("references")
    faults += [f"broken reference in {row[0]}" for row in tx.script("PRAGMA foreign_key_check")]
    return faults + unreadable(tx, progress)


def unreadable(tx: Connection, progress: Callable[[int | str], None]) -> list[str]:
    """Tables of which rows cannot be read: every row is, and every text in JSON."""
    tables = tx.script(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"
    )
    faults = []
    for (name,) in tables:
        progress(name)
        try:
            for _row in tx.stream(f"SELECT * FROM {name}", {}):
                pass
        except (Fault, UnicodeDecodeError) as error:
            faults.append(f"damage in the table {name}: {error}")
    bad = tx.dynamic("SELECT count(*) FROM event WHERE NOT json_valid(payload_out(payload))", {})[
        0
    ][0]
    return faults + ([f"damage in the table event: {bad} payloads are no JSON"] if bad else [])


def versions(tx: Connection) -> dict[str, Any]:
    """The file's schema and the SQLite that reads it."""
    return {
        "schema": tx.script("PRAGMA user_version")[0][0],
        "sqlite": tx.script("SELECT sqlite_version()")[0][0],
    }


def queues(tx: Connection) -> dict[str, int]:
    """How many rows wait, by kind of work."""
    found = {"queued": 0, "sending": 0}
    for _conn, state, count, _due in tx.all(DEPTHS):
        found[state] = found.get(state, 0) + count
    found["files"] = (tx.one(FILES) or (0,))[0]
    found |= {"unparsed": 0, "held": 0, **dict(tx.all(UNPARSED))}
    found["retrying"] = (tx.one(RETRYING) or (0,))[0]
    found["parked"] = parked(tx)[0]
    return found


def parked(tx: Connection, since: int = 0) -> tuple[int, UUID | None]:
    """How many turns have been given up from `since` on (milliseconds), and the newest one's event."""
    count, event, _at = tx.one(PARKED, since=since) or (0, None, None)
    return count, None if event is None else id_of(tx, event)


def hung(tx: Connection, app: int, since: int) -> int:
    """How many turns took so long that it was told, from `since` on (milliseconds)."""
    after = stored_before(tx, app, since, newest(tx, app))
    row = tx.one(HUNG, after=after, hi=span(app)[1], hangs=tx.known_kind("system.handler_hangs"))
    return (row or (0,))[0]


def foreign(tx: Connection) -> list[dict[str, Any]]:
    """What came for accounts that no connection of the file has: how many items, why, the last one."""
    return [
        {"platform": platform, "reason": reason, "items": items, "times": times, "last": last}
        for platform, reason, items, times, last in tx.all(FOREIGN)
    ]


def search(tx: Connection) -> dict[str, Any]:
    """How texts are cut for the full-text index (None: nobody has searched yet), and what it lacks."""
    return {"tokenizer": index.tokenizer(tx), "behind": max(0, index.backlog(tx)[1])}


def counts(tx: Connection, app: int) -> dict[str, int]:
    """How many events, messages, people, files an application has."""
    lo, hi = span(app)
    return dict(tx.all(COUNTS, lo=lo, hi=hi))
