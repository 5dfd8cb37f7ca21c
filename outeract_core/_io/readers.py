"""The readers of a file: connections that are lent for one query, and kept for the next.

Knows: that one connection serves one thread at a time, and which queries have asked so few statements
that they need no transaction. Does not know: what queries ask, how a connection is opened.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from .._domain.values.interrupt import STOP
from .._store.engine.limits import stoppable
from .._store.engine.reader import FEW, Moved, Reader, Several

T = TypeVar("T")
_FALLS = 8
"""So often may a query want more statements than few, before it has a transaction for good."""


class Readers:
    """`open`: another connection, when all are lent."""

    def __init__(self, open: Callable[[], Reader]) -> None:
        self._open = open
        self._free: list[Reader] = []
        self._gate = threading.Lock()
        self._closed = False
        self._few: set[object] = set()
        self._falls: Counter[object] = Counter()

    def borrowed(self) -> AbstractContextManager[Reader]:
        """A connection for one query."""
        return _Borrowed(self)

    def take(self) -> Reader:
        """One that is free, or another one."""
        with self._gate:
            reader = self._free.pop() if self._free else None
        return reader or self._open()

    def give_back(self, reader: Reader) -> None:
        """It is free again. One that was left within a transaction is closed."""
        with self._gate:
            if self._closed or reader.db.in_transaction:
                reader.close()
            else:
                self._free.append(reader)

    def ask(
        self, reader: Reader, query: Callable[[Any], T], now: int, like: object = None
    ) -> T:  # fmt: skip
        """What the query gives, of one moment. It may be run twice: it does nothing but ask."""
        asks = _code(like or query)
        if asks in self._few:
            try:
                return _asked(reader, query, now, alone=True)
            except Moved:
                pass  # next time nobody may have committed
            except Several:
                self._falls[asks] += 1
        found = _asked(reader, query, now, alone=False)
        self._learn(asks, reader.asked)
        return found

    def _learn(self, asks: object, asked: int) -> None:
        if asks is not None and asked <= FEW and self._falls[asks] < _FALLS:
            self._few.add(asks)
        else:
            self._few.discard(asks)

    def length(self) -> int:
        """Bytes of the database as it is now, by its own account."""
        with self.borrowed() as reader:
            return reader.length()

    def close(self) -> None:
        """Close those that are not lent now, and the others when they come back."""
        with self._gate:
            self._closed = True
            for reader in self._free:
                reader.close()
            self._free.clear()


def _code(query: Any) -> object:
    """What a query is known by: where it is written. None: it cannot be told."""
    while not hasattr(query, "__code__") and hasattr(query, "func"):
        query = query.func
    return getattr(query, "__code__", None)


def _asked(reader: Reader, query: Callable[[Any], T], now: int, *, alone: bool) -> T:
    reader.begin_read(now, alone=alone)
    try:
        stop = STOP.get()
        if stop is None:
            return query(reader)
        with stoppable(reader.db, stop):
            return query(reader)
    finally:
        reader.end_read()


class _Borrowed(AbstractContextManager[Reader]):
    """A connection, for as long as the block lasts. No generator: there is one for each query."""

    __slots__ = ("_lent", "_readers")

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def __enter__(self) -> Reader:
        self._lent = self._readers.take()
        return self._lent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._readers.give_back(self._lent)
