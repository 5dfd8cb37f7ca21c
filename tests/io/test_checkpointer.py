"""Checkpoints beside the writer: one that cuts the log is not refused for one that is under way.

Knows: the order of checkpoints. Does not know: what the log holds.
"""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from outeract_core import Outeract
from outeract_core._io import checkpointer
from outeract_core._store.engine import wal
from outeract_core._store.engine.sqlite import Connection

pytestmark = pytest.mark.anyio


async def test_the_log_is_cut_after_the_checkpoint_that_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once are refused by SQLite, so what was erased would stay in the log."""
    begun, may_end, order = threading.Event(), threading.Event(), list[str]()

    def slow(connection: Connection, mode: str) -> None:
        if mode == "PASSIVE":
            begun.set()
            may_end.wait(30)
        wal.checkpoint(connection, mode)
        order.append(mode)

    stepped = type("Stepped", (), {"checkpoint": staticmethod(slow)})
    monkeypatch.setattr(checkpointer, "wal", stepped)
    async with Outeract(tmp_path / "a.db") as core:
        core.app("support")
        core.runtime.database._beside.ask(10_000)
        assert await anyio.to_thread.run_sync(begun.wait, 30)
        async with anyio.create_task_group() as group:
            group.start_soon(core.runtime.database.truncate_log)
            await core.runtime.database.traverse(lambda _tx: None)
            with anyio.move_on_after(0.2):
                while "TRUNCATE" not in order:
                    await anyio.lowlevel.checkpoint()
            assert order == []
            may_end.set()
        assert order == ["PASSIVE", "TRUNCATE"]
        assert Path(f"{tmp_path / 'a.db'}-wal").stat().st_size == 0
