"""What came to nothing is found, counted and made anew.

Knows: in which order the log is asked for a message that somebody comes back to.
Does not know: the verbs (`chances.py`); statements (`_store/reading/undelivered.py`, `unhandled.py`), how a content
is said again (`_outbound/again.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from ..._domain.rules.near import near
from ..._domain.values.ids import window
from ..._handlers.handler import Handler
from ..._io.connections import connection
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._outbound.again import MARK, content_again
from ..._outbound.compose import Target
from ..._outbound.handle import Delivery
from ..._store.reading import states, undelivered, unhandled
from ..._store.reading.undelivered import Among, Undelivered, UndeliveredCount
from ..._store.reading.unhandled import Unhandled, UnhandledCount, Which
from ..._store.records import rows
from ..._store.records.log import EVENT_CONN, awaited_by, id_of, target_of
from ..._store.records.nodes import key as node_key
from ..._store.writing.files import attached
from ...driver import Tx
from ...errors import BadInput, NotFound
from ...model import Event, File, PlatformConnection
from ...pages import checked


class Recovering(Protocol):
    """The application whose messages they are."""

    runtime: Runtime
    tenant: Tenant
    key: int
    send: Any
    handlers: list[Handler]


class Recovery:
    """What the verbs of `Chances` have done; each has the name of its verb."""

    def __init__(self, app: Recovering) -> None:
        self._app = app
        self.runtime, self.tenant, self.key = app.runtime, app.tenant, app.key

    async def resend(self, event: Event | UUID, marked: bool | str) -> Delivery:
        """Send it again: a new message, whose cause is the old one."""
        mark = MARK if marked is True else marked or None
        found = self.runtime.database.read(lambda tx: self._old(tx, event))
        old, place, files, reply_to, thread = found
        content = content_again(old, files, mark)
        new: Delivery = await self._app.send(
            place, content, reply_to=reply_to, thread=thread, cause=old.id,
            metadata=old.payload.get("metadata"), sandbox=bool(old.payload.get("sandbox")),
            key=f"resend:{old.id}",
        )  # fmt: skip
        return new

    def delivery(self, event: Event | UUID) -> Delivery:
        """The handle on what was sent earlier."""

        def query(tx: Tx) -> UUID:
            key = node_key(tx, self.key, event, "event")
            row = tx.one(EVENT_CONN, seq=key)
            conn = None if row is None or row[0] is None else self.runtime.conn(row[0])
            if conn is None or target_of(tx, key, "sent_by") != conn.system_puser:
                raise BadInput("only what the application has sent has a delivery")
            return id_of(tx, key)

        return Delivery(self.runtime, self.tenant, self.runtime.database.read(query))

    def deliveries(
        self, status: str | None, connection: PlatformConnection | UUID | str | None,
        since: datetime | None, until: datetime | None, first: int, before: Event | UUID | None,
    ) -> list[Undelivered]:  # fmt: skip
        """What was not delivered."""
        if status not in (None, "failed", "unknown"):
            raise BadInput(f"status is failed or unknown, not {status!r}")
        limit = checked(first)
        among, conns = self._among(status, connection, since, until), self._conns()

        def query(tx: Tx) -> list[Undelivered]:
            last = None if before is None else node_key(tx, self.key, before, "event")
            upto = Among(among.status, among.conn, among.since, among.until, last)
            return undelivered.listed(tx, self.key, upto, limit, conns)

        return self.runtime.database.read(query)

    def delivery_counts(
        self, connection: PlatformConnection | UUID | str | None, since: datetime | None,
        until: datetime | None, every: timedelta,
    ) -> list[UndeliveredCount]:  # fmt: skip
        """How many were not delivered."""
        width = _width(every)
        among, conns = self._among(None, connection, since, until), self._conns()
        return self.runtime.database.read(
            lambda tx: undelivered.counted(tx, self.key, among, width, conns)
        )

    def turns(
        self, status: str | None, handler: str | None,
        connection: PlatformConnection | UUID | str | None, since: datetime | None,
        until: datetime | None, first: int, before: str | None,
    ) -> list[Unhandled]:  # fmt: skip
        """Turns that came to nothing."""
        if status not in (None, "parked", "retrying"):
            raise BadInput(f"status is parked or retrying, not {status!r}")
        limit, conn, conns = checked(first), self._conn(connection), self._conns()
        which = Which(status, handler, conn, *window(since, until), before)

        def query(tx: Tx) -> list[Unhandled]:
            found = unhandled.listed(tx, self.key, which, limit, conns)
            if handler is not None and not found:
                self._known(tx, handler)
            return found

        return self.runtime.database.read(query)

    def turn_counts(
        self, connection: PlatformConnection | UUID | str | None, since: datetime | None,
        until: datetime | None, every: timedelta,
    ) -> list[UnhandledCount]:  # fmt: skip
        """How many came to nothing."""
        width, conns = _width(every), self._conns()
        begin, end = window(since, until)
        which = Which(conn=self._conn(connection), since=begin, until=end)
        return self.runtime.database.read(
            lambda tx: unhandled.counted(tx, self.key, which, width, conns)
        )

    def _among(
        self, status: str | None, which: Any, since: datetime | None, until: datetime | None
    ) -> Among:
        return Among(status, self._conn(which), *window(since, until))

    def _conn(self, which: Any) -> int | None:
        return None if which is None else connection(self.runtime, self.key, which).id

    def _known(self, tx: Tx, handler: str) -> None:
        """Raises NotFound for a handler that nobody has registered and no turn names."""
        known = unhandled.handlers(tx, self.key) | {one.name for one in self._app.handlers}
        if handler not in known:
            raise NotFound(f"no handler {handler!r:.80} in this application{near(handler, known)}")

    def _conns(self) -> dict[int, Any]:
        return {conn.id: conn for conn in self.runtime.conns(self.key)}

    def _old(
        self, tx: Tx, event: Event | UUID
    ) -> tuple[Event, Any, list[File], UUID | None, UUID | None]:
        """The message as it stands, where it went, with what, and what it referred to."""
        key = node_key(tx, self.key, event, "event")
        old = rows.events(tx, self.key, [key])[0]
        peer, reply_to = target_of(tx, key, "sent_to"), target_of(tx, key, "reply_to")
        threaded = target_of(tx, key, "in_thread") or awaited_by(tx, key, "in_thread")
        place = None if peer is None else Target(self.runtime.conn(states.conn_of(tx, key)), peer)
        files = rows.files(tx, self.key, attached(tx, key))
        return (
            old, place, files, None if reply_to is None else id_of(tx, reply_to),
            old.id if threaded else None,
        )  # fmt: skip


def _width(every: timedelta) -> int:
    """The length of a span in milliseconds. Raises BadInput."""
    width = int(every / timedelta(milliseconds=1)) if isinstance(every, timedelta) else 0
    if width < 1000:
        raise BadInput("every is a timedelta of a second or more")
    return width
