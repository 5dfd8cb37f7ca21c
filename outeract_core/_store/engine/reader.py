"""A read-only connection: one snapshot of the file for all that a query asks.

Knows: that a statement is a snapshot by itself, and needs no transaction around it; that two of them are one if
nobody has committed between them; that what is remembered counts for the version of the file that the first has seen.
Does not know: which queries are of so few statements (`_io/readers.py`), what they ask.

Each statement, BEGIN and COMMIT too, and each row that is fetched may hand Python's lock to a thread of the host that
computes, and then waits for it. A connection that had to wait fetches rows as one for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import apsw

from ..._domain.values.ids import IdSource
from .composed.gathered import apart, gathered, worth
from .limits import LARGE, light
from .opening import TEXTS, configured, flags_for
from .sqlite import Connection
from .translating import translated

FEW = 2
"""So many statements are asked without a transaction around them."""
MANY = 2 * LARGE
"""Bytes that rows may have as one in the event loop, where each of them may have its share."""
_KEPT = 200
"""So many statements with many rows are remembered."""


class Several(BaseException):
    """A query asks more statements than there are without a transaction: it is to be run in one."""


class Moved(Several):
    """Somebody has committed between its statements: this time it is to be run in one."""


class _Counted:
    """A cursor that counts its statements. `pinned` is called when one of them has begun, with its number."""

    __slots__ = ("_cursor", "_most", "_pinned", "asked")

    def __init__(self, cursor: Any, most: int | None, pinned: Callable[[int], None]) -> None:
        self._cursor, self._most, self._pinned = cursor, most, pinned
        self.asked = 0

    def execute(self, sql: str, params: Any = ()) -> Any:
        """Run a statement. Raises Several."""
        self.more()
        cursor = self._cursor.execute(sql, params)
        if self.asked <= FEW:
            self._pinned(self.asked)
        return cursor

    def more(self) -> None:
        """One more statement. Raises Several when that is too many."""
        if self._most is not None and self.asked >= self._most:
            raise Several
        self.asked += 1


class Reader(Connection):
    """A connection whose queries are counted. `asked`: the statements of the last one."""

    asked = 0
    _alone = False
    _rows = 0

    def __init__(self, db: apsw.Connection, path: str, ids: IdSource) -> None:
        super().__init__(db, path, ids)
        self._gathered: dict[str, str] = {}

    def begin_read(self, now: int, *, alone: bool = False) -> None:
        """Pin one snapshot for the queries that follow; `alone`: for few statements, of which each is one."""
        self.now, self._alone = now, alone
        self._plain = self._cursor
        self._rows = 0
        self.waits.begin()
        if not alone:
            self._plain.execute("BEGIN")
        self.hide()
        self._cursor = _Counted(self._plain, FEW if alone else None, self._pinned)

    def end_read(self) -> None:
        """Let the snapshot go, and keep what was learnt from it."""
        self.asked, self._cursor = self._cursor.asked, self._plain
        self.show()
        if self._alone:
            self._plain.close(True)  # a statement that was not read to its end holds the snapshot
            self._cursor = self.db.cursor()
        else:
            self._plain.execute("COMMIT")
        self.learn()
        self.waits.end(self._rows)

    def _fetched(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """All rows: one by one, or as one while the host computes."""
        one = self._gathered.get(sql)
        if one is not None and self.waits.lately:
            with light(self.db, max(MANY, self.db.limit(apsw.SQLITE_LIMIT_LENGTH))):
                return apart(self._cursor.execute(one, params).fetchone()[0])
        rows = super()._fetched(sql, params)
        if one is not None:
            self._rows += len(rows)  # the first time it is compiled, which takes as long
        elif worth(len(rows)):
            self._gather(sql, len(rows[0]))
        return rows

    def _gather(self, sql: str, columns: int) -> None:
        if len(self._gathered) >= _KEPT:
            self._gathered.clear()
        self._gathered[sql] = gathered(sql, columns)

    def stream(self, sql: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a composed query one by one, none of them kept, while the transaction lasts."""
        if self._alone:
            raise Several
        self._cursor.more()
        rows = super().stream(sql, params)
        self._pinned(self._cursor.asked)
        return rows

    def _pinned(self, number: int) -> None:
        if number == 1:
            self.show()
            self.watch(self.own_version())
        elif self._alone and not self.stands(self.own_version()):
            raise Moved


def open_reader(path: str, vfs: str | None, busy_ms: int, ids: IdSource) -> Reader:
    """A read-only connection."""
    with translated(path):
        flags = apsw.SQLITE_OPEN_READONLY | flags_for(path)
        connection = configured(
            Reader(apsw.Connection(path, flags, vfs, TEXTS), path, ids), busy_ms
        )
        connection.script("PRAGMA cache_size = -16384; PRAGMA query_only = ON")
    return connection
