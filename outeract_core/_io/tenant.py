"""One application's view of the store: every façade reads and writes through it.

Knows: the database and the application's key, so isolation holds by construction.
Does not know: what is read or written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import field

from .._domain.values.classes import frozen
from .._store.engine.limits import share
from .._store.engine.translating import TooLarge
from .._store.writing import tenants
from ..driver import Tx
from ..model import AppId, Application
from .database import Database

T = TypeVar("T")
FEW = 100
"""Messages that are read in the event loop: half a millisecond or two. More are read beside it."""


@frozen
class Tenant:
    """`key`: the application's number in the file; `id`: its public id."""

    database: Database = field(repr=False)
    key: int
    id: AppId

    async def write(self, unit: Callable[[Tx, int], T]) -> T:
        """Run `unit(tx, app)` durably."""
        return await self.database.write(lambda tx: unit(tx, self.key), app=self.key)

    async def read(self, query: Callable[[Tx, int], T], size: int = 1) -> T:
        """Run a bounded `query(tx, app)` that gives about `size` things: in line, no hop; beside when one is large."""
        try:
            return self.database.read_light(lambda tx: query(tx, self.key), query, share(size))
        except TooLarge:
            return await self.traverse(query)

    def glance(self, query: Callable[[Tx, int], T]) -> T | None:
        """Run a `query(tx, app)` that is small nearly always, in line; None when it turns out long."""
        return self.database.glance(lambda tx: query(tx, self.key))

    async def traverse(self, query: Callable[[Tx, int], T]) -> T:
        """Run a `query(tx, app)` of unknown size in a worker thread; it stops when it is cancelled.

        Raises ReadTimeout.
        """
        return await self.database.ask(lambda tx: query(tx, self.key))

    async def fetch(self, query: Callable[[Tx, int], T], size: int) -> T:
        """Run a `query(tx, app)` that gives `size` things at most: in line when they are few, and none is large."""
        return await (self.read(query, size) if size <= FEW else self.traverse(query))


def application(
    database: Database, organisation: str, name: str, config: dict[str, str]
) -> tuple[int, Application]:
    """The application of that name: found, which needs no room on the disk, else made, or changed.

    Raises BadInput, UnfinishedImport, StoreError.
    """
    found = database.read(lambda tx: tenants.standing(tx, organisation, name, config))
    if found is not None:
        return found
    return database.write_now(
        lambda tx: tenants.application(tx, organisation, name, config), app=None
    )  # it may not be there yet
