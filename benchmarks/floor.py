"""The floor: raw apsw writing the very rows that the library has written, with the same durability.

Knows: the schema (it is taken from the measured file), rows, transactions.
Does not know: messages, adapters, how the rows came to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw

TABLES = ("person", "puser", "alias", "event", "edge", "entry")
_UPSERT = (
    "INSERT INTO conversation VALUES (?, ?, 1, 0, 1, 0, 1) ON CONFLICT (peer) DO UPDATE SET"
    " last = excluded.last, inbound = inbound + 1, unread = unread + 1"
)
_HEAD = "INSERT INTO counter VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET value = excluded.value"
Row = tuple[str, tuple[object, ...]]


def rows_of(path: Path) -> list[list[Row]]:
    """What each message has put into the file, in order: (statement, values) lists."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    inserts = {table: _insert(db, table) for table in TABLES}
    events = db.execute("SELECT * FROM event WHERE dk IS NOT NULL ORDER BY seq").fetchall()
    messages, after = [], 0
    for event in events:
        seq = event[0]
        new = [
            (inserts[table], row)
            for table in ("person", "puser")
            for row in db.execute(
                f"SELECT * FROM {table} WHERE id > ? AND id < ?", _around(after, seq, db)
            )
        ]
        new += [
            (inserts["alias"], row)
            for row in db.execute(
                "SELECT * FROM alias WHERE puser > ? AND puser < ?", _around(after, seq, db)
            )
        ]
        new.append((inserts["event"], event))
        edges = db.execute("SELECT * FROM edge WHERE src = ?", (seq,)).fetchall()
        new += [(inserts["edge"], row) for row in edges]
        for row in db.execute("SELECT * FROM entry WHERE event = ?", (seq,)):
            new += [(inserts["entry"], row), (_UPSERT, (row[0], seq))]
        new.append((_HEAD, (1, seq & 0xFF_FFFF_FFFF)))
        messages.append(new)
        after = seq
    db.close()
    return messages


def _around(after: int, seq: int, _db: apsw.Connection) -> tuple[int, int]:
    return after, seq + 4


def _insert(db: apsw.Connection, table: str) -> str:
    columns = len(db.execute(f"PRAGMA table_info({table})").fetchall())
    return f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * columns)})"


class Floor:
    """An empty file with the same schema, indexes, triggers and pragmas."""

    def __init__(self, like: Path, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.db = apsw.Connection(str(path))
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 1000",
                       "recursive_triggers = ON", "cache_size = -65536"):  # fmt: skip
            self.db.execute(f"PRAGMA {pragma}").fetchall()
        source = apsw.Connection(str(like), apsw.SQLITE_OPEN_READONLY)
        for (sql,) in source.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type = 'trigger', rowid"
        ):
            self.db.execute(sql)
        for table in ("kind", "organisation", "application", "connection"):
            self.db.executemany(
                _insert(source, table), source.execute(f"SELECT * FROM {table}").fetchall()
            )
        source.close()

    def write(self, messages: Sequence[list[Row]], batch: int) -> None:
        """All messages, `batch` to a transaction."""
        execute = self.db.execute
        for start in range(0, len(messages), batch):
            execute("BEGIN IMMEDIATE")
            for rows in messages[start : start + batch]:
                for sql, values in rows:
                    execute(sql, values)
            execute("COMMIT")

    def close(self) -> None:
        """Done."""
        self.db.close()
