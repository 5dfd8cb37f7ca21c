"""Units of work of the sender on a row that it has claimed: begin, settle, retry, give up.

Knows: leases on rows, the order of a lane.
Does not know: requests, backoff, adapters.

A row is *queued*, then claimed under a lease, then *sending* from just before the request until its
receipt is settled. A lease that ran out while sending leaves the outcome unknown.
"""

from __future__ import annotations

from typing import Any

from ..._domain.rules.delivery import EVENT_STATUS
from ...driver import Statement, Tx
from ...errors import LeaseLost
from ..engine.statements import statement
from ..records.conn import Conn
from . import attempts, delivery
from .claims import Row
from .people import ALIAS_MOVE, PUSER_ADDRESS

BEGIN: Statement[Any] = statement("outbox_begin")
PART_DONE: Statement[Any] = statement("outbox_part_done")
DROP: Statement[Any] = statement("outbox_drop")
HELD: Statement[tuple[int]] = statement("held_on")
RETRY: Statement[Any] = statement("outbox_retry")
POSTPONE: Statement[Any] = statement("outbox_postpone")
RELEASE: Statement[Any] = statement("outbox_release")
RELEASE_ALL: Statement[Any] = statement("outbox_release_all")
OWNERS: Statement[tuple[str]] = statement("outbox_owners")
NEXT: Statement[tuple[int | None]] = statement("outbox_next")
PROMOTE: Statement[Any] = statement("outbox_promote")
PACED = "paced"
"""Why a row waits that was not tried at all."""
NOT_STARTED: Statement[tuple[int, int]] = statement("outbox_not_started")


def begin(tx: Tx, row: Row, owner: str, lease: int) -> None:
    """The request is about to leave. Raises LeaseLost when another sender has the row by now."""
    if not tx.run(BEGIN, id=row.id, owner=owner, until=tx.now + lease):
        raise LeaseLost(f"outbox row {row.id} was taken over by another process")


def part_done(
    tx: Tx, conn: Conn, row: Row, owner: str, part: int, external_ids: tuple[str, ...],
    address: str | None, lease: int,
) -> bool:  # fmt: skip
    """One part has its receipt; the last one ends the row. Whether held deliveries wait for that."""
    parts = len(row.parts.get("parts", ())) or 1
    if row.event is not None and row.verb == "send":
        delivery.receipt(tx, conn, row.event, part, parts, external_ids, sandbox=row.sandbox)
    elif row.event is not None:
        delivery.child_event(
            tx, conn, row.event, "message.sent", {"verb": row.verb, "time": tx.now}
        )
    if address is not None and address != row.address:
        _moved(tx, conn, row, address)
    if part + 1 >= parts:
        remove(tx, row.id, row.lane)
    else:
        tx.run(PART_DONE, id=row.id, done=part + 1, until=tx.now + lease, owner=owner)
    return tx.one(HELD, conn=conn.id) is not None


def _moved(tx: Tx, conn: Conn, row: Row, address: str) -> None:
    """The platform has answered with another address for this recipient."""
    tx.run(ALIAS_MOVE, conn=conn.id, value=address, type="address", puser=row.lane)
    if row.kind != "person":
        tx.run(PUSER_ADDRESS, id=row.lane, address=address)


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
        delivery.child_event(tx, conn, row.event, kind, {**payload, "verb": row.verb})
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
    _tried(tx, row, error)


def _tried(tx: Tx, row: Row, error: str) -> None:
    """What the platform answered stays known; what only waits for its turn was not tried."""
    if row.event is not None and error != PACED:
        attempts.note(tx, row.event, "send", row.verb, row.attempt + 1, error)


def postpone(tx: Tx, row: Row, due: int, error: str) -> None:
    """Not before `due`, and in the state that it is in."""
    tx.run(POSTPONE, id=row.id, due=due, error=error)
    _tried(tx, row, error)


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
