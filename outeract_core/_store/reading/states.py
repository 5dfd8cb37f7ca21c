"""Queries on what became of something that was sent.

Knows: the delivery row of messages, the child events of actions.
Does not know: how it got there.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values.ids import from_ms
from ...driver import Tx
from ...errors import NotFound
from ...model import DeliveryState, PartState, Status
from ..records import nodes
from ..records.log import EVENT_CONN, EVENT_FACTS, key_of, sources_of
from ..writing.claims import LAST_INBOUND
from ..writing.delivery import DELIVERY, RECEIPTS, nameless, parts_of


def event_key(tx: Tx, app: int, event_id: UUID) -> int:
    """The key of an event of this application. Raises NotFound."""
    key = key_of(tx, app, event_id)
    if key is None:
        raise NotFound(f"no event {event_id} in this application")
    return key


def conn_of(tx: Tx, key: int) -> int:
    """The connection of an event. Raises NotFound for an event without one."""
    row = tx.one(EVENT_CONN, seq=key)
    if row is None or row[0] is None:
        raise NotFound("this event is on no connection")
    return row[0]


def is_inbound(tx: Tx, key: int) -> bool:
    """Whether an event is a message that somebody has sent us."""
    row = tx.one(EVENT_CONN, seq=key)
    return row is not None and tx.kind_name(row[1]) == "message.inbound"


def state_of(tx: Tx, app: int, event_id: UUID) -> DeliveryState:
    """The fold of an outbound message or action. Raises NotFound."""
    key = event_key(tx, app, event_id)
    row = tx.one(DELIVERY, event=key)
    if row is None:
        return _of_action(tx, key)
    status, count, *times, reason = row
    sent, delivered, read, failed = (None if t is None else from_ms(t) for t in times)
    parts = _parts(tx, key, status, count)
    return DeliveryState(cast("Status", status), sent, delivered, read, failed, reason, parts)


def _parts(tx: Tx, key: int, status: str, count: int) -> tuple[PartState, ...]:
    """By part. One that has come to nothing of its own is queued, or ended with its message."""
    reached, names = parts_of(tx, key), dict[int, str]()
    for name, part, _status in tx.all(RECEIPTS, event=key):
        if name != nameless(key, part):
            names.setdefault(part, name)
    rest = status if status in ("failed", "unknown", "cancelled") else "queued"
    return tuple(
        PartState(part, cast("Status", reached.get(part, rest)), names.get(part))
        for part in range(count)
    )


def last_inbound(tx: Tx, app: int, platform_user: UUID) -> int | None:
    """When this platform user last wrote (milliseconds), or None."""
    return last_heard(tx, nodes.key(tx, app, platform_user, "platform_user"))


def last_heard(tx: Tx, peer: int) -> int | None:
    """The same by key."""
    row = tx.one(LAST_INBOUND, peer=peer, inbound=tx.kind("message.inbound"))
    facts = None if row is None else tx.one(EVENT_FACTS, seq=row[0])
    return None if facts is None else facts[1]


def _of_action(tx: Tx, key: int) -> DeliveryState:
    """An action has no row of its own: its newest status event tells."""
    state = DeliveryState("queued")
    for child in sources_of(tx, key, "origin"):
        facts = tx.one(EVENT_FACTS, seq=child)
        status: Any = None if facts is None else EVENT_STATUS.get(tx.kind_name(facts[0]))
        if facts is not None and status is not None:
            sent = from_ms(facts[1]) if status == "sent" else None
            state = DeliveryState(status, sent_at=sent)
    return state
