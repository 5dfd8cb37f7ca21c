"""Runs handlers behind a durable cursor: at least once they run, exactly once their effects count.

Knows: the lease, lanes per handler and conversation, overlap policies, retries and parking.
Does not know: platforms, how a reply is delivered, what handlers do.

    events behind the cursor ─▶ lanes (handler × conversation) ─▶ turn ─▶ one commit:
                                                    replies + "handled" + cursor
"""

from __future__ import annotations

import inspect
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from attrs import Factory, define, frozen

from ._compose import Draft, finish
from ._delivery import backoff
from ._delivery_handle import Delivery
from ._ids import jitter
from ._leases import is_dead
from ._store import handlers, outbox, sending
from ._store.handlers import Arrived
from ._store.sqlite import Connection
from ._turn import CURRENT, Effect, Message, Turn
from .content import Content
from .errors import BadInput, LeaseHeld, LeaseLost, StoreError

if TYPE_CHECKING:
    from ._app import App
    from ._runtime import Runtime

TTL = 30_000
_RENEW = 10_000
_PAGE = 256
_OPEN = 2_000
_AT_ONCE = 100


@frozen
class Handler:
    """A function of the host. `attempts`: how often it may raise before the event is parked."""

    name: str
    pattern: str
    call: Callable[[Message], Any]
    overlap: str | None = None
    attempts: int = 5

    def wants(self, event_type: str) -> bool:
        """Whether the pattern fits: equal, `*`, or a trailing `.*` for any deeper name."""
        if self.pattern.endswith(".*"):
            return event_type.startswith(self.pattern[:-1])
        return self.pattern in ("*", event_type)


@define(eq=False)
class Lane:
    """What one handler has to do in one conversation, in order. `due`: not before, in ms."""

    handler: Handler
    queue: deque[Arrived] = Factory(deque)
    running: bool = False
    due: int = 0


class Dispatcher:
    """One application's handlers. `step()` runs what there is; `run()` until cancelled."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._runtime = app.runtime
        self._leased_until = 0
        self._read_to = 0
        self._cursor = 0
        self._open: dict[int, set[str]] = {}
        self._done_before: frozenset[tuple[int, str]] = frozenset()
        self._retries: dict[tuple[int, str], tuple[int, int]] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._running = 0

    # ── rounds ────────────────────────────────────────────────────────────────────────────────

    async def step(self) -> int:
        """Run every handler that can run now, and wait for them; the number of turns."""
        await self._lease()
        self._fetch()
        ready = self._ready()
        async with anyio.create_task_group() as group:
            for lane in ready:
                group.start_soon(self._drain, lane)
        return len(ready)

    async def run(self, wait: bool = True) -> None:
        """Run handlers as events arrive. `wait`: for the lease, when another process has it."""
        await self._acquire(wait)
        try:
            async with anyio.create_task_group() as group:
                while True:
                    await self._acquire(wait=True)
                    self._fetch()
                    for lane in self._ready()[: _AT_ONCE - self._running]:
                        group.start_soon(self._drain, lane)
                    await self._runtime.wait("handlers", self._pause())
        finally:
            with anyio.CancelScope(shield=True):
                await self.give_up()

    async def give_up(self) -> None:
        """Hand the lease back, so that another process need not wait for it."""
        if self._leased_until:
            self._leased_until = 0
            app, owner = self._app.key, self._runtime.owner
            try:
                await self._runtime.write(lambda tx: handlers.give_up(tx, app, owner))
            except StoreError:
                return

    async def _acquire(self, wait: bool) -> None:
        while True:
            try:
                return await self._lease()
            except LeaseHeld:
                if not wait:
                    raise
            await self._runtime.wait("handlers", 1.0)

    async def _lease(self) -> None:
        """Hold the lease, renewed well before it ends; load the backlog when it is new."""
        now = self._runtime.now()
        if now < self._leased_until - (TTL - _RENEW):
            return
        app, owner = self._app.key, self._runtime.owner
        owners = self._runtime.database.read(outbox.owners)
        dead = frozenset(name for name in owners if is_dead(name))
        fresh = self._leased_until == 0
        try:
            await self._runtime.write(lambda tx: handlers.acquire(tx, app, owner, TTL, dead))
        except LeaseHeld:
            self._leased_until = 0
            raise
        self._leased_until = now + TTL
        if fresh:
            self._load()

    def _load(self) -> None:
        backlog = self._runtime.database.read(lambda tx: handlers.backlog(tx, self._app.key))
        self._read_to = self._cursor = backlog.position
        self._retries = dict(backlog.retries)
        self._open.clear()
        self._lanes.clear()
        self._done_before = backlog.handled

    # ── events into lanes ─────────────────────────────────────────────────────────────────────

    def _fetch(self) -> None:
        """Read on from where reading stopped, while not too much is open."""
        while len(self._open) < _OPEN:
            page = self._runtime.database.read(self._page)
            for arrived in page:
                self._place(arrived)
            if len(page) < _PAGE:
                return

    def _page(self, tx: Connection) -> list[Arrived]:
        """The next events; only those that a handler wants have their conversation looked up."""
        page = handlers.feed(tx, self._app.key, self._read_to, _PAGE)
        return [
            Arrived(a.event, a.type, handlers.peer_of(tx, a.event)) if self._wanted(a.type) else a
            for a in page
        ]

    def _wanted(self, event_type: str) -> list[Handler]:
        return [handler for handler in self._app.handlers if handler.wants(event_type)]

    def _place(self, arrived: Arrived) -> None:
        self._read_to = arrived.event
        for handler in self._wanted(arrived.type):
            if (arrived.event, handler.name) in self._done_before:
                continue
            self._open.setdefault(arrived.event, set()).add(handler.name)
            concurrent = self._policy(handler) == "concurrent"
            key = (handler.name, -arrived.event if concurrent else arrived.peer)
            lane = self._lanes.setdefault(key, Lane(handler))
            lane.queue.append(arrived)
            lane.due = max(lane.due, self._retries.get((arrived.event, handler.name), (0, 0))[1])

    def _policy(self, handler: Handler) -> str:
        return handler.overlap or str(self._app.config["overlap"])

    def _ready(self) -> list[Lane]:
        now = self._runtime.now()
        for key in [k for k, lane in self._lanes.items() if not lane.queue and not lane.running]:
            del self._lanes[key]
        return [lane for lane in self._lanes.values() if not lane.running and lane.due <= now]

    def _pause(self) -> float:
        now = self._runtime.now()
        waits = [lane.due - now for lane in self._lanes.values() if not lane.running]
        return min([max(ms / 1000, 0.02) for ms in waits] + [1.0])

    # ── turns ─────────────────────────────────────────────────────────────────────────────────

    async def _drain(self, lane: Lane) -> None:
        lane.running = True
        self._running += 1
        try:
            while lane.queue and lane.due <= self._runtime.now():
                batch = self._take(lane)
                if not await self._turn(lane, batch):
                    lane.queue.extendleft(reversed(batch))
                    return
        except LeaseLost:
            self._leased_until = 0
        finally:
            lane.running = False
            self._running -= 1
            self._runtime.wake("handlers")

    def _take(self, lane: Lane) -> list[Arrived]:
        batch = [lane.queue.popleft()]
        failed = (batch[0].event, lane.handler.name) in self._retries
        if failed:
            return batch  # alone, so that one poison message does not take others with it
        if self._policy(lane.handler) == "burst" and batch[0].type == "message.inbound":
            while lane.queue and lane.queue[0].type == "message.inbound":
                batch.append(lane.queue.popleft())
        return batch

    async def _turn(self, lane: Lane, batch: Sequence[Arrived]) -> bool:
        """One run of the handler. Whether the lane may go on."""
        handler, first = lane.handler, batch[0].event
        turn = Turn(self._app, batch[-1].event)
        try:
            message = Message(turn, self._app.events_at([a.event for a in batch]))
            result = await _call(handler, turn, message)
            _speak(message, result)
            turn.over = True
            await self._commit(turn, handler, batch)
        except LeaseLost:
            raise
        except StoreError:
            lane.due = self._runtime.now() + 1000
            return False
        except Exception:
            attempt = self._retries.get((first, handler.name), (0, 0))[0] + 1
            return await self._raised(lane, batch, attempt, traceback.format_exc())
        return True

    async def _commit(self, turn: Turn, handler: Handler, batch: Sequence[Arrived]) -> None:
        runtime, app, owner = self._runtime, self._app.key, self._runtime.owner
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
        self._settled(handler, events)
        if effects:
            runtime.wake()

    def _settle(
        self, handler: Handler, batch: Sequence[Arrived]
    ) -> Callable[[Connection], None]:  # fmt: skip
        """The part of a commit that says "handled" and moves the cursor."""
        wanted = {a.event: frozenset(h.name for h in self._wanted(a.type)) for a in batch}
        low = self._low(
            {e: s - {handler.name} if e in wanted else s for e, s in self._first_open(set(wanted))}
        )

        def unit(tx: Connection) -> None:
            self._app.on_processed(tx, handlers.done(tx, handler.name, wanted))
            if low > self._cursor:
                handlers.advance(tx, self._app.key, low)

        return unit

    def _first_open(self, done: set[int]) -> list[tuple[int, set[str]]]:
        """The open events up to the first that stays open whatever happens to `done`."""
        found = []
        for event, names in self._open.items():
            found.append((event, names))
            if event not in done:
                break
        return found

    def _low(self, front: dict[int, set[str]]) -> int:
        for event, names in front.items():
            if names:
                return event - 1
        return self._read_to

    def _settled(self, handler: Handler, events: list[int]) -> None:
        for event in events:
            self._retries.pop((event, handler.name), None)
            names = self._open.get(event)
            if names is not None:
                names.discard(handler.name)
                if not names:
                    del self._open[event]
        self._cursor = max(self._cursor, self._low(dict(self._first_open(set()))))

    async def _raised(self, lane: Lane, batch: Sequence[Arrived], attempt: int, trace: str) -> bool:
        """A handler has raised: again later, or park it and go on."""
        handler, events = lane.handler, [a.event for a in batch]
        app, owner = self._app.key, self._runtime.owner
        if attempt >= handler.attempts:
            settle = self._settle(handler, batch)

            def park(tx: Connection) -> None:
                for event in events:
                    handlers.still_open(tx, app, owner, handler.name, event)
                    handlers.park(tx, app, event, handler.name, attempt, trace)
                settle(tx)

            await self._runtime.write(park)
            self._settled(handler, events)
            return True
        due = self._runtime.now() + int(backoff(attempt, jitter()) * 1000)

        def retry(tx: Connection) -> None:
            handlers.still_open(tx, app, owner, handler.name, events[0])
            handlers.failed(tx, events[0], handler.name, attempt, due, trace)

        await self._runtime.write(retry)
        self._retries[events[0], handler.name] = (attempt, due)
        lane.due = due
        return False


async def _effect(runtime: Runtime, app: int, effect: Effect) -> Callable[[Connection], Any]:
    """An effect as a unit of work; a draft's files are put into the folder first."""
    if not isinstance(effect, Draft):
        return effect
    intent = await finish(runtime, app, effect)
    return lambda tx: sending.send(tx, intent)


async def _call(handler: Handler, turn: Turn, message: Message) -> Any:
    token = CURRENT.set(turn)
    try:
        if inspect.iscoroutinefunction(handler.call):
            return await handler.call(message)
        result = await anyio.to_thread.run_sync(handler.call, message)
        return await result if inspect.isawaitable(result) else result
    finally:
        CURRENT.reset(token)


def _speak(message: Message, result: Any) -> None:
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
