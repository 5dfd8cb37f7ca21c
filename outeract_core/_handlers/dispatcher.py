"""Runs handlers behind a durable cursor: at least once they run, exactly once their effects count.

Knows: turns and their commit, retries and parking.
Does not know: who owns the application (`_io/processes/ownership.py`), which lane an event belongs to (`lanes.py`), platforms, how a reply is delivered.

    events behind the cursor ─▶ lanes (handler × conversation) ─▶ turn ─▶ one commit:
                                                    replies + "handled" + cursor
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.to_thread

from .._domain.rules.delivery import backoff
from .._domain.values.ids import jitter
from .._io.runtime import Runtime
from .._outbound.compose import Draft, Target, finish
from .._outbound.handle import Delivery
from .._store.engine.sqlite import Connection
from .._store.reading import arrivals
from .._store.reading.arrivals import Arrived, Seen
from .._store.writing import handlers, sending
from ..content import Content
from ..errors import BadInput, LeaseLost, StoreError
from .handler import Handler
from .hosted import Given, Hosted, Place
from .lanes import Lane, Lanes
from .turn import CURRENT, Effect, Turn

_PAGE = 256
_AT_ONCE = 100
_MOMENT = 1_000
"""Milliseconds that what was read of an event may be used."""


class Dispatcher:
    """One application's handlers. `step()` runs what there is; `run()` until cancelled."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._app = hosted.tenant.key
        self._runtime = hosted.runtime
        self._term = -1
        self._lanes = Lanes(hosted.handlers, hosted.overlap)
        self._running = 0

    @property
    def app(self) -> int:
        """The number of its application."""
        return self._app

    # ── rounds ────────────────────────────────────────────────────────────────────────────────

    async def step(self) -> int:
        """Run every handler that can run now, and wait for them; the number of turns."""
        if not self._owns():
            return 0
        self._fetch()
        ready = self._lanes.ready(self._runtime.now())
        async with anyio.create_task_group() as group:
            for lane in ready:
                group.start_soon(self._drain, lane)
        return len(ready)

    async def run(self) -> None:
        """Run handlers as events arrive, whenever this process owns the application."""
        self._term = -1
        async with anyio.create_task_group() as group:
            while True:
                if self._owns():
                    self._fetch()
                    for lane in self._ready():
                        group.start_soon(self._drain, lane)
                await self._runtime.wait("handlers", self._lanes.pause(self._runtime.now()))

    def _ready(self) -> list[Lane]:
        free = max(0, _AT_ONCE - self._running)
        return self._lanes.ready(self._runtime.now())[:free]

    def _owns(self) -> bool:
        """Whether turns may begin here; when that is new, the backlog is loaded."""
        ownership = self._runtime.ownership
        if self._app not in ownership:
            return False
        term = ownership.term(self._app)
        if term != self._term:
            self._term = term
            self._load()
        return True

    def _load(self) -> None:
        backlog = self._runtime.database.read(lambda tx: handlers.backlog(tx, self._app))
        self._lanes.load(backlog)

    def _fetch(self) -> None:
        """Read on from where reading stopped, while not too much is open."""
        while not self._lanes.full:
            page = self._runtime.database.read(self._page)
            for arrived in page:
                self._lanes.place(arrived)
            if len(page) < _PAGE:
                return

    def _page(self, tx: Connection) -> list[Arrived]:
        """The next events; only those that a handler wants are looked at."""
        app, lanes = self._app, self._lanes
        page = arrivals.feed(tx, app, lanes.read_to, _PAGE)
        asked = [arrived for arrived in page if lanes.asked(arrived.type)]
        looked = arrivals.look(tx, app, asked, closely=not lanes.deep)
        return [looked.get(arrived.event, arrived) for arrived in page]

    # ── turns ─────────────────────────────────────────────────────────────────────────────────

    async def _drain(self, lane: Lane) -> None:
        lane.running = True
        self._running += 1
        ownership = self._runtime.ownership
        try:
            while self._lanes.may(lane, self._runtime.now()) and self._app in ownership:
                batch, through = self._lanes.take(lane), False
                try:
                    with ownership.work(self._app):
                        through = await self._turn(lane, batch)
                finally:
                    if not through:  # it waits, or the host has cancelled us
                        self._lanes.give_back(lane, batch)
                if not through:
                    return
        except LeaseLost:
            ownership.lost(self._app)
        finally:
            lane.running = False
            self._running -= 1
            self._runtime.wake("handlers")

    async def _turn(self, lane: Lane, batch: Sequence[Arrived]) -> bool:
        """One run of the handler. Whether the lane may go on."""
        handler, first = lane.handler, batch[0].event
        turn = Turn(self._runtime, self._hosted.tenant, batch[-1].event)
        try:
            message = self._message(turn, batch, self._lanes.attempts(first, handler))
            result = await _call(handler, turn, message)
            _speak(message, result)
            turn.over = True
            await self._commit(turn, handler, batch)
        except LeaseLost:
            raise
        except StoreError:
            lane.due = self._runtime.now() + 1000
            return False
        except Exception as error:
            attempt = self._lanes.attempts(first, handler) + 1
            log = self._runtime.log
            log.warning("handlers", f"handler {handler.name} has failed, attempt {attempt}", error)
            return await self._raised(lane, batch, attempt, log.trace(error))
        return True

    def _message(self, turn: Turn, batch: Sequence[Arrived], attempt: int) -> Given:
        """What the handler is given: as it was found, unless that was a while ago."""
        limit, seen = self._runtime.now() - _MOMENT, [arrived.seen for arrived in batch]
        if attempt or any(one is None or one.at < limit for one in seen):
            seen = self._runtime.database.read(lambda tx: self._looked(tx, batch))
        found = [one for one in seen if one is not None]
        return self._hosted.make(
            turn, [one.event for one in found], self._place(batch[-1], found[-1])
        )

    def _place(self, arrived: Arrived, seen: Seen) -> Place:
        target = None if seen.conn is None else Target(self._runtime.conn(seen.conn), arrived.peer)
        if not arrived.thread:
            return Place(target=target)
        member = seen.event.origin_event_id if arrived.lent else seen.event.id
        return Place(arrived.thread, member, target)

    def _looked(self, tx: Connection, batch: Sequence[Arrived]) -> list[Seen | None]:
        looked = arrivals.look(tx, self._app, batch, closely=True)
        return [looked[arrived.event].seen for arrived in batch]

    async def _commit(self, turn: Turn, handler: Handler, batch: Sequence[Arrived]) -> None:
        runtime, app, owner = self._runtime, self._app, self._runtime.owner
        events = [arrived.event for arrived in batch]
        effects = [await _effect(runtime, app, effect) for effect in turn.effects]
        settle = self._settle(handler, batch)

        def unit(tx: Connection) -> None:
            for event in events:
                handlers.still_open(tx, app, owner, handler.name, event)
            for effect in effects:
                effect(tx)
            settle(tx)

        await runtime.write(unit)
        self._lanes.settled(handler, events)
        if effects:
            runtime.wake()

    def _settle(
        self, handler: Handler, batch: Sequence[Arrived]
    ) -> Callable[[Connection], None]:  # fmt: skip
        """The part of a commit that says "handled" and moves the cursor."""
        wanted = self._lanes.names(batch)
        low, cursor = self._lanes.low_after(handler, wanted), self._lanes.cursor

        def unit(tx: Connection) -> None:
            self._hosted.processed(tx, handlers.done(tx, handler.name, wanted))
            if low > cursor:
                handlers.advance(tx, self._app, low)

        return unit

    async def _raised(self, lane: Lane, batch: Sequence[Arrived], attempt: int, trace: str) -> bool:
        """A handler has raised: again later, or park it and go on."""
        handler, events = lane.handler, [a.event for a in batch]
        app, owner = self._app, self._runtime.owner
        if attempt >= handler.attempts:
            settle = self._settle(handler, batch)

            def park(tx: Connection) -> None:
                for event in events:
                    handlers.still_open(tx, app, owner, handler.name, event)
                    handlers.park(tx, app, event, handler.name, attempt, trace)
                settle(tx)

            await self._runtime.write(park)
            self._lanes.settled(handler, events)
            return True
        due = self._runtime.now() + int(backoff(attempt, jitter()) * 1000)

        def retry(tx: Connection) -> None:
            handlers.still_open(tx, app, owner, handler.name, events[0])
            handlers.failed(tx, events[0], handler.name, attempt, due, trace)

        await self._runtime.write(retry)
        self._lanes.failed(lane, events[0], attempt, due)
        return False


async def _effect(runtime: Runtime, app: int, effect: Effect) -> Callable[[Connection], Any]:
    """An effect as a unit of work; a draft's files are put into the folder first."""
    if not isinstance(effect, Draft):
        return effect
    intent = await finish(runtime, app, effect)
    return lambda tx: sending.send(tx, intent)


async def _call(handler: Handler, turn: Turn, message: Given) -> Any:
    token = CURRENT.set(turn)
    try:
        if inspect.iscoroutinefunction(handler.call):
            return await handler.call(message)
        result = await anyio.to_thread.run_sync(handler.call, message)
        return await result if inspect.isawaitable(result) else result
    finally:
        CURRENT.reset(token)


def _speak(message: Given, result: Any) -> None:
    """What a handler returns is its reply: text, content, or a list of them."""
    if result is None:
        return
    for content in result if isinstance(result, list | tuple) else [result]:
        if isinstance(content, Delivery):
            continue  # `return message.reply(…)`: it is in the turn already
        if not isinstance(content, str | Content):
            raise BadInput(
                f"a handler returns text, Content, a list of them or None, not {content!r}"
            )
        message.reply(content)
