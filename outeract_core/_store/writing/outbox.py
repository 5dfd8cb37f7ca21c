"""Units of work of the sender on a row that it has claimed: begin, settle, retry, give up.

Knows: that a claim is fenced by its token, the order of a lane, that an outcome belongs to a part.
Does not know: requests, backoff, adapters.

A row is *queued*, then claimed under a lease, then *sending* from just before the request of a part
until that part is settled. Whatever is done to a claimed row names the claim's token in the same
statement; when that finds nothing, somebody else has the row, and nothing is written: LeaseLost. A row
leaves *sending* by a receipt, by proof that nothing was done, or as unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from attrs import evolve

from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import Failure, LeaseLost
from ..engine.statements import statement
from ..records import attempts
from ..records.conn import Conn
from ..records.log import BLOCKED, link
from . import delivery
from .claims import Row
from .people import PUSER_ADDRESS, readdress

BEGIN: Statement[tuple[int]] = statement("outbox_begin")
COVER: Statement[Any] = statement("outbox_cover")
PART_DONE: Statement[Any] = statement("outbox_part_done")
SETTLED: Statement[tuple[int]] = statement("outbox_settled")
TAKEN_BACK: Statement[tuple[int]] = statement("outbox_taken_back")
DROP: Statement[Any] = statement("outbox_drop")
HELD: Statement[tuple[int]] = statement("held_on")
RETRY: Statement[Any] = statement("outbox_retry")
POSTPONE: Statement[Any] = statement("outbox_postpone")
PROMOTE: Statement[tuple[int]] = statement("outbox_promote")
OWNERS: Statement[tuple[str]] = statement("outbox_owners")
NEXT: Statement[tuple[int | None]] = statement("outbox_next")
NEXT_LATER: Statement[tuple[int | None]] = statement("outbox_next_later")
LEFT: Statement[tuple[int, int | None]] = statement("outbox_left")
LEAVING: Statement[tuple[int, int]] = statement("outbox_leaving")
_RECENT = 1_000
"""How many of the newest events are looked at for what has left: more than any pace allows in its time."""
PACED, PENDING = "paced", "it may still be on its way"
"""Why a row waits that was not tried at all."""


def begin(tx: Tx, rows: Sequence[Row], lease: int, arrives: int) -> list[bool]:
    """The requests of the parts `row.done` are about to leave, and may arrive for `arrives` milliseconds.

    For each whether it may: False when another sender has the row by now.
    """
    ours = _ours(tx, BEGIN, rows, until=tx.now + lease, arrives=tx.now + arrives)
    return [row.id in ours for row in rows]


def cover(tx: Tx, row: Row, lease: int, arrives: int) -> None:
    """The same of one more request of an attempt, which may take longer. Raises LeaseLost."""
    _fenced(tx, COVER, row, until=tx.now + lease, arrives=tx.now + arrives)


@frozen
class Done:
    """The part under way of a claimed row has its receipt. `address`: where the platform says it went."""

    conn: Conn
    row: Row
    external_ids: tuple[str, ...]
    address: str | None = None

    @property
    def plain(self) -> bool:
        """Whether it is a whole message, and went where it should, as nearly all do."""
        row = self.row
        whole = row.verb == "send" and row.event is not None and _count(row) == 1
        return whole and self.address in (None, row.address)

    def accepted(self) -> delivery.Accepted:
        """The same as what its receipt says. Only of a message."""
        row = self.row
        assert row.event is not None  # noqa: S101 - a message is an event
        return delivery.Accepted(
            self.conn, row.event, row.done, _count(row), self.external_ids, row.sandbox
        )


LOST = object()
"""What came of a settlement whose claim was lost: nothing was written."""


def parts_done(tx: Tx, told: Sequence[Done]) -> list[Row | object | None]:
    """Of each: the row for the next part, None with the last one, or LOST. Plain neighbours go together."""
    left: list[Row | object | None] = []
    for plain, some in groupby(told, attrgetter("plain")):
        group = list(some)
        left += _plain_done(tx, group) if plain else [_one_done(tx, one) for one in group]
    return left


def _plain_done(tx: Tx, told: Sequence[Done]) -> list[Row | object | None]:
    ended = _ours(tx, SETTLED, [one.row for one in told])
    ours = [one for one in told if one.row.id in ended]
    tx.by_keys(PROMOTE, [one.row.lane for one in ours])
    delivery.receipts(tx, [one.accepted() for one in ours])
    return [None if one.row.id in ended else LOST for one in told]


def _one_done(tx: Tx, done: Done) -> Row | object | None:
    row = done.row
    try:
        left = _moved_on(tx, row)
    except LeaseLost:
        return LOST
    if row.event is not None and row.verb == "send":
        delivery.receipts(tx, [done.accepted()])
    elif row.event is not None:
        payload = {"verb": row.verb, "time": tx.now, **_which(row)}
        delivery.child_event(tx, done.conn, row.event, "message.sent", payload)
    if done.address is not None and done.address != row.address:
        _moved(tx, done.conn, row, done.address)
    return left


def part_known(tx: Tx, row: Row) -> Row | None:
    """The part under way was proven by others (an echo, a status), who have told it. As above."""
    return _moved_on(tx, row)


def part_unknown(tx: Tx, conn: Conn, row: Row, reason: str, code: str | None = None) -> Row | None:
    """Nobody knows about the part under way; the others are not concerned. As above."""
    left = _moved_on(tx, row)
    _told(tx, conn, row, "message.unknown", reason, code)
    return left


def end(
    tx: Tx, conn: Conn, row: Row, kind: str, reason: str, code: str | None = None,
    failure: Failure = "rejected", *, closed: bool = False,
) -> None:  # fmt: skip
    """The row ends without (all) its receipts: failed or cancelled. Raises LeaseLost.

    `closed`: whoever it was for is not reached any more, which the event of the failure says for good.
    """
    drop(tx, row)
    told = _told(tx, conn, row, kind, reason, code, failure)
    if closed and told is not None:
        link(tx, told, BLOCKED, row.lane)


def late_receipt(tx: Tx, conn: Conn, row: Row, external_ids: tuple[str, ...]) -> None:
    """The claim was lost while the platform answered: what it said is proof of the part all the same."""
    if row.event is not None and row.verb == "send":
        delivery.late_receipt(tx, conn, row.event, row.done, _count(row), external_ids)


def is_held(tx: Tx, conn: Conn) -> bool:
    """Whether deliveries of the connection wait for a settlement."""
    return tx.one(HELD, conn=conn.id) is not None


def drop(tx: Tx, row: Row) -> None:
    """The row ends without a trace: there was nothing to do. Raises LeaseLost."""
    if not _ours(tx, SETTLED, [row]):
        raise _lost(row)
    tx.by_keys(PROMOTE, [row.lane])


def retry(
    tx: Tx, row: Row, due: int, error: str, *, counted: bool = True, doubtful: bool = False
) -> None:
    """Certainly nothing was done: back into the queue, at the head of its lane, not before `due`.

    `counted`: it was an attempt at this message; else the connection as a whole was in trouble.
    `doubtful`: an attempt may have been carried out, and another does no harm: it stays *sending*.
    Raises LeaseLost.
    """
    state, uncounted = "sending" if doubtful else "queued", 0 if counted else 1
    _fenced(tx, RETRY, row, due=due, error=error, uncounted=uncounted, state=state)
    _tried(tx, row, error)


def postpone(tx: Tx, row: Row, due: int, error: str, looks: int | None = None) -> None:
    """Not before `due`, and in the state that it is in. Raises LeaseLost."""
    _fenced(tx, POSTPONE, row, due=due, error=error, looks=row.looks if looks is None else looks)
    _tried(tx, row, error)


def cancel(tx: Tx, conn: Conn, event: int, reason: str = "cancelled by the host") -> bool:
    """Take back what no sender has begun. False when it is too late.

    A claim on it does not matter: whoever holds it will not be able to begin.
    """
    row = tx.one(TAKEN_BACK, event=event)
    if row is None:
        return False
    tx.by_keys(PROMOTE, [row[0]])
    payload = {"reason": reason, "external_message_id": None, "time": tx.now}
    delivery.status_event(tx, conn, event, "message.cancelled", payload)
    return True


def remove(tx: Tx, key: int, lane: int) -> None:
    """A row is gone, whoever holds it, and the next of its lane moves up."""
    tx.run(DROP, id=key)
    tx.by_keys(PROMOTE, [lane])


def owners(tx: Tx) -> list[str]:
    """Who holds leases of any kind."""
    return [row[0] for row in tx.all(OWNERS)]


def next_due(tx: Tx) -> int | None:
    """When the next outbox row is due that nobody holds, or None."""
    row = tx.one(NEXT, now=tx.now)
    return None if row is None else row[0]


def next_later(tx: Tx) -> int | None:
    """When a row falls due that is not due yet, or None."""
    row = tx.one(NEXT_LATER, now=tx.now)
    return None if row is None else row[0]


def left(tx: Tx, conn: Conn, since: int, arrives: int) -> list[tuple[int, int]]:
    """When a request of this connection has left since then, and on which lane, oldest first: what came
    to an outcome, and what was begun and may arrive for `arrives` milliseconds.
    """
    first, end = span(conn.app)
    types = {name: tx.kind(f"message.{name}") for name in ("sent", "failed", "unknown")}
    edges = {name: tx.kind(name) for name in ("origin", "sent_to")}
    ended = tx.all(
        LEFT, conn=conn.id, first=first, end=end, since=since, most=_RECENT, **types, **edges
    )
    begun = tx.all(LEAVING, conn=conn.id, now=tx.now, most=_RECENT)
    found = [(at, lane or 0) for at, lane in ended]
    found += [(until - arrives, lane) for until, lane in begun]
    return sorted(one for one in found if since <= one[0] <= tx.now)


def _tried(tx: Tx, row: Row, error: str) -> None:
    """What the platform answered stays known; what only waits for its turn was not tried."""
    if row.event is not None and error not in (PACED, PENDING):
        attempts.note(tx, row.event, "send", row.verb, row.attempt + 1, error)


def _fenced(tx: Tx, change: Statement[Any], row: Row, **values: Any) -> None:
    if not tx.changed_one(change, id=row.id, token=row.token, **values):
        raise _lost(row)


def _ours(tx: Tx, change: Statement[Any], rows: Sequence[Row], **values: Any) -> set[int]:
    """Change many claimed rows; the keys of those whose claim still stands."""
    claims: dict[int, list[int]] = {}
    for row in rows:
        claims.setdefault(row.token, []).append(row.id)
    return {
        key
        for token, keys in claims.items()
        for (key,) in tx.by_keys(change, keys, token=token, **values)
    }


def _lost(row: Row) -> LeaseLost:
    return LeaseLost(f"outbox row {row.id} was taken over while this process was away")


def _count(row: Row) -> int:
    """Of how many parts its message is."""
    return len(row.parts.get("parts", ())) or 1


def _moved_on(tx: Tx, row: Row) -> Row | None:
    """The row as it is for its next part; it ends with the last one. Raises LeaseLost."""
    if row.done + 1 < len(row.parts.get("parts", ())):
        _fenced(tx, PART_DONE, row, done=row.done + 1)
        return evolve(
            row, done=row.done + 1, state="queued", attempt=1, looks=0, arrives=None,
        )  # fmt: skip
    drop(tx, row)
    return None


def _told(
    tx: Tx, conn: Conn, row: Row, kind: str, reason: str, code: str | None,
    failure: Failure = "rejected",
) -> int | None:  # fmt: skip
    """The event of an ending, if it has one."""
    payload: dict[str, Any] = {"reason": reason, "external_message_id": None, "time": tx.now}
    if kind == "message.failed":
        payload["class"] = failure
    if code is not None:
        payload["code"] = code
    payload |= _which(row)
    parts = payload.get("parts", 0)
    if row.event is None:
        return None
    if row.verb == "send":
        if kind != "message.cancelled":
            delivery.part_ended(tx, row.event, row.done, parts, EVENT_STATUS[kind])
        return delivery.status_event(tx, conn, row.event, kind, payload)
    if kind in EVENT_STATUS:
        return delivery.child_event(tx, conn, row.event, kind, {**payload, "verb": row.verb})
    return None


def _which(row: Row) -> dict[str, int]:
    """Which part, or which change of an edit, and of how many."""
    parts = len(row.parts.get("parts", ()))
    return {"part": row.done, "parts": parts} if parts else {}


def _moved(tx: Tx, conn: Conn, row: Row, address: str) -> None:
    """The platform has answered with another address for this recipient."""
    readdress(tx, conn, row.lane, address)
    if row.kind != "person":
        tx.run(PUSER_ADDRESS, id=row.lane, address=address)
