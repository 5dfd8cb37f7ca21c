"""What is done every day costs the same however long the history is: counted in SQLite's own steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import apsw.ext
import pytest
from attrs import evolve

from outeract_core import Outeract
from outeract_core import query as q
from outeract_core._handlers.handler import Handler
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.reading import arrivals, enrolment, views
from outeract_core._store.records import log, rows
from outeract_core._store.writing import (
    bulk,
    claims,
    conversations,
    handlers,
    ingest,
    outbox,
)
from outeract_core._store.writing.enrolment import Enrolment
from outeract_core.testing import ManualClock
from tests.support.reading.history import (
    Ask,
    Both,
    History,
    both_of,
    facts_of,
    planned,
    read_alike,
    same,
)
from tests.support.reading.world import person, raw_conn, said

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same history, and ten times as much of it."""
    with both_of(tmp_path_factory.mktemp("steps")) as histories:
        yield histories


async def timeline(of: History) -> Any:
    """Ann's user, with her three platform users."""
    one, *others = [await of.ann(number) for number in range(3)]
    if (await of.app.people.user(others[0])).id != (await of.app.people.user(one)).id:
        for other in others:
            await of.app.people.merge(other, one)
    user = await of.app.people.user(one)
    assert len(await of.app.people.platform_users(user)) == 3
    return await of.app.conversations.with_user(user)


async def page_after(conversation: Any, order: Any) -> Any:
    """The second page."""
    first = await conversation.page(first=20, order=order)
    assert len(first) == 20
    return await conversation.page(first=20, order=order, after=first.end_cursor)


async def conversation(of: History) -> Any:
    """Ann's direct one."""
    return await of.app.conversations.of(await of.ann())


async def group(of: History) -> Any:
    """The group's."""
    return await of.app.conversations.of(await person(of.app, of.conns[1], "g1"))


async def thread(of: History) -> Any:
    """The thread below the first message."""
    return await of.app.conversations.thread(await of.newest())


async def second_recent(of: History, **options: Any) -> Any:
    """The second page of the list."""
    first = await of.app.conversations.recent(first=5, **options)
    assert len(first) == 5
    return await of.app.conversations.recent(first=5, after=first.end_cursor, **options)


async def driven(of: History) -> Any:
    """Found by their edge, not by reading the log."""
    return await of.app.events.page(q.has_edge("sent_by", await of.ann()), first=20)


READS: dict[str, Ask] = {
    "newest page of a conversation": lambda of: _then(conversation(of), lambda c: c.page(first=20)),
    "next page of a conversation": lambda of: _then(
        conversation(of), lambda c: page_after(c, "newest")),
    "oldest page of a conversation": lambda of: _then(
        conversation(of), lambda c: page_after(c, "oldest")),
    "page of a group": lambda of: _then(group(of), lambda c: page_after(c, "newest")),
    "page of a thread": lambda of: _then(thread(of), lambda c: page_after(c, "newest")),
    "context of a conversation": lambda of: _then(conversation(of), lambda c: c.context(first=20)),
    "context of a group": lambda of: _then(group(of), lambda c: c.context(first=20)),
    "summary of a conversation": lambda of: _then(conversation(of), lambda c: c.summary()),
    "unread of a conversation": lambda of: _then(conversation(of), lambda c: c.unread()),
    "timeline of a person": lambda of: _then(timeline(of), lambda c: page_after(c, "newest")),
    "timeline from its start": lambda of: _then(timeline(of), lambda c: page_after(c, "oldest")),
    "recent conversations": second_recent,
    "recent conversations of a connection": lambda of: second_recent(
        of, connection_of=of.app.connections()[1]),
    "all events, newest": lambda of: of.app.events.page(first=20),
    "events towards a person": driven,
    "one event": lambda of: _then(of.newest(), lambda e: of.app.events.get(e.id)),
    "an event by its external id": lambda of: of.newest(),
    "a person by external id": lambda of: of.ann(),
    "where a new handler begins": lambda of: _enrols(of),
}  # fmt: skip


async def _enrols(of: History) -> Enrolment | None:
    """What it leaves behind is counted among the newest events only."""
    handler = Handler("new", "message.*", print)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enrolment, "COUNTED", 256)
        found = of.core.runtime.database.read(
            lambda tx: enrolment.unknown(tx, of.app.key, handler, None, None)
        )
    assert found is not None
    assert found.older
    return found


async def _then(first: Awaitable[Any], after: Callable[[Any], Awaitable[Any]]) -> Any:
    return await after(await first)


@pytest.mark.parametrize("ask", READS.values(), ids=READS)
async def test_a_read_costs_the_same_at_ten_times_the_history(both: Both, ask: Ask) -> None:
    """Reading takes as many steps in a file with ten times the messages, and no sort or scan."""
    await read_alike(both, ask)


def newcomer(of: History) -> Callable[[Connection], Any]:
    """A message of somebody known, to be stored."""
    conn = raw_conn(of.core, of.conns[0])
    fresh = said("fresh", "hello", "ann", reply_to="m9")
    items = [ingest.prepare(fresh, fresh.raw)]
    return lambda tx: ingest.ingest(tx, conn, items)


def duplicate(of: History) -> Callable[[Connection], Any]:
    """A message that was stored long ago, delivered again."""
    conn = raw_conn(of.core, of.conns[0])
    items = [ingest.prepare(fact, fact.raw) for fact in facts_of(9, of.size)[:1]]

    def unit(tx: Connection) -> None:
        assert ingest.ingest(tx, conn, items) == [bulk.DUPLICATE]

    return unit


def crowd(of: History) -> Callable[[Connection], Any]:
    """Messages that come together, some of them for the second time."""
    conn = raw_conn(of.core, of.conns[0])
    known = [facts_of(n, of.size)[0] for n in (9, 12, 18, 21, 24)]
    fresh = [evolve(fact, key=f"new {fact.key}") for fact in known]
    items = [ingest.prepare(fact, fact.raw) for fact in (*known, *fresh)]

    def unit(tx: Connection) -> None:
        fates = ingest.ingest(tx, conn, items)
        assert [fate > 0 for fate in fates] == [False] * len(known) + [True] * len(fresh)

    return unit


def _shares(core: Outeract) -> dict[int, int]:
    return {conn.id: 50 for conn in core.runtime.conns()}


def claim(of: History) -> Callable[[Connection], Any]:
    """The sender looks for work and takes it."""

    def unit(tx: Connection) -> None:
        assert len(claims.claim(tx, "somebody", _shares(of.core), 30_000)) == 5

    return unit


def feed(of: History) -> Callable[[Connection], Any]:
    """The dispatcher reads on, far behind and at the end."""

    def unit(tx: Connection) -> None:
        lo = of.app.key << 40
        assert len(arrivals.feed(tx, of.app.key, lo + of.size // 2, 100)) == 100
        assert len(arrivals.feed(tx, of.app.key, lo, 100)) == 100
        handlers.backlog(tx, of.app.key)

    return unit


def lookup(of: History) -> Callable[[Connection], Any]:
    """The queries that units are made of."""
    conn = raw_conn(of.core, of.conns[0]).id

    def unit(tx: Connection) -> None:
        key = log.by_external_id(tx, conn, "m0")
        assert key is not None
        peer = handlers.peer_of(tx, key)
        assert conversations.counts(tx, peer) is not None
        view = views.View("peer", (peer,))
        found = views.messages(tx, of.app.key, view, True, None, 20)
        assert len(views.recent(tx, of.app.key, None, None, 20)) == 20
        assert len(rows.events(tx, of.app.key, [one.position for one in found])) == 20

    return unit


WRITES: dict[str, Callable[[History], Callable[[Connection], Any]]] = {
    "a new message": newcomer, "a duplicate": duplicate, "a crowd": crowd, "the feed": feed, "lookups": lookup,
}  # fmt: skip


@pytest.mark.parametrize("make", WRITES.values(), ids=WRITES)
async def test_a_write_costs_the_same_at_ten_times_the_history(
    both: Both, make: Callable[[History], Callable[[Connection], Any]]
) -> None:
    """Storing, refusing a duplicate and reading the feed take as many steps as in a small file."""
    counted = []
    for of in both:
        counted.append(await of.writing(_undone(make(of))))
        planned(of)
    same(counted[0], counted[1])


def _undone(unit: Callable[[Connection], Any]) -> Callable[[Connection], Any]:
    """The unit, twice (so that names are known the second time), with nothing left of it."""

    def both_times(tx: Connection) -> None:
        for _ in range(2):
            saved = tx.begin_part()
            unit(tx)
            tx.undo_part(saved)
            tx.end_part()

    return both_times


async def test_claiming_costs_the_same_at_ten_times_the_history(
    both: Both,
) -> None:
    """The sender finds what is due in as many steps, whatever was sent before."""
    counted = []
    for of in both:
        peers = [summary.peer for summary in await of.app.conversations.recent(first=5)]
        for peer in peers:
            await of.app.send(peer, "hello")
        counted.append(await of.writing(_undone(claim(of))))
        planned(of)
    same(counted[0], counted[1])


def test_the_gate_sees_a_scan_and_a_sort(both: Both) -> None:
    """The gate is shut for what it should stop: a scan of a table, a sort, and a count of everything."""
    _, large = both
    for sql in (
        "SELECT e.seq FROM event e WHERE e.payload = :x",
        "SELECT event.seq FROM event WHERE payload = :x",
        "SELECT e.seq FROM event e WHERE e.seq > :x ORDER BY e.payload",
    ):
        large.steps = {sql: 1}
        with pytest.raises(AssertionError):
            planned(large)
    counted = []
    for of in both:
        of.steps = {}
        with of.core.runtime.database._readers.borrowed() as reader:
            reader.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, of.see)
            reader.script("SELECT count(*) FROM event WHERE payload <> 'x'")
            reader.db.trace_v2(0, None)
        counted.append(sum(of.steps.values()))
    assert counted[1] > 5 * counted[0] > 5000


@pytest.mark.anyio
async def test_a_deep_lane_costs_no_more_than_a_short_one(tmp_path: Path) -> None:
    """Ten times as many messages waiting in one conversation make neither queueing nor claiming dearer."""
    found = []
    for size in (60, 600):
        core = Outeract(tmp_path / f"{size}.db", clock=ManualClock(), durability="normal")
        app = core.app("support")
        app.connect("console")
        for number in range(size):
            await app.send(("console", "ann"), str(number), sandbox=True)
        history = History(core, app, size)

        def take(tx: Connection, shares: dict[int, int] = _shares(core)) -> None:  # noqa: B008
            (rows,) = claims.claim(tx, "somebody", shares, 30_000)
            assert [row.parts["parts"][0]["plain"] for row in rows] == [str(n) for n in range(16)]
            outbox.remove(tx, rows[0].id, rows[0].lane)
            assert outbox.next_due(tx) is None
            claims.release(tx, rows[1:])
            assert outbox.next_due(tx) is not None

        found.append(await history.writing(take))
        core.close()
    same(*found)
