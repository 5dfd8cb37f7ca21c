"""Units of work of the sender: claim, begin, settle, retry, give up.

Knows: leases on rows, the order of a lane, what a row needs to be sent.
Does not know: requests, backoff, adapters.

A row is *queued*, then claimed under a lease, then *sending* from just before the request until its
receipt is settled. A lease that ran out while sending leaves the outcome unknown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .._delivery import EVENT_STATUS
from ..driver import Statement, Tx
from ..errors import LeaseLost
from . import delivery
from .log import EVENT_CONN, append, awaited_by, id_of, link, target_of
from .people import ALIAS_MOVE, ALIASES, PUSER_ADDRESS
from .statements import statement

if TYPE_CHECKING:
    from .tenants import Conn

_Row = tuple[int, int, int, str, int | None, str, int, int, int | None, int, str, int]

HEADS: Statement[tuple[int, int]] = statement("outbox_heads")
LANE: Statement[_Row] = statement("outbox_lane_due")
LEASE: Statement[Any] = statement("outbox_lease")
BEGIN: Statement[Any] = statement("outbox_begin")
PART_DONE: Statement[Any] = statement("outbox_part_done")
DROP: Statement[Any] = statement("outbox_drop")
RETRY: Statement[Any] = statement("outbox_retry")
POSTPONE: Statement[Any] = statement("outbox_postpone")
RELEASE: Statement[Any] = statement("outbox_release")
RELEASE_ALL: Statement[Any] = statement("outbox_release_all")
OWNERS: Statement[tuple[str]] = statement("outbox_owners")
NEXT: Statement[tuple[int | None]] = statement("outbox_next")
PROMOTE: Statement[Any] = statement("outbox_promote")
NOT_STARTED: Statement[tuple[int, int]] = statement("outbox_not_started")
EXTERNAL_ID: Statement[tuple[str]] = statement("external_id_of")
LAST_EXTERNAL_ID: Statement[tuple[str]] = statement("last_external_id_of")
RECIPIENT: Statement[tuple[str, str, str]] = statement("recipient")
FILE: Statement[tuple[str | None, str | None, int | None, str | None]] = statement("file_of_part")
LAST_INBOUND: Statement[tuple[int]] = statement("last_inbound")

PER_LANE = 16


@frozen
class Row:
    """A claimed outbox row, with what its request needs. Times in milliseconds."""

    id: int
    conn: int
    lane: int
    verb: str
    event: int | None
    parts: dict[str, Any]
    done: int
    attempt: int
    expires: int | None
    sandbox: bool
    state: str
    event_id: str = ""
    external_id: str = ""
    address: str = ""
    kind: str = "person"
    aliases: tuple[tuple[str, str], ...] = ()
    reply_to: str | None = None
    thread: str | None = None
    target: str | None = None
    target_outbound: bool = False
    target_payload: str = "{}"
    files: tuple[tuple[str | None, str | None, int | None, str | None], ...] = ()
    receipts: frozenset[int] = frozenset()


def claim(tx: Tx, owner: str, lanes: int, lease: int) -> list[list[Row]]:
    """Due rows by lane, each lane in order and from its head; leased for `lease` milliseconds."""
    claimed = []
    for head, lane in tx.all(HEADS, now=tx.now, limit=lanes):
        rows = []
        for row in tx.all(LANE, lane=lane, head=head, limit=PER_LANE):
            if row[11] > tx.now and row[7] == 0:
                continue  # not before its time, and it holds up nobody
            if row[11] > tx.now:
                break
            tx.run(LEASE, id=row[0], until=tx.now + lease, owner=owner)
            rows.append(_load(tx, row))
        claimed.append(rows)
    return claimed


def _load(tx: Tx, row: _Row) -> Row:
    """The row with its recipient, its references and its files."""
    key, conn, lane, verb, event, parts, done, attempt, expires, sandbox, state, _due = row
    spec = json.loads(parts)
    external_id, address, kind = tx.one(RECIPIENT, id=lane) or ("", "", "person")
    target, outbound, payload = _target(tx, lane, verb, event)
    receipts = tx.all(delivery.RECEIPTS, event=event) if event is not None else []
    return Row(
        key, conn, lane, verb, event, spec, done, attempt, expires, bool(sandbox), state,
        event_id=id_of(tx, event).hex if event is not None else "",
        external_id=external_id, address=address, kind=kind,
        aliases=tuple(tx.all(ALIASES, puser=lane)),
        reply_to=_reference(tx, event, "reply_to"), thread=_reference(tx, event, "in_thread"),
        target=target, target_outbound=outbound, target_payload=payload,
        files=tuple(tx.one(FILE, id=key) or (None,) * 4 for key in spec.get("files", ())),
        receipts=frozenset(part for _ext, part, _status in receipts),
    )  # fmt: skip


def _reference(tx: Tx, event: int | None, edge_type: str) -> str | None:
    target = None if event is None else target_of(tx, event, edge_type)
    if event is not None and target is None:
        return awaited_by(tx, event, edge_type)
    row = None if target is None else tx.one(EXTERNAL_ID, seq=target)
    return None if row is None else row[0]


def _target(tx: Tx, lane: int, verb: str, event: int | None) -> tuple[str | None, bool, str]:
    """The external id of the message that an action is about."""
    if verb == "send":
        return None, False, "{}"
    if event is not None:
        target = target_of(tx, event, "origin")
    else:
        row = tx.one(LAST_INBOUND, peer=lane, inbound=tx.kind("message.inbound"))
        target = None if row is None else row[0]
    if target is None:
        return None, False, "{}"
    facts = tx.one(EVENT_CONN, seq=target)
    outbound = facts is not None and tx.kind_name(facts[1]) == "message.outbound"
    statement = LAST_EXTERNAL_ID if outbound and verb == "edit" else EXTERNAL_ID
    row_ = tx.one(statement, seq=target)
    return None if row_ is None else row_[0], outbound, "{}" if facts is None else facts[2]


def begin(tx: Tx, row: Row, owner: str, lease: int) -> None:
    """The request is about to leave. Raises LeaseLost when another sender has the row by now."""
    if not tx.run(BEGIN, id=row.id, owner=owner, until=tx.now + lease):
        raise LeaseLost(f"outbox row {row.id} was taken over by another process")


def part_done(
    tx: Tx, conn: Conn, row: Row, owner: str, part: int, external_ids: tuple[str, ...],
    address: str | None, lease: int,
) -> None:  # fmt: skip
    """One part has its receipt; the last one ends the row."""
    parts = len(row.parts.get("parts", ())) or 1
    if row.event is not None and row.verb == "send":
        delivery.receipt(tx, conn, row.event, part, parts, external_ids, sandbox=row.sandbox)
    elif row.event is not None:
        _child(tx, conn, row.event, "message.sent", {"verb": row.verb, "time": tx.now})
    if address is not None and address != row.address:
        _moved(tx, conn, row, address)
    if part + 1 >= parts:
        remove(tx, row.id, row.lane)
    else:
        tx.run(PART_DONE, id=row.id, done=part + 1, until=tx.now + lease, owner=owner)


def _moved(tx: Tx, conn: Conn, row: Row, address: str) -> None:
    """The platform has answered with another address for this recipient."""
    tx.run(ALIAS_MOVE, conn=conn.id, value=address, type="address", puser=row.lane)
    if row.kind != "person":
        tx.run(PUSER_ADDRESS, id=row.lane, address=address)


def _child(tx: Tx, conn: Conn, event: int, kind: str, payload: dict[str, Any]) -> None:
    child = append(tx, conn.app, kind, json.dumps(payload), conn=conn.id)
    if child is not None:
        link(tx, child, "origin", event)


def end(tx: Tx, conn: Conn, row: Row, kind: str, reason: str, code: str | None = None) -> None:
    """The row ends without (all) its receipts: failed, unknown or cancelled."""
    payload: dict[str, Any] = {"reason": reason, "external_message_id": None, "time": tx.now}
    if code is not None:
        payload["code"] = code
    if row.parts.get("parts"):
        payload.update(part=row.done, parts=len(row.parts["parts"]))
    if row.event is not None and row.verb == "send":
        delivery.status_event(tx, conn, row.event, kind, payload)
    elif row.event is not None and kind in EVENT_STATUS:
        _child(tx, conn, row.event, kind, {**payload, "verb": row.verb})
    remove(tx, row.id, row.lane)


def remove(tx: Tx, key: int, lane: int) -> None:
    """A row is gone, and the next of its lane moves up."""
    tx.run(DROP, id=key)
    tx.run(PROMOTE, lane=lane)


def drop(tx: Tx, row: Row) -> None:
    """The row ends without a trace: there was nothing to do."""
    remove(tx, row.id, row.lane)


def retry(tx: Tx, row: Row, due: int, error: str) -> None:
    """Back into the queue, at the head of its lane, not before `due`."""
    tx.run(RETRY, id=row.id, due=due, error=error)


def postpone(tx: Tx, row: Row, due: int, error: str) -> None:
    """Not before `due`, and in the state that it is in."""
    tx.run(POSTPONE, id=row.id, due=due, error=error)


def release(tx: Tx, rows: list[Row], owner: str) -> None:
    """Give back rows that were claimed but not begun."""
    for row in rows:
        tx.run(RELEASE, id=row.id, owner=owner)


def release_owner(tx: Tx, owner: str) -> None:
    """A sender is gone: its rows are free again."""
    tx.run(RELEASE_ALL, owner=owner)


def owners(tx: Tx) -> list[str]:
    """Who holds leases of any kind."""
    return [row[0] for row in tx.all(OWNERS)]


def next_due(tx: Tx) -> int | None:
    """When the next row is due, or None."""
    row = tx.one(NEXT)
    return None if row is None else row[0]


def cancel(tx: Tx, conn: Conn, event: int, reason: str = "cancelled by the host") -> bool:
    """Take back what no sender has begun. False when it is too late."""
    row = tx.one(NOT_STARTED, event=event, now=tx.now)
    if row is None:
        return False
    remove(tx, *row)
    payload = {"reason": reason, "external_message_id": None, "time": tx.now}
    delivery.status_event(tx, conn, event, "message.cancelled", payload)
    return True
