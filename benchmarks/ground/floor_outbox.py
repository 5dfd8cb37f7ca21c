"""The floor of the outbox: raw apsw that claims and settles in groups, with the library's rows.

Knows: which rows a sent message leaves. Does not know: adapters, pace, retries, failures.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import apsw

from outeract_core._domain.values.ids import uuid7

from .floor import Floor, mark

GROUP = 100
_DUE = (
    "SELECT o.id, o.lane, o.conn, o.event, o.parts, p.address FROM outbox o"
    " JOIN puser p ON p.id = o.lane WHERE o.waits = 0 AND o.due <= ?"
    " AND (o.lease_until IS NULL OR o.lease_until <= ?) ORDER BY o.due, o.id LIMIT ?"
)
_BEGIN = (
    "UPDATE outbox SET state = 'sending', attempt = attempt + 1, lease_until = ?,"
    " lease_owner = 'floor' WHERE id = ?"
)
_PROMOTE = (
    "UPDATE outbox SET waits = 0"
    " WHERE id = (SELECT id FROM outbox WHERE lane = ? AND waits = 1 ORDER BY id LIMIT 1)"
)
_COUNTED = {
    "event": "SELECT count(*), min(type), max(type) FROM event WHERE seq > ?1",
    "edge": "SELECT count(*), min(type), max(type) FROM edge WHERE src > ?1",
    "receipt": "SELECT count(*), min(status), max(part), ?1 FROM receipt",
    "delivery": "SELECT status, count(*), ?1 FROM delivery GROUP BY status",
    "outbox": "SELECT sum(rows), min(heads), max(heads), ?1 FROM"
    " (SELECT count(*) AS rows, sum(waits = 0) AS heads FROM outbox GROUP BY lane)",
}


class OutboxFloor:
    """A copy of the library's file, with everything queued."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begin = mark(path)
        self._next = self.begin
        self.sent: list[tuple[str, str]] = []
        self._floor = Floor(path)
        db = self._floor.db
        kinds = dict(db.execute("SELECT name, id FROM kind").fetchall())
        self._sent_kind, self._origin = kinds["message.sent"], kinds["origin"]

    def send(self, count: int) -> list[float]:
        """So many messages; the seconds of each group."""
        each = []
        while count > 0:
            start = time.perf_counter()
            count -= self._group(min(GROUP, count))
            each.append(time.perf_counter() - start)
        return each

    def _group(self, limit: int) -> int:
        now = int(time.time() * 1000)
        due = self._claim(now, limit)
        for _id, _lane, _conn, _event, parts, address in due:
            self.sent.append((address, parts))
        self._settle(due, now)
        return len(due)

    def _claim(self, now: int, limit: int) -> list[Any]:
        db = self._floor.db
        db.execute("BEGIN IMMEDIATE")
        due: list[Any] = db.execute(_DUE, (now, now, limit)).fetchall()
        db.executemany(_BEGIN, [(now + 120_000, row[0]) for row in due])
        db.execute("COMMIT")
        if not due:
            raise AssertionError("the floor has nothing left to send")
        return due

    def _settle(self, due: list[Any], now: int) -> None:
        events, edges, receipts, statuses = [], [], [], []
        for key, _lane, conn, event, _parts, _address in due:
            self._next += 1
            ext = f"in:{key}"
            payload = f'{{"external_message_id":"{ext}","part":0,"parts":1,"time":{now}}}'
            events.append((self._next, uuid7(now).bytes, conn, self._sent_kind, now, now, payload))
            edges.append((event, self._origin, self._next))
            receipts.append((conn, ext, event))
            statuses.append((now, event))
        db = self._floor.db
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO event(seq, id, conn, type, occurred_at, created_at, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            events,
        )
        db.executemany("INSERT INTO edge(dst, type, src) VALUES (?, ?, ?)", edges)
        db.executemany(
            "INSERT INTO receipt(conn, ext, event, part, status) VALUES (?, ?, ?, 0, 'sent')",
            receipts,
        )
        db.executemany("UPDATE delivery SET status = 'sent', sent_at = ? WHERE event = ?", statuses)
        db.executemany("DELETE FROM outbox WHERE id = ?", [(row[0],) for row in due])
        db.executemany(_PROMOTE, [(row[1],) for row in due])
        db.execute(
            "UPDATE counter SET value = ? WHERE owner = ?",
            (self._next & 0xFF_FFFF_FFFF, self._next >> 40),
        )
        db.execute("COMMIT")

    def close(self) -> None:
        """Done."""
        self._floor.close()


def same(ours: Path, floors: Path, after: int) -> list[str]:
    """The tables that hold another number of rows, of other kinds, than the floor's."""
    one = apsw.Connection(str(ours), apsw.SQLITE_OPEN_READONLY)
    other = apsw.Connection(str(floors), apsw.SQLITE_OPEN_READONLY)
    unlike = [
        table
        for table, sql in _COUNTED.items()
        if one.execute(sql, (after,)).fetchall() != other.execute(sql, (after,)).fetchall()
    ]
    one.close()
    other.close()
    return unlike
