"""The floor of page, list and timeline: apsw and the best SQL known, in one statement each.

Knows: the tables, and the columns that the library's objects are made of.
Does not know: objects.

`raw` reads what a `Standing` holds: the event row with payload and raw text, its delivery state and
when it was processed, and what has happened to it (`raw_standing.py`); for the list also the platform
user with aliases, user and connection.
`bare` reads the event rows alone. No statement may sort or scan: EXPLAIN is asked at the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw

from . import PAGE, Read, Targets, said
from .raw_standing import Around

BARE = "e.seq, e.id, e.conn, e.type, e.occurred_at, e.created_at, e.payload, e.raw"
FULL = f"{BARE}, d.status, d.sent_at, d.delivered_at, d.read_at, d.failed_at, d.reason, p.at"
STATE = "LEFT JOIN delivery d ON d.event = e.seq LEFT JOIN processed p ON p.event = e.seq"
_PAGE = (
    "SELECT {columns} FROM (SELECT n.event AS seq FROM entry n WHERE n.peer = ?1 AND n.event < ?2"
    f" ORDER BY n.event DESC LIMIT {PAGE}) x CROSS JOIN event e ON e.seq = x.seq {{state}}"
    " ORDER BY x.seq DESC"
)
_BRANCH = (
    "SELECT c.peer, c.last, c.inbound, c.outbound, c.unread FROM conversation c WHERE c.conn = {}"
)
_WHO = (
    "u.id, u.uid, a.uid, q.uid, k.uid, k.platform, u.ext, u.kind, u.name, u.picture, u.created_at"
)
_WHOSE = (
    " CROSS JOIN puser u ON u.id = x.peer CROSS JOIN person q ON q.id = u.person"
    " CROSS JOIN connection k ON k.id = u.conn CROSS JOIN application a ON a.id = k.app"
)
_PEERS = (
    "SELECT u.id FROM person q CROSS JOIN puser u ON u.person = q.id"
    " WHERE q.uid = ? AND u.kind = 'person' ORDER BY u.id"
)
_ALWAYS = 2**62


def opened(world: Path) -> Any:
    """A reading connection with the same cache as the library's readers, and plans that are made once."""
    db = apsw.Connection(str(world), apsw.SQLITE_OPEN_READONLY)
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    db.execute("PRAGMA cache_size = -16384").fetchall()
    return db


def checked(db: Any, sql: str) -> str:
    """The statement, once its plan is known to hold no sort and no scan of a table.

    A virtual table always counts as scanned; it has its own index.
    """
    for *_numbers, step in db.execute(f"EXPLAIN QUERY PLAN {sql}", _nothing(sql)):
        scanned = step.startswith("SCAN ") and "VIRTUAL TABLE" not in step
        if "TEMP B-TREE" in step or (scanned and step.split()[1] not in _SMALL):
            raise AssertionError(f"no floor, its plan says {step!r}: {sql}")
    return sql


_SMALL = ("x", "w", "CONSTANT", "k", "a")
"""What a plan may scan: a page of keys, a level of a walk, the few connections and applications."""


def _nothing(sql: str) -> tuple[None, ...]:
    marks = [sql.count("?")] if "?1" not in sql else [n for n in range(1, 9) if f"?{n}" in sql]
    return (None,) * max(marks)


class Raw:
    """`full`: with the columns of the library's objects; otherwise event rows only."""

    def __init__(self, world: Path, targets: Targets, full: bool = True) -> None:
        self.name = "raw" if full else "bare"
        self.notes = ""
        self._db = opened(world)
        self._targets = targets
        self._columns = FULL if full else BARE
        self._state = STATE if full else ""
        self._full = full
        self._around = Around(self._db)
        self._page = checked(self._db, _PAGE.format(columns=self._columns, state=self._state))
        self._list = checked(self._db, self._list_sql(""))
        self._peers = checked(self._db, _PEERS)
        self._timelines: dict[int, str] = {}

    def reads(self) -> dict[str, Read]:
        """Page (also used), deep page, list, timeline."""
        asked = self._targets
        reads = {
            "page_used": Read(self._used, first_column),
            "page": Read(partial(self._paged, asked.peer, _ALWAYS), first_column),
            "deep_page": Read(partial(self._paged, asked.peer, asked.deep), first_column),
            "list": Read(self._recent, lambda rows: [row[5] for row in rows]),
            "timeline": Read(self._timeline, first_column),
        }
        if self._full:
            reads["list_used"] = Read(self._list_used, first_column)
        return reads

    def _paged(self, peer: int, before: int) -> list[Any]:
        rows = list(self._db.execute(self._page, (peer, before)))
        if self._full:
            self._around.read(rows)
        return rows

    def _used(self) -> list[Any]:
        """With ids, times and texts as a program uses them."""
        return [
            (row[0], UUID(bytes=row[1]), datetime.fromtimestamp(row[4] / 1000, UTC), said(row[6]))
            for row in self._paged(self._targets.peer, _ALWAYS)
        ]

    def _recent(self) -> list[Any]:
        rows = list(self._db.execute(self._list))
        if self._full:
            self._around.read(rows, 5, 13)
            aliases: dict[int, list[Any]] = {}
            for row in self._db.execute(self._list_sql("aliases")):
                aliases.setdefault(row[0], []).append(row)
        return rows

    def _list_used(self) -> list[Any]:
        return [
            (
                row[5], UUID(bytes=row[21]), row[28], said(row[11]),
                datetime.fromtimestamp(row[9] / 1000, UTC), row[4],
            )
            for row in self._recent()
        ]  # fmt: skip

    def _list_sql(self, what: str) -> str:
        """All connections' newest conversations, merged by the index that each has."""
        branches = " UNION ALL ".join(map(_BRANCH.format, self._targets.conns))
        newest = f"FROM ({branches} ORDER BY 2 DESC LIMIT {PAGE}) x"
        if what:
            return (
                f"SELECT l.puser, l.type, l.value {newest} CROSS JOIN alias l ON l.puser = x.peer"
            )
        who, whose = (f", {_WHO}", _WHOSE) if self._full else ("", "")
        return (
            f"SELECT x.*, {self._columns}{who} {newest}{whose} CROSS JOIN event e ON e.seq = x.last"
            f" {self._state} ORDER BY x.last DESC"
        )

    def _timeline(self) -> list[Any]:
        """From the user's id: their platform users, then the newest of all of them, merged."""
        peers = [row[0] for row in self._db.execute(self._peers, (self._targets.person,))]
        rows = list(self._db.execute(self._timeline_sql(len(peers)), peers))
        if self._full:
            self._around.read(rows)
        return rows

    def _timeline_sql(self, count: int) -> str:
        sql = self._timelines.get(count)
        if sql is None:
            branch = "SELECT n.event AS seq FROM entry n WHERE n.peer = ?"
            newest = " UNION ALL ".join([branch] * count) + f" ORDER BY 1 DESC LIMIT {PAGE}"
            sql = checked(
                self._db,
                f"SELECT {self._columns} FROM ({newest}) x CROSS JOIN event e ON e.seq = x.seq"
                f" {self._state} ORDER BY x.seq DESC",
            )
            self._timelines[count] = sql
        return sql

    def close(self) -> None:
        """Let the file go."""
        self._db.close()


def first_column(rows: Sequence[Any]) -> list[int]:
    """Where the rows begin with their key."""
    return [row[0] for row in rows]


__all__ = ["BARE", "FULL", "STATE", "Raw", "checked", "first_column", "opened"]
