"""SQLite's transaction: runs statements through apsw, begins and commits, allocates keys.

Knows: how each call of the port is made with SQLite.
Does not know: what the statements mean, threads, how a file is opened (`opening.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import apsw

from ..._domain.values.at_rest import Codec
from ..._domain.values.ids import SHIFT, IdSource, uuid7, uuid7_bytes
from ..._domain.values.interrupt import go_on
from ..._domain.values.paths import shown_path
from ...driver import Dialect, Keys, Statement, Tx, Whose
from ...errors import StoreCorrupt
from .columns import fitted
from .composed.walking import walk
from .dialect import SQLITE
from .seen.known import Known
from .seen.waits import Waits
from .sets import MOST, exactly, widened

Row = TypeVar("Row")

_COUNTERS: Statement[Any] = Statement(
    "counters",
    "INSERT INTO counter(owner, value) VALUES (?, ?) "
    "ON CONFLICT(owner) DO UPDATE SET value = excluded.value",
)

Fault = apsw.Error
"""What SQLite raises."""
FAULTS = (apsw.Error, UnicodeDecodeError)
"""The same, and what its texts raise when they are none."""


class Connection(Known):
    """One SQLite connection as a `Tx`. Not to be used by two threads at once."""

    codec: Codec | None = None
    """What stands in the doors of its columns."""
    dialect: Dialect = SQLITE
    optimistic = False

    def __init__(self, db: apsw.Connection, path: str, ids: IdSource) -> None:
        super().__init__()
        self.db = db
        self.path = path
        self.now = 0
        self.whose: Whose = None
        self.hard: bool | None = None
        self.waits = Waits(path)
        self._ids = ids
        self._cursor: Any = db.cursor()
        self._texts = fitted(db, self.codec)
        self._heads: dict[int, int] = {}
        self._calls: list[Callable[[], None]] = []
        self._auxiliary: set[str] = set()

    # ── statements ────────────────────────────────────────────────────────────────────────────

    def all(self, statement: Statement[Row], **params: Any) -> list[Row]:
        """All rows of a query."""
        if statement.lists:
            self._lists(statement, params)
        return self._fetched(self._texts[statement.sql], params)

    def one(self, statement: Statement[Row], **params: Any) -> Row | None:
        """Its first row, or None."""
        if statement.lists:
            self._lists(statement, params)
        row: Row | None = self._cursor.execute(self._texts[statement.sql], params).fetchone()
        return row

    def by_keys(self, statement: Statement[Row], keys: Keys, **params: Any) -> list[Row]:
        """All rows of a query for each of its one list, `keys`; for no keys nothing is asked."""
        if not keys:
            return []
        go_on()
        params["keys"] = apsw.carray(array("q", keys)) if type(keys[0]) is int else bound(keys)
        return self._fetched(self._texts[statement.sql], params)

    def run(self, statement: Statement[Any], **params: Any) -> None:
        """Execute a change of which nobody needs to know what came."""
        if statement.lists:
            self._lists(statement, params)
        self._cursor.execute(self._texts[statement.sql], params)

    def changed(self, statement: Statement[Any], **params: Any) -> int:
        """Execute a change; the number of rows that it changed."""
        if statement.lists:
            self._lists(statement, params)
        self._cursor.execute(self._texts[statement.sql], params)
        return self.db.changes()

    def changed_one(self, statement: Statement[Any], **params: Any) -> bool:
        """Execute a change that is made to one row; whether it was."""
        return self.changed(statement, **params) == 1

    def _lists(self, statement: Statement[Any], params: dict[str, Any]) -> None:
        go_on()
        for name in statement.lists:
            params[name] = bound(params[name])

    def many(
        self, statement: Statement[Any], rows: Iterable[Mapping[str, Any] | tuple[Any, ...]]
    ) -> None:
        """Execute a change once per row: by name, or in the order in which the SQL names them."""
        self._cursor.executemany(self._texts[statement.sql], rows)

    def add(self, statement: Statement[Row], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Add many rows by one statement; what it returns, of the rows that are new."""
        told: list[Row] = []
        text = self._texts[statement.sql]
        if len(rows) == 1:
            told += self._cursor.execute(exactly(text, 1), rows[0]).fetchall()
            return told
        for start in range(0, len(rows), MOST):
            told += self._cursor.execute(*widened(text, rows[start : start + MOST])).fetchall()
        return told

    def script(self, sql: str) -> list[Any]:
        """Execute SQL as it stands (pragmas, migrations)."""
        rows: list[Any] = self._cursor.execute(sql).fetchall()
        return rows

    def dynamic(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Rows of a query that was composed (filters, walks); values travel as parameters only."""
        go_on()
        return self._fetched(self._texts[sql], params)

    def _fetched(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """All rows of a query, as SQLite is given it."""
        rows: list[Any] = self._cursor.execute(sql, params).fetchall()
        return rows

    def stream(self, sql: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a composed query one by one, none of them kept, while the transaction lasts."""
        rows: Iterator[Any] = self.db.cursor().execute(self._texts[sql], params)
        return rows

    def expand(
        self, keys: Sequence[int], types: Sequence[int] | None, *, inward: bool
    ) -> list[tuple[int, int, int]]:
        """Every edge (source, type, target) that leaves `keys`, or (`inward`) arrives there."""
        if not keys:
            return []
        go_on()
        here = "dst" if inward else "src"
        where = f"g.{here} = c.value"
        if types is not None:
            where += f" AND g.type IN ({','.join(map(str, map(int, types)))})"
        sql = f"SELECT g.src, g.type, g.dst FROM carray(?) c CROSS JOIN edge g ON {where}"
        rows: list[tuple[int, int, int]] = self._cursor.execute(sql, (bound(keys),)).fetchall()
        return rows

    @contextmanager
    def unguarded(self, guards: Sequence[str]) -> Iterator[None]:
        """Without these triggers while the block lasts. What it leaves by an error is to be rolled back."""
        names = ", ".join(f"'{name}'" for name in guards)
        found = self.script(f"SELECT name, sql FROM sqlite_schema WHERE name IN ({names})")
        for name, _sql in found:
            self.script(f"DROP TRIGGER {name}")
        yield
        for _name, sql in found:
            self.script(sql)

    def auxiliary(self, name: str, call: Callable[..., Any]) -> None:
        """Have a function of full-text search from now on. It looks into the file, so not when that is opened."""
        if name not in self._auxiliary:
            self.db.register_fts5_function(name, call)
            self._auxiliary.add(name)

    def reach(
        self, start: int, types: Sequence[int], hubs: Collection[int], *, inward: bool, depth: int,
        most: int,
    ) -> list[tuple[int, int, int, int, int | None]]:  # fmt: skip
        """What is reached from `start` along edges of these types, at most `most` rows, nearest first."""
        sql = walk(self.dialect, types, sorted(hubs), inward=inward)
        return self.dynamic(sql, {"start": start, "depth": depth, "limit": most})

    # ── what a unit may allocate ──────────────────────────────────────────────────────────────

    def allocate(self, app: int) -> int:
        """The next node key of an application. Raises RuntimeError in a unit of another one."""
        if self.whose is not None and app != self.whose:
            self._one_of(app, self.whose)
        value: int | None = self._heads.get(app)
        if value is None:
            value = self.recall(("head", app))
        if value is None:
            rows = self._cursor.execute(
                "SELECT value FROM counter WHERE owner = ?", (app,)
            ).fetchall()
            value = rows[0][0] if rows else 0
        self._heads[app] = value = value + 1
        return app << SHIFT | value

    @staticmethod
    def _one_of(app: int, whose: int | frozenset[int]) -> None:
        if isinstance(whose, int) or app not in whose:
            raise RuntimeError(f"a unit of work of application {whose} makes a node of {app}")

    def release(self, app: int) -> None:
        """Give the last key back: what it was for did not come to be."""
        self._heads[app] -= 1

    def new_id(self) -> UUID:
        """A fresh public id, made at `now`."""
        return self._ids(self.now)

    def new_uid(self) -> bytes:
        """The same as a column keeps it."""
        return uuid7_bytes(self.now) if self._ids is uuid7 else self._ids(self.now).bytes

    def kind(self, name: str) -> int:
        """The number of an interned name; a new name is added (by a writer only)."""
        number = self.numbers.get(name) or self.known_kind(name)
        if number is None:
            self._cursor.execute("INSERT INTO kind(name) VALUES (?)", (name,))
            number = self.db.last_insert_rowid()
            self.remember(("kind", name), number)
        return number

    def known_kind(self, name: str) -> int | None:
        """The number of an interned name, or None; never writes."""
        number = self.numbers.get(name)
        if number is None:
            number = self.recall(("kind", name))
        if number is None:
            rows = self._cursor.execute("SELECT id FROM kind WHERE name = ?", (name,)).fetchall()
            if rows:
                number = rows[0][0]
                self.remember(("kind", name), number)
        return number

    def kind_name(self, number: int) -> str:
        """The name behind an interned number."""
        name = self.names.get(number)
        if name is None:
            name = self.recall(("kind_name", number))
        if name is None:
            rows = self._cursor.execute("SELECT name FROM kind WHERE id = ?", (number,)).fetchall()
            if not rows:
                raise StoreCorrupt(f"{shown_path(self.path)}: nothing is called {number}", "kind")
            name = str(rows[0][0])
            self.remember(("kind_name", number), name)
        return name

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` run once the commit is certain."""
        self._calls.append(call)

    # ── transactions ──────────────────────────────────────────────────────────────────────────

    def begin(self, now: int) -> None:
        """Take the write lock; drop what another process may have made untrue."""
        self._cursor.execute("BEGIN IMMEDIATE")
        self._begun(now)

    def _begun(self, now: int) -> None:
        self.now, self.whose = now, None
        self._heads.clear()
        self.unstage()
        self._calls.clear()
        self.watch(self.own_version())

    def harden(self, durable: bool) -> None:
        """Whether the next commit waits for the disk, where not every one does. Between transactions.

        One that waits takes all commits before it along: they stand in the same log.
        """
        if self.hard is not None and durable != self.hard:
            self._cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self.hard = durable

    def begin_part(self, whose: Whose = None) -> tuple[dict[int, int], dict[Any, Any], int]:
        """From here on what is done can be undone alone, by `undo_part`, which needs what is returned."""
        self._cursor.execute("SAVEPOINT part")
        self.whose = whose
        return dict(self._heads), self.staged, len(self._calls)

    def undo_part(self, saved: tuple[dict[int, int], dict[Any, Any], int]) -> None:
        """Undo it, and with it what was allocated, remembered and asked for after the commit."""
        self._cursor.execute("ROLLBACK TO part")
        self._heads = dict(saved[0])
        self.unstage(saved[1])
        del self._calls[saved[2] :]

    def end_part(self) -> None:
        """It is over, kept or undone."""
        self._cursor.execute("RELEASE part")

    def flush(self, writer: int, batch: int) -> None:
        """Write the counters, and the mark by which this commit can be recognised."""
        self.add(_COUNTERS, [*self._heads.items(), (-writer, batch)])
        for app, value in self._heads.items():
            self.remember(("head", app), value)

    def commit(self) -> None:
        """COMMIT. An exception here leaves the outcome unknown: look, never guess."""
        self._cursor.execute("COMMIT")

    def settle(self) -> None:
        """The commit is certain: publish the caches, run the calls."""
        self.learn()
        self.own(self.own_version())
        calls, self._calls = self._calls, []
        for call in calls:
            call()

    def rollback(self) -> None:
        """Undo everything since `begin`; harmless when SQLite has already done so."""
        if self.db.in_transaction:
            self._cursor.execute("ROLLBACK")
        self.unstage()
        self._heads.clear()
        self._calls.clear()

    def begin_read(self, now: int) -> None:
        """Pin one snapshot of the file for the queries that follow."""
        self._cursor.execute("BEGIN")
        self.now = now
        self.data_version()
        self.watch(self.own_version())

    def end_read(self) -> None:
        """Let the snapshot go, and keep what was learnt from it."""
        self._cursor.execute("COMMIT")
        self.learn()

    def pending_calls(self) -> list[Callable[[], None]]:
        """The calls that wait for the commit."""
        return list(self._calls)

    def marked(self, writer: int) -> int:
        """The last batch of `writer` that is in the file."""
        rows = self._cursor.execute(
            "SELECT value FROM counter WHERE owner = ?", (-writer,)
        ).fetchall()
        mark: int = rows[0][0] if rows else 0
        return mark

    def data_version(self) -> int:
        """Changes whenever another connection has committed."""
        rows = self._cursor.execute("PRAGMA data_version").fetchall()
        version: int = rows[0][0]
        return version

    def length(self) -> int:
        """Bytes of the database by its own account, what stands only in its log included."""
        (pages,), (size,) = self.script("PRAGMA page_count; PRAGMA page_size")
        return int(pages * size)

    def own_version(self) -> int:
        """The same without a statement, as the last one has seen it; it changes with own commits too."""
        version: int = self.db.data_version()
        return version

    def close(self) -> None:
        """Close for good. A disk that fails at tidying up is no loss: the log holds everything."""
        try:
            self.db.close(True)
        except apsw.Error:
            pass


def is_fatal(error: BaseException) -> bool:
    """Whether an error of SQLite has ended the whole transaction, not only one statement."""
    return isinstance(error, apsw.FullError | apsw.IOError | apsw.NoMemError | apsw.CorruptError)


def own(tx: Tx) -> Connection:
    """The connection that a unit's transaction is. For what only SQLite has, in this room."""
    assert isinstance(tx, Connection)  # noqa: S101 - there is one engine
    return tx


def bound(values: Keys) -> Any:
    """A list as an array, which SQLite reads as it lies in memory. Raises TypeError, ValueError.

    An empty one has no place in memory: NULL, which has no rows, stands for it.
    """
    if not values:
        return None
    if isinstance(values[0], int):
        return apsw.carray(array("q", values))
    return apsw.carray(tuple(values))
