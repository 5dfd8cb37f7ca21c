"""Asks platforms who their people and places are, in the background, a little at a time.

Knows: claim → ask → settle; how fast one connection is asked, and when it is left alone.
Does not know: platforms, requests, whom to ask of (`_store/leases/profiles.py`).

No turn waits for it: a handler sees the name that is known when it runs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from .._domain.rules.delivery import ATTEMPTS, backoff
from .._domain.rules.guard import guarded
from .._domain.rules.pacing import Pace, Rate
from .._domain.values.ids import app_of, jitter
from .._domain.values.sinks import worded
from .._io import forgetting
from .._io.heartbeat import LEASE
from .._io.runtime import Runtime
from .._store.leases import profiles
from .._store.leases.profiles import Asked
from .._store.records.conn import Conn
from ..adapter import CanProfile, Recipient
from ..errors import (
    MissingSecret,
    OuteractError,
    Rejected,
    Throttled,
    Unauthorised,
    UnknownPlatform,
    Unsupported,
)
from ..exchange import Profile

INTERVAL = 1.0
"""Seconds between two questions of one connection; one that was quiet may ask five at once."""
_OFFLINE = 60.0


class Profiles:
    """`step()` asks what may be asked now; `run()` does so until it is cancelled."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pace = Pace()
        self._under_way: set[int] = set()

    async def step(self) -> int:
        """Ask what may be asked now; the number of platform users that were asked of."""
        total = 0
        while claimed := await self._claim():
            async with anyio.create_task_group() as group:
                for asked in claimed:
                    group.start_soon(self._held, asked)
            total += len(claimed)
        return total

    async def run(self) -> None:
        """Ask as it falls due. A slow platform holds up nobody but its own connection."""
        async with anyio.create_task_group() as group:
            while True:
                heard = self._runtime.heard("profiles")
                for asked in await self._claim():
                    group.start_soon(self._held, asked)
                await self._runtime.wait("profiles", INTERVAL, heard)

    # ── whom ──────────────────────────────────────────────────────────────────────────────────

    async def _claim(self) -> list[Asked]:
        """One platform user of each connection that may ask now."""
        free = {conn.id: _pictures(conn) for conn in self._runtime.conns() if self._may_ask(conn)}
        if not free or not self._runtime.database.read(lambda tx: profiles.any_due(tx, free)):
            return []
        owner = self._runtime.owner
        with self._runtime.grace.held():
            claimed: list[Asked] = await self._runtime.write(
                lambda tx: profiles.claim(tx, owner, free, LEASE),
                app=None,  # one of each connection
            )
        self._under_way |= {asked.conn for asked in claimed}
        for asked in claimed:
            self._pace.reserve([_rate(asked.conn)], self._runtime.steady())
        return claimed

    def _may_ask(self, conn: Conn) -> bool:
        if conn.id in self._under_way or conn.app not in self._runtime.ownership:
            return False
        if conn.app_config["profiles"] == "disabled" or conn.disabled or _revoked(conn):
            return False
        return not self._pace.delay([_rate(conn.id)], self._runtime.steady()) and self._can(conn)

    def _can(self, conn: Conn) -> bool:
        try:
            return isinstance(self._runtime.adapter(conn), CanProfile)
        except OuteractError:  # told where the connection is used; the others are asked meanwhile
            return False

    # ── one ───────────────────────────────────────────────────────────────────────────────────

    async def _held(self, asked: Asked) -> None:
        """One question, whose lease outlives it; cancelled, it is given back unasked."""
        conn = self._runtime.conn(asked.conn)
        try:
            with self._runtime.ownership.work(conn.app):
                await self._one(conn, asked)
        except anyio.get_cancelled_exc_class():
            with self._runtime.grace.held():
                await self._later(asked, 0, None)
            raise
        finally:
            self._under_way.discard(asked.conn)

    async def _one(self, conn: Conn, asked: Asked) -> None:
        try:
            told = await self._ask(conn, asked)
        except (UnknownPlatform, MissingSecret):
            self._rest(conn, _OFFLINE)
            await self._later(asked, 0, None)
        except Unauthorised as error:
            await self._forbidden(conn, asked, str(error))
        except (Rejected, Unsupported) as error:
            await self._refused(conn, asked, str(error))
        except OuteractError as error:
            await self._again(conn, asked, error)
        except Exception as error:
            await self._again(conn, asked, OuteractError(worded(error)))
        else:
            await self._learnt(conn, asked, told)

    async def _ask(self, conn: Conn, asked: Asked) -> Profile:
        adapter: Any = self._runtime.adapter(conn)
        of = Recipient(asked.external_id, asked.address, asked.kind)
        with guarded:
            flow = adapter.profile(of)
        told = await self._runtime.http.run(flow, by=conn.id)
        if not isinstance(told, Profile):
            raise Rejected(f"the adapter told {type(told).__name__} where a Profile is expected")
        return told

    async def _learnt(self, conn: Conn, asked: Asked, told: Profile) -> None:
        wanted = _pictures(conn)
        outdated = await self._runtime.write(
            lambda tx: profiles.learnt(tx, conn, asked, told, pictures=wanted), app=conn.app
        )
        if outdated:
            await forgetting.drop(self._runtime)
        if wanted and told.picture is not None:
            self._runtime.wake("files")

    async def _again(self, conn: Conn, asked: Asked, error: OuteractError) -> None:
        """The connection rests as long as this one waits: what fails once would fail for all."""
        if asked.attempt >= ATTEMPTS:
            reason = f"given up after {asked.attempt} attempts: {error}"
            await self._refused(conn, asked, reason)
            return
        seconds = error.after if isinstance(error, Throttled) else None
        if seconds is None:
            seconds = backoff(asked.attempt, jitter())
        self._rest(conn, seconds)
        await self._later(asked, int(seconds * 1000), str(error))

    def _rest(self, conn: Conn, seconds: float) -> None:
        self._pace.hold(conn.id, self._runtime.steady() + int(seconds * 1000))

    async def _later(self, asked: Asked, delay: int, reason: str | None) -> None:
        due = self._runtime.now() + delay
        reason = None if reason is None else self._runtime.log.redact(reason)
        app = app_of(asked.puser)
        await self._runtime.write(lambda tx: profiles.later(tx, asked, due, reason), app=app)

    async def _refused(self, conn: Conn, asked: Asked, reason: str) -> None:
        reason = self._runtime.log.redact(reason)
        unit = partial(profiles.refused, asked=asked, reason=reason)
        if await self._runtime.write(unit, app=conn.app):
            self._warn(conn, f"no profile of {asked.kind} {asked.external_id}: {reason}")

    async def _forbidden(self, conn: Conn, asked: Asked, reason: str) -> None:
        reason = self._runtime.log.redact(reason)
        unit = partial(profiles.forbidden, asked=asked, reason=reason)
        if await self._runtime.write(unit, app=conn.app):
            self._warn(
                conn, f"no profiles of the kind {asked.kind}; tried again in a day: {reason}"
            )

    def _warn(self, conn: Conn, text: str) -> None:
        self._runtime.log.warning("inbound", f"{conn.platform}/{conn.entity.name}: {text}")


def _rate(conn: int) -> Rate:
    return Rate(conn, INTERVAL)


def _pictures(conn: Conn) -> bool:
    return conn.app_config["profiles"] == "pictures"


def _revoked(conn: Conn) -> bool:
    return conn.entity.status == "revoked"
