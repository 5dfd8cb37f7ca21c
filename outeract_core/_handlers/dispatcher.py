"""Runs handlers behind a durable cursor: at least once they run, exactly once their effects count.

Knows: which lanes run, how many at once, that a turn which hangs is told.
Does not know: who owns the application (`_io/processes/ownership.py`), which lane an event belongs to (`lanes.py`), how a handler ends (`endings.py`), what
is committed then (`outcomes.py`), platforms, how a reply is delivered.

    events behind the cursor ─▶ lanes (handler × conversation × thread) ─▶ turn ─▶ one commit:
                                                    replies + "handled" + cursor
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from .._outbound.compose import Target
from .._outbound.handle import Delivery
from .._store.engine.limits import share
from .._store.engine.translating import TooLarge
from .._store.reading import arrivals
from .._store.reading.arrivals import Arrived, Fed, as_it_stands
from .._store.writing import enrolment, handlers
from .._store.writing.handlers import Overtaken
from ..content import Content
from ..driver import Tx
from ..errors import BadInput, HandlerTimeout, LeaseLost, StoreError
from ..model import Event
from ..standing import Standing
from . import elsewhere
from .current import CURRENT
from .endings import Ending, ended_by, ending, task
from .handler import Handler
from .hosted import Given, Hosted, Place
from .lanes import Lane, Lanes
from .looking import Look, Looks
from .outcomes import ROOM, Outcomes, named
from .turn import Turn

_Read: TypeAlias = tuple[list[Fed], dict[int, Arrived]]
_PAGE = 64
"""Events that are read at once, in the event loop: a millisecond or two. It runs on before the next are."""
AT_ONCE, PLAIN_AT_ONCE = 100, 40
"""Turns of one application that run at once; those of plain functions, each in a thread."""
_STARTS = 16
"""Turns that are started before the event loop runs on."""
HANGS, MOST_HANGING = 60_000, 400
"""Milliseconds after which a turn hangs: it is told and leaves its slot; so many may."""
_LOOK = 1_000
"""Milliseconds after which one looks again for turns that hang."""
_STILL = 0.05
_ELSEWHERE = 1_000
"""Milliseconds that a lane rests when its turn could not be brought to an end here."""
_OVERTAKEN = "what it was given was erased meanwhile: its turn was rolled back, and runs again"
_LEFT_OPEN = (
    "has left a cancel scope or a task group open (entered, and not left before it returned); "
    "from now on its turns have tasks of their own"
)
_STRAY = "was cancelled by nobody who may, while its turn was brought to an end: it runs again"


class Dispatcher:
    """One application's handlers. `step()` runs what there is; `run()` until cancelled."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._app = hosted.tenant.key
        self._runtime = hosted.runtime
        self._term = -1
        self._lanes = Lanes([], hosted.overlap)
        self._outcomes = Outcomes(hosted, self._lanes)
        self._looks = Looks(self._runtime.database, self._app)
        self._running: dict[Lane, tuple[int, Arrived | None]] = {}
        self._hanging: set[Lane] = set()
        self._turns = self._looked = 0

    @property
    def app(self) -> int:
        """The number of its application."""
        return self._app

    @property
    def running(self) -> list[str]:
        """The names of the handlers whose turns run now."""
        return [lane.handler.name for lane in list(self._running)]

    # ── rounds ────────────────────────────────────────────────────────────────────────────────

    async def step(self) -> int:
        """Run every handler that can run now, and wait for them; the number of turns.

        What only waits to be whole (an album) is waited for, up to a second.
        """
        if not await self._owns():
            return 0
        before = self._turns
        await self._fetch()
        async with anyio.create_task_group() as group:
            heard = self._runtime.heard("handlers")
            while await self._owns() and (await self._begin(group) or await self._settling()):
                await self._runtime.wait("handlers", 1.0, heard)
                heard = self._runtime.heard("handlers")
        return self._turns - before

    async def _settling(self) -> bool:
        """Let a moment pass when that is all that is missing; not by a clock that stands still."""
        now = self._runtime.now()
        missing = self._lanes.settling(now)
        if missing is None or missing > 1_000:
            return False
        await anyio.sleep(min(missing / 1000, _STILL))
        await self._fetch()
        return self._runtime.now() > now

    async def run(self) -> None:
        """Run handlers as events arrive, whenever this process owns the application."""
        self._term = -1
        async with anyio.create_task_group() as group:
            while True:
                heard = self._runtime.heard("handlers")
                while await self._owns():
                    more = self._read_on()
                    if more:
                        await anyio.lowlevel.checkpoint()
                    await self._begin(group)
                    if not more:
                        break
                pause = self._lanes.pause(self._runtime.now())
                await self._runtime.wait("handlers", pause, heard)

    async def _begin(self, group: TaskGroup) -> bool:
        """Start what may run, tell what hangs. Whether anything runs that is worth waiting for."""
        for number, lane in enumerate(self._ready(), 1):
            if lane.running:
                continue  # somebody else has begun it, while the loop ran on
            lane.running = True
            self._running[lane] = self._runtime.steady(), None
            group.start_soon(self._drain, lane)
            if number % _STARTS == 0:
                await anyio.lowlevel.checkpoint()
        now = self._runtime.steady()
        if not self._looked <= now < self._looked + _LOOK:
            self._looked = now
            self._tell_what_hangs(group, now - HANGS)
        return bool(self._running)

    def _tell_what_hangs(self, group: TaskGroup, long_ago: int) -> None:
        for lane, (since, arrived) in self._running.items():
            if arrived is not None and since <= long_ago and lane not in self._hanging:
                self._hanging.add(lane)
                group.start_soon(self._outcomes.hangs, lane.handler, arrived, HANGS // 1000)

    def _ready(self) -> list[Lane]:
        """The lanes that may run now, as far as there are slots."""
        free = AT_ONCE - (len(self._running) - len(self._hanging))
        if free <= 0 or len(self._hanging) >= MOST_HANGING:
            return []
        busy = [lane.handler for lane in self._running if lane not in self._hanging]
        threads = PLAIN_AT_ONCE - sum(handler.plain for handler in busy)
        workers = elsewhere.AT_ONCE - sum(lane.handler.process for lane in self._running)
        ready: list[Lane] = []
        for lane in self._lanes.ready(self._runtime.now()):
            if len(ready) >= free:
                break
            threads -= lane.handler.plain
            workers -= lane.handler.process
            waits = threads < 0 if lane.handler.plain else lane.handler.process and workers < 0
            if not waits:
                ready.append(lane)
        return ready

    async def _owns(self) -> bool:
        """Whether turns may begin here; when that is new, or a handler is, the backlog is loaded."""
        ownership = self._runtime.ownership
        if self._app not in ownership:
            return False
        term, known = ownership.term(self._app), len(self._lanes.handlers)
        if term != self._term or known != len(self._hosted.handlers):
            try:
                await self._load()
            except LeaseLost:
                ownership.lost(self._app)
                return False
            self._term = term
        return True

    async def _load(self) -> None:
        """Begin where the cursor is, with the handlers that there are now."""
        database, app, owner = self._runtime.database, self._app, self._runtime.owner
        present = list(self._hosted.handlers)
        names = [handler.name for handler in present]
        self._lanes.loads += 1
        begins, joined, backlog = database.read(self._standing)
        if not joined.issuperset(names):
            await database.write(lambda tx: enrolment.join(tx, app, owner, names), app=app)
            begins, _, backlog = database.read(self._standing)
        self._lanes.load(backlog, present, begins)

    def _standing(self, tx: Tx) -> tuple[Any, Any, Any]:
        """Since when each handler is there, which the cursor knows of, and what is left for them."""
        begins, joined = enrolment.begins(tx, self._app)
        return begins, joined, handlers.backlog(tx, self._app)

    async def _fetch(self) -> None:
        """Read on until there is no more, or enough is open."""
        while self._read_on():
            await anyio.lowlevel.checkpoint()

    def _read_on(self) -> bool:
        """The next page from where reading stopped, while not too much is open; whether there may be more."""
        if self._lanes.full:
            return False
        page, found = self._next()
        for event, _type, _at in page:
            if event in found:
                self._lanes.place(found[event])
            else:
                self._lanes.read_to = event
        return len(page) == _PAGE

    def _next(self) -> _Read:
        """A page; of what is large only where it belongs, so that its turn reads it, beside the loop."""
        database = self._runtime.database
        try:
            return database.read_light(self._page, self._page, share(_PAGE))
        except TooLarge:
            return database.read(partial(self._page, closely=False))

    def _page(self, tx: Tx, closely: bool = True) -> _Read:
        """The next events, and those that a handler wants with where they belong."""
        app, lanes = self._app, self._lanes
        page = arrivals.feed(tx, app, lanes.read_to, _PAGE)
        asked = [one for one in page if lanes.asked(one.type)]
        return page, arrivals.look(tx, app, asked, closely=closely and not lanes.deep)

    # ── turns ─────────────────────────────────────────────────────────────────────────────────

    async def _drain(self, lane: Lane) -> None:
        ownership, me = self._runtime.ownership, task()
        try:
            while self._lanes.may(lane, self._runtime.now()) and self._app in ownership:
                batch, through = self._lanes.take(lane), False
                self._running[lane] = self._runtime.steady(), batch[-1]
                try:
                    with ownership.work(self._app):
                        turn = self._elsewhere if lane.handler.process else self._turn
                        through = await turn(lane, batch)
                finally:
                    if not through:  # it waits, or the host has cancelled us
                        self._lanes.give_back(lane, batch)
                if not through or lane in self._hanging:
                    return
        except LeaseLost:
            ownership.lost(self._app)
            lane.due = self._runtime.now() + _ELSEWHERE
        except anyio.get_cancelled_exc_class() as error:
            await ended_by(error, me)
            self._runtime.log.error(ROOM, f"handler {lane.handler.name} {_STRAY}", error)
            lane.due = self._runtime.now() + _ELSEWHERE
        finally:
            manners = lane.handler.manners
            if manners.leaves_open and not manners.told:
                manners.told = True
                self._runtime.log.warning(ROOM, f"handler {lane.handler.name} {_LEFT_OPEN}")
            lane.running = False
            self._running.pop(lane, None)
            self._hanging.discard(lane)
            self._runtime.wake("handlers")

    async def _elsewhere(self, lane: Lane, batch: list[Arrived]) -> bool:
        """The same in a worker process. While none is free it does not run: no limit of its time goes by."""
        self._running[lane] = self._runtime.steady(), None
        async with elsewhere.slot():
            self._running[lane] = self._runtime.steady(), batch[-1]
            return await self._turn(lane, batch)

    async def _turn(self, lane: Lane, batch: list[Arrived]) -> bool:
        """One run of the handler. Whether the lane may go on."""
        self._turns += 1
        turn = Turn(self._runtime, self._hosted.tenant, batch[-1].subject)
        try:
            ended = await self._ended(lane, turn, batch)
            if ended is None or ended.error is None:
                return True
            through = await self._outcomes.raised(lane, turn, batch, ended.error)
        except LeaseLost:
            raise
        except Overtaken:
            turn.discarded = _OVERTAKEN
            self._runtime.log.info(ROOM, f"{named(lane.handler, batch[0])}: {_OVERTAKEN}")
            lane.due = self._runtime.now() + _ELSEWHERE
            return False
        except StoreError as error:
            self._runtime.log.error(ROOM, f"handler {lane.handler.name} waits for the store", error)
            lane.due = self._runtime.now() + 1000
            return False
        if ended.interrupts:
            raise ended.error
        return through

    async def _ended(self, lane: Lane, turn: Turn, batch: list[Arrived]) -> Ending | None:
        """How the turn ended, its commit included. None: there was nothing to be given."""
        handler, me = lane.handler, task()
        try:
            message = await self._given(handler, turn, batch)
            if message is None:
                return None
            ended = await _called(handler, turn, message)
            if ended.error is None:
                _speak(message, ended.result)
                turn.over = True
                await self._outcomes.committed(turn, handler, batch)
        except (LeaseLost, Overtaken):
            raise
        except BaseException as error:
            ended = await ended_by(error, me)
        turn.over = True
        return ended

    async def _given(self, handler: Handler, turn: Turn, batch: list[Arrived]) -> Given | None:
        """What the handler is given, as it stands now; None when nothing of it is to be handled."""
        look = await self._looks.at(self._look(handler, batch))
        seen, changed, turn.reached = look.seen, look.changed, look.reached
        gone = [one for one in batch if _deleted(changed.get(one.subject))]
        if look.far:
            told = {"chain": handler.chain}
            await self._outcomes.given_up(handler, batch, "loop", told)
            text = f"{named(handler, batch[0])}: {handler.chain} turns without a person; stopped"
            self._runtime.log.warning(ROOM, text)
            return None
        if gone:
            await self._outcomes.skipped(handler, gone, "deleted")
            batch[:] = [one for one in batch if one not in gone]
        found = [seen[one.event] for one in batch]
        if not found:
            return None
        if look.leaving:
            raise Overtaken("something of it is on its way out of the log")
        turn.given = {event.position: event.payload_json for event in found}
        events = [as_it_stands(event, changed.get(event.position)) for event in found]
        return self._hosted.make(turn, events, self._place(batch[-1], events[-1]))

    def _look(self, handler: Handler, batch: Sequence[Arrived]) -> Look:
        """What the turn asks: of its events, and of whom has led to it."""
        first = batch[0]
        alone = not first.about and (not first.sender or first.mine or first.bot)
        return Look(batch, handler.chain if alone else None)

    def _place(self, arrived: Arrived, event: Event) -> Place:
        target = None
        if arrived.conn is not None:
            target = Target(self._runtime.conn(arrived.conn), arrived.peer)
        if not arrived.thread:
            return Place(target=target)
        member = event.origin_event_id if arrived.lent else event.id
        return Place(arrived.thread, member, target)


def _deleted(now: Standing | None) -> bool:
    return now is not None and now.now.deleted_at is not None


async def _called(handler: Handler, turn: Turn, message: Given) -> Ending:
    """Run the handler in its turn; what it leaves behind of itself is discarded with the turn."""
    token = CURRENT.set(turn)
    ended: Ending | None = None
    try:
        ended = await ending(handler, message)
        return ended
    finally:
        CURRENT.reset(token)
        if ended is None or isinstance(ended.error, HandlerTimeout):
            turn.discarded = "the turn was given up before its handler returned"


def _speak(message: Given, result: Any) -> None:
    """What a handler returns is its reply: text, content, or a list of them. Nothing says nothing."""
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
