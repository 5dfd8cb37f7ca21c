"""Units of work on what was read again: a stretch of the log to read, and what came of it.

Knows: which events have content, what was read of them before, how a `message.reparsed` is drawn.
Does not know: parsing, connections, how long it all may take.

A second run adds nothing: the content is compared with what was read last, and two processes that do
it at once find the same dedupe key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import field

from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...events import FileRef
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import append, link, target_of
from ..writing import files

_Event = tuple[int, bytes, int | None, int, int, int, Any, str, str | None]

STRETCH: Statement[_Event] = statement("reread_stretch")
BEFORE: Statement[tuple[str, str]] = statement("reread_before")
HANDLES: Statement[tuple[int, str]] = statement("reread_files")

KINDS = frozenset({
    "message.inbound", "message.outbound", "message.edited", "message.action", "system.notice",
})  # fmt: skip
"""Events that tell what somebody said or did; a status has nothing in it that could be read better."""


@frozen
class Kept:
    """An event of which the platform's item was kept. Times in milliseconds."""

    key: int
    id: UUID
    kind: str
    occurred_at: int
    created_at: int
    dk: Any
    payload: dict[str, Any] = field(repr=False)
    raw: str = field(repr=False)


@frozen
class Found:
    """What today's parser makes of one: the payload, and the files it names."""

    kept: Kept
    payload: dict[str, Any] = field(repr=False)
    files: tuple[FileRef, ...] = ()


def stretch(
    tx: Tx, conn: Conn, after: int, since: int, limit: int
) -> tuple[list[Kept], int | None]:
    """Events of this connection among the next `limit` of the log, and how far that was; None: the end."""
    lo, hi = span(conn.app)
    rows = tx.all(STRETCH, after=max(after, lo), hi=hi, limit=limit)
    kept = [
        Kept(row[0], stored.uid(row[1], "event", row[0]), tx.kind_name(row[3]), row[4], row[5], row[6], stored.value(row[7], "event", row[0]), row[8])
        for row in rows
        if row[2] == conn.id and row[8] is not None and row[5] >= since
    ]  # fmt: skip
    return [one for one in kept if one.kind in KINDS], rows[-1][0] if rows else None


@frozen
class Other:
    """What reads otherwise than it did last: how often it was read, and the files nobody had seen."""

    found: Found
    times: int
    unseen: tuple[FileRef, ...]


def otherwise(tx: Tx, conn: Conn, found: Sequence[Found]) -> list[Other]:
    """Those that say something else, or name other files, than was last read of them."""
    read: dict[str, list[str]] = {}
    ids = [str(one.kept.id) for one in found]
    for name, payload in tx.all(BEFORE, ids=ids, conn=conn.id):
        read.setdefault(name, []).append(payload)
    known = _known_files(tx, [one.kept.key for one in found if one.files])
    told = []
    for one in found:
        before = read.get(str(one.kept.id), [])
        last = stored.value(before[-1], "event", one.kept.key) if before else one.kept.payload
        seen = known.get(one.kept.key, set())
        unseen = tuple(ref for ref in one.files if _named(dict(ref.handle)) not in seen)
        if unseen or _canonical(one.payload) != _canonical(last):
            told.append(Other(one, len(before), unseen))
    return told


def record(tx: Tx, conn: Conn, found: Sequence[Found]) -> int:
    """Append what is understood better than it was; how many events."""
    return sum(_append(tx, conn, one) for one in otherwise(tx, conn, found))


def _append(tx: Tx, conn: Conn, other: Other) -> bool:
    """One `message.reparsed`: about its message, by and to the same as what was read.

    Its time is that of what was read, so that it stands before what was changed later.
    """
    found, kept = other.found, other.found.kept
    digest = hashlib.sha256(_canonical(found.payload).encode()).hexdigest()[:16]
    key = append(
        tx, conn.app, "message.reparsed", encode({**found.payload, "of": str(kept.id)}),
        conn=conn.id, dk=f"reparsed:{kept.id}:{other.times:06}:{digest}", occurred_at=kept.occurred_at,
    )  # fmt: skip
    if key is None:
        return False
    message = target_of(tx, kept.key, "origin") if kept.kind == "message.edited" else None
    about = kept.key if message is None else message
    link(tx, key, "origin", about)
    for edge in ("sent_by", "sent_to"):
        party = target_of(tx, kept.key, edge)
        if party is not None:
            link(tx, key, edge, party)
    for ref in other.unseen:
        files.receive(tx, conn, kept.key, ref)
    return True


def _known_files(tx: Tx, keys: list[int]) -> dict[int, set[str]]:
    """By event, the files that it is known to have."""
    known: dict[int, set[str]] = {}
    for key, handle in tx.by_keys(HANDLES, keys, attachment=tx.kind("attachment")):
        known.setdefault(key, set()).add(_named(stored.value(handle, "file", key)))
    return known


def _named(handle: dict[str, Any]) -> str:
    return str(handle.get("id") or handle.get("file_id") or _canonical(handle))


def _canonical(payload: dict[str, Any]) -> str:
    told = {name: one for name, one in payload.items() if name not in ("of", "thread")}
    return json.dumps(told, sort_keys=True)
