"""Who wakes a handler, played: the bot's own doing, what came of it, other bots, and people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Message, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack, sign_telegram
from tests.support.bots import NUMBER, deliver, talk, whatsapp, writes
from tests.support.patience import soon
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
ANN, OTHER, CHANNEL = "U0ANN", "U0OTHER", "C0GENERAL1"


class Room:
    """A Slack channel with our bot, a person and somebody else's bot in it."""

    def __init__(self, core: Outeract, app: App, fake: FakePlatform) -> None:
        self.core, self.app, self.fake = core, app, fake
        self.line = app.connect("slack", base_url=fake.url, **CONFIG)
        self.woken: list[str] = []

    async def hears(self, payload: Any) -> None:
        """Slack tells."""
        headers, body = sign_slack(payload, CONFIG["signing_secret"], self.fake.clock())
        ids = self.line.webhook_id, self.line.webhook_secret
        assert (await self.core.ingest(*ids, "POST", headers, {}, body)).status == 200

    async def pump(self, rounds: int = 4) -> None:
        """So many rounds."""
        with soon():
            for _ in range(rounds):
                await self.core.pump()

    def note(self, message: Message) -> None:
        """A handler that only looks."""
        self.woken.append(message.type)

    async def everything(self) -> None:
        """A person writes and reacts; the bot answers, edits, reacts, and takes its reaction back."""
        said = self.fake.slack.say(ANN, "hello", CHANNEL)
        await self.hears(said)
        (heard,) = (await self.app.events.page(type_is("message.inbound"))).nodes
        answer = await self.app.send(heard, "first")
        await self.app.react(heard, "👍")
        await self.app.react(heard, "👍", remove=True)
        await self.pump()
        await self.app.edit(answer.id, "second")
        await self.pump()
        item = {"type": "message", "channel": CHANNEL, "ts": said["event"]["ts"]}
        reaction = {"type": "reaction_added", "user": ANN, "reaction": "tada", "item": item,
                    "item_user": ANN, "event_ts": "1764000009.000100"}  # fmt: skip
        await self.hears({**said, "event": reaction, "event_id": "Ev00000999"})
        for sent in self.fake.sent():
            await self.hears(self.fake.slack.echo(sent))
        await self.pump()


@pytest.fixture
async def room(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Room]:
    """The channel."""
    with FakePlatform(clock=clock, slack_token=CONFIG["bot_token"]) as fake:
        yield Room(core, app, fake)


SAID, PRESSED = "message.inbound", "message.reaction_added"


@pytest.mark.parametrize(
    ("pattern", "own", "wanted"),
    [
        ("message.*", False, [SAID, PRESSED]),
        ("*", False, [SAID, PRESSED]),
        ("message.reaction_added", False, [PRESSED]),
        ("message.reaction_added", True, [PRESSED, PRESSED]),
        ("message.reaction_removed", False, []),
        ("message.reaction_removed", True, ["message.reaction_removed"]),
        ("message.edited", False, []),
        ("message.edited", True, ["message.edited"]),
        ("message.outbound", False, ["message.outbound"]),
    ],
)
async def test_the_bots_own_doing_wakes_who_asks_for_it(
    room: Room, pattern: str, own: bool, wanted: list[str]
) -> None:
    """Its messages, edits and reactions; and what people do wakes all the same, once."""
    room.app.on(pattern, own=own)(room.note)
    await room.everything()
    assert sorted(room.woken) == sorted(wanted)


async def test_with_own_a_wildcard_has_all_of_it(room: Room) -> None:
    """What the bot did, and what came of it."""
    room.app.on("message.*", own=True)(room.note)
    await room.everything()
    counts = {kind: room.woken.count(kind) for kind in set(room.woken)}
    assert counts.pop("message.sent") >= 1
    assert counts == {SAID: 1, PRESSED: 2, "message.reaction_removed": 1, "message.outbound": 1,
                      "message.edited": 1}  # fmt: skip


OUTCOMES = ("message.sent", "message.delivered", "message.read", "message.failed")


@pytest.mark.parametrize("asked", [*OUTCOMES, "message.*", "*"])
async def test_what_the_platform_tells_of_ours_wakes_who_names_it(
    core: Outeract, app: App, clock: ManualClock, asked: str
) -> None:
    """Delivered, read, failed: told by a webhook, so by the bot's own number; only the name wakes, and once,
    however often it is told.
    """
    woken: list[str] = []
    with FakePlatform(clock=clock) as fake:
        line = whatsapp(app, fake)
        app.on(asked)(lambda message: woken.append(message.type))
        await app.send(("whatsapp", "14155550100"), "hello")
        await core.pump()
        told_so = (
            "sent",
            "delivered",
            "delivered",
            "read",
            "played",
            "delivered",
            "failed",
            "failed",
        )
        for number, status in enumerate(told_so):
            payload = fake.whatsapp.status(fake.sent()[0], "sent")
            told = payload["entry"][0]["changes"][0]["value"]["statuses"][0]
            told |= {"status": status, "timestamp": str(int(told["timestamp"]) + number)}
            if status == "failed":
                told["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
            await deliver(core, line, payload)
        with soon():
            await core.pump()
    assert woken == [asked] * (asked in OUTCOMES)


async def test_each_part_and_each_reader_of_a_message_is_told_once(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """The outcome of one part says nothing of another's, nor in a group one member's of another's."""
    woken: list[tuple[str, Any]] = []
    with FakePlatform(clock=clock) as fake:
        line = whatsapp(app, fake)
        app.on("message.delivered")(
            lambda m: woken.append((m.payload["external_message_id"], m.payload.get("participant")))
        )
        await app.send((line, "G1", "group"), "\n\n".join(letter * 4000 for letter in "ab"))
        with soon():
            for _ in range(3):
                await core.pump()
                clock.advance(7)
        names = [message.id for message in fake.sent()]
        for number, (message, who) in enumerate(
            (message, who) for message in fake.sent() for who in ("1555010", "1555020", "1555010")
        ):
            payload = fake.whatsapp.status(message, "delivered")
            told = payload["entry"][0]["changes"][0]["value"]["statuses"][0]
            told |= {"recipient_type": "group", "recipient_id": "G1", "recipient_participant_id": who,
                     "timestamp": str(int(told["timestamp"]) + number)}  # fmt: skip
            await deliver(core, line, payload)
        with soon():
            await core.pump()
    assert len(names) == 2
    assert len(woken) == len(set(woken)) == 4


async def test_a_wildcard_is_woken_once_by_a_voice_message_whatever_is_noted_of_it(
    tmp_path: Any, clock: ManualClock
) -> None:
    """The file, its coming, its transcript, a failed handler, a read mark: none of that has anybody said."""
    woken: list[str] = []
    async with Outeract(
        tmp_path / "a.db", clock=clock, transcribe=lambda path, mime: "spoken"
    ) as core:
        app = core.app("support", transcription="enabled")
        with FakePlatform(clock=clock) as fake, soon():
            line = whatsapp(app, fake)
            for pattern in ("*", "message.*", "file.*", "system.*", "message.transcribed"):
                app.on(pattern, name=pattern)(
                    lambda message, of=pattern: woken.append(f"{of} {message.type}")
                )
            app.on("message.inbound", name="bad", attempts=1)(lambda message: 1 / 0)
            media = fake.whatsapp.add_media(b"OggS", "audio/ogg")
            audio = {"id": media, "mime_type": "audio/ogg; codecs=opus", "voice": True}
            payload = fake.whatsapp.say(
                "14155550100", "", phone_number_id=NUMBER, type="audio", audio=audio
            )
            await deliver(core, line, payload)
            for _ in range(4):
                await core.pump()
            (heard,) = (await app.events.page(type_is("message.inbound"))).nodes
            await app.mark_read(heard)
            for _ in range(4):
                await core.pump()
    assert sorted(woken) == [
        "* message.inbound", "file.* file.inbound", "message.* message.inbound",
        "message.transcribed message.transcribed", "system.* system.conversation_read",
        "system.* system.file_stored", "system.* system.handler_failed",
    ]  # fmt: skip


@pytest.mark.parametrize(("bots", "wanted"), [(False, ["person"]), (True, ["person", "bot"])])
@pytest.mark.parametrize("platform", ["slack", "telegram"])
async def test_other_bots_wake_who_asks_for_them(
    core: Outeract, app: App, clock: ManualClock, platform: str, bots: bool, wanted: list[str]
) -> None:
    """Two bots in one room do not talk to each other for ever, unless somebody wants it."""
    heard: list[str] = []
    with FakePlatform(clock=clock) as fake:
        said = _told(core, app, fake, platform)
        app.on("message.inbound", bots=bots)(lambda message: heard.append(message.text))
        app.on("message.*", bots=bots, name="wild")(lambda message: heard.append(message.text))
        await said("person", False)
        await said("bot", True)
        with soon():
            await core.pump()
    assert sorted(heard) == sorted(2 * wanted)


def _told(core: Outeract, app: App, fake: FakePlatform, platform: str) -> Any:
    """How somebody, or somebody's bot, says something there."""
    if platform == "slack":
        line = app.connect("slack", base_url=fake.url, **CONFIG)
    else:
        line = app.connect(
            "telegram", token="42:t", webhook_secret_token="word-1", base_url=fake.url
        )

    async def say(text: str, bot: bool) -> None:
        if platform == "slack":
            more = {"bot_id": "B0OTHER"} if bot else {}
            payload = fake.slack.say(OTHER if bot else ANN, text, CHANNEL, **more)
            headers, body = sign_slack(payload, CONFIG["signing_secret"], fake.clock())
        else:
            payload = fake.telegram.say(7000 + bot, text)
            payload["message"]["from"]["is_bot"] = bot
            headers, body = sign_telegram(payload, "word-1")
        answer = await core.ingest(line.webhook_id, line.webhook_secret, "POST", headers, {}, body)
        assert answer.status == 200

    return say


@pytest.mark.parametrize("chain", [1, 3])
async def test_who_answers_failures_with_what_fails_stops(
    core: Outeract, app: App, clock: ManualClock, chain: int
) -> None:
    """A `message.failed` handler that answers is woken by its own failures only so often."""
    runs: list[str] = []
    with FakePlatform(clock=clock) as fake:
        line = app.connect(
            "telegram", token="42:t", webhook_secret_token="word-1", base_url=fake.url
        )
        app.on("message.inbound", name="answer")(lambda message: "hi")

        @app.on("message.failed", name="sorry", chain=chain)
        def sorry(message: Message) -> str:
            runs.append(message.type)
            return "sorry, that did not arrive"

        no = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
        fake.fail(1_000, "sendMessage", 400, no)
        headers, body = sign_telegram(fake.telegram.say(7, "hello"), "word-1")
        await core.ingest(line.webhook_id, line.webhook_secret, "POST", headers, {}, body)
        with soon():
            for _ in range(50):
                await core.pump()
                clock.advance(60)
        assert 1 <= len(runs) <= chain + 1
        assert await app.events.count(type_is("message.outbound")) == len(runs) + 1
        assert await app.events.count(type_is("system.loop_stopped")) == 1


COURTESIES: dict[str, Any] = {
    "typing": lambda app, message: app.typing(message.event),
    "message.typing": lambda app, message: message.typing(),
    "mark_read": lambda app, message: app.mark_read(message.event),
}


@pytest.mark.parametrize("way", ["in a turn", "outside"])
@pytest.mark.parametrize("name", COURTESIES)
async def test_a_courtesy_that_the_platform_does_not_have_does_nothing(
    tmp_path: Any, name: str, way: str
) -> None:
    """The console has neither; the turn goes on, and nothing is put into the outbox."""
    bot, queued = talk(tmp_path / "a.db"), []
    async with bot.core:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> str:
            if way == "in a turn":
                await COURTESIES[name](bot.app, message)
                queued.append(_queued(bot.core))
            return "done"

        await bot.says("hi")
        (event,) = await bot.events("message.inbound")
        if way == "outside" and name != "message.typing":
            await (bot.app.typing(event) if name == "typing" else bot.app.mark_read(event))
            queued.append(_queued(bot.core))
        with soon():
            pumped = await bot.core.pump()
        assert bot.terminal.texts == ["done"]
        assert set(queued) <= {0}
        assert (pumped.failed, pumped.unknown, pumped.waiting) == (0, 0, 0)
        assert await bot.events("message.failed") == []
        assert len(await bot.events("system.conversation_read")) == (name == "mark_read")


def _queued(core: Outeract) -> int:
    """How much waits to be sent."""
    return len(core.runtime.database.read(lambda tx: tx.dynamic("SELECT id FROM outbox", {})))


async def test_where_a_platform_shows_neither_in_a_group_nothing_fails(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """WhatsApp has read marks and typing for one person, and not for groups."""
    with FakePlatform(clock=clock) as fake:
        line = whatsapp(app, fake)

        @app.on("message.inbound")
        def handler(message: Message) -> str:
            message.typing()
            app.mark_read(message.event)  # type: ignore[unused-coroutine]
            return "hi"

        await writes(core, line, fake, "alone")
        payload = fake.whatsapp.say(
            "14155550100", "all", phone_number_id="100000000000001", group_id="G1"
        )
        await deliver(core, line, payload)
        with soon():
            await core.pump()
        assert [sent.text for sent in fake.sent()] == ["hi", "hi"]
        assert await app.events.count(type_is("message.failed")) == 0
        assert await app.events.count(type_is("system.handler_failed")) == 0
