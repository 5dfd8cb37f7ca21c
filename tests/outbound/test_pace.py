"""Pace holds at the platform, whoever asks: from the first request on, over restarts and handovers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import pytest

from outeract_core import App, Outeract
from outeract_core.testing import ManualClock

pytestmark = pytest.mark.anyio


class Counting:
    """A Bot API that notes when each message came, and to which chat."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.came: list[tuple[float, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        chat = str(httpx.Response(200, content=request.content).json()["chat_id"])
        self.came.append((self.clock().timestamp(), chat))
        result = {"message_id": len(self.came), "chat": {"id": int(chat)}, "date": 1}
        return httpx.Response(200, json={"ok": True, "result": result})

    def most(self, seconds: float, chat: str | None = None) -> int:
        """The most that came within so many seconds."""
        times = [at for at, to in self.came if chat in (None, to)]
        return max(sum(0 <= at - first < seconds for at in times) for first in times)


def opened(path: Path, clock: ManualClock, platform: Counting) -> tuple[Outeract, App]:
    """A store with a bot."""
    core = Outeract(
        path,
        clock=clock,
        transport=httpx.MockTransport(platform),
        allow_private_addresses=True,
    )
    app = core.app("support", profiles="disabled")
    app.connect("telegram", token="1:a")
    return core, app


@pytest.mark.parametrize("pause", [0.0, 0.3, 0.9])
async def test_a_restart_gives_no_new_burst(
    tmp_path: Path, clock: ManualClock, pause: float
) -> None:
    """Up to the limit, closed, opened again, as often as one likes: 30 in every second."""
    platform = Counting(clock)
    for start in range(6):
        core, app = opened(tmp_path / "a.db", clock, platform)
        async with core:
            for chat in range(1, 60):
                await app.send(("telegram", str(1000 * start + chat)), "hello")
            await core.pump()
        clock.advance(pause)
    assert len(platform.came) >= 30
    assert platform.most(1.0) == 30


async def test_nor_does_a_chat_get_one(tmp_path: Path, clock: ManualClock) -> None:
    """One chat takes five at once, and then one a second."""
    platform = Counting(clock)
    for _ in range(8):
        core, app = opened(tmp_path / "a.db", clock, platform)
        async with core:
            for n in range(6):
                await app.send(("telegram", "7"), f"hello {n}")
            await core.pump()
        clock.advance(0.5)
    assert len(platform.came) >= 5 + 3
    assert platform.most(4.0, "7") <= 5 + 4


async def test_nor_does_a_handover(tmp_path: Path, clock: ManualClock) -> None:
    """Two processes on one file that pump in turn are together as fast as one."""
    platform = Counting(clock)
    one, first = opened(tmp_path / "a.db", clock, platform)
    other, _second = opened(tmp_path / "a.db", clock, platform)
    async with one, other:
        for chat in range(1, 500):
            await first.send(("telegram", str(chat)), "hello")
        for turn in range(40):
            await (one, other)[turn % 2].pump()
            clock.advance(0.1)
    assert platform.most(1.0) == 30
    assert len(platform.came) >= 30 * 3
    assert max(Counter(chat for _at, chat in platform.came).values()) == 1


async def test_what_was_under_way_when_it_was_killed_counts(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Requests that were begun and have no outcome have left, for all that is known."""
    platform = Counting(clock)
    core, app = opened(tmp_path / "a.db", clock, platform)
    async with core:
        for chat in range(1, 31):
            await app.send(("telegram", str(chat)), "hello")
        core.runtime.database.write_now(_begun)
        for chat in range(101, 131):
            await app.send(("telegram", str(chat)), "hello")
        await core.pump()
        assert len(platform.came) == 0
        for _ in range(4):
            clock.advance(1.1)
            await core.pump()
        assert len(platform.came) == 30


def _begun(tx: object) -> None:
    """As a process leaves them that is killed in the middle of thirty requests."""
    tx.script(  # type: ignore[attr-defined]
        f"UPDATE outbox SET state = 'sending', attempt = 1, arrives = {tx.now + 35_000}"  # type: ignore[attr-defined]
    )
