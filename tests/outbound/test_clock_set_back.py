"""A clock that is set back holds up nothing that was to leave at once, and turns round no order.

Knows: messages queued before the clock was set back, by this process or an earlier one.
Does not know: leases and intervals, which follow a steady clock (`test_claims.py`, `test_troubles.py`).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from outeract_core import Outeract
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, kinds

pytestmark = pytest.mark.anyio


async def _sent(core: Outeract) -> list[str]:
    """The texts of what was sent, in the order in which it was."""
    app, texts = core.app("one"), []
    for event in [one async for one in app.events.all()]:
        if event.event_type == "message.sent":
            told = await app.events.get(event.origin_event_id)
            texts.append(told.text)
    return texts


@pytest.mark.parametrize("seconds", [1, 3600, 10 * 86_400])
@pytest.mark.parametrize("reopened", [False, True])
async def test_what_was_to_leave_at_once_leaves(
    tmp_path: Path, clock: ManualClock, reopened: bool, seconds: int
) -> None:
    """In the order in which it was said, by the same process or by the next one that pumps."""
    path = tmp_path / "a.db"
    async with Outeract(path, clock=clock) as core:
        connection = connect(core, core.app("one"))
        await core.app("one").send((connection, "ann"), "one")
        await core.pump()
        await core.app("one").send((connection, "ann"), "two")
        clock.advance(-seconds)
        if not reopened:
            await core.app("one").send((connection, "ann"), "three")
            await core.pump()
            assert await _sent(core) == ["one", "two", "three"]
            return
    async with Outeract(path, clock=clock) as core:
        connection = connect(core, core.app("one"))
        await core.app("one").send((connection, "ann"), "three")
        await core.pump()
        assert await _sent(core) == ["one", "two", "three"]


async def test_what_has_a_time_keeps_it(tmp_path: Path, clock: ManualClock) -> None:
    """`not_before` is the host's: it is neither cut nor brought forward."""
    async with Outeract(tmp_path / "a.db", clock=clock) as core:
        app = core.app("one")
        connection = connect(core, app)
        later = clock() + timedelta(hours=1)
        await app.send((connection, "ann"), "later", not_before=later)
        clock.advance(-7200)
        await core.pump()
        assert "message.sent" not in await kinds(app)
        clock.advance(3 * 3600 - 60)
        await core.pump()
        assert "message.sent" not in await kinds(app)
        clock.advance(120)
        await core.pump()
        assert "message.sent" in await kinds(app)
