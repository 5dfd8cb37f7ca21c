"""Units of work on the host's own events: schemas, custom events, edges of any type.

Knows: names, the edges that a host may draw.
Does not know: JSON Schema (checked before), what the events are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import from_ms, span
from ...conversation import ROLES
from ...driver import Statement, Tx
from ...errors import BadInput, InvalidEvent
from ...events import NAME, RESERVED
from ...model import EventSchema
from ..engine.migrations import EDGE_TYPES
from ..engine.statements import statement
from ..records import nodes
from ..records.log import EVENT_FACTS, append, link, link_all, target_of
from .handlers import peer_of

SCHEMA: Statement[tuple[int, str, str | None, int]] = statement("schema_newest")
SCHEMA_ADD: Statement[Any] = statement("schema_add")

Drawn = Sequence[tuple[str, Any]]

CONTEXT = "context_"
"""With a role behind it: the edge type by which an event belongs into a conversation's history."""


def check_type(event_type: str) -> None:
    """Raises InvalidEvent unless a host may use this event type."""
    if not isinstance(event_type, str) or not NAME.fullmatch(event_type):
        raise InvalidEvent(
            f"event type {event_type!r}: use a-z, 0-9, '_' and '.', e.g. order.created"
        )
    if event_type.startswith(RESERVED) or event_type + "." in RESERVED:
        raise InvalidEvent(
            f"event type {event_type!r} is reserved ({', '.join(p + '*' for p in RESERVED)}); "
            "choose a name of your own, e.g. order.created"
        )


def flat(edges: Mapping[str, Any] | None) -> Drawn:
    """`{type: node}` or `{type: [node, …]}` as pairs. Raises BadInput for a bad type."""
    pairs: list[tuple[str, Any]] = []
    for edge_type, targets in (edges or {}).items():
        if not isinstance(edge_type, str) or not NAME.fullmatch(edge_type):
            raise BadInput(f"edge type {edge_type!r}: use a-z, 0-9, '_' and '.'")
        several = targets if isinstance(targets, list | tuple | set) else [targets]
        pairs.extend((edge_type, target) for target in several)
    return pairs


def schema(tx: Tx, app: int, name: str) -> EventSchema | None:
    """The newest schema of an event type, or None."""
    row = tx.one(SCHEMA, app=app, name=name)
    if row is None:
        return None
    return EventSchema(
        name, row[2], stored.value(row[1], "event_schema", name), row[0],
        stored.moment(row[3], "event_schema", name),
    )  # fmt: skip


def add_schema(
    tx: Tx, app: int, name: str, json_schema: Any, description: str | None
) -> EventSchema:
    """A schema, as a new version unless it is the newest already."""
    newest = schema(tx, app, name)
    if newest is not None and newest.json_schema == json_schema:
        return newest
    version = 1 if newest is None else newest.version + 1
    text = encode(json_schema)
    tx.run(
        SCHEMA_ADD, app=app, name=name, version=version, description=description,
        json_schema=text, now=tx.now,
    )  # fmt: skip
    return EventSchema(name, description, json_schema, version, from_ms(tx.now))


def emit(
    tx: Tx, app: int, event_id: UUID, event_type: str, payload: str, edges: Drawn,
    origin: Any, cause: int | None, occurred_at: int | None, said: Said | None = None,
) -> int:  # fmt: skip
    """A custom event with its edges; all or nothing. Raises NotFound for a foreign node, BadInput."""
    targets = [(edge_type, nodes.key(tx, app, node)) for edge_type, node in edges]
    if origin is not None:
        targets.append(("origin", nodes.key(tx, app, origin, "event")))
    if cause is not None:
        targets.append(("triggered_by", cause))
    if said is not None:
        targets += _history(tx, app, said, origin, cause)
    key = append(tx, app, event_type, payload, id=event_id, occurred_at=occurred_at)
    assert key is not None  # noqa: S101 - it has no dedupe key
    if targets:
        link_all(tx, key, targets)
    return key


@frozen
class Said:
    """An event of the host's own belongs into a history: as what, and in which conversation.

    `within`: a platform user, a group or channel, or an event; None: where its cause or origin is.
    """

    role: str
    within: Any = None


def said(role: str | None, within: Any) -> Said | None:
    """What `emit` was told. Raises BadInput."""
    if role is None and within is None:
        return None
    if role not in ROLES:
        raise BadInput(f"context_role is one of {', '.join(ROLES)}, not {role!r}")
    return Said(str(role), getattr(within, "peer", within))


def _history(tx: Tx, app: int, said: Said, origin: Any, cause: int | None) -> list[tuple[str, int]]:
    """The edges to the conversation, and to the thread. Raises BadInput, NotFound."""
    near = origin if said.within is None else said.within
    key, node_type = cause, "event"
    if near is not None:
        key, found = nodes.resolve(tx, app, near, ("platform_user", "event"))
        node_type = found
    if key is None:
        raise BadInput(
            "context_role: say in which conversation, by within= (a platform user or a message), "
            "or by origin="
        )
    if node_type == "platform_user":
        return [(CONTEXT + said.role, key)]
    peer = peer_of(tx, key)
    if not peer:
        raise BadInput("context_role: that event belongs to no conversation; give within=")
    root = target_of(tx, key, "in_thread")
    return [(CONTEXT + said.role, peer), *([] if root is None else [("in_thread", root)])]


def draw(tx: Tx, app: int, source: Any, edge_type: str, target: Any) -> None:
    """An edge between two nodes. The edges that give messages their meaning are not for hosts."""
    src, src_type = nodes.resolve(tx, app, source)
    dst, _ = nodes.resolve(tx, app, target)
    if edge_type in EDGE_TYPES and (src_type != "event" or _is_ours(tx, src)):
        raise BadInput(
            f"edge type {edge_type!r} is drawn by the library on its own nodes; "
            "use a name of your own, e.g. placed_by"
        )
    if not span(app)[0] <= src < span(app)[1]:
        raise BadInput("the source belongs to another application")
    link(tx, src, edge_type, dst, late=True)


def _is_ours(tx: Tx, event: int) -> bool:
    row = tx.one(EVENT_FACTS, seq=event)
    return row is not None and tx.kind_name(row[0]).startswith(RESERVED)
