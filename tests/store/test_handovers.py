"""How often a commit may hand Python's lock to another thread: the steps of its statements are counted.

Knows: that each row that SQLite is given by itself is a step, and each statement at least one.
Does not know: seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

from outeract_core import Message, Outeract, PlatformConnection
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import claims, outbox
from outeract_core._store.writing.claims import Row
from outeract_core.events import Fact, FileRef
from tests.support.reading.world import about, arrive, connect, event, person, said
from tests.support.store.opening import Held

pytestmark = pytest.mark.anyio
_IMPORT = 22
_ALONE, _BATCH, _CROWD, _SENT, _TURN, _PAGE, _LIST = 7, 9, 12, 30, 14, 1, 2


def _messages(first: int, count: int, people: int) -> list[Fact]:
    return [said(f"m{n}", f"text {n}", f"p{n % people}") for n in range(first, first + count)]


@contextmanager
def steps(core: Outeract) -> Iterator[list[str]]:
    """The statements that the writer has run meanwhile."""
    seen: list[str] = []
    _watched(core, apsw.SQLITE_TRACE_PROFILE, lambda told: seen.append(told["sql"]))
    yield seen
    _watched(core, 0, None)


def _watched(core: Outeract, mask: int, told: Callable[[Any], None] | None) -> None:
    """The writer may be tidying up in its own thread, and is not to be touched then."""
    while True:
        try:
            core.runtime.database._writer.db.trace_v2(mask, told)
        except apsw.ThreadingViolationError:
            continue
        return


async def _counted(core: Outeract, connection: Any, facts: list[Fact]) -> int:
    """The steps of the transaction in which they arrive, its two ends included."""
    with steps(core) as seen:
        await arrive(core, connection, *facts)
    return (
        len(seen)
        if "COMMIT" not in seen
        else seen.index("COMMIT") - seen.index("BEGIN IMMEDIATE") + 1
    )


async def test_a_message_takes_few_steps(tmp_path: Path) -> None:
    """A plain message of somebody known: what it adds, the counters, and the two ends of a transaction."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        await arrive(core, connection, *_messages(0, 2, 2))
        assert await _counted(core, connection, _messages(2, 1, 2)) <= _ALONE


@pytest.mark.parametrize("count", [2, 10, 100, 500])
async def test_a_batch_takes_no_more_steps_the_larger_it_is(tmp_path: Path, count: int) -> None:
    """A statement a table, however many messages."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        await arrive(core, connection, *_messages(0, 40, 20))
        assert await _counted(core, connection, _messages(40, count, 20)) <= _BATCH


@pytest.mark.parametrize("count", [1, 2, 100, 200])
async def test_beside_a_host_that_computes_a_commit_is_one_statement(
    tmp_path: Path, count: int
) -> None:
    """It adds everything, is a transaction by itself, and looks up whether another connection has written."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        await arrive(core, connection, *_messages(0, 40, 20))
        core.runtime.database._writer.waits.host.until = float("inf")
        for number in (40, 41):  # the view and what guards it are made once
            await arrive(core, connection, *_messages(number, 1, 2))
        assert await _counted(core, connection, _messages(100, count, 20)) == 2
        assert await core.app("support").events.count() == 42 + count


@pytest.mark.parametrize("count", [1, 20, 64, 100, 130])
async def test_what_comes_again_is_not_prepared_again(tmp_path: Path, count: int) -> None:
    """A text that is longer than those that are kept is prepared each time, and the lock given away once more for it."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        writer = core.runtime.database._writer
        writer.waits.host.until = float("inf")
        for number in range(3):
            await arrive(core, connection, *_messages(number * count, count, 20))
        before = writer.db.cache_stats()
        await arrive(core, connection, *_messages(3 * count, count, 20))
        after = writer.db.cache_stats()
        assert (after["misses"], after["too_big"]) == (before["misses"], before["too_big"])


async def test_many_deliveries_at_once_are_one_statement_too(tmp_path: Path) -> None:
    """Whoever computes: fewer steps are fewer that the event loop waits for."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        await arrive(core, connection, *_messages(0, 20, 20))
        for number in (20, 40):
            seen = await _at_once(core, connection, _messages(number, 20, 20))
        assert seen.count("COMMIT") == 1, "of the unit that was held"
        assert seen[-1].startswith("INSERT INTO bundle")


async def _at_once(core: Outeract, connection: Any, facts: list[Fact]) -> list[str]:
    """The steps of a unit while which they all come, and of the batch that they are then."""
    held = Held()
    with steps(core) as seen:
        async with anyio.create_task_group() as group:
            group.start_soon(core.runtime.database.write, held)
            await held.busy()
            for fact in facts:
                group.start_soon(arrive, core, connection, fact)
            await anyio.wait_all_tasks_blocked()
            held.release()
    return seen


@pytest.mark.parametrize("count", [2, 10, 100, 500])
async def test_people_are_met_together(tmp_path: Path, count: int) -> None:
    """Nor does a crowd of whom nobody was heard before."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        await arrive(core, connection, said("first", "hello", "ann"))
        assert await _counted(core, connection, _messages(0, count, count)) <= _CROWD


async def test_an_event_of_the_hosts_own_draws_its_edges_together(tmp_path: Path) -> None:
    """One statement, however many edges it begins with; drawn twice, one is there once."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        ends = [await app.emit("order.part", {"n": n}) for n in range(5)]
        with steps(core) as seen:
            order = await app.emit("order.placed", {}, edges={"holds": [*ends, ends[0]]})
        assert len([sql for sql in seen if "INTO edge(" in sql]) == 1
        assert len((await app.graph.neighbours(order, types=["holds"])).edges) == 5


def _echoing(core: Outeract) -> PlatformConnection:
    """A connection whose messages are answered by what they say."""
    app = core.app("support")

    @app.on("message.inbound")
    async def echo(message: Message) -> str:
        return message.text

    return connect(core, app)


async def _answered(core: Outeract, people: int) -> list[str]:
    """The statements in which a message of each is answered beside a host that computes, once all is known."""
    connection, told = _echoing(core), list[str]()
    for number in range(5):
        await arrive(core, connection, *_messages(people * number, people, people))
        core.runtime.database._writer.waits.host.until = float("inf")
        with steps(core) as seen:
            await core.pump()
        told = seen
    return told


async def test_a_turn_that_answers_takes_few_steps(tmp_path: Path) -> None:
    """What it has said, that it is through, and the two ends of its transaction."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = _echoing(core)
        for facts in (_messages(0, 1, 1), _messages(1, 1, 1)):
            await arrive(core, connection, *facts)
            with steps(core) as seen:
                await core.pump()
        assert _longest(seen) <= _TURN


async def test_beside_a_host_that_computes_a_turn_that_answers_is_one_statement(
    tmp_path: Path,
) -> None:
    """It looks whether the turn is still ours, and commits the reply and "handled" together."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        seen = await _answered(core, 1)
        said_so = [sql.split()[0] for sql in seen[len(seen) - seen[::-1].index("COMMIT") :]]
        assert said_so[:3] == ["SELECT", "PRAGMA", "INSERT"]
        assert set(said_so[3:]) <= {"PRAGMA", "INSERT"}, "the lease is given back"


async def test_beside_a_host_that_computes_turns_that_end_together_are_one_statement(
    tmp_path: Path,
) -> None:
    """What is asked is asked before anything is added, and nothing needs the lock before the end."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        seen = await _answered(core, 20)
        handled = seen[seen.index("COMMIT") + 1 if "COMMIT" in seen else 0 :]
        assert "BEGIN IMMEDIATE" not in handled, "once the lease is taken"
        assert not [sql for sql in handled if sql.startswith("INSERT INTO processed")]
        bundles = [sql for sql in handled if sql.startswith("INSERT INTO bundle")]
        assert 0 < len(bundles) < 20, "some of them end together"


async def test_a_read_takes_few_steps(tmp_path: Path) -> None:
    """A look-up one, and a page; a list one more."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), *_messages(0, 200, 20))
        (first, *_) = await app.conversations.recent(first=50)
        held = await app.conversations.of(first.peer)
        counted = {
            "look-up": await _asked(core, lambda: app.conversations.of(first.peer.id)),
            "unread": await _asked(core, held.unread),
            "page": await _asked(core, lambda: held.page(first=50)),
            "list": await _asked(core, lambda: app.conversations.recent(first=50)),
        }
    assert counted == {"look-up": 1, "unread": 1, "page": _PAGE, "list": _LIST}


async def test_beside_a_host_that_computes_a_page_and_a_list_are_few_rows(tmp_path: Path) -> None:
    """At each row that is fetched the lock may be lost: of a statement that has many there is one, and they are the same."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), *_messages(0, 400, 20))
        (first, *_) = await app.conversations.recent(first=50)
        held = await app.conversations.of(first.peer)
        ways = [lambda: held.page(first=50), lambda: app.conversations.recent(first=50)]
        for ask, least, most in zip(ways, (20, 20), (_PAGE, _LIST), strict=True):
            before = [repr(one) for one in await ask()]
            with core.runtime.database._readers.borrowed() as reader:
                reader.waits.host.until = -1.0
            assert await _asked(core, ask, apsw.SQLITE_TRACE_ROW) > least
            reader.waits.host.until = float("inf")
            assert await _asked(core, ask, apsw.SQLITE_TRACE_ROW) == most
            assert [repr(one) for one in await ask()] == before


async def test_what_has_happened_to_messages_takes_no_more_steps(tmp_path: Path) -> None:
    """Edits, pictures, reactions by strangers, deletions, receipts; only what is quoted is asked by a second."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        connection = connect(core, app)
        picture = FileRef({"id": "p"}, "p.png", "image/png")
        await arrive(
            core, connection, *_messages(0, 5, 1), said("seen", "look", "p0", files=(picture,))
        )
        edit = {"message": {"type": "text", "text": "now"}}
        await arrive(
            core, connection, about("message.edited", "e1", "m1", edit, "p0"),
            about("message.reaction_added", "r1", "m2", {"emoji": "x"}, "stranger"),
            about("message.deleted", "d1", "m3", {}, "p0"),
        )  # fmt: skip
        await app.send(
            (connection, "p0"), "an answer", not_before=datetime.now(UTC) + timedelta(days=1)
        )
        held = await app.conversations.of(await person(app, connection, "p0"))
        assert await _asked(core, lambda: held.page(first=50)) == _PAGE
        root = await event(app, connection, "m0")
        await arrive(core, connection, said("t", "below", "p0", thread="m0"))
        below = await app.conversations.thread(root)
        assert [one.text for one in await below.page()] == ["below", "text 0"]
        assert await _asked(core, lambda: below.page(first=50)) == _PAGE
        await arrive(core, connection, said("q", "this one", "p0", reply_to="m4"))
        assert await _asked(core, lambda: held.page(first=50)) == _PAGE + 1


async def test_a_list_of_many_groups_and_connections_takes_no_more_steps(tmp_path: Path) -> None:
    """However many connections there are, and who has spoken in each group."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        for name in ("first", "second", "third"):
            groups = [said(f"m{n}", "hello", f"p{n}", group=f"g{n % 4}") for n in range(20)]
            await arrive(core, connect(core, app, name=name), *groups)
        assert len(await app.conversations.recent(first=50)) == 12
        assert await _asked(core, lambda: app.conversations.recent(first=50)) == _LIST


async def _asked(
    core: Outeract, ask: Callable[[], Awaitable[Any]], what: int = apsw.SQLITE_TRACE_PROFILE
) -> int:
    """The steps of a reader (or its rows), once what things are called is known."""
    await ask()
    await ask()
    seen: list[int] = []
    with core.runtime.database._readers.borrowed() as reader:
        reader.db.trace_v2(what, lambda told: seen.append(told["code"]))
    await ask()
    with core.runtime.database._readers.borrowed() as reader:
        reader.db.trace_v2(0, None)
    return len(seen)


def _longest(seen: list[str]) -> int:
    """The steps of the longest transaction; one that had begun before is not counted."""
    steps, begun = [0], False
    for sql in seen:
        begun = sql == "BEGIN IMMEDIATE" or begun
        steps[-1] += begun
        if sql == "COMMIT":
            begun, steps = False, [*steps, 0]
    assert max(steps)
    return max(steps)


@pytest.mark.parametrize("count", [2, 10, 100])
async def test_messages_are_claimed_and_settled_together(tmp_path: Path, count: int) -> None:
    """Claim, begin and receipt of as many messages as there are lanes: three commits, few steps."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        connection = connect(core, app)
        conn = core.runtime.conns()[0]
        for number in range(2 * count):
            await app.send((connection, f"p{number % count}"), "hello")

        await _sent(core, conn, count)  # it learns what things are called
        assert await _sent(core, conn, count) <= _SENT


async def _sent(core: Outeract, conn: Conn, count: int) -> int:
    """The steps in which one message of each lane is claimed, begun and has its receipt."""

    def claim(tx: Any) -> list[Row]:
        return [rows[0] for rows in claims.claim(tx, "me", {conn.id: 100}, 60_000)]

    write = core.runtime.database.write
    with steps(core) as seen:
        rows = await write(claim)
        begun = await write(lambda tx: outbox.begin(tx, rows, 60_000, 35_000))
        done = [outbox.Done(conn, row, (f"in {row.id}",)) for row in rows]
        left = await write(lambda tx: outbox.parts_done(tx, done))
    assert (begun, left) == ([True] * count, [None] * count)
    await write(lambda tx: claims.release_owner(tx, "me"))
    return len(seen)


@pytest.mark.parametrize("count", [10, 100, 400])
async def test_an_import_takes_few_steps(tmp_path: Path, count: int) -> None:
    """A statement a table for each block of lines, however many there are in it."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), *_messages(0, count, 20))
        await app.export(tmp_path / "a.ndjson")
    async with Outeract(tmp_path / "b.db", search=None) as core:
        with steps(core) as seen:
            await core.import_app(tmp_path / "a.ndjson")
    assert sum(sql.startswith("INSERT INTO event(") for sql in seen) == 1
    assert _longest([sql for sql in seen if "EXISTS" not in sql]) <= _IMPORT
