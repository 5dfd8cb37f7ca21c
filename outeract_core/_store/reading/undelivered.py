"""Queries on what was not delivered: listed, and counted by class, connection and time.

Knows: messages that have failed or of which nobody knows. Does not know: what is done about them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...model import Event, PlatformConnection, Status
from ..engine.statements import statement
from ..records import rows
from ..records.conn import Conn

_Row = tuple[int, Status, str | None, int, int | None, str | None, str | None]
LISTED: Statement[_Row] = statement("undelivered")
COUNTED: Statement[tuple[Status, str | None, int, int, int]] = statement("undelivered_counts")
EVER = 1 << 62


@frozen
class Undelivered:
    """A message that has not arrived, as far as anybody knows.

    event        its `message.outbound`; `App.resend` takes it.
    status       `failed`, or `unknown`: it may have arrived.
    at           when it ended so.
    reason       in words; `code`: the platform's own. `failure`: the class of it, where it is known.
    connection   on which it was to go out.
    """

    event: Event
    status: Status
    at: datetime
    reason: str | None
    code: str | None
    failure: str | None
    connection: PlatformConnection


@frozen
class UndeliveredCount:
    """How many messages of one status and class failed on a connection, in the time from `start` on."""

    status: Status
    failure: str | None
    connection: PlatformConnection
    start: datetime
    count: int


@frozen
class Among:
    """Which ones are meant; times in milliseconds."""

    status: str | None = None
    conn: int | None = None
    since: int | None = None
    until: int | None = None
    before: int | None = None


def listed(
    tx: Tx, app: int, among: Among, limit: int, conns: Mapping[int, Conn]
) -> list[Undelivered]:
    """The newest of them."""
    found = tx.all(LISTED, status=among.status, limit=limit, **_bounds(tx, app, among))
    events = rows.events(tx, app, [row[0] for row in found])
    return [
        Undelivered(
            event,
            status,
            event.created_at if at is None else stored.moment(at, "delivery", event.position),
            reason,
            code,
            failure,
            conns[conn].entity,
        )
        for event, (_key, status, reason, conn, at, failure, code) in zip(
            events, found, strict=True
        )
    ]


def counted(
    tx: Tx, app: int, among: Among, width: int, conns: Mapping[int, Conn]
) -> list[UndeliveredCount]:
    """How many, in spans of `width` milliseconds; the newest span first."""
    return [
        UndeliveredCount(
            status, failure, conns[conn].entity, stored.moment(start, "event", ""), count
        )
        for status, failure, conn, start, count in tx.all(
            COUNTED, width=width, **_bounds(tx, app, among)
        )
    ]


def _bounds(tx: Tx, app: int, among: Among) -> dict[str, Any]:
    lo, hi = span(app)
    return {
        "origin": tx.kind("origin"), "failed": tx.kind("message.failed"),
        "unknown": tx.kind("message.unknown"), "lo": lo,
        "before": hi if among.before is None else among.before, "conn": among.conn,
        "since": among.since or 0, "until": EVER if among.until is None else among.until,
    }  # fmt: skip
