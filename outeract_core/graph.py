"""What a walk over the graph finds, and how it is shown: Mermaid, DOT, JSON.

Knows: nodes and edges as values, the three notations.
Does not know: how they were found (`_store/reading/walks.py`).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from attrs import field

from ._domain.values.classes import frozen
from ._domain.values.sinks import dot, line, mermaid
from .events import NAME
from .model import Edge, Event, File, Node, PlatformUser, node_type

__all__ = ["Explanation", "Moment", "Subgraph", "label", "node_type"]

_SHAPES = {
    "event": ("[", "]"),
    "user": ("([", "])"),
    "platform_user": ("(", ")"),
    "file": ("[/", "/]"),
}
_DOT = {"event": "box", "user": "ellipse", "platform_user": "ellipse", "file": "note"}


def label(node: Node) -> str:
    """A short text for people: what the node is, and the beginning of what it says."""
    if isinstance(node, Event):
        said = f": {node.text}" if node.text else ""
        return _short(f"{node.event_type}{said}")
    if isinstance(node, PlatformUser):
        return _short(f"{node.name or node.external_id} ({node.platform})")
    if isinstance(node, File):
        return _short(node.filename or node.mime_type or "file")
    return _short(node.name or ("system user" if node.system_user else "user"))


def _short(text: str) -> str:
    return line(" ".join(text.split()), 48)


@frozen
class Subgraph:
    """Nodes in the order in which they were met, the start first, and the edges between them.

    `depths`: how far each node is from the start. `truncated`: a limit ended the walk; there may
    be more behind the nodes at the greatest depth.
    """

    nodes: tuple[Node, ...]
    depths: tuple[int, ...]
    truncated: bool = False
    _arrows: tuple[tuple[Node, str, Node, int | None], ...] = field(default=(), repr=False)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges that were walked."""
        return tuple(Edge(*arrow) for arrow in self._arrows)

    def __len__(self) -> int:
        return len(self.nodes)

    def __contains__(self, thing: Any) -> bool:
        return getattr(thing, "id", thing) in {node.id for node in self.nodes}

    @property
    def events(self) -> tuple[Event, ...]:
        """The events among the nodes."""
        return tuple(node for node in self.nodes if isinstance(node, Event))

    def to_mermaid(self) -> str:
        """A Mermaid flowchart."""
        names = self._names()
        lines = ["flowchart LR"]
        for node in self.nodes:
            opening, closing = _SHAPES[node_type(node)]
            lines.append(f"  {names[node.id]}{opening}{mermaid(label(node))}{closing}")
        lines += [
            f"  {names[edge.source_node_id]} -->|{_between(edge.edge_type)}| {names[edge.target_node_id]}"
            for edge in self.edges
        ]
        return "\n".join(lines) + "\n"

    def to_dot(self) -> str:
        """A Graphviz digraph."""
        names = self._names()
        lines = ["digraph outeract {", "  rankdir=LR;"]
        for node in self.nodes:
            shape = _DOT[node_type(node)]
            lines.append(f"  {names[node.id]} [shape={shape}, label={dot(label(node))}];")
        for edge in self.edges:
            ends = f"{names[edge.source_node_id]} -> {names[edge.target_node_id]}"
            lines.append(f"  {ends} [label={dot(edge.edge_type)}];")
        return "\n".join([*lines, "}"]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """`{"nodes": […], "edges": […], "truncated": bool}`, ids as text."""
        return {
            "nodes": [
                {"id": str(n.id), "type": node_type(n), "label": label(n), "depth": d}
                for n, d in zip(self.nodes, self.depths, strict=True)
            ],
            "edges": [
                {
                    "source": str(edge.source_node_id),
                    "target": str(edge.target_node_id),
                    "type": edge.edge_type,
                }
                for edge in self.edges
            ],
            "truncated": self.truncated,
        }

    def _names(self) -> dict[UUID, str]:
        return {node.id: f"n{number}" for number, node in enumerate(self.nodes)}


def _between(edge_type: str) -> str:
    """Bare, as every type of our own is; what an old file has in its place in quotes."""
    return edge_type if NAME.fullmatch(edge_type) else mermaid(edge_type)


@frozen
class Moment:
    """One line of an explanation: when, what, and the event that says so (if one does)."""

    at: Any
    what: str
    event: Event | None = None


@frozen
class Explanation:
    """The whole story of one event: what led to it, what came of it, where it stands."""

    event: Event
    sender: PlatformUser | None
    recipient: PlatformUser | None
    moments: tuple[Moment, ...]
    pending: str | None
    graph: Subgraph

    def __str__(self) -> str:
        who = f"{_name(self.sender)} → {_name(self.recipient)}"
        where = f" on {self.event.platform}" if self.event.platform else ""
        lines = [f"{self.event.event_type} {self.event.id}", who + where]
        lines += [f"{moment.at:%Y-%m-%d %H:%M:%S}  {moment.what}" for moment in self.moments]
        if self.pending:
            lines.append(f"now: {self.pending}")
        return "\n".join(map(line, lines))

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "event": {
                "id": str(self.event.id),
                "type": self.event.event_type,
                "status": self.event.status,
                "platform": self.event.platform,
                "payload": self.event.payload,
            },
            "sender": _name(self.sender),
            "recipient": _name(self.recipient),
            "moments": [
                {
                    "at": moment.at.isoformat(),
                    "what": moment.what,
                    "event_id": None if moment.event is None else str(moment.event.id),
                }
                for moment in self.moments
            ],
            "pending": self.pending,
            "graph": self.graph.to_json(),
        }


def _name(user: PlatformUser | None) -> str:
    return "nobody" if user is None else (user.name or user.external_id)
