"""The writing connection: what a transaction adds, table by table, or all of it as one statement.

Knows: that each statement may hand Python's lock to a thread of the host that computes, and then waits for it; that a
connection which had to wait lately keeps what is added back until something else is asked, or the transaction ends.
Does not know: what is added, threads, when one is begun (`_io/database.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import apsw

from ..._domain.values.ids import IdSource
from ...driver import Statement, Whose
from .composed.bundled import Bundle
from .sqlite import Connection

Row = TypeVar("Row")


class _After:
    """A cursor before whose statements what waits is sent."""

    __slots__ = ("_cursor", "_send")

    def __init__(self, cursor: Any, send: Callable[[], None]) -> None:
        self._cursor, self._send = cursor, send

    def execute(self, sql: str, params: Any = ()) -> Any:
        """Run a statement."""
        self._send()
        return self._cursor.execute(sql, params)

    def executemany(self, sql: str, rows: Any) -> Any:
        """Run it once per row."""
        self._send()
        return self._cursor.executemany(sql, rows)


class Writer(Connection):
    """A connection that writes. Not to be used by two threads at once."""

    _bundles = False
    _added = 0

    def __init__(self, db: apsw.Connection, path: str, ids: IdSource) -> None:
        super().__init__(db, path, ids)
        self._plain = self._cursor
        self._bundle = Bundle(self._plain.execute)

    def begin(self, now: int) -> None:
        """Take the write lock; drop what another process may have made untrue."""
        super().begin(now)
        self._added = 0
        if self.waits.begin():
            self._bundles, self._cursor = True, _After(self._plain, self._bundle.send)

    def add(self, statement: Statement[Row], rows: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Add many rows by one statement, or later, by one for several tables."""
        self._added += len(rows)
        if self._bundles and self._bundle.put(self._texts[statement.sql], rows):
            return []
        return super().add(statement, rows)

    def stream(self, sql: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Rows of a composed query one by one, none of them kept, while the transaction lasts."""
        self._bundle.send()
        return super().stream(sql, params)

    def begin_part(self, whose: Whose = None) -> tuple[dict[int, int], dict[Any, Any], int]:
        """From here on what is done can be undone alone; nothing of it is kept back."""
        self._send()
        return super().begin_part(whose)

    def flush(self, writer: int, batch: int) -> None:
        """Write the counters, the mark by which this commit can be recognised, and what was kept back."""
        super().flush(writer, batch)
        self._send()
        self.waits.end(self._added)

    def rollback(self) -> None:
        """Undo everything since `begin`; harmless when SQLite has already done so."""
        self._bundle.forget()
        self._bundles, self._cursor = False, self._plain
        super().rollback()

    def _send(self) -> None:
        if self._bundles:
            self._bundle.send()
            self._bundles, self._cursor = False, self._plain
