"""Asks platforms for what is new, for connections without a webhook (`poll=True`).

Knows: that one process polls a connection, that its state is told.
Does not know: what a poll brings (`receiver.py`), pauses after a failure (`_io/processes/supervisor.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from .._domain.values.sinks import plainly
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from ..errors import MissingSecret, StoreError, Unauthorised
from .quotas import EVENTS, held_back
from .receiver import Receiver

WAIT = 25.0
"""Seconds that a platform may hold an answer back until there is something new."""

POLLING = "polling"
"""What rests are of."""

Report = Callable[[Conn, str, str], Awaitable[None]]


class Poller:
    """`report`: is told the state of a connection, when it may have changed."""

    def __init__(self, runtime: Runtime, receiver: Receiver, report: Report) -> None:
        self._runtime = runtime
        self._receiver = receiver
        self._report = report

    async def poll(self, number: int, wait: float = WAIT) -> int:
        """Ask once; the number of new events. It is broken off when the application is handed over."""
        conn, ownership = self._runtime.conn(number), self._runtime.ownership
        heard = self._runtime.heard("poll")
        polls = conn.entity.config.get("poll") and not conn.disabled
        if conn.app not in ownership or not polls:
            await self._runtime.wait("poll", 1.0, heard)
            return 0
        over = await held_back(self._runtime, conn.app, EVENTS)
        if over:
            await self._runtime.wait("poll", min(over, wait, 1.0), heard)
            return 0
        found = 0
        with ownership.work(conn.app):
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_left, conn.app, group.cancel_scope)
                found = await self._receiver.poll(conn, wait)
                group.cancel_scope.cancel()
        self._runtime.rests.works(POLLING, number)
        if conn.app in ownership:
            await self._report(conn, "active", "polling works")
        return found

    async def pause(self, number: int, seconds: float) -> None:
        """So long, or until other credentials are there, or the host has changed the connection."""
        runtime = self._runtime
        with anyio.move_on_after(seconds):
            heard = runtime.heard("poll")
            while runtime.rests.holds(POLLING, number):
                await runtime.wait("poll", seconds, heard)
                heard = runtime.heard("poll")

    async def failed(self, number: int, error: BaseException, pause: float | None) -> str:
        """Polling has failed: told as the connection's state, and in the log. What was told."""
        conn = self._runtime.conn(number)
        reason = self._runtime.log.redact(f"polling: {plainly(error)}")
        if pause is not None:
            waits, delay = isinstance(error, Unauthorised | MissingSecret), int(pause * 1000)
            self._runtime.rests.begin(POLLING, number, delay, reason, credentials=waits)
        then = "" if pause is None else f"; again in {pause:.0f} s"
        text = f"connection {conn.entity.name} ({conn.platform}): {reason}{then}"
        self._runtime.log.warning("inbound", text, error)
        if isinstance(error, StoreError):
            return reason  # it is the file's trouble, and says nothing of the connection
        refused = isinstance(error, Unauthorised)
        await self._report(conn, "unauthorised" if refused else "unreachable", reason)
        return reason

    async def _until_left(self, app: int, scope: anyio.CancelScope) -> None:
        heard = self._runtime.heard("leaving")
        while app in self._runtime.ownership:
            await self._runtime.wait("leaving", 1.0, heard)
            heard = self._runtime.heard("leaving")
        scope.cancel()
