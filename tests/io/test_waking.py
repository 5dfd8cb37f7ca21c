"""Who waits for work: what came while one looked elsewhere is not waited for.

Knows: `heard`, `wake`, `wait`. Does not know: who works.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from outeract_core import Outeract
from tests.support.patience import soon

pytestmark = pytest.mark.anyio
_LONG = 60.0


async def test_what_came_between_looking_and_waiting_is_not_waited_for(tmp_path: Path) -> None:
    """A wake-up from another thread, after one has looked and before one waits, is not lost."""
    async with Outeract(tmp_path / "a.db") as core:
        heard = core.runtime.heard("handlers")
        await anyio.to_thread.run_sync(core.runtime.wake, "handlers")
        with soon():
            await core.runtime.wait("handlers", _LONG, heard)


async def test_what_comes_while_one_waits_ends_the_waiting(tmp_path: Path) -> None:
    """Each of several that wait for a kind is woken, and those that wait for another kind are not."""
    async with Outeract(tmp_path / "a.db") as core:
        woken: list[str] = []

        async def waits(kind: str) -> None:
            await core.runtime.wait(kind, _LONG, core.runtime.heard(kind))
            woken.append(kind)

        async with anyio.create_task_group() as group:
            for kind in ("handlers", "handlers", "outbox"):
                group.start_soon(waits, kind)
            await anyio.wait_all_tasks_blocked()
            core.runtime.wake("handlers")
            await anyio.wait_all_tasks_blocked()
            assert woken == ["handlers", "handlers"]
            group.cancel_scope.cancel()
