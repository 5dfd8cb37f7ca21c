"""Units of work on what was sent: queue it, take its receipts, fold its statuses.

Knows: outbox rows, receipts and outcomes per part, the delivery row that the fold keeps.
Does not know: how a request is made (`_outbound/sender.py`), what a status means to a platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ..._domain.rules.delivery import EVENT_STATUS, Progress, advance, further
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode, text_id
from ...driver import Statement, Tx
from ...tenancy import STATUSES
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import (
    EDGE_ADD,
    EVENT_ADD,
    EVENT_FACTS,
    append,
    arrived,
    awaited,
    key_of,
    link,
    link_external,
)

_Delivery = tuple[str, int, int | None, int | None, int | None, int | None, str | None]

DELIVERY_ADD: Statement[Any] = statement("delivery_add")
DELIVERY: Statement[_Delivery] = statement("delivery_row")
DELIVERY_SET: Statement[Any] = statement("delivery_set")
DELIVERY_SENT: Statement[tuple[int]] = statement("delivery_sent")
RECEIPT_ADD: Statement[tuple[int, str, int]] = statement("receipt_add")
RECEIPT_STATUS: Statement[Any] = statement("receipt_status")
RECEIPT: Statement[tuple[int, int, str]] = statement("receipt_by_ext")
RECEIPTS: Statement[tuple[str, int, str]] = statement("receipts_of")
UNREAD: Statement[tuple[str, int]] = statement("unread_outbound")
PART_ADD: Statement[Any] = statement("part_add")
PARTS: Statement[tuple[int, str]] = statement("parts_of")
PROVEN: Statement[Any] = statement("outbox_proven")
OUTBOX_ADD: Statement[Any] = statement("outbox_add")
OUTBOX_PUT: Statement[Any] = statement("outbox_put")
OUTBOX_TAKEN: Statement[tuple[int]] = statement("outbox_taken")
OUTBOX_SENDING: Statement[tuple[int]] = statement("outbox_sending_on")


@frozen
class Job:
    """What the outbox is told: `verb` on `lane`, with everything the sender needs in `parts`."""

    verb: str
    lane: int
    parts: str
    event: int | None = None
    due: int = 0
    expires: int | None = None
    sandbox: bool = False


def queue(tx: Tx, conn: Conn, job: Job) -> int:
    """Add an outbox row; its key."""
    key = job.event if job.event is not None else tx.allocate(conn.app)
    tx.run(
        OUTBOX_ADD, id=key, conn=conn.id, lane=job.lane, verb=job.verb, event=job.event,
        parts=job.parts, due=max(job.due, tx.now), expires=job.expires, sandbox=int(job.sandbox),
        now=tx.now,
    )  # fmt: skip
    return key


def lanes_taken(tx: Tx, lanes: Iterable[int]) -> set[int]:
    """Those of the lanes in which something is that keeps what comes behind it waiting."""
    return {row[0] for row in tx.by_keys(OUTBOX_TAKEN, sorted(set(lanes)), now=tx.now)}


def queue_all(tx: Tx, jobs: Sequence[tuple[Conn, Job]], taken: set[int]) -> None:
    """Add a row for each, in order, of which every one is about an event.

    `taken`: of their lanes. What is due keeps those behind it in its lane waiting, as a row that was there before does.
    """
    rows = []
    for conn, job in jobs:
        due, waits = max(job.due, tx.now), job.lane in taken
        rows.append((
            job.event, conn.id, job.lane, job.verb, job.event, job.parts, due, job.expires,
            int(job.sandbox), int(waits),
        ))  # fmt: skip
        if waits or due <= tx.now:
            taken.add(job.lane)
    tx.add(OUTBOX_PUT, rows)


def sending(tx: Tx, conn: int) -> bool:
    """Whether a request of this connection may be under way, so that an echo may be its own."""
    return tx.one(OUTBOX_SENDING, conn=conn) is not None


def child_event(
    tx: Tx, conn: Conn, event: int, kind: str, payload: dict[str, Any], *, at: int | None = None
) -> int | None:
    """Append our own event about an outbound message."""
    if kind == "message.failed":
        payload.setdefault("class", "rejected")
    child = append(tx, conn.app, kind, encode(payload), conn=conn.id, occurred_at=at)
    if child is not None:
        link(tx, child, "origin", event)
    return child


def status_event(
    tx: Tx, conn: Conn, event: int, kind: str, payload: dict[str, Any], *, at: int | None = None
) -> int | None:
    """The same of one that says how far it is: it is folded in."""
    child = child_event(tx, conn, event, kind, payload, at=at)
    if child is not None:
        fold(tx, conn, event, kind, payload, tx.now if at is None else at)
    return child


@frozen
class Accepted:
    """A part of a message that the platform has accepted, under these external ids or without telling one."""

    conn: Conn
    event: int
    part: int
    parts: int
    external_ids: tuple[str, ...]
    sandbox: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What its receipts are called."""
        return self.external_ids or (nameless(self.event, self.part),)

    def told(self, now: int) -> dict[str, Any]:
        """The payload of its status event."""
        payload: dict[str, Any] = {
            "external_message_id": self.external_ids[0] if self.external_ids else None,
            "part": self.part, "parts": self.parts,
        }  # fmt: skip
        if len(self.external_ids) > 1:
            payload["external_message_ids"] = list(self.external_ids)
        if self.sandbox:
            payload["sandbox"] = True
        return {**payload, "time": now}


def nameless(event: int, part: int) -> str:
    """What stands for the external id of a part that the platform has accepted without telling one."""
    return f"{event}/{part}"


def receipts(tx: Tx, accepted: Sequence[Accepted]) -> None:
    """Parts have been accepted: record each once, apply what waited. A statement a table, however many."""
    rows = [
        (one.conn.id, text_id(name), one.event, one.part, "sent")
        for one in accepted
        for name in one.names
    ]
    added = set(tx.add(RECEIPT_ADD, rows))
    new = [
        one
        for one in accepted
        if (one.conn.id, text_id(one.names[0]), one.event) in added or _is_anothers(tx, one)
    ]
    if not new:
        return
    sent = {row[0] for row in tx.by_keys(DELIVERY_SENT, [one.event for one in new], at=tx.now)}
    _tell_sent(tx, new)
    for one in new:
        if one.event not in sent:  # in several parts, or a status came first
            fold(tx, one.conn, one.event, "message.sent", one.told(tx.now), tx.now)
    _apply_waiting(tx, new)


def _is_anothers(tx: Tx, one: Accepted) -> bool:
    """The platform has called another part by this name before: this one has a receipt all the same."""
    row = tx.one(RECEIPT, conn=one.conn.id, ext=text_id(one.names[0]))
    if row is None or row[:2] == (one.event, one.part):
        return False
    name = nameless(one.event, one.part)
    return bool(tx.add(RECEIPT_ADD, [(one.conn.id, name, one.event, one.part, "sent")]))


def _tell_sent(tx: Tx, new: Sequence[Accepted]) -> None:
    keys = [tx.allocate(one.conn.app) for one in new]
    kind, origin, now = tx.kind("message.sent"), tx.kind("origin"), tx.now
    tx.add(EVENT_ADD, [
        (key, tx.new_uid(), one.conn.id, kind, now, now, None, encode(one.told(now)), None)
        for key, one in zip(keys, new, strict=True)
    ])  # fmt: skip
    edges = zip(keys, new, strict=True)
    tx.add(EDGE_ADD, [(one.event, origin, key, None) for key, one in edges])


def _apply_waiting(tx: Tx, new: Sequence[Accepted]) -> None:
    """Statuses and other events that came before the receipt of their message."""
    by_conn: dict[int, list[Accepted]] = {}
    for one in new:
        by_conn.setdefault(one.conn.id, []).append(one)
    for conn, some in by_conn.items():
        names = awaited(tx, conn, [text_id(name) for one in some for name in one.external_ids])
        for one in some:
            for name in names.intersection(map(text_id, one.external_ids)):
                for child in arrived(tx, conn, name, one.event):
                    refold(tx, one.conn, child, one.event)


def late_receipt(
    tx: Tx, conn: Conn, event: int, part: int, parts: int, external_ids: tuple[str, ...]
) -> None:
    """A receipt that came after its row was settled by others: told once, if nobody has yet."""
    known = {part for _ext, part, _status in tx.all(RECEIPTS, event=event)}
    if part not in known and tx.one(DELIVERY, event=event) is not None:
        receipts(tx, [Accepted(conn, event, part, parts, external_ids)])


def part_ended(tx: Tx, event: int, part: int, parts: int, status: str) -> None:
    """A part has ended without a receipt; with one that failed, those behind it are not tried."""
    tx.run(PART_ADD, event=event, part=part, status=status, at=tx.now)
    if status == "failed" and part + 1 < parts:
        rest = [(event, other, "cancelled", tx.now) for other in range(part + 1, parts)]
        tx.add(PART_ADD, rest)


def claim_echo(
    tx: Tx, conn: Conn, token: str, external_id: str, *, accepted: bool = True
) -> bool:  # fmt: skip
    """The platform names a message by our own token: that is its receipt, if it is still missing.

    `accepted` False: it names it only to say that it failed, so the id is learnt and no more.
    """
    event_id, _, part = token.partition(".")
    try:
        event = key_of(tx, conn.app, UUID(event_id))
        row = None if event is None else tx.one(DELIVERY, event=event)
        if event is None or row is None or not 0 <= int(part) < row[1]:
            return False
    except ValueError:
        return False
    tx.run(PROVEN, event=event, part=int(part), now=tx.now)
    if int(part) not in {known for _ext, known, _status in tx.all(RECEIPTS, event=event)}:
        if accepted:
            receipts(tx, [Accepted(conn, event, int(part), row[1], (external_id,))])
        else:
            tx.run(
                RECEIPT_ADD, conn=conn.id, ext=text_id(external_id), event=event, part=int(part),
                status="queued",
            )  # fmt: skip
    return True


def also_called(tx: Tx, conn: int, known: str, external_id: str) -> bool:
    """`known` has a receipt: the same part is called `external_id` too."""
    row = tx.one(RECEIPT, conn=conn, ext=text_id(known))
    if row is None:
        return False
    tx.run(
        RECEIPT_ADD, conn=conn, ext=text_id(external_id), event=row[0], part=row[1], status=row[2]
    )
    return True


def token(event_id: str, part: int) -> str:
    """What identifies one part of one message to the platform, on every attempt the same."""
    return f"{event_id.replace('-', '')}.{part}"


def refold(tx: Tx, conn: Conn, child: int, event: int) -> None:
    """Fold in a status that came before its message was known."""
    row = tx.one(EVENT_FACTS, seq=child)
    if row is not None:
        fold(tx, conn, event, tx.kind_name(row[0]), stored.values(row[2], "event", event), row[1])


def fold(tx: Tx, conn: Conn, event: int, kind: str, payload: dict[str, Any], at: int) -> None:
    """Move the delivery row of `event` forward by one child event; never backwards."""
    status = EVENT_STATUS.get(kind)
    row = tx.one(DELIVERY, event=event)
    if status is None or row is None:
        return
    external_id = payload.get("external_message_id")
    if external_id is not None:
        _advance_part(tx, conn.id, str(external_id), status)
    before = Progress(*row)
    after = advance(before, status, at, payload.get("reason"), parts_of(tx, event).values())
    if after != before:
        tx.run(
            DELIVERY_SET, event=event, status=after.status, sent_at=after.sent_at,
            delivered_at=after.delivered_at, read_at=after.read_at, failed_at=after.failed_at,
            reason=after.reason,
        )  # fmt: skip


def _advance_part(tx: Tx, conn: int, external_id: str, status: str) -> None:
    row = tx.one(RECEIPT, conn=conn, ext=text_id(external_id))
    if row is not None:
        reached = further(row[2], status)
        tx.run(RECEIPT_STATUS, conn=conn, ext=text_id(external_id), status=reached)


def parts_of(tx: Tx, event: int) -> dict[int, str]:
    """How far each part has come, of those that have come to anything: its furthest status."""
    reached: dict[int, str] = {}
    for part, status in tx.all(PARTS, event=event):
        status = stored.word(status, STATUSES, "receipt", event)
        reached[part] = further(reached.get(part, "queued"), status)
    return reached


def platform_status(
    tx: Tx, conn: Conn, child: int, kind: str, payload: dict[str, Any], external_id: str, at: int
) -> None:
    """A status that the platform reported: to its message, or to wait for it."""
    event = link_external(tx, conn.id, child, "origin", external_id)
    if event is not None:
        fold(tx, conn, event, kind, payload, at)


def up_to(tx: Tx, peer: int, kind: str, watermark: int) -> list[str]:
    """The external ids of messages to `peer` that a watermark newly covers, oldest first."""
    also = "delivered" if kind == "message.read" else "sent"
    rows = tx.all(UNREAD, peer=peer, upto=watermark, also=also)
    return [ext for ext, _event in reversed(rows)]
