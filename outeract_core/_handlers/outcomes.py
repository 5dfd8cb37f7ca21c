"""What a turn comes to, in one commit: done with its effects, again later, given up, skipped.

Knows: attempts, what is told of a failure, when an event counts as handled.
Does not know: how a handler is run and ends (`endings.py`), which turn is next (`lanes.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from .._domain.rules.delivery import backoff
from .._domain.values.classes import frozen
from .._domain.values.codec import clean
from .._domain.values.ids import jitter
from .._io.database import Share
from .._io.runtime import Runtime
from .._outbound.compose import Draft, finish
from .._store.reading.arrivals import Arrived
from .._store.writing import handlers, sending
from .._store.writing.sending import Intent
from ..driver import Tx
from ..errors import LeaseLost, StoreError
from .handler import Handler
from .hosted import Hosted
from .lanes import Lane, Lanes
from .turn import Effect, Turn

ROOM = "handlers"
_Effect: TypeAlias = Intent | Callable[[Tx], Any]
_NAME = 100
"""Characters that are kept of the name of an exception's class."""


@frozen
class _Settlement:
    """What is to be written of turns that are over: `through`, with `subjects`; `again`: what was given up
    before and is handled now; how far the cursor may move then, and what it and the lanes were when
    that was reckoned.
    """

    through: handlers.Through
    subjects: list[int]
    again: list[int]
    low: int
    cursor: int
    loads: int

    @property
    def handler(self) -> str:
        """The name of the handler."""
        return self.through.handler

    @property
    def events(self) -> list[int]:
        """The keys of what it was given."""
        return [*self.through.wanted]


@frozen
class _Whole:
    """A turn that has ended well: everything that it has said and done, in order, and what it was given."""

    effects: Sequence[_Effect]
    settlement: _Settlement
    given: Mapping[int, str]


@frozen
class Outcomes:
    """Commits for one application. Each of them raises LeaseLost, and StoreError when it cannot; what tells
    of the words that a turn was given raises Overtaken where these were erased meanwhile.
    """

    hosted: Hosted
    lanes: Lanes

    @property
    def _runtime(self) -> Runtime:
        return self.hosted.runtime

    async def committed(self, turn: Turn, handler: Handler, batch: Sequence[Arrived]) -> None:
        """Everything that the turn has said and done, together with "handled".

        Turns that end at the same time are written together.
        """
        app = self.hosted.tenant.key
        effects = [await _effect(self._runtime, app, effect) for effect in turn.effects]
        settlement = self._settlement(handler, batch, unread=turn.unread)
        whole = _Whole(effects, settlement, turn.given if effects else {})
        await self._write(handler, batch, Share(self._together, whole))
        self.lanes.settled(handler, [arrived.event for arrived in batch])
        if effects:
            self._runtime.wake()

    def _together(self, tx: Tx, turns: Sequence[_Whole]) -> list[None]:
        """Turns that end well, in one unit of work; what is said is said in one go. Raises LeaseLost."""
        open_ = {turn.settlement.handler: list[int]() for turn in turns}
        for turn in turns:
            open_[turn.settlement.handler] += turn.settlement.events
        self._fence(tx, open_, [turn.given for turn in turns])
        _effect_all(tx, [turn.effects for turn in turns])
        for turn in turns:
            if turn.effects:
                handlers.joined(tx, turn.settlement.subjects)
        self._settle(tx, [turn.settlement for turn in turns])
        return [None] * len(turns)

    async def raised(
        self, lane: Lane, turn: Turn, batch: Sequence[Arrived], error: BaseException
    ) -> bool:
        """A turn has failed: again later, or given up. Whether the lane may go on.

        Each message of what was joined has failed, and comes alone from now on, before any is given up.
        """
        handler, first, messages = lane.handler, batch[0], _messages(batch)
        attempt = self.lanes.attempts(first.event, handler) + 1
        alone = len(messages) == 1
        if attempt >= handler.attempts and alone:
            trace = self._runtime.log.trace(error)
            told = {"attempts": attempt, "traceback": trace}
            self._tell(f"{named(handler, first)} has failed {attempt} times, is parked", error)
            failure = self._class(error)
            await self.given_up(handler, batch, "failed", told, failure, given=turn.given)
            return True
        attempt = attempt if alone else min(attempt, handler.attempts - 1)
        due = self._runtime.now() + int(backoff(max(attempt, 1), jitter()) * 1000)
        trace, failure = self._runtime.log.trace(error), self._class(error)
        how = f"attempt {attempt}" if alone else f"with {len(messages)} messages: now one by one"
        self._tell(f"{named(handler, first)} has failed, {how}", error)

        def again(tx: Tx) -> None:
            for one in messages:
                handlers.failed(tx, one.event, handler.name, attempt, due, trace, failure)
            handlers.joined(tx, [arrived.subject for arrived in batch])

        await self._write(handler, messages, self._fenced(handler, messages, again, turn.given))
        self.lanes.failed(lane, [one.event for one in messages], attempt, due)
        return False

    async def given_up(
        self, handler: Handler, batch: Sequence[Arrived], reason: str, told: dict[str, Any],
        failure: str | None = None, given: Mapping[int, str] | None = None,
    ) -> None:  # fmt: skip
        """Not handled, not marked read; told, and kept until `App.retry`."""
        app, through = self.hosted.tenant.key, self._settlement(handler, batch, handled=False)

        def park(tx: Tx) -> None:
            for arrived in batch:
                handlers.park(tx, app, arrived.subject, handler.name, reason, told, failure)
            self._settle(tx, [through], handled=False)

        await self._write(handler, batch, self._fenced(handler, batch, park, given))
        self.lanes.settled(handler, [arrived.event for arrived in batch])

    async def skipped(self, handler: Handler, batch: Sequence[Arrived], reason: str) -> None:
        """Not handled, because there is nothing to handle any more; that is told."""
        app, through = self.hosted.tenant.key, self._settlement(handler, batch, handled=False)

        def skip(tx: Tx) -> None:
            told = {"handler": handler.name, "reason": reason}
            for arrived in batch:
                handlers.tell(tx, app, arrived.subject, "system.handler_skipped", told)
            self._settle(tx, [through], handled=False)

        await self._write(handler, batch, self._fenced(handler, batch, skip))
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

    def _fenced(
        self, handler: Handler, batch: Sequence[Arrived], unit: Callable[[Tx], None],
        given: Mapping[int, str] | None = None,
    ) -> Callable[[Tx], None]:  # fmt: skip
        """The unit, which raises LeaseLost when another process has the lease or has handled it, and
        Overtaken when what was given is not what it was.
        """
        events = {handler.name: [one.event for one in batch]}

        def fenced(tx: Tx) -> None:
            self._fence(tx, events, [given or {}])
            unit(tx)

        return fenced

    def _fence(
        self, tx: Tx, events: Mapping[str, list[int]], given: Sequence[Mapping[int, str]]
    ) -> None:
        """Raises LeaseLost and Overtaken. `events`: by handler; `given`: of each turn, what it was given."""
        app, owner = self.hosted.tenant.key, self._runtime.owner
        opened = [handlers.still_open(tx, app, owner, name, some) for name, some in events.items()]
        known = {event for some in events.values() for event in some}
        for some in given:
            if not all(opened) or not known.issuperset(
                some
            ):  # what is run again has another number
                handlers.still_there(tx, some)

    async def _write(
        self, handler: Handler, batch: Sequence[Arrived], unit: Callable[[Tx], None]
    ) -> None:
        """Commit a unit that is fenced. Raises LeaseLost."""
        try:
            await self._runtime.write(unit, app=self.hosted.tenant.key)
        except LeaseLost as error:
            self._tell(f"{named(handler, batch[0])}: its turn was rolled back, {error}")
            raise

    def _settlement(
        self, handler: Handler, batch: Sequence[Arrived], *, unread: bool = False,
        handled: bool = True,
    ) -> _Settlement:  # fmt: skip
        """What says "through with it" and moves the cursor."""
        wanted = self.lanes.names(batch)
        tried = [event for event in wanted if self.lanes.tried(event, handler)]
        return _Settlement(
            handlers.Through(handler.name, wanted, unread, tried),
            [arrived.subject for arrived in batch],
            [arrived.about for arrived in batch if arrived.about and handled],
            self.lanes.low_after(handler, wanted), self.lanes.cursor, self.lanes.loads,
        )  # fmt: skip

    def _settle(self, tx: Tx, settled: Sequence[_Settlement], *, handled: bool = True) -> None:
        """The part of a commit that says so."""
        read = handlers.done(tx, *[one.through for one in settled], handled=handled)
        for one in settled:
            for event in one.again:
                read += handlers.redone(tx, event, unread=one.through.unread)
        self.hosted.processed(tx, read)
        lows = [
            one.low for one in settled if one.low > one.cursor and one.loads == self.lanes.loads
        ]
        if lows:
            handlers.advance(tx, self.hosted.tenant.key, max(lows))

    def _class(self, error: BaseException) -> str:
        """What turns that failed alike are counted by."""
        return self._runtime.log.redact(clean(type(error).__name__) or "")[:_NAME]

    def _tell(self, text: str, error: BaseException | None = None) -> None:
        self._runtime.log.warning(ROOM, text, error)


def _messages(batch: Sequence[Arrived]) -> list[Arrived]:
    """Each message of a turn, of an album its first part."""
    first = {one.album or one.event: one for one in reversed(batch)}
    return sorted(first.values(), key=lambda one: one.event)


def named(handler: Handler, arrived: Arrived) -> str:
    """The handler and the event, as a person may look them up."""
    event = arrived.subject if arrived.seen is None else arrived.seen.id
    return f"handler {handler.name}, {arrived.type} {event}"


async def _effect(runtime: Runtime, app: int, effect: Effect) -> _Effect:
    """An effect that can be written: a draft's files are put into the folder first."""
    return await finish(runtime, app, effect) if isinstance(effect, Draft) else effect


def _effect_all(tx: Tx, turns: Sequence[Sequence[_Effect]]) -> None:
    """Do them, each turn's in its order; what may be said at the same time is said in one go."""
    left = [deque(effects) for effects in turns]
    while any(left):
        for effects in left:
            while effects and not isinstance(effects[0], Intent):
                cast("Callable[[Tx], Any]", effects.popleft())(tx)
        sending.send_all(tx, [one for effects in left for one in _said_next(effects)])


def _said_next(effects: deque[_Effect]) -> Iterator[Intent]:
    while effects and isinstance(effects[0], Intent):
        yield cast("Intent", effects.popleft())
