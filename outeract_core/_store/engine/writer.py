"""The writing connection: what a transaction adds, table by table, or all of it as one statement.

Knows: that each statement may hand Python's lock to a thread of the host that computes, and then waits for it; that a
connection which had to wait lately keeps what is added back until something else is asked, or the transaction ends; and
that one statement is a transaction by itself, if it sees to it that nobody has written since it was made.
Does not know: what is added, threads, when one is begun (`_io/database.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from ..._domain.values.ids import IdSource
from ...driver import Statement, Whose
from .composed.bundled import CHANGED, Bundle
from .seen.logged import Log
from .sqlite import Connection

Row = TypeVar("Row")

_UNDONE = (
    apsw.ConstraintError, apsw.SQLError, apsw.MismatchError, apsw.TooBigError, apsw.BindingsError, TypeError, ValueError,
    OverflowError,
)  # fmt: skip
"""After these SQLite has undone a statement for certain, however far it was, or was never given it: values that it cannot take."""

_MANY = 16
"""Units for which one statement costs less than several, whoever waits."""
_WARY = 1.0
"""Seconds in which who has hoped in vain takes the lock, as beside another process that writes, or asks for what is there
already, as when a platform repeats itself.
"""


class Again(Exception):
    """What was taken for true was not: nothing was written, and the units are to be run in a transaction."""


class _After:
    """A cursor before whose statements the writer does what is due."""

    __slots__ = ("_before", "_cursor")

    def __init__(self, cursor: Any, before: Callable[[str], None]) -> None:
        self._cursor, self._before = cursor, before

    def execute(self, sql: str, params: Any = ()) -> Any:
        """Run a statement."""
        self._before(sql)
        return self._cursor.execute(sql, params)

    def executemany(self, sql: str, rows: Any) -> Any:
        """Run it once per row."""
        self._before(sql)
        return self._cursor.executemany(sql, rows)


class Writer(Connection):
    """A connection that writes. Not to be used by two threads at once.

    `_free`: the lock is not taken yet, and nothing written. `optimistic`: nor is asked for what is there. `unsure`: an
    error may come of that, or of something that was kept back, so that it is not known whose it is.
    """

    _bundles = False
    _changes = 0
    _seen: int | None = None
    _free = unsure = False
    _wary = _asks = 0.0
    _unknown: BaseException | None = None

    def __init__(self, db: apsw.Connection, path: str, ids: IdSource) -> None:
        super().__init__(db, path, ids)
        self._plain = self._cursor
        self._bundle = Bundle(self._plain.execute)
        self.log = Log(partial(db.status, apsw.SQLITE_DBSTATUS_CACHE_WRITE), self._logged)

    def begin(self, now: int, units: int = 0) -> None:
        """Take the write lock; drop what another process may have made untrue.

        `units`: so many are to be run, and again if it must be. Then the lock may be left untaken until something
        cannot be added at the end, by one statement that is a transaction by itself and writes nothing when another
        connection has written since. If one has, or something that was added as new is there, `Again` is raised, at
        the end or before.
        """
        self._changes, spares = self.db.total_changes(), self.waits.begin()
        if units and (spares or units >= _MANY):
            self._begin_sparing(now, spares)
        else:
            self.unsure = False
            super().begin(now)

    def _begin_sparing(self, now: int, spares: bool) -> None:
        began, known = self.waits.began, not spares or self.waits.known
        self._free = known and self._seen is not None and began > self._wary
        self.optimistic = self._free and began > self._asks
        if self._free:
            self._begun(now)
        else:
            super().begin(now)
            self._seen = self.data_version()
        self.unsure = self._free or spares
        if self.unsure:
            self._bundles, self._cursor = True, _After(self._plain, self._before)

    def add(self, statement: Statement[Row], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Add many rows by one statement, or later, by one for several tables."""
        if self._bundles and self._bundle.put(self._texts[statement.sql], rows):
            return []
        return Connection.add(self, statement, rows)

    def run(self, statement: Statement[Any], **params: Any) -> None:
        """Execute a change, or have it wait with what is added."""
        if not (self._bundles and self._keeps(statement, params)):
            Connection.run(self, statement, **params)

    def changed_one(self, statement: Statement[Any], **params: Any) -> bool:
        """Execute a change that is made to one row, or take it to be."""
        if self.optimistic and self._keeps(statement, params, must=True):
            return True
        return super().changed_one(statement, **params)

    def stream(self, sql: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a composed query one by one, none of them kept, while the transaction lasts."""
        if self._bundles:
            self._before(sql)
        return super().stream(sql, params)

    def begin_part(self, whose: Whose = None) -> tuple[dict[int, int], dict[Any, Any], int]:
        """From here on what is done can be undone alone; nothing of it is kept back."""
        self._send()
        return super().begin_part(whose)

    def flush(self, writer: int, batch: int) -> None:
        """Write the counters, the mark by which this commit can be recognised, and what was kept back."""
        Connection.flush(self, writer, batch)
        if self._free and self._bundle.is_one:
            self._at_once()
        else:
            self._send()
            self.waits.end(self.db.total_changes() - self._changes)

    def commit(self) -> None:
        """COMMIT, or tell what came of it. An exception here leaves the outcome unknown: look, never guess."""
        if not self._free:
            super().commit()
            return
        self._free = self.optimistic = False
        if self._unknown is not None:
            raise self._unknown

    def rollback(self) -> None:
        """Undo everything since `begin`; harmless when SQLite has already done so."""
        self._bundle.forget()
        self._plainly()
        self._free, self.optimistic, self._unknown = False, False, None
        super().rollback()

    def abandon(self) -> None:
        """Close after a failed COMMIT, whatever state SQLite is in."""
        try:
            self.rollback()
        except apsw.Error:
            pass
        self.db.close(True)

    def forget_writer(self, writer: int) -> None:
        """Drop a writer's mark when it closes in order."""
        self._cursor.execute("DELETE FROM counter WHERE owner = ?", (-writer,))

    def repeats(self, error: BaseException) -> bool:
        """Whether units that ended so are to be run again, plainly. Not for a lock that was waited for long enough."""
        return isinstance(error, Again) or (self.unsure and not isinstance(error, apsw.BusyError))

    def _keeps(
        self, statement: Statement[Any], params: Mapping[str, Any], *, must: bool = False
    ) -> bool:
        """Have a change wait, if it can. A list cannot: it travels as an array, which no row can hold."""
        text = self._texts[statement.sql]
        return not statement.lists and self._bundle.put_one(text, params, must=must)

    def _before(self, sql: str) -> None:
        """What is asked sees what was added; and what changes something is no longer alone."""
        if self._bundle.waits or not sql.startswith("SELECT"):
            self._lock()
        self._bundle.send()
        if not (self._free or self.waits.lately):
            self._plainly()

    def _send(self) -> None:
        self._lock()
        if self._bundles:
            self._bundle.send()
            self._plainly()

    def _lock(self) -> None:
        """Take the lock after all. Raises Again when another connection has written, or something is there."""
        if self._free:
            self._plain.execute("BEGIN IMMEDIATE")
            self._free, self.optimistic = False, False
            ((version,),) = self._plain.execute("PRAGMA data_version").fetchall()
            if version != self._seen:
                raise self._again(CHANGED)
            self._hoped(None)

    def _at_once(self) -> None:
        """All of it by one statement, which is the transaction."""
        self._plainly()
        try:
            self._hoped(self._seen)
        except (Again, apsw.BusyError):
            raise
        except BaseException as error:
            self._unknown = error

    def _hoped(self, since: int | None) -> None:
        """Add what was taken for new."""
        try:
            self._bundle.send(since)
        except _UNDONE as error:
            raise self._again(str(error)) from error
        except apsw.BusyError as error:
            if getattr(error, "extendedresult", 0) == apsw.SQLITE_BUSY_SNAPSHOT:
                raise self._again(CHANGED) from error
            raise

    def _again(self, why: str) -> Again:
        until = self.waits.clock() + _WARY
        if CHANGED in why:
            self._wary = until
        else:
            self._asks = until
        return Again(why)

    def _logged(self) -> tuple[int, int]:
        """Pages in the log, and how many of them a checkpoint has moved; nothing is moved by asking."""
        _busy, pages, moved = self.script("PRAGMA wal_checkpoint(NOOP)")[0]
        return pages, moved

    def _plainly(self) -> None:
        self._bundles, self._cursor = False, self._plain
