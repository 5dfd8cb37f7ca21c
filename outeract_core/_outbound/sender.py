"""Out: claims outbox rows, carries them through their adapter's flow, settles what came of it.

Knows: the order claim → begin → request → settle, and what each kind of error leads to.
Does not know: requests (`_io/http.py`), platforms, what was said.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from attrs import evolve

from .._domain.rules.delivery import ATTEMPTS, backoff
from .._domain.rules.pacing import Pace, Rate
from .._domain.values.ids import jitter
from .._io.leases import is_dead
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.transfer import copies
from .._store.writing import claims, outbox, tenants
from .._store.writing.claims import Row
from ..adapter import Adapter, Sent
from ..errors import (
    Ambiguous,
    LeaseLost,
    MissingSecret,
    OuteractError,
    Rejected,
    SendError,
    StoreError,
    Throttled,
    Transient,
    Unauthorised,
    UnknownPlatform,
    Unsupported,
)
from .outgoing import IDEMPOTENT, flow, outgoing

LEASE = 120_000
LANES = 100
_OFFLINE = 60_000
_COURTESIES = ("mark_read", "typing", "answer")
"""What is no failure where the platform has no such thing (a read receipt in a group, say)."""
_SPOKEN = ("send", "edit")
"""What a chat's pace counts; the pace of a connection counts every request."""
_UNAUTHORISED = 300_000
_LEFT = "the program ended between the request and its receipt, or this is a copy of its file"


class Sender:
    """`step()` sends what is due; `run()` does so until it is cancelled."""

    def __init__(self, runtime: Runtime, settled: Callable[[Conn], Awaitable[None]]) -> None:
        self._runtime = runtime
        self._settled = settled
        self._pace = Pace()
        self._busy = 0

    # ── rounds ────────────────────────────────────────────────────────────────────────────────

    async def step(self) -> int:
        """Send everything that is due now; the number of rows that were taken up."""
        lanes = await self._claim(LANES)
        async with anyio.create_task_group() as group:
            for rows in lanes:
                group.start_soon(self._lane, rows)
        return sum(map(len, lanes))

    async def run(self) -> None:
        """Send as things fall due. Slow lanes do not hold up the others."""
        await self.free_the_dead()
        async with anyio.create_task_group() as group:
            while True:
                lanes = await self._claim(LANES - self._busy) if self._busy < LANES else []
                for rows in lanes:
                    self._busy += 1
                    group.start_soon(self._counted, rows)
                if not lanes:
                    await self._runtime.wait("outbox", self._pause())

    async def free_the_dead(self) -> None:
        """Rows leased to processes that are gone need not wait for their lease to end.

        In a copy, what was queued when it was made may have been sent since.
        """
        if self._runtime.database.read(copies.is_fresh):
            await self._write(copies.settle)
        for owner in self._runtime.database.read(outbox.owners):
            if is_dead(owner):
                await self._write(partial(outbox.release_owner, owner=owner))

    async def _counted(self, rows: list[Row]) -> None:
        try:
            await self._lane(rows)
        finally:
            self._busy -= 1
            self._runtime.wake("outbox")

    async def _claim(self, lanes: int) -> list[list[Row]]:
        if self._runtime.database.read(outbox.next_due) is None:
            return []
        owner = self._runtime.owner
        with anyio.CancelScope(shield=True):  # what is claimed and then forgotten waits for minutes
            claimed: list[list[Row]] = await self._write(
                lambda tx: claims.claim(tx, owner, lanes, LEASE)
            )
        return claimed

    def _pause(self) -> float:
        due = self._runtime.database.read(outbox.next_due)
        seconds = 1.0 if due is None else (due - self._runtime.now()) / 1000
        return min(max(seconds, 0.02), 1.0)

    # ── one lane, one row ─────────────────────────────────────────────────────────────────────

    async def _lane(self, rows: list[Row]) -> None:
        """The rows of one conversation, in order; the first that must wait stops the rest."""
        owner = self._runtime.owner
        for index, row in enumerate(rows):
            with anyio.CancelScope(shield=True):
                on = await self._row(row)
            if not on:
                rest = rows[index + 1 :]
                await self._write(partial(outbox.release, rows=rest, owner=owner))
                return

    async def _row(self, row: Row) -> bool:
        """Whether the lane may go on."""
        conn = self._runtime.conn(row.conn)
        try:
            adapter = self._runtime.adapter(conn)
            if row.expires is not None and self._runtime.now() > row.expires and row.done == 0:
                return await self._end(
                    conn, row, "message.cancelled", "it expired before it was sent"
                )
            if row.state == "sending":
                left = await self._resolved(conn, row)
                if left is None:
                    return True
                row = left
            delay = self._pace.reserve(_rates(adapter, row), self._runtime.steady())
            if delay:
                return await self._later(row, delay, outbox.PACED)
            await self._attempt(conn, adapter, row)
        except LeaseLost:
            return False
        except (UnknownPlatform, MissingSecret, StoreError) as error:
            return await self._untouched(row, str(error))
        except OuteractError as error:
            return await self._failed(conn, row, error)
        except Exception:
            reason = f"the adapter broke: {traceback.format_exc(limit=-3)}"
            return await self._end(conn, row, "message.unknown", reason)
        return True

    async def _attempt(self, conn: Conn, adapter: Adapter, row: Row) -> None:
        owner = self._runtime.owner
        await self._write(lambda tx: outbox.begin(tx, row, owner, LEASE))
        if row.verb != "send":
            if not row.sandbox:
                await self._runtime.http.run(flow(adapter, row, self._runtime.folder), by=row.conn)
            await self._done(conn, row, 0, Sent(None))
            return
        parts = len(row.parts["parts"])
        for part in range(row.done, parts):
            if part > row.done:
                for rate in _rates(adapter, row):
                    self._pace.spend(rate, self._runtime.steady())
            await self._done(conn, row, part, await self._send(adapter, row, part))
        await self.report(conn, "active", "a message was accepted")

    async def _send(self, adapter: Adapter, row: Row, part: int) -> Sent:
        message = outgoing(row, part, self._runtime.folder)
        if row.sandbox:
            return Sent(f"sandbox:{message.token}")
        return await self._runtime.http.run(adapter.send(message), by=row.conn)

    async def _done(self, conn: Conn, row: Row, part: int, sent: Sent) -> None:
        names = (() if sent.external_id is None else (sent.external_id,)) + sent.aliases
        owner = self._runtime.owner
        held = await self._write(
            lambda tx: outbox.part_done(tx, conn, row, owner, part, names, sent.address, LEASE)
        )
        if held:
            await self._settled(conn)

    # ── what may go wrong ─────────────────────────────────────────────────────────────────────

    async def _failed(self, conn: Conn, row: Row, error: OuteractError) -> bool:
        if isinstance(error, Throttled):
            return await self._throttled(conn, row, error)
        if isinstance(error, Unauthorised):
            await self.report(conn, "unauthorised", error.reason)
            return await self._later(row, _UNAUTHORISED, error.reason)
        if isinstance(error, Ambiguous) and not self._harmless(conn, row):
            return await self._unknown(conn, row, error.reason)
        if isinstance(error, Transient | Ambiguous):
            return await self._again(conn, row, error)
        if isinstance(error, Unsupported) and row.verb in _COURTESIES:
            await self._write(partial(outbox.drop, row=row))
            return True
        code = error.code if isinstance(error, SendError) else None
        if isinstance(error, Rejected | Unsupported | SendError):
            return await self._end(conn, row, "message.failed", str(error), code)
        return await self._untouched(row, str(error))

    async def _throttled(self, conn: Conn, row: Row, error: Throttled) -> bool:
        seconds = error.after if error.after is not None else backoff(row.attempt + 1, jitter())
        until = self._runtime.steady() + int(seconds * 1000)
        self._pace.hold(conn.id if error.scope == "connection" else (conn.id, row.lane), until)
        return await self._later(row, int(seconds * 1000), error.reason)

    async def _again(self, conn: Conn, row: Row, error: SendError) -> bool:
        if row.attempt + 1 >= ATTEMPTS:
            reason = f"given up after {row.attempt + 1} attempts: {error.reason}"
            return await self._end(conn, row, "message.failed", reason, error.code)
        seconds = backoff(row.attempt + 1, jitter())
        return await self._later(row, int(seconds * 1000), error.reason)

    async def _unknown(self, conn: Conn, row: Row, reason: str) -> bool:
        """Not known whether it arrived: look if the platform can tell, else say so; never twice."""
        adapter = self._runtime.adapter(conn)
        find = getattr(adapter, "find", None)
        if adapter.manifest.idempotency != "reconcile" or find is None:
            text = f"it may or may not have arrived and was not sent again: {reason}"
            return await self._end(conn, row, "message.unknown", text)
        try:
            sent = await self._runtime.http.run(
                find(outgoing(row, row.done, self._runtime.folder)), by=row.conn
            )
        except SendError as error:
            return await self._later(row, int(backoff(row.attempt + 1, 0.5) * 1000), error.reason)
        if sent is None:
            return await self._later(row, 1000, reason)
        await self._done(conn, row, row.done, sent)
        return True

    async def _resolved(self, conn: Conn, row: Row) -> Row | None:
        """A row that was left while sending: what of it may be attempted, or None."""
        if row.done in row.receipts:  # its echo or status has told us meanwhile
            await self._done(conn, row, row.done, Sent(None))
            left = row.done + 1 < len(row.parts.get("parts", ()))
            return evolve(row, done=row.done + 1) if left else None
        if self._harmless(conn, row) or row.sandbox:
            return row
        await self._unknown(conn, row, _LEFT)
        return None

    def _harmless(self, conn: Conn, row: Row) -> bool:
        native = self._runtime.adapter(conn).manifest.idempotency == "native"
        return native or row.verb in IDEMPOTENT

    # ── settling ──────────────────────────────────────────────────────────────────────────────

    async def _untouched(self, row: Row, error: str) -> bool:
        """Later, and as it was: a row that may have been sent stays one that may have been sent."""
        due = self._runtime.now() + _OFFLINE
        await self._write(lambda tx: outbox.postpone(tx, row, due, error))
        return False

    async def _later(self, row: Row, delay: int, error: str) -> bool:
        due = self._runtime.now() + delay
        await self._write(lambda tx: outbox.retry(tx, row, due, error))
        return False

    async def _end(
        self, conn: Conn, row: Row, kind: str, reason: str, code: str | None = None
    ) -> bool:
        await self._write(lambda tx: outbox.end(tx, conn, row, kind, reason, code))
        self._runtime.wake("handlers")
        return True

    async def report(self, conn: Conn, status: str, reason: str) -> None:
        """A connection's state has changed, or is as it was."""
        if self._runtime.conn(conn.id).entity.status == status:
            return
        await self._write(lambda tx: tenants.set_status(tx, conn, status, reason))
        self._runtime.reload()

    async def _write(self, unit: Callable[[Any], Any]) -> Any:
        return await self._runtime.write(unit)


def _rates(adapter: Adapter, row: Row) -> tuple[Rate, Rate]:
    """What a request of this row takes a place of: its connection's pace, and its chat's."""
    manifest = adapter.manifest
    chat = manifest.pace_chat if row.verb in _SPOKEN else 0.0
    return Rate(row.conn, manifest.pace_connection, strict=True), Rate((row.conn, row.lane), chat)
