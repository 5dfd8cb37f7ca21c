"""Opens a store without the rest of the library, and the file behind it without the store.

Knows: the door's options, a table to write to, how to hold the writer.
Does not know: events, platforms.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import apsw
from attrs import evolve

from outeract_core._io.database import Database, Options, Unit
from outeract_core._store.engine.sqlite import Connection
from outeract_core.driver import Statement
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.patience import PATIENCE

PUT: Statement[Any] = Statement("put", "INSERT INTO meta(name, value) VALUES (:name, :value)")
GET: Statement[tuple[Any]] = Statement("get", "SELECT value FROM meta WHERE name = :name")
NAMES: Statement[tuple[str]] = Statement("names", "SELECT name FROM meta ORDER BY name")


def options(**changes: Any) -> Options:
    """The door's options with time and ids that a test decides."""
    return evolve(Options(ManualClock(), SequentialIds()), **changes)


@contextmanager
def opened(path: Path, **changes: Any) -> Iterator[Database]:
    """The door to `path`; `changes` to its options."""
    database = Database(str(path), options(**changes))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def raw(path: Path) -> Iterator[apsw.Connection]:
    """The file as any other program would open it."""
    connection = apsw.Connection(str(path))
    try:
        yield connection
    finally:
        connection.close()


def put(name: str, value: Any = 1) -> Unit[None]:
    """A unit that writes one row."""

    def unit(tx: Connection) -> None:
        tx.run(PUT, name=name, value=value)

    return unit


def names(tx: Connection) -> set[str]:
    """The rows that `put` has written."""
    return {name for (name,) in tx.all(NAMES)} - {"code_key"}


class Held:
    """A unit that keeps the writer busy until `release`."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._go = threading.Event()

    def __call__(self, _tx: Connection) -> None:
        """The unit itself."""
        self.begun.set()
        if not self._go.wait(PATIENCE):
            raise TimeoutError("nobody released the writer")

    async def busy(self) -> None:
        """Until the writer is in the unit."""
        begun = await anyio.to_thread.run_sync(self.begun.wait, PATIENCE)
        assert begun

    def release(self) -> None:
        """Let the writer go on."""
        self._go.set()


def counted(calls: list[tuple[int, bool]]) -> Callable[[int, bool], str | None]:
    """A checkpoint policy that never asks for one, and notes each commit."""

    def policy(pages: int, idle: bool) -> str | None:
        if not idle:
            calls.append((pages, idle))
        return None

    return policy
