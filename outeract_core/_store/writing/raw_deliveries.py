"""Units of work on raw deliveries: kept when not understood, replayed later; and poll cursors.

Knows: the rows. Does not know: parsing.
"""

from __future__ import annotations

from typing import Any

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ...adapter import Inbound
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import append

KEEP: Statement[Any] = statement("held_add")
KEPT: Statement[tuple[int, bytes, int, int, str, str, str, bytes, str, str | None]] = statement(
    "held_list"
)
STATE: Statement[Any] = statement("held_state")
DROP: Statement[Any] = statement("held_drop")
FOREIGN_ADD: Statement[Any] = statement("foreign_add")
FOREIGN_PRUNE: Statement[Any] = statement("foreign_prune")
POLL_CURSOR: Statement[tuple[str | None]] = statement("poll_cursor")
POLL_CURSOR_SET: Statement[Any] = statement("poll_cursor_set")


_FOREIGN = 10_000
"""So many hashes of what nobody owns are enough."""


@frozen
class Kept:
    """A delivery that waits to be understood."""

    id: int
    inbound: Inbound
    error: str | None


def keep(
    tx: Tx, conn: Conn, method: str, headers: str, query: str, body: bytes, received_at: int,
    state: str, error: str | None, digest: bytes,
) -> None:  # fmt: skip
    """Keep a verified delivery as it came; the same bytes once."""
    new = tx.changed(
        KEEP, uid=tx.new_id().bytes, conn=conn.id, received_at=received_at, method=method,
        headers=headers, query=query, body=body, state=state, error=error, digest=digest,
    )  # fmt: skip
    if new and state == "unparsed":
        append(
            tx, conn.app, "system.delivery_unparsed",
            encode({"error": error, "bytes": len(body)}), conn=conn.id,
        )  # fmt: skip


def foreign(tx: Tx, platform: str, digest: bytes, reason: str) -> None:
    """What nobody in this file owns leaves only this, outside every application."""
    tx.run(FOREIGN_ADD, digest=digest, platform=platform, reason=reason, now=tx.now)
    tx.run(FOREIGN_PRUNE, keep=_FOREIGN)


def kept(tx: Tx, conn: int, state: str, limit: int, after: int = 0) -> list[Kept]:
    """Deliveries in this state behind the number `after`, oldest first."""
    rows = tx.all(KEPT, conn=conn, state=state, limit=limit, after=after)
    return [
        Kept(row[0], _inbound(row), row[9])
        for row in rows
    ]  # fmt: skip


def _inbound(row: Any) -> Inbound:
    number = row[0]
    headers, query = (stored.values(row[at], "raw_delivery", number) for at in (5, 6))
    return Inbound(row[4], headers, query, row[7], stored.moment(row[3], "raw_delivery", number))


def replayed(tx: Tx, number: int, good: bool, error: str | None, state: str) -> None:
    """A replay went through, or has still failed."""
    if good:
        tx.run(DROP, id=number)
    else:
        tx.run(STATE, id=number, state=state, error=error)


def poll_cursor(tx: Tx, conn: int) -> Any:
    """Where the last committed poll ended."""
    row = tx.one(POLL_CURSOR, conn=conn)
    return None if row is None or row[0] is None else stored.value(row[0], "connection", conn)


def set_poll_cursor(tx: Tx, conn: int, cursor: Any) -> None:
    """The next poll starts here."""
    tx.run(POLL_CURSOR_SET, conn=conn, cursor=encode(cursor))
