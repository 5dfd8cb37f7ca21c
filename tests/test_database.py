"""Door one: group commit, savepoints, caches, readers, cancelled waits, the end.

Knows: what the door promises to a unit of work. Does not know: events, platforms, failing disks.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from anyio.testing import wait_all_tasks_blocked

from outeract_core._database import BATCH, default_checkpoints
from outeract_core._ids import to_ms
from outeract_core._store.sqlite import Connection
from outeract_core.errors import StoreClosed, StoreError
from outeract_core.testing import ManualClock

from .store_opening import GET, Held, counted, names, opened, put, raw


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
            for number in range(300):
                group.start_soon(database.write, put(f"n{number}"))
            await wait_all_tasks_blocked()
            held.release()
        assert len(calls) == 2
        assert len(database.read(names)) == 300


@pytest.mark.anyio
async def test_a_batch_has_a_limit(path: Path) -> None:
    """More than a batch is committed in several, and nothing is left over."""
    calls: list[tuple[int, bool]] = []
    held = Held()
    with opened(path, checkpoints=counted(calls)) as database:
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            for number in range(BATCH + 10):
                group.start_soon(database.write, put(f"n{number}"))
            await wait_all_tasks_blocked()
            held.release()
        assert len(calls) == 3
        assert calls[-1][1]
        assert len(database.read(names)) == BATCH + 10


@pytest.mark.anyio
async def test_writers_of_several_threads_are_all_woken(path: Path) -> None:
    """Tasks and plain threads share batches, and each gets its own unit's result."""
    held, results = Held(), []
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


@pytest.mark.anyio
async def test_a_failing_unit_rolls_back_alone(path: Path) -> None:
    """In one batch the bad unit's rows, keys, names, caches and calls are gone; the others' stay."""
    held, keys, called, refused = Held(), [], [], []

    def good(tx: Connection) -> None:
        keys.append((tx.allocate(1), tx.allocate(1)))
        tx.run(*_row(f"good {tx.allocate(1)}"))
        tx.after_commit(lambda: called.append("good"))

    def bad(tx: Connection) -> None:
        tx.run(*_row("bad"))
        tx.allocate(1)
        tx.kind("bad.kind")
        tx.remember("bad", 1)
        tx.after_commit(lambda: called.append("bad"))
        raise RuntimeError("as planned")

    def _row(name: str) -> tuple[object, ...]:
        raise AssertionError(name)

    with opened(path) as database:
        del good, bad, _row
        async with anyio.create_task_group() as group:
            group.start_soon(database.write, held)
            await held.busy()
            group.start_soon(database.write, _good(keys, called))
            group.start_soon(_refused, database, _bad(called), refused)
            group.start_soon(database.write, _good(keys, called))
            await wait_all_tasks_blocked()
            held.release()
        assert [str(error) for error in refused] == ["as planned"]
        assert len(database.read(names)) == 2
        assert called == ["good", "good"]
