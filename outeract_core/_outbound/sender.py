"""Out: finds lanes with due rows, and has each worked off in order while its claim lives.

Knows: rounds and lanes, how many at once, who holds what.
Does not know: what is done for a row (`attempt.py`), requests, platforms, what was said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import anyio
import anyio.lowlevel

from .._domain.rules.pacing import Pace
from .._domain.values.ids import SHIFT, app_of, jitter
from .._domain.values.sinks import worded
from .._io.heartbeat import LEASE, Heartbeat
from .._io.processes.supervisor import ending
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.transfer import copies
from .._store.writing import claims, outbox
from .._store.writing.claims import LANES, Row
from .attempt import Attempts
from .resting import SENDING, Resting
from .settle import LATEST, Settle

_LONGEST = 1.0
"""Seconds after which work is looked for again, whatever is known of it."""
_FREE_EVERY = 10_000
"""Milliseconds between two looks for processes that are gone."""


class Sender:
    """`step()` sends what is due; `run()` does so until it is cancelled."""

    def __init__(self, runtime: Runtime, settled: Callable[[Conn], Awaitable[None]]) -> None:
        self._runtime = runtime
        self._heart = Heartbeat(
            runtime.steady, self._renew, partial(runtime.log.warning, "outbound")
        )
        pace, self._resting = Pace(), Resting(runtime.rests)
        self._settle = Settle(runtime, pace, settled)
        self._seen = 0
        self._attempts = Attempts(runtime, self._heart, pace, self._settle)
        self.report = self._settle.report

    # ── rounds ────────────────────────────────────────────────────────────────────────────────

    async def step(self, ended: list[int] | None = None) -> int:
        """Send everything that is due now; the number of rows that were taken up.

        `ended` is told the keys of the messages that have come to their end. What stopped one lane
        stops no other, and is raised afterwards.
        """
        broke: list[BaseException] = []
        lanes = await self._claim(LANES)
        if not lanes:
            return 0
        async with anyio.create_task_group() as beating:
            beating.start_soon(self._heart.run)
            async with anyio.create_task_group() as group:
                for rows in lanes:
                    group.start_soon(self._lane, rows, ended, broke.append)
            beating.cancel_scope.cancel()
        if broke:
            raise broke[0]
        return sum(map(len, lanes))

    async def run(self) -> None:
        """Send as things fall due. Slow lanes do not hold up the others."""
        await self.free_the_dead()
        freed = self._runtime.steady()
        async with anyio.create_task_group() as group:
            group.start_soon(self._heart.run)
            while True:
                if self._runtime.steady() - freed > _FREE_EVERY:
                    await self.free_the_dead()
                    freed = self._runtime.steady()
                heard = self._runtime.heard("outbox")
                lanes = await self._claim(LANES - len(self._resting.lanes))
                for rows in lanes:
                    group.start_soon(self._lane, rows)
                if not lanes:
                    await self._runtime.wait("outbox", self._pause(), heard)

    async def free_the_dead(self) -> None:
        """Rows leased to processes that are gone need not wait for their lease to end.

        In a copy, what was queued when it was made may have been sent since.
        """
        if self._runtime.database.read(copies.is_fresh):
            await self._runtime.write(copies.settle, app=None)  # of a file that was copied
        if self._runtime.database.read(lambda tx: claims.is_ahead(tx, LATEST)):
            await self._runtime.write(lambda tx: claims.cut(tx, LATEST), app=None)  # one clock
        for owner in self._runtime.database.read(outbox.owners):
            if self._runtime.liveness.gone(owner):
                unit = partial(claims.release_owner, owner=owner)
                await self._runtime.write(unit, app=None)  # all that it held

    async def _claim(self, lanes: int) -> list[list[Row]]:
        """Rows by lane; nothing is written where there is nothing to claim."""
        await self._look_at_the_clock()
        shares, held = self._shares(), self._resting.lanes
        if lanes <= 0 or not self._runtime.database.read(
            lambda tx: claims.any_due(tx, shares, held)
        ):
            return []
        owner, asked = self._runtime.owner, self._runtime.steady()
        with self._runtime.grace.held():  # what is claimed and then forgotten waits for minutes
            claimed: list[list[Row]] = await self._runtime.write(
                lambda tx: claims.claim(tx, owner, shares, LEASE, held, lanes),
                app=None,  # a share of each connection
            )
        for rows in claimed:
            self._resting.take(rows[0].lane, rows[0].conn)
            self._heart.hold((row.id for row in rows), asked)
        return claimed

    async def _look_at_the_clock(self) -> None:
        """Set back, it must not hold up what was to leave at once: order does not follow the clock."""
        now, seen = self._runtime.now(), self._seen
        self._seen = now
        if now < seen:
            await self._runtime.write(lambda tx: claims.cut(tx, LATEST), app=None)  # one clock

    def _shares(self) -> dict[int, int]:
        """The connections whose rows may be taken up, and how many lanes of each."""
        ownership = self._runtime.ownership
        mine = (conn.id for conn in self._runtime.conns() if conn.app in ownership)
        return self._resting.shares(mine, LANES)

    def _pause(self) -> float:
        due, rest = (
            self._runtime.database.read(outbox.next_later),
            self._runtime.rests.ends(SENDING),
        )
        waits = [_LONGEST if due is None else (due - self._runtime.now()) / 1000]
        waits += [] if rest is None else [rest / 1000]
        return min(max(min(waits), 0.02), _LONGEST)

    # ── one lane ──────────────────────────────────────────────────────────────────────────────

    async def _lane(
        self, rows: list[Row], ended: list[int] | None = None,
        broke: Callable[[BaseException], None] | None = None,
    ) -> None:  # fmt: skip
        """The rows of one conversation, in order; the first that must wait stops the rest.

        A row that was taken up is carried to its end, also when the sender is told to stop: as long as
        the grace lasts. One that is given up then stays as the disk has it, and nobody holds it.
        """
        left = list(rows)
        try:
            error = await ending(partial(self._work_off, left, [] if ended is None else ended))
            if error is not None:
                told = self._runtime.log.redact(worded(error))
                self._runtime.troubles.add(rows[0].conn, SENDING, told)
                (broke or partial(self._broke, rows[0].conn, told))(error)
        finally:
            await self._give_back(rows, left)

    async def _work_off(self, left: list[Row], ended: list[int]) -> None:
        app, ownership, going = left[0].lane >> SHIFT, self._runtime.ownership, True
        while left and going and app in ownership:
            row = left[0]
            with ownership.work(app), self._runtime.grace.held():
                going = await self._attempts.carry(row)
                del left[0]
            if going and row.verb == "send" and row.event is not None:
                ended.append(row.event)
            if left:
                await anyio.lowlevel.checkpoint_if_cancelled()

    def _broke(self, conn: int, told: str, error: BaseException) -> None:
        """A settlement could not be written, or we have erred: its connection rests, others go on."""
        self._runtime.rests.trouble(SENDING, conn, jitter(), told)
        text = f"connection {conn}: a lane has stopped, and is tried again: {type(error).__name__}"
        self._runtime.log.error("outbound", text, error)

    async def _give_back(self, rows: list[Row], left: list[Row]) -> None:
        try:
            if left:
                with self._runtime.grace.held():
                    app = app_of(left[0].id)
                    await self._runtime.write(partial(claims.release, rows=left), app=app)
        finally:
            self._heart.let_go(row.id for row in rows)
            self._resting.leave(rows[0].lane)
            self._runtime.wake("outbox")

    async def _renew(self, keys: Sequence[int]) -> list[int]:
        owner = self._runtime.owner
        unit = partial(claims.renew, keys=keys, owner=owner, lease=LEASE)
        return await self._runtime.write(unit, app=None)  # all that this process holds
