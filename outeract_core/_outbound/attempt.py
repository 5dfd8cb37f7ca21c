"""One claimed row, part by part: begin, request, settlement.

Knows: the order of these steps, and what must be asked before a request may leave.
Does not know: which rows are due (`sender.py`), what an outcome leads to (`settle.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable

from .._domain.rules.guard import guarded
from .._domain.rules.pacing import BURST_SECONDS, Pace, Rate
from .._domain.values.sinks import worded
from .._io.heartbeat import Heartbeat
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.writing import outbox
from .._store.writing.claims import Row
from ..adapter import Adapter, Sent
from ..errors import BadInput, LeaseLost, MissingSecret, OuteractError, StoreError, UnknownPlatform
from .doubt import Doubt
from .leaving import ARRIVES, Leaving
from .outgoing import flow, outgoing, receipt
from .settle import After, Next, Settle

_SPOKEN = ("send", "edit")
"""What a chat's pace counts; the pace of a connection counts every request."""


class Attempts:
    """Carries claimed rows to their settlement."""

    def __init__(self, runtime: Runtime, heart: Heartbeat, pace: Pace, settle: Settle) -> None:
        self._runtime = runtime
        self._heart = heart
        self._pace = pace
        self._settle = settle
        self._doubt = Doubt(runtime, settle)
        self._terms: dict[int, int] = {}

    async def carry(self, row: Row) -> bool:
        """All that can be done for a row now. Whether the lane may go on."""
        after: Next = row
        while isinstance(after, Row):
            after = await self._part(after, first=after is row)
        return after is After.GONE

    async def _part(self, row: Row, *, first: bool) -> Next:
        await self._heart.beat()
        leaving = Leaving(self._runtime, self._heart, row)
        conn = self._runtime.conn(row.conn)
        try:
            return await self._tried(conn, row, leaving, first=first)
        except LeaseLost as error:
            if leaving.held_back:
                return await self._fenced(
                    row, self._settle.later(row, 0, str(error), counted=False)
                )
            self._lost(row, error)
            return After.WAITS
        except (UnknownPlatform, MissingSecret, StoreError) as error:
            return await self._fenced(row, self._settle.untouched(row, error, leaving))
        except OuteractError as error:
            return await self._fenced(row, self._settle.failed(conn, row, error, leaving))
        except Exception as error:
            return await self._fenced(row, self._settle.broke(conn, row, error, leaving))

    async def _tried(self, conn: Conn, row: Row, leaving: Leaving, *, first: bool) -> Next:
        adapter = self._adapter(conn)
        if row.state != "sending" and row.done == 0 and self._expired(row):
            return await self._settle.expired(conn, row)
        if delay := self._paced(adapter, row, first=first):
            return await self._settle.postponed(row, delay, outbox.PACED)
        if row.state == "sending":
            resolved = await self._doubt.resolve(conn, row)
            if resolved is None and row.done == 0 and self._expired(row):
                resolved = await self._settle.expired(conn, row)
            if resolved is not None:
                return resolved
        await leaving.begin()
        sent = await self._request(adapter, row, leaving)
        leaving.ended = True
        after = await self._settle.done(conn, row, sent)
        if row.verb == "send":
            await self._settle.report(conn, "active", "a message was accepted")
        return after

    async def _request(self, adapter: Adapter, row: Row, leaving: Leaving) -> Sent:
        """What the platform answers; a sandbox message takes the same way and no request."""
        folder, http = self._runtime.folder, self._runtime.http
        if row.verb != "send":
            if not row.sandbox:
                with guarded:
                    made = flow(adapter, row, folder)
                await http.run(made, by=row.conn, departure=leaving)
            return Sent(None)
        message = outgoing(row, row.done, folder)
        if row.sandbox:
            return Sent(f"sandbox:{message.token}")
        with guarded:
            sending = adapter.send(message)
        return receipt(await http.run(sending, by=row.conn, departure=leaving))

    def _adapter(self, conn: Conn) -> Adapter:
        """The connection's adapter. What it cannot be made of is for the host to mend."""
        try:
            return self._runtime.ready(conn)
        except OuteractError:
            raise
        except Exception as error:
            raise BadInput(
                f"the connection cannot be used as it is configured: {worded(error)}"
            ) from error

    def _expired(self, row: Row) -> bool:
        return row.expires is not None and self._runtime.now() > row.expires

    def _paced(self, adapter: Adapter, row: Row, *, first: bool) -> int:
        """Milliseconds to wait for a place; 0: one was taken. Parts go together, and count."""
        manifest, now = adapter.manifest, self._runtime.steady()
        self._recall(adapter, row.conn)
        chat = manifest.pace_chat if row.verb in _SPOKEN else 0.0
        if not (manifest.pace_connection or chat or self._pace.asked):
            return 0
        rates = (
            Rate(row.conn, manifest.pace_connection, strict=True),
            Rate((row.conn, row.lane), chat),
        )
        if first:
            return self._pace.reserve(rates, now)
        for rate in rates:
            self._pace.spend(rate, now)
        return 0

    def _recall(self, adapter: Adapter, number: int) -> None:
        """Pace begins with what has left before: another process had the application, or an earlier run.

        So neither a restart nor a handover gives a new burst.
        """
        conn = self._runtime.conn(number)
        term, manifest = self._runtime.ownership.term(conn.app), adapter.manifest
        if self._terms.get(number) == term:
            return
        self._terms[number] = term
        connection = Rate(number, manifest.pace_connection, strict=True)
        longest = max(manifest.pace_connection, manifest.pace_chat)
        if not longest:
            return
        steady, now = self._runtime.steady(), self._runtime.now()
        since = now - int((2 * BURST_SECONDS + longest) * 1000)
        left = self._runtime.database.read(lambda tx: outbox.left(tx, conn, since, ARRIVES))
        lanes: dict[int, list[int]] = {}
        for at, lane in left:
            lanes.setdefault(lane, []).append(at + steady - now)
        self._pace.recall(connection, [at + steady - now for at, _lane in left], steady)
        for lane, times in lanes.items():
            self._pace.recall(Rate((number, lane), manifest.pace_chat), times, steady)

    async def _fenced(self, row: Row, settlement: Awaitable[Next]) -> Next:
        """The settlement's outcome; a claim that was lost meanwhile is not ours to settle."""
        try:
            return await settlement
        except LeaseLost as error:
            self._lost(row, error)
            return After.WAITS

    def _lost(self, row: Row, error: LeaseLost) -> None:
        """Another process has the message now; what this one has done of it may come to nothing."""
        what = f"{row.verb} {row.event_id or row.id}"
        self._runtime.log.warning("outbound", f"{what}: {error}")
