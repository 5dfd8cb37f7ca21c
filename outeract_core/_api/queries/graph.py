"""The graph of one application, for the host.

Knows: the questions. Does not know: how a walk is done (`_store/reading/walks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.reading import walks
from ..._store.reading.explain import explain
from ..._store.reading.walks import Arrow, Direction, Found, Limits
from ..._store.records import nodes, rows
from ...driver import Tx
from ...graph import Explanation, Subgraph
from ...model import Event
from .matching import edge_types

CAUSES = ("triggered_by", "origin", "reply_to")
"""The edges that say what an event came from."""


class Graph:
    """Walks over events, users, platform users and files; safe on cycles, within one application.

    Nodes are given as entities or ids. `types`: edge types to follow, None for all; one that nothing has yet
    is told as a warning. A walk does not pass *through* the bot's own platform users, since everything meets there.
    """

    def __init__(self, tenant: Tenant, runtime: Runtime) -> None:
        self._tenant = tenant
        self._runtime = runtime

    async def neighbours(
        self, node: Any, *, types: Sequence[str] | None = None, direction: Direction = "both",
        limit: int = 1000,
    ) -> Subgraph:  # fmt: skip
        """A node and what is one edge away. Raises NotFound."""
        return await self.walk(node, types=types, direction=direction, depth=1, limit=limit)

    async def walk(
        self, start: Any, *, types: Sequence[str] | None = None, direction: Direction = "out",
        depth: int = 100, limit: int = 10_000,
    ) -> Subgraph:  # fmt: skip
        """Everything within `depth` edges, nearest first, at most `limit` nodes.

        Raises NotFound for a node of another application, BadInput for bad limits.
        """
        limits = Limits(depth, limit)

        def narrow(tx: Tx, app: int) -> Subgraph | None:
            key = nodes.key(tx, app, start)
            edge_types(self._runtime, tx, types)
            found = walks.narrow(tx, app, key, types, direction, limits)
            return None if found is None else _subgraph(tx, app, found)

        def wide(tx: Tx, app: int) -> Subgraph:
            key = nodes.key(tx, app, start)
            return _subgraph(tx, app, walks.wide(tx, app, key, types, direction, limits))

        found = self._tenant.glance(narrow)
        return await self._tenant.traverse(wide) if found is None else found

    async def ancestors(self, event: Any, *, depth: int = 100, limit: int = 10_000) -> Subgraph:
        """What caused this: along `triggered_by`, `origin` and `reply_to`, back to the first cause."""
        return await self.walk(event, types=CAUSES, direction="out", depth=depth, limit=limit)

    async def descendants(self, event: Any, *, depth: int = 100, limit: int = 10_000) -> Subgraph:
        """What came of this: the same edges, the other way."""
        return await self.walk(event, types=CAUSES, direction="in", depth=depth, limit=limit)

    async def component(
        self, node: Any, *, types: Sequence[str] | None = None, limit: int = 10_000
    ) -> Subgraph:
        """Everything that hangs together with a node, whichever way the edges point."""
        return await self.walk(node, types=types, direction="both", depth=limit, limit=limit)

    async def path(
        self, start: Any, end: Any, *, types: Sequence[str] | None = None,
        direction: Direction = "both", depth: int = 100, limit: int = 100_000,
    ) -> Subgraph | None:  # fmt: skip
        """A shortest path between two nodes, or None when there is none within the limits."""
        limits = Limits(depth, limit)

        def query(tx: Tx, app: int) -> Subgraph | None:
            first, last = nodes.key(tx, app, start), nodes.key(tx, app, end)
            edge_types(self._runtime, tx, types)
            arrows = walks.path(tx, app, first, last, types, direction, limits)
            if arrows is None:
                return None
            return _subgraph(tx, app, walks.dated(tx, _along(first, arrows)))

        return await self._tenant.traverse(query)

    async def explain(self, event: Event | UUID) -> Explanation:
        """The whole timeline of one message: causes, attempts, statuses, replies, failures."""

        def query(tx: Tx, app: int) -> Explanation:
            key = nodes.key(tx, app, event, "event")
            limits = Limits(20, 500)
            found = walks.walk(tx, app, key, CAUSES, "out", limits)
            after = walks.walk(tx, app, key, CAUSES, "in", limits)
            for node, depth in after.depth.items():
                found.depth.setdefault(node, depth)
            found.arrows |= after.arrows
            return explain(tx, app, key, _subgraph(tx, app, _with_parties(tx, found)))

        return await self._tenant.traverse(query)


def _along(start: int, arrows: list[Arrow]) -> Found:
    found, here = Found({start: 0}), start
    for depth, arrow in enumerate(arrows, 1):
        here = arrow[2] if arrow[0] == here else arrow[0]
        found.depth[here] = depth
        found.arrows[arrow] = None
    return found


def _with_parties(tx: Tx, found: Found) -> Found:
    """The same with who sent what to whom, and the files."""
    types = [n for n in map(tx.known_kind, ("sent_by", "sent_to", "attachment")) if n is not None]
    for source, kind, target in tx.expand(list(found.depth), types, inward=False):
        found.depth.setdefault(target, found.depth[source] + 1)
        found.arrows[source, tx.kind_name(kind), target] = None
    return walks.dated(tx, found)


def _subgraph(tx: Tx, app: int, found: Found) -> Subgraph:
    """Keys into objects: one query per kind of node, not one per node."""
    entities = rows.entities(tx, app, list(found.depth))
    arrows = tuple(
        (entities[source], edge_type, entities[target], drawn)
        for (source, edge_type, target), drawn in found.arrows.items()
        if source in entities and target in entities
    )
    met = [key for key in found.depth if key in entities]
    nodes_met = tuple(entities[key] for key in met)
    return Subgraph(nodes_met, tuple(found.depth[key] for key in met), found.truncated, arrows)
