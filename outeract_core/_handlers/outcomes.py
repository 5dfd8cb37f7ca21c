"""What a turn comes to, in one commit: done with its effects, again later, given up, skipped.

Knows: attempts, what is told of a failure, when an event counts as handled.
Does not know: how a handler is run and ends (`endings.py`), which turn is next (`lanes.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from .._domain.rules.delivery import backoff
from .._domain.values.codec import clean
from .._domain.values.ids import jitter
from .._io.runtime import Runtime
from .._outbound.compose import Draft, finish
from .._store.reading.arrivals import Arrived
from .._store.writing import handlers, sending
from ..driver import Tx
from ..errors import LeaseLost, StoreError
from .handler import Handler
from .hosted import Hosted
from .lanes import Lane, Lanes
from .turn import Effect, Turn

ROOM = "handlers"
_NAME = 100
"""Characters that are kept of the name of an exception's class."""


@frozen
class Outcomes:
    """Commits for one application. Each of them raises LeaseLost, and StoreError when it cannot."""

    hosted: Hosted
    lanes: Lanes

    @property
    def _runtime(self) -> Runtime:
        return self.hosted.runtime

    async def committed(self, turn: Turn, handler: Handler, batch: Sequence[Arrived]) -> None:
        """Everything that the turn has said and done, together with "handled"."""
        app = self.hosted.tenant.key
        effects = [await _effect(self._runtime, app, effect) for effect in turn.effects]
        settle = self._settle(handler, batch, unread=turn.unread)

        def unit(tx: Tx) -> None:
            for effect in effects:
                effect(tx)
            if effects:
                handlers.joined(tx, [arrived.subject for arrived in batch])
            settle(tx)

        await self._write(handler, batch, unit)
        self.lanes.settled(handler, [arrived.event for arrived in batch])
        if effects:
            self._runtime.wake()

    async def raised(self, lane: Lane, batch: Sequence[Arrived], error: BaseException) -> bool:
        """A turn has failed: again later, or given up. Whether the lane may go on.

        What was joined is tried one by one from now on, before any of it is given up.
        """
        handler, first = lane.handler, batch[0]
        attempt = self.lanes.attempts(first.event, handler) + 1
        alone = len({arrived.album or arrived.event for arrived in batch}) == 1
        if attempt >= handler.attempts and alone:
            trace = self._runtime.log.trace(error)
            told = {"attempts": attempt, "traceback": trace}
            self._tell(f"{named(handler, first)} has failed {attempt} times, is parked", error)
            await self.given_up(handler, batch, "failed", told, self._class(error))
            return True
        attempt = attempt if alone else min(attempt, handler.attempts - 1)
        due = self._runtime.now() + int(backoff(max(attempt, 1), jitter()) * 1000)
        trace, failure = self._runtime.log.trace(error), self._class(error)
        self._tell(f"{named(handler, first)} has failed, attempt {attempt}", error)

        def again(tx: Tx) -> None:
            handlers.failed(tx, first.event, handler.name, attempt, due, trace, failure)
            handlers.joined(tx, [arrived.subject for arrived in batch])

        await self._write(handler, batch[:1], again)
        self.lanes.failed(lane, first.event, attempt, due)
        return False

    async def given_up(
        self, handler: Handler, batch: Sequence[Arrived], reason: str, told: dict[str, Any],
        failure: str | None = None,
    ) -> None:  # fmt: skip
        """Not handled, not marked read; told, and kept until `App.retry`."""
        app, settle = self.hosted.tenant.key, self._settle(handler, batch, handled=False)

        def park(tx: Tx) -> None:
            for arrived in batch:
                handlers.park(tx, app, arrived.subject, handler.name, reason, told, failure)
            settle(tx)

        await self._write(handler, batch, park)
        self.lanes.settled(handler, [arrived.event for arrived in batch])

    async def skipped(self, handler: Handler, batch: Sequence[Arrived], reason: str) -> None:
        """Not handled, because there is nothing to handle any more; that is told."""
        app, settle = self.hosted.tenant.key, self._settle(handler, batch, handled=False)

        def skip(tx: Tx) -> None:
            told = {"handler": handler.name, "reason": reason}
            for arrived in batch:
                handlers.tell(tx, app, arrived.subject, "system.handler_skipped", told)
            settle(tx)

        await self._write(handler, batch, skip)
        self.lanes.settled(handler, [arrived.event for arrived in batch])
        self._runtime.log.info(ROOM, f"{named(handler, batch[0])} was skipped: {reason}")

    async def hangs(self, handler: Handler, arrived: Arrived, seconds: int) -> None:
        """A turn takes very long: told once, while it goes on."""
        app = self.hosted.tenant.key
        told = {"handler": handler.name, "seconds": seconds}
        self._tell(f"{named(handler, arrived)} has been running for {seconds} s; see timeout=")

        def unit(tx: Tx) -> None:
            handlers.tell(tx, app, arrived.subject, "system.handler_hangs", told)

        try:
            await self._runtime.write(unit, app=app)
        except StoreError as error:  # that one hangs must not end the others
            self._runtime.log.error(ROOM, f"that {handler.name} hangs was not kept", error)

    async def _write(
        self, handler: Handler, batch: Sequence[Arrived], unit: Callable[[Tx], None]
    ) -> None:
        """Commit, unless another process has the lease or has handled it. Raises LeaseLost."""
        app, owner = self.hosted.tenant.key, self._runtime.owner

        def fenced(tx: Tx) -> None:
            handlers.still_open(tx, app, owner, handler.name, [one.event for one in batch])
            unit(tx)

        try:
            await self._runtime.write(fenced, app=app)
        except LeaseLost as error:
            self._tell(f"{named(handler, batch[0])}: its turn was rolled back, {error}")
            raise

    def _settle(
        self, handler: Handler, batch: Sequence[Arrived], *, unread: bool = False,
        handled: bool = True,
    ) -> Callable[[Tx], None]:  # fmt: skip
        """The part of a commit that says "through with it" and moves the cursor."""
        wanted, app = self.lanes.names(batch), self.hosted.tenant.key
        low, cursor = self.lanes.low_after(handler, wanted), self.lanes.cursor
        loads = self.lanes.loads
        again = [arrived.about for arrived in batch if arrived.about and handled]

        def unit(tx: Tx) -> None:
            read = handlers.done(tx, handler.name, wanted, unread=unread, handled=handled)
            for event in again:
                read += handlers.redone(tx, event, unread=unread)
            self.hosted.processed(tx, read)
            if low > cursor and loads == self.lanes.loads:
                handlers.advance(tx, app, low)

        return unit

    def _class(self, error: BaseException) -> str:
        """What turns that failed alike are counted by."""
        return self._runtime.log.redact(clean(type(error).__name__) or "")[:_NAME]

    def _tell(self, text: str, error: BaseException | None = None) -> None:
        self._runtime.log.warning(ROOM, text, error)


def named(handler: Handler, arrived: Arrived) -> str:
    """The handler and the event, as a person may look them up."""
    event = arrived.subject if arrived.seen is None else arrived.seen.event.id
    return f"handler {handler.name}, {arrived.type} {event}"


async def _effect(runtime: Runtime, app: int, effect: Effect) -> Callable[[Tx], Any]:
    """An effect as a unit of work; a draft's files are put into the folder first."""
    if not isinstance(effect, Draft):
        return effect
    intent = await finish(runtime, app, effect)
    return lambda tx: sending.send(tx, intent)
