"""A disk that fails at a commit: what landed is told to have landed, what did not is told so.

Knows: the moments of a commit, by a VFS that fails at them. Does not know: what is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest
from anyio import wait_all_tasks_blocked

from outeract_core._io.database import Database
from outeract_core._store.engine.sqlite import Connection
from outeract_core.errors import DiskFull, StoreBroken, StoreClosed, StoreError
from tests.support.patience import soon
from tests.support.store.opening import PUT, Held, names, opened, put
from tests.support.store.vfs import Disk, disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "bot.db"


@pytest.fixture
def failing() -> Iterator[Disk]:
    """A disk that fails when told."""
    with disk() as made:
        yield made


def _broken() -> Exception:
    return apsw.IOError("the disk is on fire")


def _full() -> Exception:
    return apsw.FullError("no space")


@pytest.mark.parametrize("moment", ["wal-write", "wal-sync"])
def test_a_commit_that_did_not_land_is_an_error(path: Path, failing: Disk, moment: str) -> None:
    """When a commit's write or sync fails, the caller hears of it, nothing is there, work goes on."""
    called: list[str] = []

    def unit(tx: Connection) -> int:
        tx.run(PUT, name="lost", value=1)
        tx.remember("fact", "lost")
        tx.after_commit(lambda: called.append("lost"))
        return tx.allocate(1)

    with opened(path, vfs=failing.name) as database:
        key = database.write_now(lambda tx: tx.allocate(1))
        failing.fail(moment, _broken)
        with pytest.raises(StoreError, match="the disk is on fire"):
            database.write_now(unit)
        assert failing.seen == [moment]
        assert database.read(names) == set()
        assert called == []
        assert database.write_now(lambda tx: (tx.allocate(1), tx.recall("fact"))) == (key + 1, None)
    with opened(path) as again:
        assert again.read(names) == set()


def test_a_commit_that_did_land_is_no_error(path: Path, failing: Disk) -> None:
    """When COMMIT raises although it is in the file, the caller gets the result, calls run once."""
    called: list[str] = []

    def unit(tx: Connection) -> int:
        tx.run(PUT, name="landed", value=1)
        tx.after_commit(lambda: called.append("landed"))
        return tx.allocate(1)

    with opened(path, vfs=failing.name) as database:
        failing.fail("committed", _broken)
        key = database.write_now(unit)
        assert failing.seen == ["committed"]
        assert called == ["landed"]
        assert database.read(names) == {"landed"}
        assert database.write_now(lambda tx: tx.allocate(1)) == key + 1
        database.write_now(put("next"))
    with opened(path) as again:
        assert again.read(names) == {"landed", "next"}


async def _write(database: Database, name: str, told: dict[str, str]) -> None:
    try:
        await database.write(put(name))
    except StoreError as error:
        told[name] = type(error).__name__
    else:
        told[name] = "written"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("moment", "landed"), [("wal-write", False), ("wal-sync", False), ("committed", True)]
)
async def test_everybody_in_the_batch_is_told_the_same(
    path: Path, failing: Disk, moment: str, landed: bool
) -> None:
    """What a failing COMMIT means is told to each waiter, and a unit's own failure stays its own."""
    held, told = Held(), dict[str, str]()
    with opened(path, vfs=failing.name) as database:
        database.write_now(put("twice"))
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for name in ("one", "twice", "two"):
                group.start_soon(_write, database, name, told)
            await wait_all_tasks_blocked()
            failing.fail(moment, _broken, after=_writes_of_the_held_commit(moment))
            held.release()
        assert told["twice"] == "StoreError"
        assert {told["one"], told["two"]} == {"written" if landed else "StoreError"}
        assert database.read(names) == ({"one", "two", "twice"} if landed else {"twice"})


def _writes_of_the_held_commit(moment: str) -> int:
    """The held unit is committed first: two writes of one page each, or one sync."""
    return 2 if moment == "wal-write" else 1


# ── a full disk ───────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_loses_nothing_and_passes(path: Path, failing: Disk) -> None:
    """A full disk is DiskFull and may be tried again; nothing is half there; space heals it."""
    with opened(path, vfs=failing.name) as database:
        database.write_now(put("before"))
        failing.fail("wal-write", _full, times=10**6, after=1)
        for number in range(5):
            with pytest.raises(DiskFull, match="free some") as caught:
                database.write_now(_two(number))
            assert caught.value.again
            assert database.read(names) == {"before"}
        failing.heal()
        database.write_now(_two(9))
        assert database.read(names) == {"before", "9 first", "9 second"}
        assert database.read(lambda tx: tx.script("PRAGMA integrity_check")) == [("ok",)]


def _two(number: int):  # type: ignore[no-untyped-def]
    def unit(tx: Connection) -> None:
        put(f"{number} first", "x" * 9_000)(tx)
        put(f"{number} second", "x" * 9_000)(tx)

    return unit


def test_a_disk_that_fills_up_inside_a_unit(path: Path, failing: Disk) -> None:
    """SQLite may spill a large unit before its commit; full then, too, means that nothing is there."""

    def large(tx: Connection) -> None:
        tx.script("PRAGMA cache_size = 5")
        for number in range(200):
            tx.run(PUT, name=f"n{number}", value="x" * 3_000)

    with opened(path, vfs=failing.name) as database:
        database.write_now(put("before"))
        failing.fail("wal-write", _full, times=10**6, after=20)
        with pytest.raises(DiskFull):
            database.write_now(large)
        assert database.read(names) == {"before"}
        failing.heal()
        database.write_now(put("after"))
        assert database.read(names) == {"after", "before"}


def test_a_disk_that_is_full_from_the_start(path: Path, failing: Disk) -> None:
    """A file that could not be made is DiskFull; with space the same path opens as new."""
    failing.fail("main-write", _full, times=10**6)
    failing.fail("wal-write", _full, times=10**6)
    with pytest.raises(DiskFull), opened(path, vfs=failing.name):
        pass
    failing.heal()
    with opened(path, vfs=failing.name) as database:
        database.write_now(put("now"))
        assert database.read(names) == {"now"}


def test_a_checkpoint_that_fails_costs_nothing(path: Path, failing: Disk) -> None:
    """When the file cannot take up the log, the log keeps everything and a later try succeeds."""
    with opened(path, vfs=failing.name, checkpoints=lambda _p, _i: "TRUNCATE") as database:
        failing.fail("main-write", _full, times=10**6)
        for number in range(5):
            database.write_now(put(f"n{number}"))
        assert len(database.read(names)) == 5
        failing.heal()
        database.write_now(put("healed"))
        assert len(database.read(names)) == 6
    with opened(path) as again:
        assert len(again.read(names)) == 6


def test_a_log_that_cannot_be_asked_stops_nobody(path: Path) -> None:
    """How long it is decides about a checkpoint only: the writer goes on, whatever asking raises."""

    def refused() -> tuple[int, int]:
        raise apsw.ThreadingViolationError("busy in another thread")

    with opened(path) as database:
        database.write_now(put("first"))
        database._writer.log._written = refused
        for name in ("second", "third"):
            database.write_now(put(name))
        assert database._thread.is_alive()
        assert database.read(names) == {"first", "second", "third"}


# ── two failures in a row ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("moment", "landed"), [("wal-sync", False), ("committed", True)])
def test_when_the_truth_cannot_be_found_the_store_is_broken(
    path: Path, failing: Disk, moment: str, landed: bool
) -> None:
    """If the file cannot be opened to look, every write says StoreBroken until it is opened anew."""
    with opened(path, vfs=failing.name) as database:
        database.write_now(put("before"))
        failing.fail(moment, _broken)
        failing.fail("main-open", lambda: apsw.CantOpenError("gone"))
        with pytest.raises(StoreBroken, match="unknown"):
            database.write_now(put("in doubt"))
        for _ in range(2):
            with pytest.raises(StoreBroken, match="open it again"):
                database.write_now(put("refused"))
        database.close()
        with pytest.raises(StoreClosed):
            database.write_now(put("late"))
    with opened(path) as again:
        assert again.read(names) - {"in doubt"} == {"before"}
        assert landed <= ("in doubt" in again.read(names))
        again.write_now(put("after"))


@pytest.mark.anyio
async def test_who_waits_behind_a_broken_commit_is_told_too(path: Path, failing: Disk) -> None:
    """Units that were queued when the store broke do not wait for ever."""
    held, told = Held(), dict[str, str]()
    with opened(path, vfs=failing.name) as database:
        with soon():
            async with anyio.create_task_group() as group:
                group.start_soon(_hold, database, held)
                await held.busy()
                failing.fail("wal-sync", _broken)
                failing.fail("main-open", lambda: apsw.CantOpenError("gone"))
                for name in ("one", "two"):
                    group.start_soon(_write, database, name, told)
                await wait_all_tasks_blocked()
                held.release()
        assert told == {"one": "StoreBroken", "two": "StoreBroken"}


async def _hold(database: Database, held: Held) -> None:
    with pytest.raises(StoreBroken):
        await database.write(held)


@pytest.mark.anyio
async def test_what_was_kept_back_is_the_trouble_of_its_own_unit(tmp_path: Path) -> None:
    """Beside a host that computes rows go into their tables at the end: one that cannot fails the unit that had it."""
    held, errors = Held(), list[Exception]()

    def adds(name: str) -> Any:
        return lambda tx: tx.add(PUT, [(name, "x")])

    async def refused(database: Database, name: str) -> None:
        with pytest.raises(StoreError) as caught:
            await database.write(adds(name))
        errors.append(caught.value)

    with opened(tmp_path / "a.db") as database:
        database._writer.waits.host.until = float("inf")
        database.write_now(adds("there"))
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            group.start_soon(database.write, adds("first"))
            group.start_soon(refused, database, "there")
            group.start_soon(database.write, adds("second"))
            await wait_all_tasks_blocked()
            held.release()
        assert ["UNIQUE" in str(error) for error in errors] == [True]
        assert database.read(names) >= {"there", "first", "second"}
        with pytest.raises(StoreError, match="UNIQUE"):
            database.write_now(adds("first"))
        database.write_now(adds("third"))
        assert "third" in database.read(names)
