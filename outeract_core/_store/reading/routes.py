"""Queries that find where a message goes: the connection and the platform user behind `to`.

Knows: persons, platform users, conversations, the last active route.
Does not know: content, adapters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ...errors import BadInput, NotFound
from ..engine.statements import statement
from ..records import nodes
from ..records.log import EVENT_CONN, awaited_by, target_of
from ..writing.handlers import peer_of
from ..writing.identity import PUSERS

PEER: Statement[tuple[int, int, str, int]] = statement("peer_facts")
_SAID = ("message.inbound", "message.outbound")
NEWEST: Statement[tuple[int, int]] = statement("newest_peer")


PLACED = "via chooses among the platforms of a user; whom this is for is on one platform already"


@frozen
class Route:
    """A connection (by number) and a platform user (by key)."""

    conn: int
    peer: int
    kind: str


def route(tx: Tx, app: int, to: Any, platforms: dict[int, str], via: Sequence[str] = ()) -> Route:
    """Where `to` (platform user, user, event, or an id of one) is reached.

    A user is reached on the first platform of `via` that they have, else where they were last
    active. `platforms`: connection number → platform. Raises NotFound and BadInput.
    """
    key, node_type = nodes.resolve(tx, app, to, ("platform_user", "user", "event"))
    if via and node_type != "user":
        raise BadInput(PLACED)
    if node_type == "event":
        key = peer_of(tx, key)
        if not key:
            raise BadInput(f"event {getattr(to, 'id', to)} belongs to no conversation")
    elif node_type == "user":
        key = _of_person(tx, key, platforms, via)
    found = tx.one(PEER, id=key)
    if found is None:
        raise NotFound(f"no platform user behind {getattr(to, 'id', to)}")
    if found[2] == "system":
        raise BadInput("that is the bot itself; give the person, group or channel to write to")
    return Route(found[1], found[0], found[2])


def _of_person(tx: Tx, person: int, platforms: dict[int, str], via: Sequence[str]) -> int:
    theirs = [row[0] for row in tx.all(PUSERS, person=person)]
    for platform in via:
        for puser in theirs:
            facts = tx.one(PEER, id=puser)
            if facts is not None and platforms.get(facts[1]) == platform:
                return puser
    if via:
        raise NotFound(f"this user is on none of {', '.join(via)}")
    newest = tx.one(NEWEST, person=person)
    if newest is not None:
        return newest[0]
    if not theirs:
        raise NotFound("this user has no platform user to write to")
    return theirs[-1]


def message_on(tx: Tx, app: int, event: Any, conn: int, what: str) -> int:
    """The key of a message that is referred to; it must be on the same connection."""
    return _on(tx, app, event, conn, what)[0]


def answered(tx: Tx, app: int, event: Any, conn: int) -> tuple[int, int]:
    """The message that is answered, and the one below which the answer belongs.

    What is only about a message (an edit, a reaction) stands for that; a press is answered itself, below
    what was pressed. It must be on the same connection.
    """
    key, kind = _on(tx, app, event, conn, "reply_to")
    if kind in _SAID:
        return key, key
    about = target_of(tx, key, "origin") or key
    return (key if kind == "message.action" else about), about


def thread_below(tx: Tx, message: int, *, opens: bool) -> int | None:
    """The message by which an answer's thread is known: this one, when it is in a thread, or `opens` one."""
    if opens or target_of(tx, message, "in_thread") or awaited_by(tx, message, "in_thread"):
        return message
    return None


def opened_by(tx: Tx, member: int) -> str | None:
    """The platform's name of what opens the thread that a message is in, where that was told."""
    facts = tx.one(EVENT_CONN, seq=member)
    told = None if facts is None else stored.value(facts[2], "event", member)
    opened = told.get("thread") if isinstance(told, dict) else None
    return opened if isinstance(opened, str) else None


def _on(tx: Tx, app: int, event: Any, conn: int, what: str) -> tuple[int, str]:
    key = nodes.key(tx, app, event, "event")
    facts = tx.one(EVENT_CONN, seq=key)
    if facts is None or facts[0] != conn:
        raise BadInput(f"{what}: that message is on another connection")
    return key, tx.kind_name(facts[1])
