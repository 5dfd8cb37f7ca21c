"""The events of one application, for the host: pages by filter, single ones, all of them in turn.

Knows: cursors and pages. Does not know: SQL, what a filter means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from ..._io.connections import connection
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.reading import queries
from ..._store.reading.queries import Order
from ..._store.records import nodes, rows
from ..._store.records.log import by_external_id
from ...driver import Tx
from ...errors import NotFound
from ...model import Event
from ...pages import Page, asked, to_cursor
from ...query import Filter
from .matching import check

_CHUNK = 500


class Events:
    """What happened. Filters come from `outeract_core.query`."""

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def get(self, event: Event | UUID | str) -> Event:
        """One event as it is now, its status folded. Raises NotFound, BadInput."""

        def query(tx: Tx, app: int) -> Event:
            return rows.event(tx, app, nodes.key(tx, app, event, "event"))

        return await self._tenant.read(query)

    async def by_external_id(self, connection_of: Any, external_id: str) -> Event:
        """The message that the platform calls `external_id` on a connection. Raises NotFound."""
        conn = connection(self._runtime, self._tenant.key, connection_of)

        def query(tx: Tx, app: int) -> Event:
            key = by_external_id(tx, conn.id, external_id)
            if key is None:
                raise NotFound(f"no message {external_id!r:.80} on {conn.entity.name}")
            return rows.event(tx, app, key)

        return await self._tenant.read(query)

    async def page(
        self, where: Filter | None = None, *, order: Order = "newest", first: int = 50,
        after: str | None = None, before: str | None = None, total: bool = False,
    ) -> Page[Event]:  # fmt: skip
        """Events that satisfy `where`, in the order of the log.

        `after`, `before`: a cursor of an earlier page, to read on or back. `total`: count all of them,
        which looks at every one. Raises BadInput (also for a filter that can match nothing, such as an
        unknown platform), NotFound when a filter names a node of another application, and ReadTimeout.
        """
        wanted = asked(first, after, before)
        way = queries.turned(order) if wanted.back else order

        def query(tx: Tx, app: int) -> Page[Event]:
            if wanted.behind is None:
                check(self._runtime, tx, app, where)
            keys = queries.keys(tx, app, where, way, wanted.behind, wanted.limit)
            count = queries.count(tx, app, where) if total else None
            return wanted.page(keys, int, lambda kept: rows.events(tx, app, kept), count)

        if where is None and not total:
            return await self._tenant.fetch(query, first)
        return await self._tenant.traverse(query)

    async def all(
        self, where: Filter | None = None, *, order: Order = "oldest", after: str | None = None
    ) -> AsyncIterator[Event]:
        """Every event that satisfies `where`, a page at a time."""
        while True:
            page = await self.page(where, order=order, first=_CHUNK, after=after)
            for event in page:
                yield event
            if not page.has_next:
                return
            after = page.end_cursor

    async def count(self, where: Filter | None = None) -> int:
        """How many events satisfy `where`; looks at every one. Raises BadInput, NotFound."""

        def query(tx: Tx, app: int) -> int:
            check(self._runtime, tx, app, where)
            return queries.count(tx, app, where)

        return await self._tenant.traverse(query)

    @staticmethod
    def cursor(event: Event) -> str:
        """The cursor of an event, to read on behind it."""
        return to_cursor(event.position)
