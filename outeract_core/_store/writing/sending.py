"""The unit of work that puts an intent on disk: event, edges, outbox row, in one commit.

Knows: what a sent message, reaction, edit, deletion, read mark is in the log.
Does not know: how content is fitted to a platform (done before), how it is delivered (later).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, cast
from uuid import UUID

from ..._domain.rules import link_code as codes
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...events import Party
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import (
    EDGE_ADD,
    EVENT_ADD,
    append,
    awaited_by,
    id_of,
    link,
    link_all,
    link_external,
    target_of,
)
from . import conversations, delivery, files
from .delivery import Job
from .people import find, meet

SEND_KEY: Statement[tuple[int]] = statement("send_key_get")
SEND_KEY_ADD: Statement[Any] = statement("send_key_add")
CODES_GIVEN: Statement[tuple[int]] = statement("link_codes_given")


@frozen
class OutFile:
    """A file of a message: an existing node, or bytes that already lie in the folder."""

    key: int | None
    filename: str
    mime: str
    size: int
    sha256: str


@frozen
class Intent:
    """Everything a send needs, encoded before the writer. Times in milliseconds.

    `to`: a platform user's key, or a Party that may be met for the first time.
    """

    id: UUID
    conn: Conn
    to: int | Party
    payload: dict[str, Any]
    parts: list[Any]
    files: tuple[OutFile, ...] = ()
    kinds: tuple[str, ...] = ()
    reply_to: int | None = None
    thread: int | None = None
    cause: int | None = None
    metadata: dict[str, Any] | None = None
    key: str | None = None
    due: int = 0
    expires: int | None = None
    sandbox: bool = False


@frozen
class Action:
    """Something done to a message: `kind` is its event type, None for what leaves no event."""

    id: UUID
    conn: Conn
    verb: str
    kind: str | None
    peer: int
    target: int | None
    payload: dict[str, Any]
    spec: dict[str, Any]
    cause: int | None = None
    expires: int | None = None
    sandbox: bool = False


def send(tx: Tx, intent: Intent) -> tuple[int, UUID]:
    """Put a message on its way; its key and id. A known idempotency key gives the first message."""
    conn = intent.conn
    known = None if intent.key is None else first_under(tx, conn.app, intent.key)
    if known is not None:
        return known
    peer = intent.to if isinstance(intent.to, int) else _reach(tx, conn, intent.to)
    payload = _without_codes(tx, conn, encode(intent.payload))
    event = append(tx, conn.app, "message.outbound", payload, conn=conn.id, id=intent.id)
    assert event is not None  # noqa: S101 - it has no dedupe key
    nodes = _draw(tx, event, peer, intent)
    conversations.add(tx, conn.id, peer, event, inbound=False)
    parts = max(1, len(intent.parts))
    tx.run(delivery.DELIVERY_ADD, event=event, parts=parts)
    delivery.queue(tx, conn, _job(intent, event, peer, nodes))
    if intent.key is not None:
        tx.run(SEND_KEY_ADD, app=conn.app, key=intent.key, event=event)
    return event, intent.id


def first_under(tx: Tx, app: int, key: str) -> tuple[int, UUID] | None:
    """The message that was sent first under an idempotency key: its key and id."""
    known = tx.one(SEND_KEY, app=app, key=key)
    return None if known is None else (known[0], id_of(tx, known[0]))


def send_all(tx: Tx, intents: Sequence[Intent]) -> None:
    """Put messages on their way, in order: a statement a table for neighbours that are only said."""
    for only_said, some in groupby(intents, _only_said):
        together = list(some)
        if only_said and len(together) > 1:
            _say(tx, together)
        else:
            for intent in together:
                send(tx, intent)


def _only_said(intent: Intent) -> bool:
    """Whether it is a message to somebody known, without files and without a key of its own."""
    return intent.key is None and not intent.files and isinstance(intent.to, int)


def _say(tx: Tx, intents: Sequence[Intent]) -> None:
    kind, now = tx.kind("message.outbound"), tx.now
    said = [(tx.allocate(intent.conn.app), intent, cast("int", intent.to)) for intent in intents]
    # asked before anything is added (decision 51)
    taken = delivery.lanes_taken(tx, [peer for _, _, peer in said])
    tx.add(EVENT_ADD, [
        (event, one.id.bytes, one.conn.id, kind, now, now, None,
         _without_codes(tx, one.conn, encode(one.payload)), None)
        for event, one, _ in said
    ])  # fmt: skip
    tx.add(EDGE_ADD, [
        (target, tx.kind(edge), event, None)
        for event, one, peer in said
        for edge, target in _edges(one, peer)
    ])  # fmt: skip
    for event, one, _ in said:
        if one.thread is not None:
            _join(tx, one.conn, event, one.thread)
    conversations.add_outbound(tx, [(one.conn.id, peer, event) for event, one, peer in said])
    tx.add(delivery.DELIVERY_ADD, [(event, max(1, len(one.parts))) for event, one, _ in said])
    delivery.queue_all(tx, [(one.conn, _job(one, event, peer)) for event, one, peer in said], taken)


def _job(intent: Intent, event: int, peer: int, nodes: Sequence[int] = ()) -> Job:
    """What the outbox is told of a message."""
    spec: dict[str, Any] = {"parts": intent.parts, "metadata": intent.metadata or {}}
    if nodes:
        spec |= {"files": list(nodes), "kinds": list(intent.kinds)}
    return Job("send", peer, encode(spec), event, intent.due, intent.expires, intent.sandbox)


def _without_codes(tx: Tx, conn: Conn, payload: str) -> str:
    """What is remembered of a message that gives somebody a link code: the message, and not the code.

    It stands in what is to be sent, and goes with that. Where no code was ever given none is struck.
    """
    found = codes.find_codes(payload)
    lo, hi = span(conn.app)
    if not found or tx.one(CODES_GIVEN, lo=lo, hi=hi) is None:
        return payload
    return codes.strike(payload, found)


def _reach(tx: Tx, conn: Conn, party: Party) -> int:
    known = None if party.external_id is None else find(tx, conn, party.external_id)
    return meet(tx, conn, party) if known is None else known


def _draw(tx: Tx, event: int, peer: int, intent: Intent) -> list[int]:
    """The edges of a new outbound message; the keys of its file nodes."""
    edges = _edges(intent, peer)
    nodes = []
    for file in intent.files:
        node = file.key
        if node is None:
            node, _ = files.keep(
                tx, intent.conn.app, file.filename, file.mime, file.size, file.sha256
            )
        edges.append(("attachment", node))
        nodes.append(node)
    link_all(tx, event, edges)
    if intent.thread is not None:
        _join(tx, intent.conn, event, intent.thread)
    return nodes


def _edges(intent: Intent, peer: int) -> list[tuple[str, int]]:
    """By whom it is, to whom, what it answers, what has led to it."""
    edges = [("sent_by", intent.conn.system_puser), ("sent_to", peer)]
    if intent.reply_to is not None:
        edges.append(("reply_to", intent.reply_to))
    if intent.cause is not None:
        edges.append(("triggered_by", intent.cause))
    return edges


def _join(tx: Tx, conn: Conn, event: int, member: int) -> None:
    """Into the thread that `member` is in, or is the root of; the root need not be known yet."""
    awaited = awaited_by(tx, member, "in_thread")
    if awaited is not None:
        link_external(tx, conn.id, event, "in_thread", awaited)
        return
    root = target_of(tx, member, "in_thread")
    link(tx, event, "in_thread", member if root is None else root)


def act(tx: Tx, action: Action) -> tuple[int | None, UUID]:
    """Put an action on its way: react, edit, delete, typing, answer."""
    conn, event = action.conn, None
    if action.kind is not None:
        payload = _without_codes(tx, conn, encode(action.payload))
        event = append(tx, conn.app, action.kind, payload, conn=conn.id, id=action.id)
        assert event is not None  # noqa: S101
        link(tx, event, "sent_by", conn.system_puser)
        if action.target is not None:
            link(tx, event, "origin", action.target)
        if action.cause is not None:
            link(tx, event, "triggered_by", action.cause)
    delivery.queue(
        tx, conn,
        Job(action.verb, action.peer, encode(action.spec), event, 0, action.expires, action.sandbox),
    )  # fmt: skip
    return event, action.id


def read(tx: Tx, conn: Conn, peer: int, event: int, *, tell: bool) -> bool:
    """Mark a conversation read up to `event`; `tell` the platform too. False when it was already."""
    key = conversations.mark_read(tx, conn.app, conn.id, peer, event)
    if key is None:
        return False
    if tell:
        delivery.queue(tx, conn, Job("mark_read", peer, "{}", key))
    return True
