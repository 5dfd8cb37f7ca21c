"""Units of work on the log: append an event, draw an edge, find a message by its external id.

Knows: the dedupe key, edges that wait for their target.
Does not know: conversations, statuses, what an event is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ..._domain.values import stored
from ..._domain.values.codec import text_id
from ..._domain.values.ids import app_of, span
from ...driver import Statement, Tx
from ..engine.statements import statement

EVENT_ADD: Statement[Any] = statement("event_add")
EVENT_NEW: Statement[Any] = statement("event_new")
EVENT_BY_EXT: Statement[tuple[int, int]] = statement("event_by_ext")
EVENT_CONN: Statement[tuple[int | None, int, str]] = statement("event_conn")
EVENT_FACTS: Statement[tuple[int, int, str]] = statement("event_facts")
EVENT_KEY: Statement[tuple[int]] = statement("event_key")
EVENT_ID: Statement[tuple[bytes]] = statement("event_id_of")
EDGE_ADD: Statement[Any] = statement("edge_add")
EDGE_TARGET: Statement[tuple[int]] = statement("edge_target")
EDGE_SOURCES: Statement[tuple[int]] = statement("edge_sources")
WAITING_ADD: Statement[Any] = statement("waiting_add")
WAITING_FOR: Statement[tuple[int, int]] = statement("waiting_for")
WAITING_ANY: Statement[tuple[int]] = statement("waiting_any")
WAITING_OF: Statement[tuple[str]] = statement("waiting_of")
WAITING_DROP: Statement[Any] = statement("waiting_drop")
AWAITED: Statement[tuple[str]] = statement("waiting_exts")
NEWEST: Statement[tuple[int, int, int]] = statement("newest_before")

BLOCKED, UNBLOCKED = "has_blocked", "has_unblocked"
"""From an event to a platform user: nothing reaches them from then on, or something does again."""


def append(
    tx: Tx, app: int, event_type: str, payload: str, *, conn: int | None = None,
    dk: str | int | None = None, raw: str | None = None, occurred_at: int | None = None,
    id: UUID | None = None,
) -> int | None:  # fmt: skip
    """Add an event; its key, or None when the log already has (conn, dk).

    `dk`: the dedupe key as a column can hold it; see `_codec.identifier`.
    """
    key = tx.allocate(app)
    values: dict[str, Any] = {
        "seq": key, "id": tx.new_uid() if id is None else id.bytes, "conn": conn, "type": tx.kind(event_type),
        "occurred_at": tx.now if occurred_at is None else occurred_at, "now": tx.now,
        "dk": dk, "payload": payload, "raw": raw,
    }  # fmt: skip
    if dk is None or conn is None:
        tx.run(EVENT_NEW, **values)
    elif not tx.changed(EVENT_ADD, **values):
        tx.release(app)
        return None
    return key


def link(tx: Tx, source: int, edge_type: str, target: int, *, late: bool = False) -> None:
    """Draw an edge. `late`: it is drawn after its source was created, so it has a time of its own."""
    tx.run(EDGE_ADD, dst=target, type=tx.kind(edge_type), src=source, at=tx.now if late else None)


def link_all(tx: Tx, source: int, edges: Sequence[tuple[str, int]]) -> None:
    """Draw the edges (type, target) with which an event begins, by one statement."""
    tx.add(EDGE_ADD, [(target, tx.kind(edge_type), source, None) for edge_type, target in edges])


def by_external_id(tx: Tx, conn: int, external_id: str) -> int | None:
    """The message that the platform calls `external_id`: received, or sent in one of its parts."""
    row = tx.one(EVENT_BY_EXT, conn=conn, ext=text_id(external_id))
    return None if row is None else row[0]


def link_external(tx: Tx, conn: int, source: int, edge_type: str, external_id: str) -> int | None:
    """Draw an edge to a message known by its external id; if it is not here yet, the edge waits."""
    target = by_external_id(tx, conn, external_id)
    if target is None:
        tx.forget(("nothing waits", conn))
        tx.run(
            WAITING_ADD, conn=conn, ext=text_id(external_id), src=source, type=tx.kind(edge_type)
        )
    else:
        link(tx, source, edge_type, target)
    return target


def anything_waits(tx: Tx, conn: int) -> bool:
    """Whether any edge of this connection waits for a message, which is seldom so."""
    key = ("nothing waits", conn)
    if tx.recall(key):
        return False
    if tx.one(WAITING_ANY, conn=conn) is None:
        tx.remember(key, True)
        return False
    return True


def arrived(tx: Tx, conn: int, external_id: str, target: int) -> list[int]:
    """`target` is now known by `external_id`: draw what waited for it. The children that it got."""
    if not anything_waits(tx, conn):
        return []
    waiting = tx.all(WAITING_FOR, conn=conn, ext=text_id(external_id))
    if not waiting:
        return []
    origin = tx.kind("origin")
    for source, edge_type in waiting:
        tx.run(EDGE_ADD, dst=target, type=edge_type, src=source, at=tx.now)
    tx.run(WAITING_DROP, conn=conn, ext=text_id(external_id))
    return [source for source, edge_type in waiting if edge_type == origin]


def awaited(tx: Tx, conn: int, names: Sequence[str]) -> set[str]:
    """Those of these external ids for which an edge waits, which are few or none."""
    if not names or not anything_waits(tx, conn):
        return set()
    return {row[0] for row in tx.by_keys(AWAITED, names, conn=conn)}


def target_of(tx: Tx, source: int, edge_type: str) -> int | None:
    """Where the (first) edge of this type leads."""
    row = tx.one(EDGE_TARGET, src=source, type=tx.kind(edge_type))
    return None if row is None else row[0]


def awaited_by(tx: Tx, source: int, edge_type: str) -> str | None:
    """The external id that an edge of this type still waits for."""
    row = tx.one(WAITING_OF, src=source, type=tx.kind(edge_type))
    return None if row is None else row[0]


def sources_of(tx: Tx, target: int, edge_type: str) -> list[int]:
    """What points here by this type, oldest first."""
    return [row[0] for row in tx.all(EDGE_SOURCES, dst=target, type=tx.kind(edge_type))]


def key_of(tx: Tx, app: int, event_id: UUID) -> int | None:
    """The key of an event of this application, or None."""
    lo, hi = span(app)
    row = tx.one(EVENT_KEY, id=event_id.bytes, lo=lo, hi=hi)
    return None if row is None else row[0]


def id_of(tx: Tx, key: int) -> UUID:
    """The public id behind an event's key."""
    row = tx.one(EVENT_ID, seq=key)
    if row is None:
        raise LookupError(f"no event {key} in application {app_of(key)}")
    return stored.uid(row[0], "event", "")


def newest(tx: Tx, app: int) -> int:
    """The position of the newest event; the application's first number when it has none."""
    lo, hi = span(app)
    row = next(iter(tx.all(NEWEST, lo=lo, upto=hi - 1, limit=1)), None)
    return lo if row is None else row[0]
