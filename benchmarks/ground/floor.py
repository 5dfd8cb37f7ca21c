"""The floor: raw apsw writing the very rows that the library has written, with the same durability.

Knows: rows, and that whole batches go to SQLite table by table, which is the fastest way.
Does not know: messages, adapters, how the rows came to be.

Library and floor begin with copies of one file. What the library has added to its copy (`written`)
the floor then writes into the other, so that schema, indexes, triggers, pragmas, checkpoints and all
that is stored already are the same at every moment (`differences` says so at the end).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from outeract_core._domain.values.ids import SHIFT, uuid7
from outeract_core._store.engine import opening, wal

_NEW = {
    "person": "SELECT * FROM person WHERE id > ?1 ORDER BY id",
    "puser": "SELECT * FROM puser WHERE id > ?1 ORDER BY id",
    "alias": "SELECT a.* FROM puser p JOIN alias a ON a.puser = p.id WHERE p.id > ?1",
    "event": "SELECT * FROM event WHERE seq > ?1 ORDER BY seq",
    "edge": "SELECT g.* FROM event e JOIN edge g ON g.src = e.seq WHERE e.seq > ?1 ORDER BY e.seq",
    "entry": "SELECT n.*, e.conn, k.name = 'message.inbound' FROM event e JOIN kind k ON k.id = e.type"
    " JOIN edge g ON g.src = e.seq CROSS JOIN entry n ON n.peer = g.dst AND n.event = e.seq"
    " WHERE e.seq > ?1 GROUP BY n.peer, n.event ORDER BY e.seq",
}
_CONVERSATION = (
    "INSERT INTO conversation(peer, last, inbound, outbound, unread, read_upto, conn)"
    " VALUES (?1, ?2, ?3, ?4, ?3, 0, ?5) ON CONFLICT (peer) DO UPDATE SET last = excluded.last,"
    " inbound = inbound + excluded.inbound, outbound = outbound + excluded.outbound,"
    " unread = unread + excluded.unread"
)
_COUNTER = (
    "INSERT INTO counter VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET value = excluded.value"
)
TABLES = tuple(_NEW)
Row = tuple[Any, ...]
Transaction = list[tuple[str, list[Row]]]
"""What one transaction executes: statements, each with its rows."""


@dataclass
class Rows:
    """What one message has added, by table; `entries`: (peer, event, connection, inbound)."""

    event: Row
    tables: dict[str, list[Row]] = field(default_factory=dict)
    entries: list[Row] = field(default_factory=list)


def mark(path: Path) -> int:
    """The last node key in the file: what comes later is greater."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    owner, value = db.execute("SELECT owner, max(value) FROM counter WHERE owner > 0").fetchall()[0]
    db.close()
    return (owner << SHIFT) + value


def written(path: Path, after: int) -> list[Rows]:
    """What each message since `after` has put into the file, in order."""
    return list(walk(path, after))


def walk(path: Path, after: int) -> Iterator[Rows]:
    """`written`, a message at a time and in constant memory. New people come with the first message."""
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    people = {
        table: db.execute(_NEW[table], (after,)).fetchall()
        for table in ("person", "puser", "alias")
    }
    edges = _Merged(db.execute(_NEW["edge"], (after,)), _column(db, "edge", "src"))
    entries = _Merged(db.execute(_NEW["entry"], (after,)), _column(db, "entry", "event"))
    for event in db.execute(_NEW["event"], (after,)):
        rows = Rows(event, {**people, "event": [event], "edge": edges.of(event[0])})
        rows.entries = entries.of(event[0])
        rows.tables["entry"] = [row[:-2] for row in rows.entries]
        people = {}
        yield rows
    db.close()


class _Merged:
    """Rows sorted by a column, taken as the owners come along."""

    def __init__(self, rows: Iterable[Row], column: int) -> None:
        self._rows, self._column = iter(rows), column
        self._next: Row | None = next(self._rows, None)

    def of(self, owner: int) -> list[Row]:
        found = []
        while self._next is not None and self._next[self._column] <= owner:
            found.append(self._next)
            self._next = next(self._rows, None)
        return found


def _column(db: apsw.Connection, table: str, name: str) -> int:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")].index(name)


class Floor:
    """A file that is written raw, through a connection opened as the library opens its own.

    setwise   the rows of a table are one statement, not one step each: as few hand-overs of Python's lock
              as there can be.
    """

    def __init__(self, path: Path, durability: str = "full", setwise: bool = False) -> None:
        self._connection = opening.open_writer(str(path), None, durability, 5000, uuid7)
        self.db = self._connection.db
        self._insert = {table: self._statement(table) for table in _NEW}
        self._setwise = setwise

    def _statement(self, table: str) -> str:
        columns = len(self.db.execute(f"PRAGMA table_info({table})").fetchall())
        return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"

    def prepared(self, messages: Iterable[Rows], batch: int) -> Iterator[Transaction]:
        """The transactions for all messages, `batch` to each: made before the clock starts."""
        rest = iter(messages)
        while chunk := list(islice(rest, batch)):
            yield self._transaction(chunk)

    def _transaction(self, messages: list[Rows]) -> Transaction:
        made: Transaction = []
        for table, insert in self._insert.items():
            rows = [row for message in messages for row in message.tables.get(table, ())]
            if rows:
                made.append((insert, rows))
        entries = [entry for message in messages for entry in message.entries]
        if entries:
            made.append((_CONVERSATION, _conversations(entries)))
        last = messages[-1].event[0]
        made.append((_COUNTER, [(last >> SHIFT, last & ((1 << SHIFT) - 1))]))
        return [_together(*each) for each in made] if self._setwise else made

    def write(self, transactions: Iterable[Transaction], idle: bool = False) -> list[float]:
        """Commit each; the seconds that each took. `idle`: checkpoint as when nothing is queued."""
        db, took = self.db, []
        for transaction in transactions:
            start = time.perf_counter()
            db.execute("BEGIN IMMEDIATE")
            for sql, rows in transaction:
                db.executemany(sql, rows)
            db.execute("COMMIT")
            mode = _due(self._connection.log.pages, idle)
            if mode is not None:
                wal.checkpoint(self._connection, mode)
            took.append(time.perf_counter() - start)
        return took

    def close(self) -> None:
        """Done."""
        self.db.close()


def _together(sql: str, rows: list[Row]) -> tuple[str, list[Row]]:
    """The same rows as one: every statement of this module has a list of values in brackets."""
    head, _, rest = sql.partition("VALUES (")
    one, _, tail = rest.partition(")")
    numbers = [int(mark.strip()[1:]) - 1 for mark in one.split(",") if mark.strip()[1:].isdigit()]
    if numbers:
        rows = [tuple(row[number] for number in numbers) for row in rows]
    marks = f"({re.sub(r'[?][0-9]+', '?', one)})"
    values = tuple(value for row in rows for value in row)
    return f"{head}VALUES {', '.join([marks] * len(rows))}{tail}", [values]


def _due(pages: int, idle: bool) -> str | None:
    """When the library's file is checkpointed, with the one connection that there is."""
    if pages > 16_384:
        return "RESTART"
    return "PASSIVE" if idle and pages > 1_024 else None


def _conversations(entries: Sequence[Row]) -> list[Row]:
    """One row for each conversation that a batch has touched."""
    inbound: Counter[int] = Counter()
    outbound: Counter[int] = Counter()
    last: dict[int, tuple[int, int]] = {}
    for peer, event, conn, incoming in entries:
        (inbound if incoming else outbound)[peer] += 1
        last[peer] = event, conn
    return [
        (peer, event, inbound[peer], outbound[peer], conn) for peer, (event, conn) in last.items()
    ]


def differences(ours: Path, floors: Path, after: int) -> list[str]:
    """The tables in which what was added since `after` is not the same in both files."""
    db = apsw.Connection(str(ours), apsw.SQLITE_OPEN_READONLY)
    other = apsw.Connection(str(floors), apsw.SQLITE_OPEN_READONLY)
    different = [
        table
        for table, sql in {
            **_NEW,
            "conversation": "SELECT * FROM conversation WHERE last > ?1",
        }.items()
        if sorted(map(repr, db.execute(sql, (after,))))
        != sorted(map(repr, other.execute(sql, (after,))))
    ]
    db.close()
    other.close()
    return different
