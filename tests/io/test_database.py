"""Door one keeps its word: group commit, savepoints, caches, readers, cancelled waits, the end.

Knows: what the door promises to a unit of work. Does not know: events, platforms, failing disks.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from anyio import wait_all_tasks_blocked

from outeract_core._domain.values.ids import to_ms
from outeract_core._io.database import Database, Unit
from outeract_core._io.threads.arrivals import CHEAP, Arrivals
from outeract_core._io.write_queue import Share
from outeract_core._store.engine.sqlite import Connection
from outeract_core.errors import StoreError
from outeract_core.testing import ManualClock
from tests.support.patience import PATIENCE
from tests.support.store.opening import GET, PUT, Held, counted, names, opened, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "bot.db"


# ── group commit ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_concurrent_writes_share_a_commit(path: Path) -> None:
    """What is queued while the writer is busy lands in one commit."""
    calls: list[tuple[int, bool]] = []
    held = Held()
    with opened(path, checkpoints=counted(calls)) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for number in range(60):
                group.start_soon(database.write, put(f"n{number}"))
            await wait_all_tasks_blocked()
            held.release()
        assert len(database.read(names)) == 60
    assert len(calls) == 2


@pytest.mark.anyio
async def test_a_batch_has_a_limit(path: Path) -> None:
    """More than a batch is committed in several, and nothing is left over."""
    calls: list[tuple[int, bool]] = []
    held = Held()
    with opened(path, checkpoints=counted(calls)) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for number in range(CHEAP + 10):
                group.start_soon(database.write, put(f"n{number}"))
            await wait_all_tasks_blocked()
            held.release()
        assert len(database.read(names)) == CHEAP + 10
    assert len(calls) == 3


@pytest.mark.anyio
async def test_how_long_the_writer_has_what_it_took_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it takes the next time depends on it, so it is told of every batch."""
    told: list[int] = []
    monkeypatch.setattr(Arrivals, "done", lambda _self, portion: told.append(len(portion)))
    with opened(path) as database:
        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(database.write, put(f"n{number}"))
    assert sum(told) == 40


@pytest.mark.anyio
async def test_beside_a_host_that_computes_the_writer_does_not_look_around(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who brings the next unit needs Python's lock, and waits for everybody who wakes up meanwhile."""
    waited: list[float | None] = []
    get = Arrivals.get

    def told(self: Arrivals[Any], timeout: float | None = None) -> Any:
        waited.append(timeout)
        return get(self, timeout)

    monkeypatch.setattr(Arrivals, "get", told)
    with opened(path) as database:
        await database.write(put("n0"))
        database._writer.waits.host.until = float("inf")
        await database.write(put("n1"))
        await database.write(put("n2"))
    assert 0.1 in waited


@pytest.mark.anyio
async def test_shares_go_together_and_fail_alone(path: Path) -> None:
    """Neighbours of one kind are one call; when it raises, each is done by itself, and the bad one told."""
    calls: list[list[str]] = []
    told: dict[str, str] = {}
    held = Held()

    def together(tx: Connection, shares: list[str]) -> list[str]:
        calls.append(shares)
        for name in shares:
            put(name)(tx)
            if name == "bad":
                raise ValueError("a bad share")
        return [name.upper() for name in shares]

    with opened(path) as database:

        async def write(name: str) -> None:
            try:
                told[name] = await database.write(Share(together, name))
            except ValueError as error:
                told[name] = str(error)

        for others in (["a", "b", "c"], ["d", "bad", "e"]):
            async with anyio.create_task_group() as group:
                group.start_soon(database.write, held)
                await held.busy()
                for name in others:
                    group.start_soon(write, name)
                await wait_all_tasks_blocked()
                held.release()
            held = Held()
        assert database.read(names) == {"a", "b", "c", "d", "e"}
    assert told == {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E", "bad": "a bad share"}
    assert [sorted(shares) for shares in calls[:2]] == [["a", "b", "c"], ["bad", "d", "e"]]
    assert sorted(calls[2:]) == [["bad"], ["d"], ["e"]]


@pytest.mark.anyio
async def test_writers_of_several_threads_are_all_woken(path: Path) -> None:
    """Tasks and plain threads share batches, and each gets its own unit's result."""
    held, results = Held(), list[int]()
    with opened(path) as database:

        def one(number: int) -> None:
            results.append(database.write_now(lambda _tx: number))

        threads = [threading.Thread(target=one, args=(n,)) for n in range(20)]
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for thread in threads:
                thread.start()
            group.start_soon(database.write, put("task"))
            await wait_all_tasks_blocked()
            held.release()
        for thread in threads:
            await anyio.to_thread.run_sync(thread.join)
        assert sorted(results) == list(range(20))
        assert database.read(names) == {"task"}


# ── a unit that fails ─────────────────────────────────────────────────────────────────────────


class Books:
    """What units did beside rows: keys that they were given, calls after the commit."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.called: list[str] = []

    def good(self, tx: Connection) -> None:
        """Takes a key, writes a row."""
        key = tx.allocate(1)
        self.keys.append(key)
        tx.run(PUT, name=f"good {key}", value=tx.recall("bad"))
        tx.after_commit(lambda: self.called.append("good"))

    def bad(self, tx: Connection) -> None:
        """Does all that a unit can do, then raises."""
        tx.run(PUT, name="bad", value=tx.allocate(1))
        tx.kind("bad.kind")
        tx.remember("bad", 1)
        tx.after_commit(lambda: self.called.append("bad"))
        raise RuntimeError("as planned")


async def _refused(database: Database, unit: Unit[None], errors: list[Exception]) -> None:
    with pytest.raises(RuntimeError) as caught:
        await database.write(unit)
    errors.append(caught.value)


@pytest.mark.anyio
async def test_a_failing_unit_rolls_back_alone(path: Path) -> None:
    """In one batch the bad unit's rows, keys, names, caches and calls are gone; the others' stay."""
    held, books, errors = Held(), Books(), list[Exception]()
    with opened(path) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for unit in (books.good, None, books.good):
                if unit is None:
                    group.start_soon(_refused, database, books.bad, errors)
                else:
                    group.start_soon(database.write, unit)
                await wait_all_tasks_blocked()
            held.release()
        first, second = sorted(books.keys)[-2:]
        assert [str(error) for error in errors] == ["as planned"]
        assert database.read(names) == {f"good {first}", f"good {second}"}
        assert second == first + 1
        assert books.called == ["good", "good"]
        assert database.read(lambda tx: tx.known_kind("bad.kind")) is None
        assert database.write_now(lambda tx: tx.recall("bad")) is None
        assert database.read(lambda tx: tx.one(GET, name=f"good {second}")) == (None,)


def test_a_lone_failing_unit_leaves_nothing(path: Path) -> None:
    """A unit that raises on its own leaves no row, no key and no name, and the next one works."""
    books = Books()
    with opened(path) as database:
        database.write_now(books.good)
        with pytest.raises(RuntimeError):
            database.write_now(books.bad)
        database.write_now(books.good)
        assert books.keys[1] == books.keys[0] + 1
        assert books.called == ["good", "good"]
        assert database.read(lambda tx: tx.known_kind("bad.kind")) is None


def test_an_error_of_sqlite_is_translated_and_local(path: Path) -> None:
    """SQL that SQLite refuses becomes a StoreError of its own unit."""
    with opened(path) as database:
        database.write_now(put("twice"))
        with pytest.raises(StoreError, match="UNIQUE"):
            database.write_now(put("twice"))
        database.write_now(put("once"))
        assert database.read(names) == {"once", "twice"}


@pytest.mark.anyio
async def test_an_error_that_is_no_exception_fails_only_its_unit(path: Path) -> None:
    """Even a KeyboardInterrupt inside a unit reaches its waiter and leaves the writer alive."""

    def interrupted(tx: Connection) -> None:
        tx.run(PUT, name="half", value=1)
        raise KeyboardInterrupt

    with opened(path) as database:
        with pytest.raises(KeyboardInterrupt):
            database.write_now(interrupted)
        await database.write(put("whole"))
        assert database.read(names) == {"whole"}


def test_a_name_is_interned_once(path: Path) -> None:
    """A new kind keeps its number over later units, readers and openings."""
    with opened(path) as database:
        number = database.write_now(lambda tx: tx.kind("order.created"))
        assert database.write_now(lambda tx: tx.kind("order.created")) == number
        assert database.read(lambda tx: tx.kind_name(number)) == "order.created"
    with opened(path) as database:
        assert database.read(lambda tx: tx.known_kind("order.created")) == number


def test_keys_go_on_where_they_stopped(path: Path) -> None:
    """Keys are gapless over units, refused units and openings, and each application has its own."""
    with opened(path) as database:
        keys = [database.write_now(lambda tx: tx.allocate(1)) for _ in range(3)]
        other = database.write_now(lambda tx: tx.allocate(2))
    with opened(path) as database:
        keys.append(database.write_now(lambda tx: tx.allocate(1)))
    assert keys == [(1 << 40) + n for n in (1, 2, 3, 4)]
    assert other == (2 << 40) + 1


def test_a_key_that_is_given_back_is_used_again(path: Path) -> None:
    """`release` closes the gap that a duplicate would leave."""

    def unit(tx: Connection) -> tuple[int, int]:
        first = tx.allocate(1)
        tx.release(1)
        return first, tx.allocate(1)

    with opened(path) as database:
        first, second = database.write_now(unit)
        assert first == second


# ── time ──────────────────────────────────────────────────────────────────────────────────────


def test_units_see_the_time_of_the_clock(path: Path) -> None:
    """`tx.now` is the injected clock in milliseconds, for writers and readers, forth and back."""
    clock = ManualClock()
    with opened(path, clock=clock) as database:
        for step in (0, 90.5, -3600):
            clock.advance(step)
            assert database.write_now(lambda tx: tx.now) == to_ms(clock())
            assert database.read(lambda tx: tx.now) == to_ms(clock())


@pytest.mark.anyio
async def test_a_unit_that_waited_sees_the_time_of_its_commit(path: Path) -> None:
    """The time is taken when the transaction begins, not when the unit was handed over."""
    clock, held, seen = ManualClock(), Held(), list[int]()
    with opened(path, clock=clock) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            group.start_soon(database.write, lambda tx: seen.append(tx.now))
            await wait_all_tasks_blocked()
            clock.advance(5)
            held.release()
        assert seen == [to_ms(clock())]


# ── readers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_readers_see_only_what_is_committed(path: Path) -> None:
    """While a unit has written but not committed, a reader sees the state before it."""
    held = Held()

    def unit(tx: Connection) -> None:
        tx.run(PUT, name="later", value=1)
        held(tx)

    with opened(path) as database:
        database.write_now(put("before"))
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, unit)
            await held.busy()
            assert database.read(names) == {"before"}
            held.release()
        assert database.read(names) == {"before", "later"}


@pytest.mark.anyio
async def test_a_reader_keeps_its_snapshot(path: Path) -> None:
    """One query sees one state of the file, whatever is committed meanwhile."""
    with opened(path) as database:

        def query(tx: Connection) -> tuple[set[str], set[str]]:
            before = names(tx)
            database.write_now(put("meanwhile"))
            return before, names(tx)

        assert await database.traverse(query) == (set(), set())
        assert database.read(names) == {"meanwhile"}


def test_a_reader_cannot_write(path: Path) -> None:
    """A query that tries to write is refused, and the reader is fit for use afterwards."""
    with opened(path) as database:
        with pytest.raises(StoreError):
            database.read(put("sneaky"))
        assert database.read(names) == set()


def test_changes_of_others_are_noticed(path: Path) -> None:
    """`changed` tells of commits, its own and those of others, and of each only once."""
    with opened(path) as database, opened(path) as other:
        assert not database.changed()
        other.write_now(put("theirs"))
        assert database.changed()
        assert not database.changed()
        database.write_now(put("ours"))
        assert database.changed()


def test_caches_do_not_outlive_a_foreign_commit(path: Path) -> None:
    """What one opening remembers is dropped as soon as another has committed."""
    with opened(path) as database, opened(path) as other:
        database.write_now(lambda tx: tx.remember("fact", "old"))
        assert database.write_now(lambda tx: tx.recall("fact")) == "old"
        other.write_now(put("news"))
        assert database.write_now(lambda tx: tx.recall("fact")) is None


def test_two_openings_share_one_row_of_keys(path: Path) -> None:
    """Two openings of one file never hand out the same key."""
    with opened(path) as one, opened(path) as two:
        keys = [each.write_now(lambda tx: tx.allocate(1)) for each in (one, two, one, two)]
    assert len(set(keys)) == 4


# ── cancelled waits ───────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_cancelled_wait_leaves_its_unit_whole(path: Path) -> None:
    """Who stops waiting neither tears their unit apart nor disturbs those who wait on."""
    held = Held()

    def both(tx: Connection) -> None:
        put("first half")(tx)
        put("second half")(tx)

    with opened(path) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(database.write, both)
                    await wait_all_tasks_blocked()
                    scope.cancel()
            assert scope.cancelled_caught
            group.start_soon(database.write, put("patient"))
            await wait_all_tasks_blocked()
            held.release()
        assert database.read(names) == {"first half", "second half", "patient"}


def test_a_waiter_whose_loop_is_gone_is_no_trouble(path: Path) -> None:
    """A loop that ended before the commit does not stop the writer."""
    held = Held()

    async def leave(database: Database) -> None:
        with anyio.move_on_after(0):
            await database.write(put("left behind"))

    with opened(path) as database:
        thread = threading.Thread(target=database.write_now, args=(held,))
        thread.start()
        assert held.begun.wait(PATIENCE)
        anyio.run(leave, database)
        held.release()
        thread.join()
        database.write_now(put("after"))
        assert database.read(names) == {"left behind", "after"}
