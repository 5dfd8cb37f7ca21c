"""What becomes of an attempt: each way in which it can end has one settlement, fenced by the claim.

Knows: what each kind of error leads to, and that a row which may have been sent stays so.
Does not know: requests (`attempt.py`), how a settlement is written (`_store/writing/outbox.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any, TypeAlias, cast

from .._domain.rules.delivery import ATTEMPTS, backoff
from .._domain.rules.pacing import Pace
from .._domain.values.ids import app_of, jitter
from .._domain.values.sinks import worded
from .._io.database import Share
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.writing import outbox, tenants
from .._store.writing.claims import Row
from ..adapter import Sent
from ..driver import Tx
from ..errors import (
    Ambiguous,
    Failure,
    FileError,
    LeaseLost,
    OuteractError,
    Rejected,
    SendError,
    StoreError,
    Throttled,
    Transient,
    Unauthorised,
    Unreachable,
    Unsupported,
    failure_of,
)
from .leaving import Leaving
from .outgoing import IDEMPOTENT
from .resting import SENDING

_OFFLINE = 60_000
LATEST = 3_600_000
"""Milliseconds: nothing is ever asked to wait for longer, whatever a platform says; `not_before` is."""
_COURTESIES = ("mark_read", "typing", "answer")
"""What is no failure where the platform has no such thing (a read receipt in a group, say)."""


class After(Enum):
    """What follows for the lane: the row is gone, or it waits and so do those behind it."""

    GONE = "gone"
    WAITS = "waits"


Next: TypeAlias = Row | After
"""A row: its next part is to be tried at once."""


class Settle:
    """Settlements of claimed rows. All raise LeaseLost, having written nothing, when the claim is lost."""

    def __init__(
        self, runtime: Runtime, pace: Pace, settled: Callable[[Conn], Awaitable[None]]
    ) -> None:  # fmt: skip
        self._runtime = runtime
        self._pace = pace
        self._rests = runtime.rests
        self._waits: dict[int, str] = {}
        self._settled = settled

    # ── what is known ─────────────────────────────────────────────────────────────────────────

    async def done(self, conn: Conn, row: Row, sent: Sent) -> Next:
        """The part has its receipt."""
        names = _names(sent)
        part = outbox.Done(conn, row, names, sent.address)
        left, held = await self._runtime.write(Share(_done, part), app=conn.app, proof=True)
        if left is outbox.LOST:
            await self._runtime.write(
                lambda tx: outbox.late_receipt(tx, conn, row, names), app=conn.app, proof=True
            )
            raise LeaseLost(f"outbox row {row.id} was taken over while the platform answered")
        if held:
            await self._settled(conn)
        return After.GONE if left is None else cast("Row", left)

    async def known(self, conn: Conn, row: Row) -> Next:
        """An echo or a status has told of the part meanwhile."""
        return await self._moved_on(conn, lambda tx: outbox.part_known(tx, row))

    async def unknown(self, conn: Conn, row: Row, reason: str, code: str | None = None) -> Next:
        """Nobody knows, and it is told; the other parts go on."""
        reason = self._wrong(row, reason)
        text = f"it may or may not have arrived and was not sent again: {reason}"
        self._warn(row, f"unknown: {reason}")
        after = await self._moved_on(
            conn, lambda tx: outbox.part_unknown(tx, conn, row, text, code)
        )
        self._runtime.wake("handlers")
        return after

    async def end(
        self, conn: Conn, row: Row, kind: str, reason: str, code: str | None = None,
        failure: Failure = "rejected", *, closed: bool = False,
    ) -> Next:  # fmt: skip
        """Failed or cancelled. `failure`: the class of the former; `closed`: nothing reaches them now."""
        reason = self._runtime.log.redact(reason)
        if kind == "message.failed":
            named = failure if code is None else f"{failure}, {code}"
            self._warn(row, f"failed ({named}): {reason}")
        await self._moved_on(
            conn, lambda tx: outbox.end(tx, conn, row, kind, reason, code, failure, closed=closed)
        )
        self._runtime.wake("handlers")
        return After.GONE

    async def _moved_on(self, conn: Conn, unit: Callable[[Any], Row | None]) -> Next:
        """Settle; echoes that waited for that are judged now."""
        left, held = await self._runtime.write(
            lambda tx: (unit(tx), outbox.is_held(tx, conn)), app=conn.app, proof=True
        )
        if held:
            await self._settled(conn)
        return After.GONE if left is None else left

    async def expired(self, conn: Conn, row: Row) -> Next:
        """Its time is over and nothing leaves any more: cancelled, unless it may have arrived before."""
        if self.in_doubt(row):
            return await self.unknown(conn, row, "it expired before that was known")
        return await self.end(conn, row, "message.cancelled", "it expired before it was sent")

    # ── what must wait ────────────────────────────────────────────────────────────────────────

    async def untouched(self, row: Row, error: OuteractError, leaving: Leaving) -> Next:
        """As it was before, when its connection has rested: what the host must mend is no attempt."""
        why, mended = self._wrong(row, str(error)), not isinstance(error, StoreError)
        self._rests.begin(SENDING, row.conn, _OFFLINE, why, credentials=mended)
        if self._waits.get(row.conn) != why:
            self._waits[row.conn] = why
            self._warn(row, f"waits, and so does all that this connection is to send: {why}")
        if leaving.held_back:
            return await self.later(row, 0, why, counted=False)
        return await self.postponed(row, 0, why)

    async def resting(self, conn: Conn, row: Row, status: str, error: SendError) -> Next:
        """The connection as a whole is in trouble: its rows wait, and it is its state that is told."""
        await self.report(conn, status, error.reason)
        why, refused = self._runtime.log.redact(error.reason), status == "unauthorised"
        self._rests.trouble(SENDING, conn.id, jitter(), why, credentials=refused)
        return await self.later(row, 0, error.reason, counted=False)

    async def postponed(self, row: Row, delay: int, error: str, looks: int | None = None) -> Next:
        """After so many milliseconds, and as it was: what may have been sent stays so."""
        due, why = self._runtime.now() + delay, self._runtime.log.redact(error)
        await self._runtime.write(
            lambda tx: outbox.postpone(tx, row, due, why, looks), app=app_of(row.id)
        )
        return After.WAITS

    async def later(
        self, row: Row, delay: int, error: str, *, counted: bool = True, doubtful: bool = False
    ) -> Next:
        """Certainly nothing was done by this attempt: queued again, unless it is (`doubtful`), or was,
        in doubt. That it may be repeated does not make it unsaid.
        """
        due, doubtful = self._runtime.now() + min(delay, LATEST), doubtful or self.in_doubt(row)
        why = self._runtime.log.redact(error)
        await self._runtime.write(
            lambda tx: outbox.retry(tx, row, due, why, counted=counted, doubtful=doubtful),
            app=app_of(row.id),
        )
        return After.WAITS

    # ── what may go wrong ─────────────────────────────────────────────────────────────────────

    async def failed(self, conn: Conn, row: Row, error: OuteractError, leaving: Leaving) -> Next:
        """What an attempt that has raised `error` leads to."""
        if not (isinstance(error, Unsupported) and row.verb in _COURTESIES):
            self._wrong(row, error.reason if isinstance(error, SendError) else str(error))
        if isinstance(error, Throttled):
            return await self._throttled(conn, row, error)
        if isinstance(error, Unauthorised):
            return await self.resting(conn, row, "unauthorised", error)
        if isinstance(error, Unreachable):
            return await self.resting(conn, row, "unreachable", error)
        if isinstance(error, Ambiguous) and not self.harmless(conn, row):
            return await self._doubtful(conn, row, error, leaving)
        if isinstance(error, Transient | Ambiguous):
            return await self._again(conn, row, error)
        if isinstance(error, Unsupported) and row.verb in _COURTESIES:
            await self._runtime.write(partial(outbox.drop, row=row), app=conn.app)
            return After.GONE
        code = error.code if isinstance(error, SendError) else None
        if self.in_doubt(row) and not leaving.gone:
            return await self.unknown(conn, row, str(error), code)
        if isinstance(error, Rejected | Unsupported | SendError | FileError):
            closed = isinstance(error, SendError) and error.closed and row.verb == "send"
            return await self.end(
                conn, row, "message.failed", str(error), code, failure_of(error), closed=closed
            )
        return await self.untouched(row, error, leaving)

    async def broke(self, conn: Conn, row: Row, error: Exception, leaving: Leaving) -> Next:
        """The adapter's own code has raised: unknown only when something had left by then."""
        reason = f"the adapter broke: {self._runtime.log.trace(error)}"
        self._wrong(row, f"the adapter broke: {worded(error)}")
        if leaving.gone or self.in_doubt(row):
            return await self._doubtful(conn, row, Ambiguous(reason), leaving)
        return await self.end(conn, row, "message.failed", reason)

    async def _doubtful(self, conn: Conn, row: Row, error: SendError, leaving: Leaving) -> Next:
        """It may have arrived: asked later where the platform can be asked, else told."""
        if not self.can_ask(conn, row):
            return await self.unknown(conn, row, error.reason, error.code)
        return await self.postponed(row, leaving.pending, error.reason)

    async def _throttled(self, conn: Conn, row: Row, error: Throttled) -> Next:
        seconds = error.after if error.after is not None else backoff(row.attempt + 1, jitter())
        delay = int(seconds * 1000)
        if error.scope == "connection":
            why = self._runtime.log.redact(error.reason)
            self._rests.begin(SENDING, conn.id, delay, why, ordered=True)
            return await self.later(row, 0, error.reason, counted=False)
        self._pace.hold((conn.id, row.lane), self._runtime.steady() + delay)
        return await self.later(row, delay, error.reason, counted=False)

    async def _again(self, conn: Conn, row: Row, error: SendError) -> Next:
        doubtful = isinstance(error, Ambiguous) or self.in_doubt(row)
        if row.attempt + 1 >= ATTEMPTS:
            reason = f"given up after {row.attempt + 1} attempts: {error.reason}"
            if doubtful:
                return await self.unknown(conn, row, reason, error.code)
            return await self.end(conn, row, "message.failed", reason, error.code, error.failure)
        seconds = backoff(row.attempt + 1, jitter())
        return await self.later(row, int(seconds * 1000), error.reason, doubtful=doubtful)

    # ── what is asked of the platform's manifest ──────────────────────────────────────────────

    def harmless(self, conn: Conn, row: Row) -> bool:
        """Whether a second request does no harm."""
        native = self._runtime.adapter(conn).manifest.idempotency == "native"
        return native or row.verb in IDEMPOTENT

    def in_doubt(self, row: Row) -> bool:
        """Whether an earlier attempt may have been carried out: nothing but its repetition can tell."""
        return row.state == "sending" and self.harmless(self._runtime.conn(row.conn), row)

    def can_ask(self, conn: Conn, row: Row) -> bool:
        """Whether the platform can be asked what became of a message."""
        adapter = self._runtime.adapter(conn)
        asked = adapter.manifest.idempotency == "reconcile" and hasattr(adapter, "find")
        return asked and row.verb == "send"

    async def report(self, conn: Conn, status: str, reason: str) -> None:
        """A connection's state has changed, or is as it was."""
        if status == "active":
            self._rests.works(SENDING, conn.id)
            self._waits.pop(conn.id, None)
        if self._runtime.conn(conn.id).entity.status == status:
            return
        log, name = self._runtime.log, f"{conn.platform}/{conn.entity.name}"
        reason = log.redact(reason)
        tell = log.info if status == "active" else log.warning
        tell("outbound", f"connection {name} is {status}: {reason}")
        await self._runtime.write(
            lambda tx: tenants.set_status(tx, conn, status, reason), app=conn.app
        )
        self._runtime.reload()

    def _wrong(self, row: Row, reason: str) -> str:
        """The reason without secrets, also for the report of this round of work."""
        told = self._runtime.log.redact(reason)
        self._runtime.troubles.add(row.conn, "sending", told)
        return told

    def _warn(self, row: Row, text: str) -> None:
        part = f", part {row.done + 1}" if len(row.parts.get("parts", ())) > 1 else ""
        entity = self._runtime.conn(row.conn).entity
        what = f"{entity.platform}/{entity.name}: {row.verb} {row.event_id or row.id}{part}"
        self._runtime.log.warning("outbound", f"{what}: {text}")


def _done(tx: Tx, told: Sequence[outbox.Done]) -> list[tuple[Row | object | None, bool]]:
    """What is left of each, and whether deliveries of its connection wait for a settlement."""
    left = outbox.parts_done(tx, told)
    held = {
        conn.id: outbox.is_held(tx, conn)
        for conn in {one.conn.id: one.conn for one in told}.values()
    }
    return [(each, held[one.conn.id]) for each, one in zip(left, told, strict=True)]


def _names(sent: Sent) -> tuple[str, ...]:
    return (() if sent.external_id is None else (sent.external_id,)) + sent.aliases
