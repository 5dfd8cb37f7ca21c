"""Checkpoints beside the writer: one that cuts the log is not refused for one that is under way.

Knows: the order of checkpoints. Does not know: what the log holds.
"""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import apsw
import pytest

from outeract_core import Outeract
from outeract_core._io import checkpointer
from outeract_core._store.engine import wal
from outeract_core._store.engine.writer import Writer
from tests.support.patience import BRIEFLY, soon, until
from tests.support.store.platform import connect, said, take
from tests.support.store.vfs import Disk
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio


class _Turn:
    """A lock that tells when somebody waits for it."""

    def __init__(self) -> None:
        self._lock, self.waited = threading.Lock(), threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.waited.set()
            self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


async def test_the_log_is_cut_after_the_checkpoint_that_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once are refused by SQLite, so what was erased would stay in the log."""
    begun, may_end, order = threading.Event(), threading.Event(), list[str]()

    def slow(connection: Writer, mode: str) -> bool:
        if mode == "PASSIVE":
            begun.set()
            may_end.wait()
        order.append(mode)
        return wal.checkpoint(connection, mode)

    stepped = type("Stepped", (), {"checkpoint": staticmethod(slow)})
    monkeypatch.setattr(checkpointer, "wal", stepped)
    async with Outeract(tmp_path / "a.db") as core:
        core.app("support")
        core.runtime.database._beside._turn = turn = _Turn()  # type: ignore[assignment]
        core.runtime.database._beside.ask(10_000)
        await until(begun.is_set)
        async with anyio.create_task_group() as group:
            group.start_soon(core.runtime.database.truncate_log)
            await until(turn.waited.is_set)
            assert order == []
            may_end.set()
        assert order == ["PASSIVE", "TRUNCATE"]
        assert Path(f"{tmp_path / 'a.db'}-wal").stat().st_size == 0


class _Slow(Disk):
    """Moving the log into the file takes as long as the test says."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun, self.may_end = threading.Event(), threading.Event()

    def at(self, moment: str) -> None:
        """Wait where the file is written."""
        if moment == "main-write":
            self.begun.set()
            self.may_end.wait()


async def test_the_log_is_cut_after_the_checkpoint_of_another_process(
    tmp_path: Path, words: Words, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was erased nothing is in any file, whoever moves the log into it meanwhile."""
    disk, tried = _Slow("slow"), list[bool]()
    real = wal.checkpoint

    def noted(connection: Writer, mode: str) -> bool:
        tried.append(done := real(connection, mode))
        return done

    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("support")
        plain = connect(core, app)
        await take(core, plain, said("m", "ann", words.plant("said")))
        theirs = apsw.Connection(str(tmp_path / "a.db"), vfs=disk.name)
        moving = threading.Thread(target=theirs.execute, args=("PRAGMA wal_checkpoint(PASSIVE)",))
        moving.start()
        await until(disk.begun.is_set)
        monkeypatch.setattr(wal, "checkpoint", noted)
        async with anyio.create_task_group() as group:
            group.start_soon(app.people.erase, await app.people.by_external_id(plain, "ann"))
            await until(lambda: False in tried)
            disk.may_end.set()
        assert tried[-1]
        assert words.found() == set()
        moving.join()
        theirs.close()
    disk.unregister()


async def test_a_checkpoint_that_never_ends_is_not_waited_for_longer_than_a_write_is(
    tmp_path: Path,
) -> None:
    """A process may have been stopped in the middle of it; the log is cut by the next one that can."""
    disk = _Slow("never")
    async with Outeract(tmp_path / "a.db", busy_timeout=BRIEFLY) as core:
        core.app("support")
        theirs = apsw.Connection(str(tmp_path / "a.db"), vfs=disk.name)
        moving = threading.Thread(target=theirs.execute, args=("PRAGMA wal_checkpoint(PASSIVE)",))
        moving.start()
        await until(disk.begun.is_set)
        with soon():
            await core.runtime.database.truncate_log()
        assert Path(f"{tmp_path / 'a.db'}-wal").stat().st_size > 0
        disk.may_end.set()
        moving.join()
        await core.runtime.database.truncate_log()
        assert Path(f"{tmp_path / 'a.db'}-wal").stat().st_size == 0
        theirs.close()
    disk.unregister()
