"""The library itself, through its public API: model objects.

Knows: which call answers which question. Does not know: how.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from outeract_core import App, Page

from . import CHAIN, LINK, PAGE


class Ask(NamedTuple):
    """One question to the library, and the positions of what it gives."""

    ask: Callable[[], Awaitable[Any]]
    positions: Callable[[Any], Sequence[int]]


async def conversations(app: App, largest: Any, deep: UUID, person: UUID) -> dict[str, Ask]:
    """Page, deep page, list, timeline; page and list also with everything that is shown looked at.

    A page is read of a conversation that is held, as a host does while it scrolls. A timeline
    begins at the user's id: whose it is is part of the question.
    """
    held = await app.conversations.of(largest)
    behind = app.events.cursor(await app.events.get(deep))

    async def timeline() -> Page[Any]:
        return await (await app.conversations.with_user(person)).page(first=PAGE)

    async def used() -> list[Any]:
        page = await held.page(first=PAGE)
        return [(event.position, event.id, event.occurred_at, event.text) for event in page]

    async def list_used() -> list[Any]:
        return [
            (last.position, each.peer.id, each.peer.name, last.text, last.occurred_at, each.unread)
            for each in await app.conversations.recent(first=PAGE)
            for last in (each.last_message,)
        ]

    return {
        "list_used": Ask(list_used, _firsts),
        "page_used": Ask(used, _firsts),
        "page": Ask(partial(held.page, first=PAGE), _positions),
        "deep_page": Ask(partial(held.page, first=PAGE, after=behind), _positions),
        "list": Ask(
            partial(app.conversations.recent, first=PAGE),
            lambda page: [summary.last_message.position for summary in page],
        ),
        "timeline": Ask(timeline, _positions),
    }


def graph(app: App, end: UUID, root: UUID, leaves: tuple[UUID, UUID]) -> dict[str, Ask]:
    """Chain (also with ids and times looked at), tree, path, component: nodes, edges and depths."""
    walk, types = app.graph.walk, [LINK]
    most = 20_000

    async def used() -> list[Any]:
        found = await walk(end, types=types, depth=CHAIN)
        nodes: Any = found.nodes
        edges = [(edge.source_node_id, edge.target_node_id, edge.edge_type) for edge in found.edges]
        assert len(edges) == len(nodes) - 1
        return [(node.position, node.id, node.occurred_at) for node in nodes]

    return {
        "chain_used": Ask(used, _firsts),
        "chain": Ask(partial(walk, end, types=types, depth=CHAIN), _nodes),
        "tree": Ask(partial(walk, root, types=types, direction="in", limit=most), _nodes),
        "path": Ask(partial(app.graph.path, *leaves, types=types), _nodes),
        "component": Ask(partial(app.graph.component, end, types=types, limit=most), _nodes),
    }


def _positions(page: Page[Any]) -> list[int]:
    return [event.position for event in page]


def _firsts(found: Sequence[Any]) -> list[int]:
    return [each[0] for each in found]


def _nodes(subgraph: Any) -> list[int]:
    return [node.position for node in subgraph.nodes]
