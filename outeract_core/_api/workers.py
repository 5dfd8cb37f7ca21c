"""What goes on in an open file: workers for polling, handlers, files, profiles, sending, retention.

Knows: that each works for the applications that this process owns, and none takes another along.
Does not know: what any of them does, how applications are shared (`_io/processes/ownership.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import anyio
from attrs import evolve

from .._domain.values.ids import from_ms
from .._domain.values.sinks import worded
from .._handlers.current import not_in_a_turn
from .._handlers.dispatcher import Dispatcher
from .._handlers.elsewhere import is_worker
from .._handlers.hosted import Hosted
from .._inbound.downloader import Downloader
from .._inbound.poller import Poller
from .._inbound.profiles import Profiles
from .._inbound.receiver import Receiver
from .._io.processes.supervisor import Supervisor, ending
from .._io.runtime import Runtime
from .._io.secrets import mended
from .._io.threads.aside import aside, loaded
from .._io.threads.handover import Patience
from .._outbound.sender import Sender
from .._store.reading import backlog
from .._store.records.conn import Conn
from ..errors import BadInput, LeaseHeld, NewerSchema, NotOurFile, StoreBroken, StoreClosed
from . import later
from .app import App
from .draining import drain
from .message import Message
from .pumped import Pumped, Trouble, once, together

if TYPE_CHECKING:
    from .maintenance.retention import Keeper

_WATCH, _MEASURE = 0.25, 60.0
"""Seconds between two looks at the file, and at how long threads wait."""
_FATAL = (StoreClosed, StoreBroken, NewerSchema, NotOurFile)
"""What no later attempt mends: the file is not, or no longer, one that can be worked on."""


class Workers:
    """One per core. `apps`: the live mapping of opened applications; `served`: whether it has, and is done."""

    def __init__(self, runtime: Runtime, receiver: Receiver, apps: Mapping[int, App]) -> None:
        self._runtime = runtime
        self._apps = apps
        self.sender = Sender(runtime, partial(_judge_held, receiver))
        self._downloader = Downloader(runtime)
        self._profiles = Profiles(runtime)
        self._poller = Poller(runtime, receiver, self.sender.report)
        self._dispatchers: dict[int, Dispatcher] = {}
        self._patience = Patience()
        self.served = False

    @cached_property
    def _keeper(self) -> Keeper:
        from .maintenance.retention import Keeper

        return Keeper(self._runtime)

    def _dispatched(self) -> list[tuple[App, Dispatcher]]:
        """The applications with handlers; they may be added at any time, and begin then."""
        found = []
        for key, app in list(self._apps.items()):
            app.opened = None
            if app.handlers and key not in self._dispatchers:
                self._dispatchers[key] = Dispatcher(_hosted(app))
            if key in self._dispatchers:
                found.append((app, self._dispatchers[key]))
        return found

    def _polled(self) -> list[Conn]:
        """Connections of the opened applications that ask to be polled (`poll=True`)."""
        mine = [conn for key in list(self._apps) for conn in self._runtime.conns(key)]
        return [conn for conn in mine if conn.entity.config.get("poll")]

    # ── for as long as one likes ──────────────────────────────────────────────────────────────

    async def serve(self, wait: bool, grace: float) -> None:
        """Everything, until cancelled. What really must end it is raised, alone."""
        _in_the_program()
        not_in_a_turn(self._runtime)
        try:
            async with self._runtime.on_the_line(), self._runtime.ownership.session(serving=True):
                if not wait:
                    self._refuse({key for key, app in self._apps.items() if app.handlers})
                async with self._runtime.grace.period(grace):
                    await self._supervise()
        finally:
            self.served = True

    async def _supervise(self) -> None:
        async with Supervisor(_is_fatal, self._runtime.steady) as supervisor:
            told = self._told
            supervisor.start("files", self._downloader.run, partial(told, "fetching files"))
            supervisor.start("profiles", self._profiles.run, partial(told, "asking who they are"))
            supervisor.start("sender", self.sender.run, partial(told, "sending"))
            supervisor.start("keeper", self._keep, partial(told, "retention"))
            supervisor.start("refused", self._mend, partial(told, "looking for other credentials"))
            supervisor.start("turns", self._measure, partial(told, "timing threads"))
            watch = partial(self._watch, supervisor)
            supervisor.start("watch", watch, partial(told, "watching the file"))
            await anyio.sleep_forever()

    async def _watch(self, supervisor: Supervisor) -> None:
        """Set to work what is not yet: applications, handlers and connections come at any time."""
        for app, dispatcher in self._dispatched():
            doing = f"handlers of {app.name}"
            supervisor.start(("handlers", app.key), dispatcher.run, partial(self._told, doing))
        for conn in self._polled():
            poll = partial(self._poller.poll, conn.id)
            failed, pause = (
                partial(each, conn.id) for each in (self._poller.failed, self._poller.pause)
            )
            supervisor.start(("poll", conn.id), poll, failed, pause)
        await anyio.sleep(_WATCH)
        self._runtime.database.verify()
        if self._runtime.database.changed():
            self._runtime.wake()  # another process has committed

    async def _keep(self) -> None:
        for app in list(self._apps.values()):
            error = await self._kept(app)
            if error is not None:
                await self._told(f"retention of {app.name}", error, None)
        await self._runtime.wait("retention", 1.0, self._runtime.heard("retention"))

    async def _kept(self, app: App) -> BaseException | None:
        if app.key not in self._runtime.ownership:
            return None
        await loaded(later.retention)
        with self._runtime.ownership.work(app.key):
            return await self._ended(partial(self._keeper.keep, app.key, app.retention))

    async def _mend(self) -> None:
        await mended.look(self._runtime)
        await self._runtime.wait("refused", mended.EVERY, self._runtime.heard("refused"))

    async def _measure(self) -> None:
        """Tell, once, that threads wait long for each other."""
        await self._runtime.wait("hand-over", _MEASURE, self._runtime.heard("hand-over"))
        text = self._patience.sees(await aside(self._runtime.measure))
        if text is not None:
            self._runtime.log.warning("serve", text)

    async def _told(self, doing: str, error: BaseException, pause: float | None) -> None:
        then = "" if pause is None else f"; again in {pause:.0f} s"
        text = f"{doing}: {worded(error)}{then}"
        self._runtime.log.error("serve", text, error)

    def running(self) -> list[str]:
        """The handlers that run now, by name."""
        found = {name for each in self._dispatchers.values() for name in each.running}
        return [f"handler {name}" for name in sorted(found)]

    # ── once ──────────────────────────────────────────────────────────────────────────────────

    async def pump(self, rounds: int, *, raise_errors: bool = False) -> Pumped:
        """Everything that is due now."""
        with self._runtime.log.listening() as heard:
            pumped = await self._pumped(rounds)
        if raise_errors and heard:
            raise heard[0]
        return pumped

    async def drain(self, timeout: float, *, raise_errors: bool = False) -> Pumped:  # noqa: ASYNC109
        """Everything that falls due within so many seconds."""
        return await drain(
            self._runtime, partial(self.pump, 1000, raise_errors=raise_errors), timeout
        )

    async def push(self) -> None:
        """Everything that is due now, unless it is being done."""
        if not self._runtime.ownership.in_session:
            with suppress(LeaseHeld):  # then another process does it
                await self.pump(1000)

    async def _pumped(self, rounds: int) -> Pumped:
        _in_the_program()
        not_in_a_turn(self._runtime)
        with self._runtime.troubles.listening() as wrong:
            async with self._runtime.on_the_line(), self._runtime.ownership.session(serving=False):
                done = await self._pump(rounds)
        found = [self._of_one(*one) for one in wrong]
        return evolve(done, troubles=once((*done.troubles, *found, *self._standing())))

    def _of_one(self, number: int, doing: str, reason: str, **times: Any) -> Trouble:
        conn = self._runtime.conn(number)
        app = self._apps.get(conn.app)
        return Trouble(None if app is None else app.name, conn.entity.name, doing, reason, **times)

    def _standing(self) -> list[Trouble]:
        """The connections that are left alone now, as far as anything waits for them."""
        standing = self._runtime.rests.standing()
        if not standing:
            return []
        waiting = self._runtime.database.read(lambda tx: backlog.waiting_for(tx, standing))
        now, steady, found = self._runtime.now(), self._runtime.steady(), list[Trouble]()
        for (doing, conn), rest in standing.items():
            if (doing, conn) in waiting and self._runtime.conn(conn).app in self._apps:
                times = {"since": now - steady + rest.since, "until": now - steady + rest.until}
                aware = {name: from_ms(at) for name, at in times.items()}
                found.append(self._of_one(conn, doing, rest.reason, **aware))
        return found

    async def _pump(self, rounds: int) -> Pumped:
        elsewhere = set(self._runtime.ownership.elsewhere()) & set(self._apps)
        if any(app.handlers for app in self._apps.values()) and elsewhere == set(self._apps):
            self._refuse(elsewhere)
        troubles: list[Trouble] = []
        await self._step(troubles, "sending", None, partial(mended.look, self._runtime))
        await self._step(troubles, "sending", None, self.sender.free_the_dead)
        read, apps = self._runtime.database.read, list(self._apps)
        since = read(lambda tx: backlog.newest(tx, apps))
        total = Pumped(polled=await self._poll_all(troubles))
        for _ in range(rounds):
            done, taken = await self._round(troubles)
            total = together(total, done)
            if not (done.handled or done.fetched or taken):
                break
        if await self._step(troubles, "profiles", None, self._profiles.step):
            await self._step(troubles, "files", None, self._downloader.step)
        for app in list(self._apps.values()):
            error = await self._kept(app)
            if error is not None:
                troubles.append(self._trouble("retention", app, error))
        names = sorted(self._apps[key].name for key in elsewhere)
        left = read(lambda tx: backlog.backlog(tx, apps))
        return evolve(
            total, troubles=tuple(troubles), elsewhere=tuple(names), retrying=left.retrying,
            waiting=left.waiting, parked=read(lambda tx: backlog.parked(tx, since)),
            next_due=None if left.next_due is None else from_ms(left.next_due),
        )  # fmt: skip

    async def _round(self, troubles: list[Trouble]) -> tuple[Pumped, int]:
        """What was done, and how many rows were taken up, whatever became of them."""
        fetched = await self._step(troubles, "files", None, self._downloader.step)
        handled = 0
        for app, dispatcher in self._dispatched():
            handled += await self._step(troubles, "handlers", app, dispatcher.step)
        ended: list[int] = []
        send = partial(self.sender.step, ended)
        taken = await self._step(troubles, "sending", None, send)
        became = self._runtime.database.read(lambda tx: backlog.outcomes(tx, ended))
        failed, unknown = became.get("failed", 0), became.get("unknown", 0)
        sent = sum(became.values()) - failed - unknown - became.get("cancelled", 0)
        return Pumped(0, handled, sent, fetched, failed=failed, unknown=unknown), taken

    async def _step(
        self, troubles: list[Trouble], doing: str, app: App | None, run: Callable[[], Awaitable[Any]]
    ) -> int:  # fmt: skip
        """What a step has done, 0 when it has failed: then the others go on, and that is reported."""
        done: list[int] = []

        async def keeping() -> None:
            done.append(await run() or 0)

        error = await self._ended(keeping)
        if error is not None:
            troubles.append(self._trouble(doing, app, error))
        return sum(done)

    def _trouble(self, doing: str, app: App | None, error: BaseException) -> Trouble:
        self._runtime.log.error("pump", f"{doing}: {worded(error)}", error)
        reason = self._runtime.log.redact(worded(error))
        return Trouble(None if app is None else app.name, None, doing, reason)

    async def _poll_all(self, troubles: list[Trouble]) -> int:
        """Poll every connection once, side by side: a slow one does not hold up the others."""
        found: list[int] = []

        async def one(conn: Conn) -> None:
            async def run() -> None:
                found.append(await self._poller.poll(conn.id, 0.0))

            error = await self._ended(run)
            if error is not None:
                reason = await self._poller.failed(conn.id, error, None)
                name = self._apps[conn.app].name
                reason = self._runtime.log.redact(reason)
                troubles.append(Trouble(name, conn.entity.name, "polling", reason))

        async with anyio.create_task_group() as group:
            for conn in self._polled():
                if conn.app in self._runtime.ownership:
                    group.start_soon(one, conn)
        return sum(found)

    # ── both ──────────────────────────────────────────────────────────────────────────────────

    async def _ended(self, run: Callable[[], Awaitable[Any]]) -> BaseException | None:
        """What `run()` has failed with. Raises what really must end everything."""
        error = await ending(run)
        if error is not None and _is_fatal(error):
            raise error
        return error

    def _refuse(self, apps: set[int]) -> None:
        """Raises LeaseHeld when another process works for one of these applications."""
        for app, owner in self._runtime.ownership.elsewhere().items():
            if app in apps:
                raise LeaseHeld(
                    f"the handlers of {self._apps[app].name} run in process {owner}; stop it, or "
                    f"wait: it holds a lease, renewed for as long as it lives"
                )


def _in_the_program() -> None:
    """Raises BadInput in a worker process: there it is the program's file that works, while it is read."""
    if is_worker():
        raise BadInput(
            "a worker process has read the program's file, which serves or pumps as it is read: put what serves behind "
            "`if __name__ == '__main__':`"
        )


def _is_fatal(error: BaseException) -> bool:
    return isinstance(error, _FATAL)


async def _judge_held(receiver: Receiver, conn: Conn) -> None:
    """Echoes that waited for a receipt can be judged now."""
    await receiver.replay(conn, "held")


def _hosted(app: App) -> Hosted:
    """What the dispatcher needs of an application."""
    return Hosted(
        app.runtime, app.tenant, app.handlers, lambda: str(app.config["overlap"]),
        app.on_processed, partial(Message, app),
    )  # fmt: skip
