"""Door one closes, checkpoints and is forked in order, and the disk has what it promised.

Knows: the log beside the file, pragmas, processes. Does not know: what is written.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from outeract_core._io.database import Database, default_checkpoints
from outeract_core.errors import StoreClosed, StoreError
from tests.support.patience import PATIENCE, until_now
from tests.support.places import ROOT
from tests.support.store.opening import Held, counted, names, opened, options, put, raw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "bot.db"


def test_close_finishes_what_is_queued(path: Path) -> None:
    """Everything handed over before `close` is in the file after it."""
    held = Held()
    database = Database(str(path), options())
    waiting = [threading.Thread(target=database.write_now, args=(held,))]
    waiting[0].start()
    assert held.begun.wait(PATIENCE)
    for number in range(20):
        waiting.append(threading.Thread(target=database.write_now, args=(put(f"n{number}"),)))
        waiting[-1].start()
    until_now(lambda: database._queue._brought.qsize() == 20)
    closing = threading.Thread(target=database.close)
    closing.start()
    held.release()
    for thread in (*waiting, closing):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    with opened(path) as again:
        assert len(again.read(names)) == 20


@pytest.mark.anyio
async def test_after_close_everything_says_so(path: Path) -> None:
    """A closed store refuses each way of using it; `close` once more is harmless."""
    with opened(path) as database:
        database.close()
        database.close()
        with pytest.raises(StoreClosed, match="open it again"):
            await database.write(put("late"))
        with pytest.raises(StoreClosed):
            database.write_now(put("late"))
        with pytest.raises(StoreClosed):
            database.read(names)
        with pytest.raises(StoreClosed):
            await database.traverse(names)


def test_close_folds_the_log_into_the_file(path: Path) -> None:
    """After `close` there is one file, with everything in it and no writer's mark."""
    with opened(path) as database:
        for number in range(10):
            database.write_now(put(f"n{number}"))
        assert path.with_name("bot.db-wal").stat().st_size > 0
    assert not path.with_name("bot.db-wal").exists()
    with raw(path) as connection:
        (marks,) = connection.execute("SELECT count(*) FROM counter WHERE owner < 0").fetchall()
        assert marks == (0,)
        assert connection.execute("SELECT count(*) FROM meta").fetchall() == [(11,)]


@pytest.mark.anyio
async def test_the_log_can_be_cut_on_demand(path: Path) -> None:
    """When `truncate_log` returns, everything is in the file and the log has no bytes."""
    with opened(path, checkpoints=counted([])) as database:
        await database.write(put("n", "x" * 50_000))
        wal = path.with_name("bot.db-wal")
        assert wal.stat().st_size > 50_000
        await database.truncate_log()
        assert wal.stat().st_size == 0


def test_the_policy_decides_on_checkpoints(path: Path) -> None:
    """The policy is asked after each commit with the pages of the log, and its word is done."""
    asked: list[tuple[int, bool]] = []

    def policy(pages: int, idle: bool) -> str | None:
        if idle:
            return None
        asked.append((pages, idle))
        return "TRUNCATE" if len(asked) == 3 else None

    with opened(path, checkpoints=policy) as database:
        for number in range(3):
            database.write_now(put(f"n{number}", "x" * 20_000))
        database.write_now(put("small"))
    pages = [count for count, _idle in asked]
    assert pages[0] < pages[1] < pages[2]
    assert pages[3] < pages[2]


@pytest.mark.parametrize(
    ("pages", "idle", "mode"),
    [
        (0, True, None),
        (1_025, True, "BESIDE"),
        (1_025, False, None),
        (8_193, False, "BESIDE"),
        (32_769, False, "RESTART"),
    ],
)
def test_the_default_policy(pages: int, idle: bool, mode: str | None) -> None:
    """Small logs are left alone, larger ones wait for an idle moment, huge ones do not wait."""
    assert default_checkpoints(pages, idle) == mode


def test_what_is_acknowledged_is_on_the_disk(path: Path) -> None:
    """`full` is the default: synchronous is 2; `normal` has to be asked for; all else is refused."""
    with opened(path) as database:
        assert database.write_now(lambda tx: tx.script("PRAGMA synchronous")) == [(2,)]
        assert database.write_now(lambda tx: tx.script("PRAGMA journal_mode")) == [("wal",)]
    with opened(path, durability="normal") as database:
        assert database.write_now(lambda tx: tx.script("PRAGMA synchronous")) == [(1,)]
    with pytest.raises(StoreError, match="full"), opened(path, durability="maybe"):
        pass


FORK = """
import os, sys
from tests.support.store.opening import names, opened, put
from outeract_core.errors import StoreClosed
from pathlib import Path
with opened(Path(sys.argv[1])) as database:
    database.write_now(put("parent"))
    child = os.fork()
    if child == 0:
        try:
            database.write_now(put("child"))
        except StoreClosed as error:
            database.close()
            os._exit(7 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    database.write_now(put("parent again"))
    print(sorted(database.read(names)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_is_refused(path: Path) -> None:
    """A child of a fork may not use its parent's opening; the parent is not disturbed."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['parent', 'parent again']"
