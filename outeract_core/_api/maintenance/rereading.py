"""Runs today's parser over what was kept of the past, in short steps.

Knows: that each stretch of the log is a commit of its own, how far it is, that one bad item stops nothing.
Does not know: how an item is read (`_inbound/rereading.py`), what is written of it (`_store`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from attrs import evolve

from ..._domain.values.classes import frozen
from ..._domain.values.ids import from_ms, maybe_ms
from ..._inbound.rereading import content, reread
from ..._io.runtime import Runtime
from ..._io.threads.aside import aside
from ..._store.records.conn import Conn
from ..._store.transfer import rereading
from ..._store.transfer.rereading import Found, Kept
from ...adapter import Adapter
from ...errors import BadInput, NotFound
from ...model import PlatformConnection

STRETCH = 500
"""Events that are looked at in one step; what has changed of them is one commit."""


@frozen
class Reparsed:
    """What a `reparse` came to, so far.

    read        items that today's parser has read.
    changed     of them, those that it understands otherwise: as many `message.reparsed` were added.
    unreadable  items that it cannot read, or in which it no longer finds the event.
    position    how far it has come; give it as `after` to go on from there.
    """

    read: int = 0
    changed: int = 0
    unreadable: int = 0
    position: int = 0


async def reparse(
    runtime: Runtime, connection: PlatformConnection | UUID, since: datetime | None, after: int,
    progress: Callable[[Reparsed], None] | None,
) -> Reparsed:  # fmt: skip
    """Run today's parser over it. Raises BadInput, NotFound, UnknownPlatform."""
    conn, least = _conn(runtime, connection), _since(since)
    adapter, done = runtime.adapter(conn), Reparsed(position=after)
    while True:
        kept, upto = await runtime.database.traverse(
            lambda tx, at=done.position: rereading.stretch(tx, conn, at, least, STRETCH)  # type: ignore[misc]
        )
        if upto is None:
            return done
        done = evolve(await _step(runtime, conn, adapter, kept, done), position=upto)
        if progress is not None:
            progress(done)


def _since(since: datetime | None) -> int:
    if since is not None and (not isinstance(since, datetime) or since.tzinfo is None):
        raise BadInput(f"since is an aware time, not {since!r:.80}")
    return maybe_ms(since) or 0


def _conn(runtime: Runtime, connection: PlatformConnection | UUID) -> Conn:
    wanted = getattr(connection, "id", connection)
    for conn in runtime.conns():
        if conn.entity.id == wanted:
            return conn
    raise NotFound(f"no connection {connection!r:.80} in this file; give the connection or its id")


async def _step(
    runtime: Runtime, conn: Conn, adapter: Adapter, kept: list[Kept], done: Reparsed
) -> Reparsed:
    """Read a stretch beside the loop, and commit what is otherwise than the log has it."""
    found = await aside(partial(_all, adapter, kept))
    done = evolve(
        done, read=done.read + len(found), unreadable=done.unreadable + len(kept) - len(found)
    )
    other = await runtime.database.traverse(lambda tx: rereading.otherwise(tx, conn, found))
    if not other:
        return done
    changed = [one.found for one in other]
    added = await runtime.database.write(
        lambda tx: rereading.record(tx, conn, changed), app=conn.app
    )
    return evolve(done, changed=done.changed + added)


def _all(adapter: Adapter, kept: list[Kept]) -> list[Found]:
    return [one for event in kept if (one := _read(adapter, event)) is not None]


def _read(adapter: Adapter, kept: Kept) -> Found | None:
    """What today's parser finds; None when it finds nothing, whatever it raises."""
    try:
        fact = reread(adapter, kept.raw, from_ms(kept.created_at), kept.dk)
        if fact is None:
            return None
        return Found(kept, content(fact, kept.kind, kept.payload), tuple(fact.files))
    except Exception:
        return None
