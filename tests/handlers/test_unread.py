"""What a handler leaves unread, and what it has given up, stays unread until somebody reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Message, Outeract, PlatformConnection
from outeract_core._io.runtime import Runtime
from outeract_core.errors import MissingSecret
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, deliver, talk, whatsapp, writes
from tests.support.patience import soon
from tests.support.raising import raises

pytestmark = pytest.mark.anyio
ANN, BOB = "14155550100", "14155550101"


class Desk:
    """A bot on WhatsApp that marks read what it has handled, and keeps silent where it is muted."""

    def __init__(self, core: Outeract, app: App, line: PlatformConnection, fake: FakePlatform):
        self.core, self.app, self.line, self.fake = core, app, line, fake

    async def hears(self, text: str, who: str = ANN, **more: Any) -> None:
        """Somebody writes, and the bot has its turns."""
        if "group_id" in more:
            payload = self.fake.whatsapp.say(who, text, phone_number_id=NUMBER, **more)
            await deliver(self.core, self.line, payload)
        else:
            await writes(self.core, self.line, self.fake, text, who, **more)
        with soon():
            await self.core.pump()

    async def unread(self) -> dict[str, int]:
        """How many messages wait, by who writes."""
        found = (await self.app.conversations.recent()).nodes
        return {str(one.peer.external_id): one.unread for one in found}

    @property
    def told(self) -> int:
        """How often WhatsApp was told that something is read."""
        return sum(1 for r in self.fake.requests if r.json and r.json.get("status") == "read")

    async def by_hand(self, text: str) -> None:
        """A person at the desk reads up to a message."""
        heard = [event async for event in self.app.events.all(type_is("message.inbound"))]
        await self.app.mark_read(next(event for event in heard if event.text == text))
        await self.core.pump()


@pytest.fixture
async def desk(core: Outeract, clock: ManualClock) -> AsyncIterator[Desk]:
    """The bot; `mute …` is seen and left unread, `fail …` raises, the rest is handled."""
    with FakePlatform(clock=clock) as fake:
        app = core.app("desk", auto_mark_read="on_processing_complete")
        made = Desk(core, app, whatsapp(app, fake), fake)

        @app.on("message.inbound", name="bot", attempts=1)
        def bot(message: Message) -> None:
            if message.text.startswith("mute"):
                message.leave_unread()
            if message.text.startswith("fail"):
                raise RuntimeError

        yield made


@pytest.mark.parametrize("kept", ["mute it", "fail it"])
async def test_what_is_kept_unread_is_not_read_with_what_comes_after(desk: Desk, kept: str) -> None:
    """A read mark says "all of it up to here", so it stops before what nobody has read."""
    await desk.hears("first")
    assert (await desk.unread(), desk.told) == ({f"+{ANN}": 0}, 1)
    await desk.hears(kept)
    await desk.hears("next")
    assert (await desk.unread(), desk.told) == ({f"+{ANN}": 2}, 1)
    await desk.hears("somebody else", BOB)
    assert (await desk.unread(), desk.told) == ({f"+{ANN}": 2, f"+{BOB}": 0}, 2)
    await desk.by_hand("next")
    assert (await desk.unread(), desk.told) == ({f"+{ANN}": 0, f"+{BOB}": 0}, 3)
    await desk.hears("and on")
    assert (await desk.unread(), desk.told) == ({f"+{ANN}": 0, f"+{BOB}": 0}, 4)


async def test_in_a_group_the_next_person_does_not_read_it_either(desk: Desk) -> None:
    """Who writes makes no difference: the mark is the conversation's."""
    await desk.hears("mute Ann", ANN, group_id="G1")
    await desk.hears("hello", BOB, group_id="G1")
    assert await desk.unread() == {"G1": 2}


async def test_what_was_run_again_is_read_with_all_that_was_handled_after_it(desk: Desk) -> None:
    """Once nothing is kept any more, the mark stands where it would have stood."""
    await desk.hears("fail once")
    await desk.hears("next")
    (event, _) = [event async for event in desk.app.events.all(type_is("message.inbound"))]
    assert await desk.unread() == {f"+{ANN}": 2}
    desk.app.handlers[0] = _mended(desk.app.handlers[0])
    await desk.app.retry(event)
    await desk.core.pump()
    assert await desk.unread() == {f"+{ANN}": 0}


def _mended(handler: Any) -> Any:
    from attrs import evolve

    return evolve(handler, call=lambda message: None)


async def test_left_unread_it_is_processed_all_the_same(tmp_path: Path) -> None:
    """Seen is not failed: it counts as processed, and is not given to the handler again."""
    bot = talk(tmp_path / "a.db", auto_mark_read="on_processing_complete")
    async with bot.core:
        bot.app.on("message.inbound")(lambda message: message.leave_unread())
        await bot.says("hi")
        for _ in range(2):
            await bot.core.pump()
        (event,) = await bot.events("message.inbound")
        assert event.status == "processed"
        assert await bot.events("system.conversation_read") == []


async def test_one_of_two_handlers_is_enough_to_leave_it_unread(tmp_path: Path) -> None:
    """Whichever is through first."""
    bot = talk(tmp_path / "a.db", auto_mark_read="on_processing_complete")
    async with bot.core:
        bot.app.on("message.inbound", name="a")(lambda message: None)
        bot.app.on("message.inbound", name="b")(lambda message: message.leave_unread())
        bot.app.on("message.inbound", name="c")(lambda message: None)
        for text in ("one", "two"):
            await bot.says(text)
            await bot.core.pump()
        assert await bot.events("system.conversation_read") == []


async def test_a_turn_that_is_rolled_back_has_left_nothing_unread(tmp_path: Path) -> None:
    """What counts is what the run says that is committed."""
    bot = talk(tmp_path / "a.db", auto_mark_read="on_processing_complete")
    runs: list[int] = []
    async with bot.core:

        @bot.app.on("message.inbound")
        def handler(message: Message) -> None:
            runs.append(1)
            if len(runs) == 1:
                message.leave_unread()
                raise RuntimeError

        await bot.says("hi")
        for _ in range(2):
            await bot.core.pump()
            bot.clock.advance(60)
        assert len(runs) == 2
        assert len(await bot.events("system.conversation_read")) == 1


async def test_a_secret_that_is_missing_keeps_no_turn_from_its_end(
    desk: Desk, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who only reads is through with it; that it is read is told when there is an adapter again."""
    await writes(desk.core, desk.line, desk.fake, "look at this", ANN)
    with monkeypatch.context() as gone:
        for name in ("adapter", "ready"):
            gone.setattr(Runtime, name, raises(MissingSecret("X is not set")))
        await desk.core.pump()
    assert (await desk.app.turns(), desk.told) == ([], 0)
    assert await desk.unread() == {f"+{ANN}": 0}
    clock.advance(120)
    await desk.core.pump()
    assert desk.told == 1
