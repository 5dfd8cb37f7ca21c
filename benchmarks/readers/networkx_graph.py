"""networkx: the messages as nodes of a graph in memory, the answer found by looking at neighbours.

Knows: a MultiDiGraph with typed edges and times as attributes, filled from the measured file.
Does not know: disks; nothing here is durable.

Two gigabytes hold a million messages, so of a larger file only a part is loaded: the conversations
that are asked for, chain and tree whole, and other messages up to `ROOM`.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx  # type: ignore[import-untyped]

from . import CHAIN, LINK, PAGE, ROOM, STEPS, Read, Targets
from .raw import opened

SAID = ("sent_by", "sent_to")
_EVENTS = (
    "SELECT e.seq, e.id, e.created_at, e.payload, e.raw, k.name FROM event e"
    " JOIN kind k ON k.id = e.type"
)


class Networkx:
    """Everything is a neighbour of something."""

    name = "networkx"

    def __init__(self, world: Path, targets: Targets, total: int, talks: Collection[int]) -> None:
        self._targets = targets
        self.graph: Any = nx.MultiDiGraph()
        db = opened(world)
        whole = total <= ROOM
        self.whole = whole
        if whole:
            self._load(db, "SELECT peer, event FROM entry", ())
        else:
            self._part(db, talks)
        for event in db.execute(f"{_EVENTS} WHERE k.name IN {STEPS}"):
            self._event(event)
        self.graph.add_edges_from(
            (source, target, LINK)
            for source, target in db.execute(
                "SELECT g.src, g.dst FROM edge g JOIN kind k ON k.id = g.type JOIN event e"
                " ON e.seq = g.src JOIN kind t ON t.id = e.type"
                f" WHERE k.name = ? AND t.name IN {STEPS}",
                (LINK,),
            )
        )
        for peer in targets.peers:
            self.graph.add_edge(targets.person_key, peer, "has")
        db.close()
        held = sum(1 for _ in self.graph)
        self.notes = f"in memory, {held:,} nodes" + ("" if whole else " (a part of the file)")

    def _part(self, db: Any, wanted: Collection[int]) -> None:
        for peer in wanted:
            self._load(db, "SELECT peer, event FROM entry WHERE peer = ?", (peer,))
        room = max(0, ROOM - len(self.graph))
        marks = ", ".join("?" * len(wanted))
        sql = f"SELECT peer, event FROM entry WHERE peer NOT IN ({marks}) LIMIT ?"
        self._load(db, sql, (*wanted, room))

    def _load(self, db: Any, entries: str, values: tuple[int, ...]) -> None:
        sql = (
            f"SELECT n.peer, e.seq, e.id, e.created_at, e.payload, e.raw, k.name FROM ({entries}) n"
        )
        sql += " CROSS JOIN event e ON e.seq = n.event CROSS JOIN kind k ON k.id = e.type"
        for peer, *event in db.execute(sql, values):
            self._event(event)
            self.graph.add_edge(event[0], peer, SAID[event[-1] != "message.inbound"])

    def _event(self, event: Sequence[Any]) -> None:
        names = ("id", "at", "payload", "raw", "type")
        self.graph.add_node(event[0], **dict(zip(names, event[1:], strict=True)))

    def reads(self) -> dict[str, Read]:
        """Page, deep page, timeline, chain, tree, path, component; the list when it holds all."""
        asked = self._targets
        reads = {
            "page": Read(partial(self._page, [asked.peer], None), _positions),
            "deep_page": Read(partial(self._page, [asked.peer], asked.deep), _positions),
            "timeline": Read(self._timeline, _positions),
            "chain": Read(self._chain, _positions),
            "tree": Read(self._tree, _positions),
            "path": Read(self._path, _positions),
            "component": Read(self._component, _positions),
        }
        if self.whole:
            reads["list"] = Read(self._list, _positions)
        return reads

    def _with(self, keys: Any) -> list[tuple[int, dict[str, Any]]]:
        nodes = self.graph.nodes
        return [(key, nodes[key]) for key in keys]

    def _page(self, peers: Sequence[int], before: int | None) -> list[Any]:
        """The messages at the peers' edges, the youngest of them."""
        found = (
            message
            for message, _peer, kind in self.graph.in_edges(peers, keys=True)
            if kind in SAID and (before is None or message < before)
        )
        return self._newest(found)

    def _newest(self, messages: Iterable[int]) -> list[Any]:
        nodes = self.graph.nodes
        return self._with(heapq.nlargest(PAGE, messages, key=lambda key: (nodes[key]["at"], key)))

    def _timeline(self) -> list[Any]:
        peers = [
            peer for _user, peer, kind in self.graph.out_edges(self._targets.person_key, keys=True)
            if kind == "has"
        ]  # fmt: skip
        return self._page(peers, None)

    def _list(self) -> list[Any]:
        last: dict[int, int] = {}
        for event, peer, kind in self.graph.edges(keys=True):
            if kind in SAID and event > last.get(peer, 0):
                last[peer] = event
        return self._newest(last.values())

    def _chain(self) -> list[Any]:
        edges = nx.bfs_edges(self.graph, self._targets.end, depth_limit=CHAIN)
        return self._with([self._targets.end, *(target for _source, target in edges)])

    def _tree(self) -> list[Any]:
        edges = nx.bfs_edges(self.graph, self._targets.root, reverse=True)
        return self._with([self._targets.root, *(source for _target, source in edges)])

    def _path(self) -> list[Any]:
        both = self.graph.to_undirected(as_view=True)
        return self._with(nx.bidirectional_shortest_path(both, *self._targets.leaves))

    def _component(self) -> list[Any]:
        met, found = {self._targets.end}, [self._targets.end]
        for node in found:
            for other in nx.all_neighbors(self.graph, node):
                if other not in met:
                    met.add(other)
                    found.append(other)
        return self._with(found)

    def close(self) -> None:
        """Let the memory go."""
        self.graph.clear()


def _positions(found: Sequence[Any]) -> list[int]:
    return [key for key, _about in found]
