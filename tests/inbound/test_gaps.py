"""What a platform has dropped because nobody asked for it in time is told, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.telegram.samples import CONFIG

pytestmark = pytest.mark.anyio
HOUR = 3600


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Bot API on a loopback port."""
    with FakePlatform(telegram_token=CONFIG["token"]) as platform:
        yield platform


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A file whose time the test decides."""
    async with Outeract(tmp_path / "b.db", clock=clock, allow_private_addresses=True) as opened:
        yield opened


@pytest.fixture
def app(core: Outeract, fake: FakePlatform) -> App:
    """An application that polls."""
    found = core.app("support")
    found.connect("telegram", base_url=fake.url, poll=True, **CONFIG)
    return found


async def gaps(app: App) -> list[Any]:
    """The payloads of all gaps."""
    return [event.payload async for event in app.events.all(type_is("system.gap"))]


def say(fake: FakePlatform, count: int = 1) -> None:
    """People write."""
    for _ in range(count):
        fake.telegram.say(42, "hello")


def drop(fake: FakePlatform) -> None:
    """Telegram forgets what has waited for more than 24 hours."""
    fake.telegram._updates.clear()


async def test_what_was_dropped_is_told(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """After more than 24 hours a jump in the numbers is a gap: from when to when, and how many."""
    say(fake)
    await core.pump()
    began = clock()
    clock.advance(30 * HOUR)
    say(fake, 3)
    drop(fake)
    say(fake)
    await core.pump()
    assert await gaps(app) == [{
        "platform": "telegram", "reason": "polled_too_late", "certain": True, "missed": 3,
        "from": began.isoformat(), "to": (began + timedelta(hours=30)).isoformat(),
    }]  # fmt: skip


async def test_a_late_poll_that_finds_nothing_waits_for_what_comes(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """An empty late poll shows no jump yet: the next update does, once."""
    say(fake)
    await core.pump()
    clock.advance(30 * HOUR)
    say(fake, 3)
    drop(fake)
    await core.pump()
    assert await gaps(app) == []
    clock.advance(HOUR)
    say(fake)
    await core.pump()
    await core.pump()
    assert [gap["missed"] for gap in await gaps(app)] == [3]


@pytest.mark.parametrize("hours", [23, 30])
async def test_no_jump_is_no_gap(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock, hours: int
) -> None:
    """Whoever polls late, but misses nothing, is told nothing."""
    say(fake)
    await core.pump()
    clock.advance(hours * HOUR)
    say(fake)
    await core.pump()
    assert await gaps(app) == []


async def test_a_jump_in_time_is_no_gap(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """Within 24 hours Telegram drops nothing: numbers that are missing were never for us."""
    say(fake)
    await core.pump()
    clock.advance(23 * HOUR)
    fake.telegram._update_id += 5
    say(fake)
    await core.pump()
    assert await gaps(app) == []


async def test_after_a_week_a_jump_proves_nothing(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """Telegram numbers anew after a quiet week: a gap is possible, and told as that."""
    say(fake)
    await core.pump()
    clock.advance(200 * HOUR)
    fake.telegram._update_id = 5_000
    say(fake)
    await core.pump()
    (gap,) = await gaps(app)
    assert gap["certain"] is False
    assert "missed" not in gap
