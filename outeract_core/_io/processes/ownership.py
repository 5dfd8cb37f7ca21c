"""Which applications this process works for: by leases, shared fairly with other processes.

Knows: when leases are renewed, that work in hand is ended before an application is handed over.
Does not know: what the work is, the rule of sharing (`_domain/rules/sharing.py`), statements.

Handlers, the sender, downloads, polls and retention ask here before they begin something. An owner
that has died is replaced within a second where that can be seen, else when its lease has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Protocol

import anyio

from ..._store.leases import ownership
from ..._store.leases.ownership import Asking, Settled, Standing
from ..._store.writing.tenants import APPLICATIONS
from ...errors import StoreClosed, StoreError
from ..database import Database
from ..log import Log
from .liveness import Liveness
from .shutdown import first

TTL, RENEW, LOOK = 30_000, 10_000, 1_000
"""Milliseconds that a lease lasts, after which it is renewed, after which one looks for changes."""
_TICK = 0.25


class Open(Protocol):
    """What ownership needs of an open file."""

    database: Database
    liveness: Liveness
    log: Log
    steady: Callable[[], int]

    @property
    def owner(self) -> str:
        """The name of this process under a lease."""
        ...

    def wake(self, *work: str) -> None:
        """There is work of these kinds, or of all."""

    def heard(self, kind: str) -> int:
        """How often there was work of this kind."""
        ...

    async def wait(self, kind: str, seconds: float, heard: int) -> None:
        """Until there is work of this kind since it was `heard`."""


class Work:
    """A piece of work in hand, for as long as one is in it. One for each turn, so it is a plain class."""

    __slots__ = ("_app", "_ownership")

    def __init__(self, ownership: Ownership, app: int) -> None:
        self._ownership, self._app = ownership, app

    def __enter__(self) -> None:
        self._ownership.begun(self._app)

    def __exit__(self, *_: object) -> None:
        self._ownership.done(self._app)


class Ownership:
    """One per core. `app in ownership`: whether new work for that application may begin here.

    able   what this process can do for which application, as it is now.

    Outside of a session nothing is shared: who calls a worker by hand, works for all.
    """

    able: Callable[[], Mapping[int, int]]

    def __init__(self, runtime: Open) -> None:
        self.able = dict
        self._runtime = runtime
        self._terms: dict[int, int] = {}
        self._count = count(1)
        self._leaving: frozenset[int] = frozenset()
        self._hands: Counter[int] = Counter()
        self._until = self._renew_at = self._look_at = 0
        self._said: Mapping[int, int] = {}
        self._serving = self._sessions = 0
        self._beating = False
        self._all = False
        self._seen: dict[str, tuple[int, int]] = {}

    # ── what is asked ─────────────────────────────────────────────────────────────────────────

    def __contains__(self, app: int) -> bool:
        if not self._sessions:
            return True
        return app in self._terms and app not in self._leaving and self._lasts()

    @property
    def only(self) -> list[int] | None:
        """The applications that work may begin for; None: all that there are in the file."""
        if not self._sessions or (self._all and not self._leaving and self._lasts()):
            return None
        return [app for app in self._terms if app in self]

    def term(self, app: int) -> int:
        """A number that is another one each time that the application was taken anew; 0: not held."""
        return self._terms.get(app, 0)

    def work(self, app: int) -> Work:
        """Work in hand, as a context: the application is not handed over before it is done."""
        return Work(self, app)

    def begun(self, app: int) -> None:
        """There is one more piece of work in hand."""
        self._hands[app] += 1

    def done(self, app: int) -> None:
        """One piece of work has come to its end."""
        self._hands[app] -= 1
        if app in self._leaving and not self._hands[app]:
            self._runtime.wake("ownership")

    def lost(self, app: int) -> None:
        """Another process has it, as a commit has shown."""
        self._terms.pop(app, None)
        self._all = False
        self._look_at = 0

    def elsewhere(self) -> dict[int, str]:
        """Applications that another living process works for, and its name."""
        held = self._standing().owners()
        return {app: owner for app, owner in held.items() if owner != self._runtime.owner}

    # ── sessions ──────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def session(self, *, serving: bool) -> AsyncIterator[None]:
        """Hold what there is to hold while it lasts: as one that serves, or that works once."""
        self._sessions += 1
        self._serving += serving
        try:
            await self._beat()
            async with anyio.create_task_group() as group:
                group.start_soon(self._keep)
                yield
                group.cancel_scope.cancel()
        except BaseExceptionGroup as error:
            raise first(error) from None
        finally:
            self._sessions -= 1
            self._serving -= serving
            self._look_at = 0
            if not self._sessions:
                with anyio.CancelScope(shield=True):
                    await self._give_up()

    @property
    def in_session(self) -> bool:
        """Whether anybody in this process works now."""
        return bool(self._sessions)

    def changed(self) -> None:
        """What this process can do has changed, or what there is in the file."""
        self._all, self._look_at = False, 0
        self._runtime.wake("ownership")

    def close(self) -> None:
        """Hand everything back at once, in whatever state this is left. Never raises."""
        if self._terms or self._said:
            try:
                owner = self._runtime.owner
                unit = partial(ownership.release, owner=owner)
                self._runtime.database.write_now(unit, app=None)  # it leaves all that it holds
            except StoreError:
                pass
        self._forget()
        self._runtime.liveness.close()

    async def _give_up(self) -> None:
        owner = self._runtime.owner
        try:
            unit = partial(ownership.release, owner=owner)
            await self._runtime.database.write(unit, app=None)  # it leaves all that it holds
        except StoreClosed:  # whoever closes it hands everything back
            pass
        except StoreError as error:
            text = f"leases could not be handed back, and end by themselves: {error}"
            self._runtime.log.warning("ownership", text)
        self._forget()
        self._runtime.liveness.let_go()

    def _forget(self) -> None:
        self._terms.clear()
        self._leaving = frozenset()
        self._said, self._all = {}, False
        self._until = 0

    # ── keeping ───────────────────────────────────────────────────────────────────────────────

    async def _keep(self) -> None:
        """Renew, take and hand over as it becomes due, until cancelled."""
        heard = self._runtime.heard("ownership")
        while True:
            await self._runtime.wait("ownership", _TICK, heard)
            heard = self._runtime.heard("ownership")
            try:
                if not self._beating and self._due():
                    await self._beat()
            except StoreError as error:
                self._renew_at = self._look_at = self._runtime.steady() + LOOK
                self._runtime.log.warning("ownership", f"leases could not be renewed: {error}")

    def _due(self) -> bool:
        now = self._runtime.steady()
        if now >= self._renew_at or any(not self._hands[app] for app in self._leaving):
            return True
        if now < self._look_at:
            return False
        self._look_at = now + LOOK
        asking = self._asking()
        found = self._standing(asking)
        plan = ownership.shares(found, asking)
        mine = {app for app, owner in found.owners().items() if owner == self._runtime.owner}
        changed = bool(plan.take or found.stale) or plan.leave != self._leaving
        self._all = set(found.apps) <= mine
        return changed or mine != set(self._terms) or (asking.serving and asking.able != self._said)

    async def _beat(self) -> None:
        """Renew, take and hand over in one commit."""
        while self._beating:
            await self._runtime.wait("beat", _TICK, self._runtime.heard("beat"))
        self._beating = True
        try:
            self._runtime.liveness.hold()
            asked, asking = self._runtime.steady(), self._asking()
            idle = [app for app in self._terms if not self._hands[app]]
            unit = partial(ownership.settle, asking=asking, ttl=TTL, idle=idle)
            with anyio.CancelScope(shield=True):
                database = self._runtime.database
                done = await database.write(unit, app=None)  # all are divided at once
                self._note(asked, asking, done)
        finally:
            self._beating = False
            self._runtime.wake("beat")

    def _named(self, lost: set[int]) -> list[str]:
        """The applications as a person knows them."""
        try:
            rows = self._runtime.database.read(lambda tx: tx.all(APPLICATIONS))
        except StoreError:
            return [f"application {key}" for key in sorted(lost)]
        return [f"{organisation}/{name}" for key, name, organisation in rows if key in lost]

    def _note(self, asked: int, asking: Asking, settled: Settled) -> None:
        known = self._lasts()
        lost = set(self._terms) - settled.kept - self._leaving
        kept = {app: self._terms.get(app) or next(self._count) for app in settled.kept}
        self._terms = kept | {app: next(self._count) for app in settled.taken}
        self._leaving, self._all = settled.leaving, settled.all
        self._said = dict(asking.able) if asking.serving else {}
        self._until, self._renew_at, self._look_at = asked + TTL, asked + RENEW, asked + LOOK
        if lost:
            text = (
                f"other processes had taken over {', '.join(self._named(lost))} of this one, which was "
                "away for longer than its lease"
            )
            self._runtime.log.warning("ownership", text)
        if settled.taken or not known:
            self._runtime.wake()

    # ── who there is ──────────────────────────────────────────────────────────────────────────

    def _lasts(self) -> bool:
        return self._runtime.steady() < self._until

    def _standing(self, asking: Asking | None = None) -> Standing:
        asking = asking or self._asking()
        return self._runtime.database.read(partial(ownership.standing, asking=asking))

    def _asking(self) -> Asking:
        found = self._runtime.database.read(ownership.owners)
        others = {owner for owner, _until in found if owner != self._runtime.owner}
        gone = frozenset(owner for owner in others if self._runtime.liveness.gone(owner))
        return Asking(
            self._runtime.owner, dict(self.able()), self._serving > 0, gone, self._stuck(found)
        )

    def _stuck(self, found: list[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Leases that were not renewed for a whole lease, whatever has become of the time of day."""
        now, seen = self._runtime.steady(), self._seen
        self._seen = {
            owner: seen[owner] if owner in seen and seen[owner][0] == until else (until, now)
            for owner, until in found
        }
        return frozenset(
            (owner, until) for owner, (until, since) in self._seen.items() if now - since >= TTL
        )
