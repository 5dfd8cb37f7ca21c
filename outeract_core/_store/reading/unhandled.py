"""Queries on turns that came to nothing: listed, and counted by class, handler, connection and time.

Knows: what was given up, what is to be run again, and what each of them is about.
Does not know: handlers (only their names), what runs them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import clean
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import InvalidCursor
from ...model import Event, PlatformConnection
from ...pages import from_cursor, to_cursor
from ..engine.statements import statement
from ..records import rows
from ..records.conn import Conn
from ..writing import enrolment
from .undelivered import EVER

TurnStatus = Literal["parked", "retrying"]
TurnReason = Literal["failed", "loop"]
_Row = tuple[
    int, str, TurnStatus, TurnReason, str | None, int | None, int, int | None, int, int | None
]
_Count = tuple[TurnStatus, TurnReason, str | None, str, int | None, int, int]
LISTED: Statement[_Row] = statement("unhandled")
COUNTED: Statement[_Count] = statement("unhandled_counts")
NAMED: Statement[tuple[str]] = statement("handlers_of_unhandled")


@frozen
class Unhandled:
    """A turn that has come to nothing so far.

    event        what it was about; `App.retry` takes it when it is parked.
    handler      whose turn it was.
    status       `parked`: given up. `retrying`: it is run again by itself.
    reason       `failed`, or `loop`: a chain of causes without a person in it was stopped.
    failure      the class of what was raised, such as `ValueError`; None for a loop, and in files of
                 a library that noted none.
    attempts     how often it has been tried, when it is retrying.
    at           when it has failed last; `due`: when it is run again.
    connection   of the event; None for an event of the host's own.
    cursor       `App.turns(before=…)` goes on behind it.
    """

    event: Event
    handler: str
    status: TurnStatus
    reason: TurnReason
    failure: str | None
    attempts: int | None
    at: datetime
    due: datetime | None
    connection: PlatformConnection | None
    cursor: str


@frozen
class UnhandledCount:
    """How many turns of one handler came to nothing in one way, in the time from `start` on."""

    status: TurnStatus
    reason: TurnReason
    failure: str | None
    handler: str
    connection: PlatformConnection | None
    start: datetime
    count: int


@frozen
class Which:
    """Which ones are meant; times in milliseconds. `before`: a cursor."""

    status: str | None = None
    handler: str | None = None
    conn: int | None = None
    since: int | None = None
    until: int | None = None
    before: str | None = None


def listed(
    tx: Tx, app: int, which: Which, limit: int, conns: Mapping[int, Conn]
) -> list[Unhandled]:
    """The newest of them. Raises InvalidCursor."""
    before, handler = (span(app)[1], "") if which.before is None else _place(which.before)
    found = tx.all(
        LISTED, status=which.status, named=which.handler, handler=handler, limit=limit,
        **_bounds(tx, app, which, before),
    )  # fmt: skip
    keys = dict.fromkeys(row[8] for row in found)
    events = dict(zip(keys, rows.events(tx, app, list(keys)), strict=True))
    return [_turn(row, events[row[8]], conns) for row in found]


def counted(
    tx: Tx, app: int, which: Which, width: int, conns: Mapping[int, Conn]
) -> list[UnhandledCount]:
    """How many, in spans of `width` milliseconds; the newest span first."""
    bounds = _bounds(tx, app, which, span(app)[1])
    return [
        UnhandledCount(
            status, reason, failure, handler, _entity(conns, conn),
            stored.moment(start, "event", ""), count,
        )
        for status, reason, failure, handler, conn, start, count in tx.all(
            COUNTED, width=width, **bounds
        )
    ]  # fmt: skip


def handlers(tx: Tx, app: int) -> set[str]:
    """The names that the file knows: of those that follow the cursor, and of those whose turns came to nothing."""
    begins, _follow = enrolment.begins(tx, app)
    lo, hi = span(app)
    return {*begins, *(row[0] for row in tx.all(NAMED, lo=lo, hi=hi))}


def _turn(row: _Row, event: Event, conns: Mapping[int, Conn]) -> Unhandled:
    key, handler, status, reason, failure, attempts, at, due, _about, conn = row
    return Unhandled(
        event, handler, status, reason, failure, attempts, stored.moment(at, status, key),
        None if due is None else stored.moment(due, "retry", key), _entity(conns, conn),
        f"{to_cursor(key)}.{handler}",
    )  # fmt: skip


def _place(cursor: str) -> tuple[int, str]:
    """The place behind a cursor: an event, and a handler's name. Raises InvalidCursor."""
    if not isinstance(cursor, str) or "." not in cursor:
        raise InvalidCursor(f"before is the cursor of an earlier turn, not {cursor!r:.40}")
    position, _, handler = cursor.partition(".")
    return from_cursor(position), clean(handler) or ""


def _entity(conns: Mapping[int, Conn], conn: int | None) -> PlatformConnection | None:
    return None if conn is None else conns[conn].entity


def _bounds(tx: Tx, app: int, which: Which, before: int) -> dict[str, Any]:
    lo, hi = span(app)
    return {
        "origin": tx.kind("origin"), "retried": tx.kind("system.handler_retried"), "lo": lo,
        "before": min(before, hi), "conn": which.conn, "since": which.since or 0,
        "until": EVER if which.until is None else which.until,
    }  # fmt: skip
