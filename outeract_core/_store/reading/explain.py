"""The query behind `explain`: one event's story as moments in order.

Knows: how each kind of related event, and each attempt that did not succeed, is said in words; that
a status which the platform tells again is told once.
Does not know: how the related events were found (a walk has).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values import stored
from ..._domain.values.ids import to_ms
from ...driver import Statement, Tx
from ...graph import Explanation, Moment, Subgraph
from ...model import Event, PlatformUser
from ..engine.statements import statement
from ..records import attempts, rows
from ..records.attempts import Attempt
from ..records.log import target_of

OUTBOX: Statement[tuple[str, int, int, str | None]] = statement("outbox_of_event")
RETRIES: Statement[tuple[str, int, int]] = statement("retries_of_event")


def explain(tx: Tx, app: int, key: int, graph: Subgraph) -> Explanation:
    """The story of the event `key`, whose surroundings are `graph`."""
    event = rows.events(tx, app, [key])[0]
    told = _once(sorted(graph.events, key=lambda e: e.position))
    tried = attempts.of(tx, [one.position for one in told])
    return Explanation(
        event,
        _party(tx, app, key, "sent_by"),
        _party(tx, app, key, "sent_to"),
        tuple(_moments(told, tried, event)),
        _pending(tx, key),
        graph,
    )


def _party(tx: Tx, app: int, key: int, edge_type: str) -> PlatformUser | None:
    puser = target_of(tx, key, edge_type)
    return None if puser is None else rows.platform_user(tx, app, puser)


def _once(events: list[Event]) -> list[Event]:
    """Without what says again how far a message is: our receipt, then the platform's own `sent`."""
    told, seen = [], set()
    for event in events:
        payload: Any = event.payload if isinstance(event.payload, dict) else {}
        name = payload.get("external_message_id")
        if event.event_type in EVENT_STATUS and name is not None:
            known = (event.event_type, event.origin_event_id, name, payload.get("participant"))
            if known in seen:
                continue
            seen.add(known)
        told.append(event)
    return told


def _moments(events: list[Event], tried: list[Attempt], subject: Event) -> Iterator[Moment]:
    """Events in the order of the log, and between them what was tried in vain, by its time."""
    left = list(tried)
    for event in events:
        while left and left[0].at < to_ms(event.created_at):
            yield _failure(left.pop(0))
        yield Moment(event.occurred_at, _said(event, event.id == subject.id), event)
    yield from map(_failure, left)


def _failure(attempt: Attempt) -> Moment:
    what = attempt.name if attempt.kind == "send" else f"handler {attempt.name}"
    first = attempt.number - attempt.times + 1
    which = f"attempt {attempt.number}"
    if attempt.times > 1:
        which = f"attempts {max(first, 1)} to {attempt.number}"
    until = (
        ""
        if attempt.times == 1
        else f", the last at {stored.moment(attempt.last, 'attempt', ''):%Y-%m-%d %H:%M:%S}"
    )
    return Moment(
        stored.moment(attempt.at, "attempt", ""),
        f"  {what}, {which} failed: {_last(attempt.error)}{until}",
    )


def _last(error: str) -> str:
    """What it was: of a traceback, its last line."""
    return next((line for line in reversed(error.splitlines()) if line.strip()), "").strip()


def _said(event: Event, is_subject: bool) -> str:
    mark = "▶ " if is_subject else "  "
    status = EVENT_STATUS.get(event.event_type)
    payload: Any = event.payload if isinstance(event.payload, dict) else {}
    if status is not None:
        return mark + " ".join(filter(None, [status, _part(payload), payload.get("reason")]))
    if event.event_type == "system.handler_failed":
        why = _last(str(payload.get("traceback") or ""))
        gave_up = (
            f"handler {payload.get('handler')} gave up after {payload.get('attempts')} attempts"
        )
        return f"{mark}{gave_up}: {why}" if why else mark + gave_up
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
        when = f"{stored.moment(row[2], 'outbox', ''):%Y-%m-%d %H:%M:%S}"
        return f"{row[0]}, {row[1]} attempts, due {when}{because}"
    for handler, attempt, due in tx.all(RETRIES, event=key):
        return f"handler {handler} failed {attempt} times, again at {stored.moment(due, 'retry', key):%Y-%m-%d %H:%M:%S}"
    return None
