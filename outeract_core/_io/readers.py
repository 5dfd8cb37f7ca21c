"""The readers of a file: connections that are lent for one query, and kept for the next.

Knows: that one connection serves one thread at a time. Does not know: queries, how one is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType

from .._store.engine import sqlite


class Readers:
    """`open`: another connection, when all are lent."""

    def __init__(self, open: Callable[[], sqlite.Connection]) -> None:
        self._open = open
        self._free: list[sqlite.Connection] = []
        self._gate = threading.Lock()
        self._closed = False

    def borrowed(self) -> AbstractContextManager[sqlite.Connection]:
        """A connection for one query."""
        return _Borrowed(self)

    def take(self) -> sqlite.Connection:
        """One that is free, or another one."""
        with self._gate:
            reader = self._free.pop() if self._free else None
        return reader or self._open()

    def give_back(self, reader: sqlite.Connection) -> None:
        """It is free again. One that was left within a transaction is closed."""
        with self._gate:
            if self._closed or reader.db.in_transaction:
                reader.close()
            else:
                self._free.append(reader)

    def close(self) -> None:
        """Close those that are not lent now, and the others when they come back."""
        with self._gate:
            self._closed = True
            for reader in self._free:
                reader.close()
            self._free.clear()


class _Borrowed(AbstractContextManager[sqlite.Connection]):
    """A connection, for as long as the block lasts. No generator: there is one for each query."""

    __slots__ = ("_lent", "_readers")

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def __enter__(self) -> sqlite.Connection:
        self._lent = self._readers.take()
        return self._lent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._readers.give_back(self._lent)
