"""Bytes in: a platform's request, or its answer to a poll, becomes facts and one commit.

Knows: the order verify → parse → commit → answer, what to keep when a step fails.
Does not know: any platform, what handlers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import is_
from typing import Any, cast

from .._domain.rules.guard import guarded
from .._domain.values.classes import define
from .._domain.values.ids import to_ms
from .._domain.values.sinks import worded
from .._io.database import Share, Unit
from .._io.runtime import Runtime
from .._io.threads.aside import aside
from .._store.records.conn import Conn
from .._store.writing import ingest, raw_deliveries
from .._store.writing.bulk import DUPLICATE, Item
from .._store.writing.ingest import Reaction
from .._store.writing.raw_deliveries import Kept
from ..adapter import Adapter, Inbound, Response
from ..driver import Tx
from ..errors import BodyTooLarge, OuteractError, SignatureError, UnknownWebhook, Unsupported
from ..events import Unparsed
from . import quotas
from .doors import Doors
from .gaps import Mark, passed
from .keeping import ITEM, keep, keep_apart, keep_item
from .pinning import pinned, unpinned
from .reactions import reactions_of
from .reading import A_FACT, LIGHT, Read, beside, read_whole, reread, sort
from .refusals import Refusals
from .routing import Foreign, Routing, sharing

_REASONS = 1000
_TAKEN = Response()
"""What a platform is answered that asks for no more: a status."""


@define
class Received:
    """What a delivery came to. `stored` counts new events, whose keys are `keys` if anybody asks for them;
    `duplicates` what was known.
    """

    stored: int = 0
    duplicates: int = 0
    kept: bool = False
    keys: list[int] | None = None
    held: Sequence[tuple[Conn, Item]] = ()

    def note(self, conn: Conn, item: Item, fate: int) -> None:
        """One of its facts has come to this; see `ingest.ingest`."""
        if fate > 0:
            self.stored += 1
            if self.keys is not None:
                self.keys.append(fate)
        elif fate == DUPLICATE:
            self.duplicates += 1
        else:
            self.held = [*self.held, (conn, item)]


class Receiver:
    """The way in, for webhooks and polls alike."""

    def __init__(self, runtime: Runtime, body_limit: int) -> None:
        self._runtime = runtime
        self.limit = body_limit
        self._doors = Doors(runtime)
        self.refusals = Refusals(runtime)
        self._told: set[str] = set()
        self._clock = runtime.database.options.clock
        self._asked: dict[int, tuple[tuple[Any, ...], tuple[Reaction, ...]]] = {}

    async def webhook(
        self, webhook_id: str, secret: str, method: str, headers: Mapping[str, str],
        query: Mapping[str, str], body: bytes,
    ) -> Response:  # fmt: skip
        """Answer a platform's request; 2xx only after the commit."""
        try:
            conn = self._connection(webhook_id, secret)
            inbound = self._inbound(method, headers, query, body)
            if len(body) <= LIGHT:
                conn, adapter, answer = self._by_whom(conn, inbound)
            else:
                conn, adapter, answer = await aside(partial(self._by_whom, conn, inbound))
            if answer is not None:
                return answer
            await self.receive(conn, adapter, inbound)
            self.refusals.taken(webhook_id)
            if getattr(adapter, "acknowledge", None) is None:
                return _TAKEN
            if len(body) <= LIGHT:
                return self._acknowledged(conn, adapter, inbound)
            return await aside(partial(self._acknowledged, conn, adapter, inbound))
        except Exception as error:
            return self.refusals.answer(webhook_id, error)

    def refusal(self, webhook_id: str, secret: str) -> Response | None:
        """What is answered to this address before anything else of the request is read; None: go on."""
        try:
            self._connection(webhook_id, secret)
        except Exception as error:
            return self.refusals.answer(webhook_id, error)
        return None

    def unread(self, webhook_id: str, answer: Response) -> Response:
        """Told that a server could not read a request whole; the same answer."""
        return self.refusals.unread(webhook_id, answer)

    def _acknowledged(self, conn: Conn, adapter: Any, inbound: Inbound) -> Response:
        """What is answered after the commit: 200 also where the adapter breaks while it says so."""
        try:
            with guarded:
                answer: Response = adapter.acknowledge(inbound)
            return answer
        except Exception as error:
            where = f"{conn.platform}/{conn.entity.name}"
            self._runtime.log.error("inbound", f"{where}: the adapter's acknowledge broke", error)
            return Response()

    def _connection(self, webhook_id: str, secret: str) -> Conn:
        conn = self._runtime.by_webhook(webhook_id)
        if not self._doors.opens(conn, secret) or conn is None:
            raise UnknownWebhook("no connection has this webhook id and secret")
        return conn

    def _inbound(
        self, method: str, headers: Mapping[str, str], query: Mapping[str, str], body: bytes
    ) -> Inbound:
        if len(body) > self.limit:
            raise BodyTooLarge(f"the body has {len(body)} bytes; the limit is {self.limit}")
        lower = {name.lower(): value for name, value in headers.items()}
        return Inbound(method.upper(), lower, dict(query), bytes(body), self._clock())

    def _by_whom(self, conn: Conn, inbound: Inbound) -> tuple[Conn, Adapter, Response | None]:
        """Whose secret verifies it: that of the address, else another's that may be reached there too."""
        adapter = self._runtime.ready(conn)
        try:
            return conn, adapter, self._admitted(adapter, inbound)
        except SignatureError:
            others = sharing(self._runtime, conn, adapter.manifest)
            found = (self._by_other(other, inbound) for other in others)
            theirs = next((one for one in found if one is not None), None)
            if theirs is None:
                raise
            return theirs

    def _by_other(
        self, conn: Conn, inbound: Inbound
    ) -> tuple[Conn, Adapter, Response | None] | None:
        """The same of a connection that it was not addressed to; None: it does not verify it, or cannot."""
        try:
            adapter = self._runtime.ready(conn)
            return conn, adapter, self._admitted(adapter, inbound)
        except Exception:
            return None

    def _admitted(self, adapter: Adapter, inbound: Inbound) -> Response | None:
        """What to answer at once; None when it is a delivery, and verified."""
        handshake = getattr(adapter, "handshake", None)
        if handshake is not None:
            with guarded:
                answer: Response | None = handshake(inbound)
            if answer is not None:
                return answer
        if inbound.method != "POST":
            return Response(405, {"allow": "POST"})
        with guarded:
            adapter.verify(inbound)
        return None

    # ── verified bytes to one commit ──────────────────────────────────────────────────────────

    async def receive(self, conn: Conn, adapter: Adapter, inbound: Inbound) -> Received:
        """Commit a verified delivery; what is not understood is kept with the error."""
        if len(inbound.body) <= LIGHT and not unpinned(conn, adapter):
            read = self._read(conn, adapter, inbound)
        else:
            read = await self._read_beside(conn, adapter, inbound)
        if not self._runtime.meters.none:
            await quotas.admit(self._runtime, read)
        for one in read.foreign:
            self._tell(conn, one)
        return await self._store(read, Share(self._together, read))

    def _read(self, conn: Conn, adapter: Adapter, inbound: Inbound) -> Read:
        """What the request says, each item put to its owner: so it is nearly always."""
        read, facts = read_whole(conn, adapter, inbound)
        return sort(Routing(self._runtime, conn, inbound), adapter, facts, read)

    async def _read_beside(self, conn: Conn, adapter: Adapter, inbound: Inbound) -> Read:
        """The same of a large one, or of the first that tells whose the connection is."""
        size = len(inbound.body)
        read, facts = await beside(size, partial(read_whole, conn, adapter, inbound))
        if unpinned(conn, adapter):
            read.conn = conn = await pinned(self._runtime, conn, adapter, facts)
        routing = Routing(self._runtime, conn, inbound)
        return await beside(size, partial(sort, routing, adapter, facts, read))

    def _tell(self, conn: Conn, one: Foreign) -> None:
        """Each reason once; the file counts the rest."""
        if one.reason not in self._told and len(self._told) < _REASONS:
            self._told.add(one.reason)
            text = f"an item at the URL of {conn.platform} {conn.entity.name} was not kept: {one.reason}"
            self._runtime.log.warning("inbound", text)

    def _together(self, tx: Tx, reads: list[Read]) -> list[Received]:
        """Requests that came at the same time, in one unit of work."""
        results = self._commit(tx, reads)
        for read, received in zip(reads, results, strict=True):
            if read.mixed or read.unparsed or received.held:
                self._keep(tx, read, received)
        return results

    def _keep(self, tx: Tx, read: Read, received: Received) -> None:
        """What of a request is not in the log: why it is not, and what is needed to read it again."""
        inbound, conn = cast("Inbound", read.inbound), read.conn
        for one in read.foreign:
            raw_deliveries.foreign(tx, conn.platform, one.digest, one.reason)
        state = "unparsed" if read.faults else "held"
        received.kept = bool(read.faults or received.held)
        if read.mixed:
            keep_apart(tx, read, received.held, to_ms(inbound.received_at))
        elif received.kept:
            keep(tx, conn, inbound, state, read.faults)
        if received.kept:
            tx.after_commit(partial(self._tell_kept, conn, state))

    def _tell_kept(self, conn: Conn, state: str) -> None:
        """Told without its reason, which may quote what somebody has said: that is in the event."""
        where, log = f"{conn.platform}/{conn.entity.name}", self._runtime.log
        if state == "held":
            log.info("inbound", f"{where}: an echo is held until it is known whether it is ours")
            return
        log.warning(
            "inbound",
            f"{where}: a delivery was not understood and is kept; system.delivery_unparsed says why, "
            "`outeract replay` reads it again after an upgrade",
        )

    def _commit(self, tx: Tx, reads: Sequence[Read]) -> list[Received]:
        """Everything understood, in order; one connection's neighbours go together."""
        results = [Received(keys=[] if read.credentials else None) for read in reads]
        for conn, items, whose in _neighbours(reads, results):
            fates = ingest.ingest(tx, conn, items, self._reactions(conn))
            for received, item, fate in zip(whose, items, fates, strict=True):
                received.note(conn, item, fate)
        for read, received in zip(reads, results, strict=True):
            if received.keys and read.handed:
                tx.after_commit(partial(self._runtime.handed.keep, received.keys, read.handed))
        if any(received.stored for received in results):
            tx.after_commit(self._runtime.wake)
        return results

    def _reactions(self, conn: Conn) -> tuple[Reaction, ...]:
        """What a connection's config and adapter ask for, worked out anew when one of them has changed."""
        runtime = self._runtime
        on = (conn, runtime.adapter(conn), runtime.key, runtime.key.fault)
        known = self._asked.get(conn.id)
        if known is not None and all(map(is_, known[0], on)):
            return known[1]
        found = reactions_of(runtime, conn)
        self._asked[conn.id] = (on, found)
        return found

    async def _store(self, read: Read, unit: Unit[Received]) -> Received:
        """Run the unit that commits `read`; facts that no commit can take do not stop the others."""
        whose = read.apps
        try:
            return await self._runtime.database.write(unit, app=whose)
        except OuteractError:
            raise
        except Exception:
            stored = await self._one_by_one(read)
            received = await self._runtime.database.write(unit, app=whose)
            received.stored += stored
            return received

    async def _one_by_one(self, read: Read) -> int:
        """Each fact in a commit of its own; what cannot be stored counts as not understood."""
        handed, items, read.items = read.handed, read.items, []
        stored = 0
        for conn, item in items:
            alone = Read(conn, credentials=handed, items=[(conn, item)])

            def unit(tx: Tx, alone: Read = alone) -> Received:
                return self._commit(tx, [alone])[0]

            try:
                received = await self._runtime.database.write(unit, app=conn.app)
            except OuteractError:
                raise
            except Exception as error:
                reason = f"{item.fact.kind}: {worded(error)}"
                read.fault(conn, Unparsed(item.fact.raw, reason))
            else:
                stored += received.stored
        return stored

    # ── polls ─────────────────────────────────────────────────────────────────────────────────

    async def poll(self, conn: Conn, wait: float) -> int:
        """One poll: its facts and its cursor in one commit. The number of new events."""
        adapter = self._runtime.ready(conn)
        poll = getattr(adapter, "poll", None)
        if poll is None:
            raise Unsupported(f"{conn.platform} cannot be polled; register its webhook instead")
        stored = self._runtime.database.read(lambda tx: raw_deliveries.poll_cursor(tx, conn.id))
        mark = Mark.read(stored)
        with guarded:
            flow = poll(mark.cursor, wait)
        polled = await self._runtime.http.run(flow, by=conn.id, waiting=True)
        sorting = partial(sort, Routing(self._runtime, conn), adapter, polled.facts, Read(conn))
        read = await beside(len(polled.facts) * A_FACT, sorting)
        for app, count in quotas.wanted_by(read).items():
            self._runtime.meters.add(app, quotas.EVENTS, count)

        def unit(tx: Tx) -> Received:
            received = self._commit(tx, [read])[0]
            for one in read.foreign:
                raw_deliveries.foreign(tx, conn.platform, one.digest, one.reason)
            for _, item in read.unparsed:
                keep_item(tx, conn, item)
            if read.unparsed:
                tx.after_commit(partial(self._tell_kept, conn, "unparsed"))
            after = passed(tx, conn, adapter.manifest, mark, polled)
            raw_deliveries.set_poll_cursor(tx, conn.id, after.stored)
            return received

        return (await self._store(read, unit)).stored

    # ── kept deliveries ───────────────────────────────────────────────────────────────────────

    async def replay(
        self, conn: Conn, state: str = "unparsed", limit: int = 100
    ) -> tuple[int, int]:
        """Parse kept deliveries again, `limit` at a time: (understood now, still not)."""
        adapter, done, left, after = self._runtime.adapter(conn), 0, 0, 0
        while kept := await self._kept(conn, state, after, limit):
            for delivery in kept:
                good = await self._again(conn, adapter, delivery, state)
                done, left = done + good, left + (not good)
            after = kept[-1].id
        return done, left

    async def _kept(self, conn: Conn, state: str, after: int, limit: int) -> list[Kept]:
        return await self._runtime.database.traverse(
            lambda tx: raw_deliveries.kept(tx, conn.id, state, limit, after)
        )

    async def _again(self, conn: Conn, adapter: Adapter, delivery: Kept, state: str) -> bool:
        """One kept delivery; what of it is known stays once. Whether all is understood now."""
        alone = delivery.inbound.method == ITEM
        parse = partial(reread if alone else read_whole, conn, adapter, delivery.inbound)
        read, facts = await beside(len(delivery.inbound.body), parse)
        sorting = partial(sort, Routing(self._runtime, conn), adapter, facts, read)
        await beside(len(delivery.inbound.body), sorting)

        def unit(tx: Tx) -> Received:
            received = self._commit(tx, [read])[0]
            received.kept = bool(received.held or read.faults)
            raw_deliveries.replayed(tx, delivery.id, not received.kept, read.faults, state)
            return received

        return not (await self._store(read, unit)).kept


_Group = tuple[Conn, list[Item], list[Received]]
"""Items of one connection, and to what each of them belongs."""


def _neighbours(reads: Sequence[Read], results: Sequence[Received]) -> list[_Group]:
    """All items in order; what follows one another on one connection in one go."""
    groups: list[_Group] = []
    items: list[Item] = []
    whose: list[Received] = []
    here = 0
    for read, received in zip(reads, results, strict=True):
        for conn, item in sorted(read.items, key=_number) if read.mixed else read.items:
            if conn.id == here:
                items.append(item)
                whose.append(received)
            else:
                here, items, whose = conn.id, [item], [received]
                groups.append((conn, items, whose))
    return groups


def _number(owned: tuple[Conn, Item]) -> int:
    return owned[0].id
