"""Verbs inside a turn take effect at the call, awaited or not, and fall with the turn that fails."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from outeract_core import App, Message, Outeract
from outeract_core.errors import OuteractError
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_telegram
from tests.support.patience import soon

pytestmark = pytest.mark.anyio
WORD = "tests-word"


class Bot:
    """A bot on Telegram that has said `mine` and heard `hi`."""

    def __init__(self, core: Outeract, app: App, fake: FakePlatform) -> None:
        self.core, self.app, self.fake = core, app, fake
        self.line = app.connect(
            "telegram", token="42:tests", webhook_secret_token=WORD, base_url=fake.url
        )
        self.mine: Any = None
        self.lost: Any = None

    async def hears(self, text: str) -> None:
        """Somebody writes."""
        headers, body = sign_telegram(self.fake.telegram.say(1001, text), WORD)
        ids = self.line.webhook_id, self.line.webhook_secret
        await self.core.ingest(*ids, "POST", headers, {}, body)

    async def pump(self) -> None:
        """One round."""
        with soon():
            await self.core.pump()

    async def prepared(self) -> None:
        """There is a message of its own to be edited or deleted, and one to be sent again."""
        await self.hears("before")
        heard = (await self.app.events.page(type_is("message.inbound"))).nodes[0]
        self.mine = (await self.app.send(heard, "mine")).id
        await self.pump()
        self.fake.fail(1, "sendMessage", 400, {"ok": False, "error_code": 400, "description": "no"})
        self.lost = (await self.app.send(heard, "lost")).id
        await self.pump()

    def asked(self, method: str) -> int:
        """How often the platform was asked for it."""
        return sum(r.path.lower().endswith(method.lower()) for r in self.fake.requests)


@pytest.fixture
async def bot(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Bot]:
    """The bot."""
    with FakePlatform(clock=clock) as fake:
        made = Bot(core, app, fake)
        await made.prepared()
        yield made


Verb = Callable[[Bot, Message], Any]
VERBS: dict[str, tuple[Verb, str, str]] = {
    "send": (lambda b, m: b.app.send(m.event, "x"), "message.outbound", "sendMessage"),
    "reply": (lambda b, m: b.app.reply(m.event, "x"), "message.outbound", "sendMessage"),
    "react": (
        lambda b, m: b.app.react(m.event, "👍"), "message.reaction_added", "setMessageReaction",
    ),
    "unreact": (
        lambda b, m: b.app.react(m.event, "👍", remove=True), "message.reaction_removed",
        "setMessageReaction",
    ),
    "edit": (lambda b, m: b.app.edit(b.mine, "new"), "message.edited", "editMessageText"),
    "delete": (lambda b, m: b.app.delete(b.mine), "message.deleted", "deleteMessage"),
    "resend": (lambda b, m: b.app.resend(b.lost), "message.outbound", "sendMessage"),
    "emit": (lambda b, m: b.app.emit("order.created", {"n": 1}), "order.created", ""),
    "mark_read": (lambda b, m: b.app.mark_read(m.event), "system.conversation_read", ""),
    "message.reply": (lambda b, m: m.reply("x"), "message.outbound", "sendMessage"),
    "message.send": (lambda b, m: m.send(m.event, "x"), "message.outbound", "sendMessage"),
    "message.react": (
        lambda b, m: m.react("👍"), "message.reaction_added", "setMessageReaction",
    ),
}  # fmt: skip
"""What is called, the event that it leaves, what the platform is asked for."""


def _handler(bot: Bot, way: str, verb: Verb, after: Callable[[], None]) -> Any:
    async def awaiting(message: Message) -> None:
        await verb(bot, message)
        after()

    async def forgetting(message: Message) -> None:
        verb(bot, message)
        after()

    def plain(message: Message) -> None:
        verb(bot, message)
        after()

    return {"awaited": awaiting, "forgotten": forgetting, "plain": plain}[way]


@pytest.mark.parametrize("way", ["awaited", "forgotten", "plain"])
@pytest.mark.parametrize("name", VERBS)
async def test_it_joins_the_turn_at_the_call_and_falls_with_it(
    bot: Bot, clock: ManualClock, name: str, way: str
) -> None:
    """While the handler fails nothing of it is there; then it is there once, and nothing warns."""
    verb, kind, method = VERBS[name]
    runs: list[int] = []

    def after() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise RuntimeError("not today")

    bot.app.on("message.inbound")(_handler(bot, way, verb, after))
    before, asked = await bot.app.events.count(type_is(kind)), bot.asked(method or "nothing")
    await bot.hears("go")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await bot.pump()
        gc.collect()
        assert len(runs) == 1
        assert await bot.app.events.count(type_is(kind)) == before
        assert bot.asked(method or "nothing") == asked
        clock.advance(60)
        await bot.pump()
        gc.collect()
    assert len(runs) == 2
    assert await bot.app.events.count(type_is(kind)) == before + 1
    assert bot.asked(method or "nothing") == asked + bool(method)


WRONG: dict[str, Verb] = {
    "send": lambda b, m: b.app.send(("telegram", ""), "x"),
    "reply": lambda b, m: b.app.reply(b.app.id, "x"),
    "resend": lambda b, m: b.app.resend(b.mine),
    "react": lambda b, m: b.app.react(m.event, ""),
    "edit": lambda b, m: b.app.edit(m.event, "not mine"),
    "delete": lambda b, m: b.app.delete(m.event),
    "emit": lambda b, m: b.app.emit("message.mine", {}),
    "edge": lambda b, m: b.app.edge(m.event, "Not A Name", m.event),
    "mark_read": lambda b, m: b.app.mark_read(b.app.id),
    "typing": lambda b, m: b.app.typing(b.app.id),
}


@pytest.mark.parametrize("way", ["forgotten", "plain"])
@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_told_at_the_call(bot: Bot, name: str, way: str) -> None:
    """Nobody awaits it, and still it does not go unseen."""
    told: list[str] = []

    def verb(bot: Bot, message: Message) -> None:
        try:
            WRONG[name](bot, message)
        except OuteractError as error:
            told.append(str(error))

    bot.app.on("message.inbound")(_handler(bot, way, verb, lambda: None))
    await bot.hears("go")
    await bot.pump()
    assert len(told) == 1


@pytest.mark.parametrize("way", ["awaited", "forgotten", "plain"])
async def test_what_joined_is_committed_in_the_order_of_the_calls(bot: Bot, way: str) -> None:
    """Also when one of the calls was the message's and the next the application's."""

    def verb(bot: Bot, message: Message) -> Any:
        bot.app.send(message.event, "one")  # type: ignore[unused-coroutine]
        message.reply("two")
        bot.app.emit("step", {})  # type: ignore[unused-coroutine]
        return bot.app.reply(message.event, "three")

    bot.app.on("message.inbound")(_handler(bot, way, verb, lambda: None))
    await bot.hears("go")
    await bot.pump()
    said = [event async for event in bot.app.events.all()][-12:]
    order = [e.text or e.event_type for e in said if e.event_type in ("message.outbound", "step")]
    assert order[-4:] == ["one", "two", "step", "three"]


async def test_outside_of_a_turn_a_verb_waits_to_be_awaited(bot: Bot) -> None:
    """There it is a coroutine like any other: nothing happens, and Python says so."""
    heard = (await bot.app.events.page(type_is("message.inbound"))).nodes[0]
    before = await bot.app.events.count()
    forgotten = [bot.app.send(heard, "never awaited")]
    with pytest.warns(RuntimeWarning, match="never awaited"):
        forgotten.clear()
    assert await bot.app.events.count() == before
