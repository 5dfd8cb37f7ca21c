"""The query behind `explain`: one event's story as moments in order.

Knows: how each kind of related event is said in words.
Does not know: how the related events were found (a walk has).
"""

from __future__ import annotations

from typing import Any

from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values.ids import from_ms
from ...driver import Statement, Tx
from ...graph import Explanation, Moment, Subgraph
from ...model import Event, PlatformUser
from ..engine.sqlite import Connection
from ..engine.statements import statement
from ..records import rows
from ..records.log import target_of

OUTBOX: Statement[tuple[str, int, int, str | None]] = statement("outbox_of_event")
RETRIES: Statement[tuple[str, int, int]] = statement("retries_of_event")


def explain(tx: Connection, app: int, key: int, graph: Subgraph) -> Explanation:
    """The story of the event `key`, whose surroundings are `graph`."""
    event = rows.events(tx, app, [key])[0]
    ordered = sorted(graph.events, key=lambda e: e.position)
    return Explanation(
        event,
        _party(tx, app, key, "sent_by"),
        _party(tx, app, key, "sent_to"),
        tuple(_moment(e, event) for e in ordered),
        _pending(tx, key),
        graph,
    )


def _party(tx: Connection, app: int, key: int, edge_type: str) -> PlatformUser | None:
    puser = target_of(tx, key, edge_type)
    return None if puser is None else rows.platform_user(tx, app, puser)


def _moment(event: Event, subject: Event) -> Moment:
    return Moment(event.occurred_at, _said(event, event.id == subject.id), event)


def _said(event: Event, is_subject: bool) -> str:
    mark = "▶ " if is_subject else "  "
    status = EVENT_STATUS.get(event.event_type)
    payload: Any = event.payload if isinstance(event.payload, dict) else {}
    if status is not None:
        return mark + " ".join(filter(None, [status, _part(payload), payload.get("reason")]))
    if event.event_type == "system.handler_failed":
        return f"{mark}handler {payload.get('handler')} gave up after {payload.get('attempts')} attempts"
    detail = event.text or payload.get("emoji") or _gone(payload)
    return f"{mark}{event.event_type} {detail}".rstrip()


def _gone(payload: Any) -> str:
    return "(its content was dropped)" if payload == {"erased": True} else ""


def _part(payload: Any) -> str:
    parts = payload.get("parts") or 1
    part = f"part {payload.get('part', 0) + 1}/{parts}" if parts > 1 else ""
    return " ".join(filter(None, [part, payload.get("external_message_id")]))


def _pending(tx: Tx, key: int) -> str | None:
    row = tx.one(OUTBOX, event=key)
    if row is not None:
        because = f" because: {row[3]}" if row[3] else ""
        when = f"{from_ms(row[2]):%Y-%m-%d %H:%M:%S}"
        return f"{row[0]}, {row[1]} attempts, due {when}{because}"
    for handler, attempt, due in tx.all(RETRIES, event=key):
        return (
            f"handler {handler} failed {attempt} times, again at {from_ms(due):%Y-%m-%d %H:%M:%S}"
        )
    return None
