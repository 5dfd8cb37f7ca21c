"""Second chances: what came to nothing, listed and counted, sent again, or taken back in time.

Knows: which verbs there are for messages and turns that somebody finds later, by their event.
Does not know: how they are found (`_store/reading/undelivered.py`, `unhandled.py`), made anew
(`_outbound/again.py`), run again (`hearing.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .._domain.rules.near import near
from .._domain.values.ids import window
from .._handlers.handler import Handler
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._outbound.again import MARK, content_again
from .._outbound.compose import Target, connection
from .._outbound.handle import Delivery
from .._outbound.joining import joins
from .._store.reading import states, undelivered, unhandled
from .._store.reading.undelivered import Among, Undelivered, UndeliveredCount
from .._store.reading.unhandled import Unhandled, UnhandledCount, Which
from .._store.records import rows
from .._store.records.log import EVENT_CONN, awaited_by, id_of, target_of
from .._store.records.nodes import key as node_key
from .._store.writing.files import attached
from ..driver import Tx
from ..errors import BadInput, NotFound
from ..model import Event, File, PlatformConnection
from ..pages import checked


class Chances(ABC):
    """The part of `App` for messages that somebody finds later; `App` supplies what they need."""

    runtime: Runtime
    tenant: Tenant
    key: int
    send: Any
    handlers: list[Handler]

    @property
    @abstractmethod
    def in_turn(self) -> bool:
        """Whether this runs inside a handler's turn."""

    @joins
    async def resend(self, event: Event | UUID, *, marked: bool | str = False) -> Delivery:
        """Send a failed or unknown message again, to where it went: a new one, `triggered_by` the old.

        It is said as a whole, with those of its parts that have arrived (`DeliveryState.parts`).
        `marked`: the text begins by saying that it may be a repetition (True), or with your own words:
        an unknown message may have arrived. The same event again gives the first repetition back; when
        that has failed as well, resend that one. Captions of single files are not kept.

        Inside a handler it joins the turn. Raises NotFound; BadInput for a message of any other status,
        one whose content was erased or dropped, a template that is to be marked; and what `send` raises.
        """
        mark = MARK if marked is True else marked or None
        found = self.runtime.database.read(lambda tx: self._old(tx, event))
        old, place, files, reply_to, thread = found
        content = content_again(old, files, mark)
        new: Delivery = await self.send(
            place, content, reply_to=reply_to, thread=thread, cause=old.id,
            metadata=old.payload.get("metadata"), sandbox=bool(old.payload.get("sandbox")),
            key=f"resend:{old.id}",
        )  # fmt: skip
        return new

    def delivery(self, event: Event | UUID) -> Delivery:
        """The handle on a message or an action that was sent earlier, also by a program that has ended:
        `state`, `wait`, `cancel`. Raises NotFound; BadInput for what was not sent by this application.
        """

        def query(tx: Tx) -> UUID:
            key = node_key(tx, self.key, event, "event")
            row = tx.one(EVENT_CONN, seq=key)
            conn = None if row is None or row[0] is None else self.runtime.conn(row[0])
            if conn is None or target_of(tx, key, "sent_by") != conn.system_puser:
                raise BadInput("only what the application has sent has a delivery")
            return id_of(tx, key)

        return Delivery(self.runtime, self.tenant, self.runtime.database.read(query))

    async def cancel(self, event: Event | UUID) -> bool:
        """Take back a message or an action if no request has begun. False when it is too late.

        Raises NotFound; BadInput for what was not sent by this application.
        """
        return await self.delivery(event).cancel()

    async def deliveries(
        self, status: str | None = None, *, connection: PlatformConnection | UUID | str | None = None,
        since: datetime | None = None, until: datetime | None = None, first: int = 100,
        before: Event | UUID | None = None,
    ) -> list[Undelivered]:  # fmt: skip
        """Messages that were not delivered, the newest first.

        status         `failed` or `unknown`; None: both.
        connection     a connection, its id or name, or a platform.
        since, until   aware times of the failure, since <= at < until.
        before         the event of the last one of an earlier list: go on behind it.

        Turns that came to nothing: `turns`. Raises BadInput, NotFound.
        """
        if status not in (None, "failed", "unknown"):
            raise BadInput(f"status is failed or unknown, not {status!r}")
        limit = checked(first)
        among, conns = self._among(status, connection, since, until), self._conns()

        def query(tx: Tx) -> list[Undelivered]:
            last = None if before is None else node_key(tx, self.key, before, "event")
            upto = Among(among.status, among.conn, among.since, among.until, last)
            return undelivered.listed(tx, self.key, upto, limit, conns)

        return self.runtime.database.read(query)

    async def delivery_counts(
        self, *, connection: PlatformConnection | UUID | str | None = None,
        since: datetime | None = None, until: datetime | None = None,
        every: timedelta = timedelta(days=1),
    ) -> list[UndeliveredCount]:  # fmt: skip
        """How many were not delivered, by status, class and connection, in spans of `every` (UTC).

        The newest span first; what is not there is 0. Raises BadInput, NotFound.
        """
        width = _width(every)
        among, conns = self._among(None, connection, since, until), self._conns()
        return self.runtime.database.read(
            lambda tx: undelivered.counted(tx, self.key, among, width, conns)
        )

    async def turns(
        self, status: str | None = None, *, handler: str | None = None,
        connection: PlatformConnection | UUID | str | None = None, since: datetime | None = None,
        until: datetime | None = None, first: int = 100, before: str | None = None,
    ) -> list[Unhandled]:  # fmt: skip
        """Turns of handlers that came to nothing so far, those about the newest events first.

        status         `parked` (given up) or `retrying` (run again by themselves); None: both.
        handler        its name: of one that is registered, or that the file knows.
        connection     a connection, its id or name, or a platform.
        since, until   aware times of the last failure, since <= at < until.
        before         the `cursor` of the last one of an earlier list: go on behind it.

        A page costs what is on it; a filter that few satisfy looks on until it is full. What was raised
        is in `explain`; `retry` runs a parked one again. Raises BadInput, NotFound, InvalidCursor.
        """
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

    async def turn_counts(
        self, *, connection: PlatformConnection | UUID | str | None = None,
        since: datetime | None = None, until: datetime | None = None,
        every: timedelta = timedelta(days=1),
    ) -> list[UnhandledCount]:  # fmt: skip
        """How many came to nothing, by status, class, handler and connection, in spans of `every` (UTC).

        The newest span first; what is not there is 0. Raises BadInput, NotFound.
        """
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
        known = unhandled.handlers(tx, self.key) | {one.name for one in self.handlers}
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
