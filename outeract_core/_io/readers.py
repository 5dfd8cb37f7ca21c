"""The readers of a file: connections that are lent for one query, and kept for the next.

Knows: that one connection serves one thread at a time. Does not know: queries, how one is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from .._store.engine import sqlite

T = TypeVar("T")


class Readers:
    """`open`: another connection, when all are lent."""

    def __init__(self, open: Callable[[], sqlite.Connection]) -> None:
        self._open = open
        self._free: list[sqlite.Connection] = []
        self._gate = threading.Lock()
        self._closed = False

    def lend(self, use: Callable[[sqlite.Connection], T]) -> T:
        """A connection for one query; what the query gives."""
        with self._gate:
            reader = self._free.pop() if self._free else None
        reader = reader or self._open()
        try:
            return use(reader)
        finally:
            self._give_back(reader)

    def _give_back(self, reader: sqlite.Connection) -> None:
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
