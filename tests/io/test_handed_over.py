"""What is handed to the writer and waited for by nobody: it holds up no event loop, and is told if it fails.

Knows: `Runtime.begin`. Does not know: who uses it.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import anyio
import pytest

from outeract_core import Outeract
from tests.support.patience import PATIENCE, soon

pytestmark = pytest.mark.anyio


async def test_it_waits_for_no_commit(core: Outeract) -> None:
    """While the writer is busy with something else, the caller goes on."""
    busy, done = threading.Event(), anyio.Event()
    order: list[str] = []

    async def slow() -> None:
        await core.runtime.database.write(lambda _tx: busy.wait(PATIENCE))
        done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(slow)
        await anyio.lowlevel.checkpoint()
        core.runtime.begin(lambda _tx: order.append("written"), "typing", app=1)
        order.append("gone on")
        busy.set()
        with soon():
            await done.wait()
    await core.runtime.database.write(lambda _tx: None)
    assert order == ["gone on", "written"]


async def test_what_fails_is_told(core: Outeract, caplog: Any) -> None:
    """Nobody waits for it, so the log has it; what was handed over beside it is not concerned."""

    def bad(_tx: Any) -> None:
        raise ValueError("no such thing")

    with caplog.at_level(logging.WARNING, "outeract_core"):
        core.runtime.begin(bad, "typing", app=1)
        assert await core.runtime.database.write(lambda _tx: 7) == 7
    assert "typing was left out: no such thing" in caplog.text
