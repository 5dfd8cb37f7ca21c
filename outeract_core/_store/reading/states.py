"""Queries on what became of something that was sent.

Knows: the delivery row of messages, the child events of actions.
Does not know: how it got there.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from attrs import evolve

from ..._domain.rules.delivery import EVENT_STATUS, Progress, advance, further
from ..._domain.values import stored
from ...driver import Statement, Tx
from ...errors import NotFound
from ...model import DeliveryState, PartState, Status
from ...tenancy import STATUSES
from ..engine.statements import statement
from ..records import nodes
from ..records.log import BLOCKED, EVENT_CONN, EVENT_FACTS, UNBLOCKED, key_of, sources_of
from ..writing.claims import EXTERNAL_IDS, LAST_INBOUND, named_messages
from ..writing.delivery import DELIVERY, RECEIPTS, nameless, parts_of

LAST_DONE: Statement[tuple[int]] = statement("last_done")
LAST_EDGE: Statement[tuple[int]] = statement("edge_newest_source")
REMOVED: Statement[tuple[str]] = statement("parts_removed")


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
    sent, delivered, read, failed = (stored.maybe_moment(t, "delivery", key) for t in times)
    stored.word(status, STATUSES, "delivery", key)
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
        for part in range(stored.count(count, "delivery", key))
    )


def names_of(tx: Tx, key: int) -> list[tuple[int, str]]:
    """By part, in order, what the platform calls a message of ours; the name of a message goes first."""
    found = tx.all(EXTERNAL_IDS, seq=key)
    return [(part, name) for part, name in found if name != nameless(key, part)]


def message_names(tx: Tx, key: int) -> list[str]:
    """What the platform calls the messages that one of ours is, without names of what is only in them."""
    return [name for mine in named_messages(names_of(tx, key)).values() for name in mine]


def taken_away(tx: Tx, key: int) -> frozenset[int]:
    """The parts that edits take away, whatever has become of them: nothing is said there again."""
    rows = tx.all(REMOVED, dst=key, origin=tx.kind("origin"), edited=tx.kind("message.edited"))
    return frozenset(part for row in rows for part in stored.value(row[0], "event", key))


def last_inbound(tx: Tx, app: int, platform_user: UUID) -> int | None:
    """When this platform user last wrote (milliseconds), or None."""
    return last_heard(tx, nodes.key(tx, app, platform_user, "platform_user"))


def last_heard(tx: Tx, peer: int) -> int | None:
    """The same by key."""
    newest = _last_word(tx, peer)
    facts = None if newest is None else tx.one(EVENT_FACTS, seq=newest)
    return None if facts is None else facts[1]


def _last_word(tx: Tx, peer: int) -> int | None:
    """The newest that a person has done towards the bot alone: a press and a reaction are words, too."""
    said = tx.one(LAST_INBOUND, peer=peer, inbound=tx.kind("message.inbound"))
    done = tx.one(
        LAST_DONE, peer=peer, since=0 if said is None else said[0], sent_by=tx.kind("sent_by"),
        sent_to=tx.kind("sent_to"), action=tx.kind("message.action"),
        edited=tx.kind("message.edited"), reacted=tx.kind("message.reaction_added"),
    )  # fmt: skip
    row = done or said
    return None if row is None else row[0]


def blocked_since(tx: Tx, peer: int) -> int | None:
    """Since when (ms) nothing reaches a platform user, as the newest word of it says; None: not so.

    Two keys at the end of an index, so it costs the same however long they have been known. What they
    have written since says otherwise.
    """
    blocked = _last(tx, peer, BLOCKED)
    if blocked is None:  # nearly always; then nothing else is asked
        return None
    freed = _last(tx, peer, UNBLOCKED)
    if freed is not None and freed > blocked:
        return None
    heard = _last_word(tx, peer)
    facts = tx.one(EVENT_FACTS, seq=blocked)
    written = heard is not None and heard > blocked
    return None if written or facts is None else facts[1]


def _last(tx: Tx, peer: int, edge_type: str) -> int | None:
    kind = tx.known_kind(edge_type)
    row = None if kind is None else tx.one(LAST_EDGE, dst=peer, type=kind)
    return None if row is None else row[0]


def _of_action(tx: Tx, key: int) -> DeliveryState:
    """An action has no row of its own: its status events tell, of an edit those of each change."""
    progress, reached = Progress(), dict[int, str]()
    for child in sources_of(tx, key, "origin"):
        facts = tx.one(EVENT_FACTS, seq=child)
        status = None if facts is None else EVENT_STATUS.get(tx.kind_name(facts[0]))
        if facts is None or status is None:
            continue
        told = stored.values(facts[2], "event", child)
        part, count = told.get("part", 0), told.get("parts", 1)
        reached[part] = further(reached.get(part, "queued"), status)
        progress = evolve(progress, parts=count)
        progress = advance(progress, status, facts[1], told.get("reason"), reached.values())
    return _as_state(key, progress, reached)


def _as_state(key: int, progress: Progress, reached: dict[int, str]) -> DeliveryState:
    sent, failed = (
        stored.maybe_moment(at, "event", key) for at in (progress.sent_at, progress.failed_at)
    )
    rest = progress.status if progress.status in ("failed", "cancelled") else "queued"
    parts = tuple(
        PartState(part, cast("Status", reached.get(part, rest)), None)
        for part in range(stored.count(progress.parts, "event", key) if progress.parts > 1 else 0)
    )
    status = cast("Status", progress.status)
    return DeliveryState(status, sent, None, None, failed, progress.reason, parts)
