"""aiosqlite: the same rows, every statement awaited, one transaction for each message.

Knows: how programs use it: one connection, a lock around each transaction.
Does not know: where the rows come from.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import aiosqlite
import anyio

from ..ground.floor import Transaction
from ..memory import put_aside
from ..took import Took


async def opened(path: Path) -> aiosqlite.Connection:
    """A connection with the library's pragmas."""
    db = await aiosqlite.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
                   "recursive_triggers = ON", "cache_size = -65536"):  # fmt: skip
        await db.execute(f"PRAGMA {pragma}")
    return db


class Aiosqlite:
    """A copy of the same file: same schema, indexes and triggers, WAL, FULL."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Aiosqlite:
        self._db = await opened(self._path)
        self._lock = anyio.Lock()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._db.close()

    async def write(self, transactions: Iterable[Transaction], tasks: int) -> Took:
        """Commit each, from `tasks` tasks; the time of each has its wait in it."""
        took: list[float] = []
        put_aside()
        start = time.perf_counter()
        rest = iter(transactions)
        async with anyio.create_task_group() as group:
            for _ in range(tasks):
                group.start_soon(self._work, rest, took)
        return Took(len(took), time.perf_counter() - start, took)

    async def _work(self, rest: Iterator[Transaction], took: list[float]) -> None:
        for transaction in rest:
            start = time.perf_counter()
            async with self._lock:
                await self._db.execute("BEGIN IMMEDIATE")
                for sql, rows in transaction:
                    for row in rows:
                        await self._db.execute(sql, row)
                await self._db.execute("COMMIT")
            took.append(time.perf_counter() - start)
