"""Second chances: what came to nothing, listed and counted, sent again, or taken back in time.

Knows: which verbs there are for messages and turns that somebody finds later, by their event.
Does not know: how they are found and made anew (`recovery.py`, read when the first of them is called), run again
(`hearing.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._outbound.joining import at_hand, joins
from ..model import Event, PlatformConnection
from . import later

if TYPE_CHECKING:
    from .._handlers.handler import Handler
    from .._outbound.handle import Delivery
    from .._store.reading.undelivered import Undelivered, UndeliveredCount
    from .._store.reading.unhandled import Unhandled, UnhandledCount
    from .doing.recovery import Recovery


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
        return await (await self._recovery()).resend(event, marked)

    def delivery(self, event: Event | UUID) -> Delivery:
        """The handle on a message or an action that was sent earlier, also by a program that has ended:
        `state`, `wait`, `cancel`. Raises NotFound; BadInput for what was not sent by this application.
        """
        return later.recovering()(self).delivery(event)

    async def cancel(self, event: Event | UUID) -> bool:
        """Take back a message or an action if no request has begun. False when it is too late.

        Raises NotFound; BadInput for what was not sent by this application.
        """
        return await (await self._recovery()).delivery(event).cancel()

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
        found = await self._recovery()
        return found.deliveries(status, connection, since, until, first, before)

    async def delivery_counts(
        self, *, connection: PlatformConnection | UUID | str | None = None,
        since: datetime | None = None, until: datetime | None = None,
        every: timedelta = timedelta(days=1),
    ) -> list[UndeliveredCount]:  # fmt: skip
        """How many were not delivered, by status, class and connection, in spans of `every` (UTC).

        The newest span first; what is not there is 0. Raises BadInput, NotFound.
        """
        return (await self._recovery()).delivery_counts(connection, since, until, every)

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
        found = await self._recovery()
        return found.turns(status, handler, connection, since, until, first, before)

    async def turn_counts(
        self, *, connection: PlatformConnection | UUID | str | None = None,
        since: datetime | None = None, until: datetime | None = None,
        every: timedelta = timedelta(days=1),
    ) -> list[UnhandledCount]:  # fmt: skip
        """How many came to nothing, by status, class, handler and connection, in spans of `every` (UTC).

        The newest span first; what is not there is 0. Raises BadInput, NotFound.
        """
        return (await self._recovery()).turn_counts(connection, since, until, every)

    async def _recovery(self) -> Recovery:
        return (await at_hand(self, later.recovering))(self)
