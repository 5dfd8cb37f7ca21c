"""Telegram works through the whole of core: over HTTP to a fake Bot API, by webhook and by polling."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Message, Outeract
from outeract_core.errors import FileTooLarge
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, sign_telegram
from tests.support.pictures import png, webp
from tests.support.telegram.samples import CONFIG, samples

pytestmark = pytest.mark.anyio
FORUM = {"id": -1001234567890, "type": "supergroup", "title": "Engines", "is_forum": True}


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Bot API on a loopback port."""
    with FakePlatform(telegram_token=CONFIG["token"]) as platform:
        yield platform


class Desk:
    """A bot with its Telegram: what people say goes in, what the fake has heard comes out."""

    def __init__(self, core: Outeract, fake: FakePlatform, **config: Any) -> None:
        self.core, self.fake = core, fake
        self.app: App = core.app("support")
        self.connection = self.app.connect("telegram", base_url=fake.url, **CONFIG, **config)

    async def hear(self, update: Any) -> None:
        """An update at the webhook, and the round that it causes."""
        ids = self.connection.webhook_id, self.connection.webhook_secret
        headers, body = sign_telegram(update, CONFIG["webhook_secret_token"])
        answer = await self.core.ingest(*ids, "POST", headers, {}, body)
        assert answer.status == 200
        await self.core.pump()

    async def events(self, kind: str) -> list[Any]:
        """All events of a type, oldest first."""
        return [event async for event in self.app.events.all(type_is(kind))]


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Outeract]:
    """An empty store."""
    async with Outeract(tmp_path / "bot.db", allow_private_addresses=True) as opened:
        yield opened


@pytest.fixture
def desk(core: Outeract, fake: FakePlatform) -> Desk:
    """A bot on a fresh file."""
    return Desk(core, fake)


async def test_a_message_is_answered_once(desk: Desk) -> None:
    """Heard twice, answered once, with everything escaped."""

    @desk.app.on("message.inbound")
    def echo(message: Message) -> str:
        return f"You said: {message.text}"

    said = desk.fake.telegram.say(42, "1 < 2 & 😀")
    await desk.hear(said)
    await desk.hear(said)
    (sent,) = desk.fake.sent("telegram")
    assert (sent.text, sent.chat) == ("You said: 1 < 2 & 😀", "42")
    assert [event.status for event in await desk.events("message.outbound")] == ["sent"]


async def test_polling_answers_too(core: Outeract, fake: FakePlatform) -> None:
    """A host without a public URL polls, and what it has had is not heard again."""
    desk = Desk(core, fake, poll=True)

    @desk.app.on("message.inbound")
    def echo(message: Message) -> str:
        return f"You said: {message.text}"

    for who, text in ((42, "one"), (43, "two")):
        fake.telegram.say(who, text)
    await core.pump()
    await core.pump()
    said = [(one.chat, one.text) for one in fake.sent("telegram")]
    assert sorted(said) == [("42", "You said: one"), ("43", "You said: two")]


async def test_a_press_is_answered(desk: Desk) -> None:
    """A pressed button stops spinning, and its id is the one that the bot gave."""

    @desk.app.on("message.inbound")
    def offer(message: Message) -> Content:
        return Content("Well?", buttons=(Button("yes", "Yes"),))

    @desk.app.on("message.action")
    def pressed(message: Message) -> None:
        message.reply(f"Pressed {message.payload['id']}", quote=True)
        message.react("👍")

    await desk.hear(desk.fake.telegram.say(42, "hi"))
    (offered,) = desk.fake.sent("telegram")
    button = offered.params["reply_markup"]["inline_keyboard"][0][0]
    person = {"id": 42, "is_bot": False, "first_name": "Person 42"}
    shown = {"message_id": int(offered.id), "date": 1, "chat": {"id": 42, "type": "private"}}
    press = {
        "id": "77",
        "from": person,
        "chat_instance": "1",
        "data": button["callback_data"],
        "message": shown,
    }
    await desk.hear(desk.fake.telegram.push({"callback_query": press}))
    called = {one.path.rpartition("/")[2]: one.json for one in desk.fake.requests}
    assert called["answerCallbackQuery"] == {"callback_query_id": "77"}
    assert called["setMessageReaction"]["message_id"] == int(offered.id)
    assert [one.text for one in desk.fake.sent("telegram")] == ["Well?", "Pressed yes"]


async def test_an_answer_stays_in_its_topic(desk: Desk) -> None:
    """A bot that came after the topic was opened answers in it all the same."""

    @desk.app.on("message.inbound")
    def echo(message: Message) -> str:
        return "here"

    await desk.hear(samples()["text_topic"]["body"])
    await desk.hear(samples()["text_topic"]["body"])
    (sent,) = desk.fake.sent("telegram")
    assert sent.params["message_thread_id"] == 300
    assert len(await desk.events("system.notice")) == 1


async def test_a_group_that_moves_stays_one_conversation(desk: Desk) -> None:
    """After a group has become a supergroup, what is said in either is one conversation."""

    @desk.app.on("message.inbound")
    def echo(message: Message) -> str:
        return f"You said: {message.text}"

    old = {"id": -4242, "type": "group", "title": "Looms"}
    new = {"id": -1004242000000, "type": "supergroup", "title": "Looms"}
    person = {"id": 42, "is_bot": False, "first_name": "Ada"}
    around = {"from": person, "date": 1_767_322_800}
    told = [
        {"message_id": 1, "chat": old, "text": "before"}, {"message_id": 2, "chat": old, "migrate_to_chat_id": new["id"]},
        {"message_id": 1, "chat": new, "migrate_from_chat_id": old["id"]}, {"message_id": 2, "chat": new, "text": "after"},
    ]  # fmt: skip
    for message in told:
        await desk.hear(desk.fake.telegram.push({"message": {**around, **message}}))
    assert [one.chat for one in desk.fake.sent("telegram")] == ["-4242", "-1004242000000"]
    before, after = await desk.events("message.inbound")
    places = [
        await desk.app.graph.neighbours(one, types=["sent_to"], direction="out")
        for one in (before, after)
    ]
    first, second = ({edge.target_node_id for edge in place.edges} for place in places)
    assert first == second != set()


async def test_files_both_ways(desk: Desk) -> None:
    """A picture with its caption goes out in one request; one that comes in is stored."""
    cat = png(640, 480)

    @desk.app.on("message.inbound")
    def picture(message: Message) -> Content:
        return Content("a cat", files=(Attachment(cat, "cat.png", "image/png"),))

    file_id = desk.fake.telegram.add_file(b"%PDF-1.7", "plan.pdf")
    document = {
        "file_id": file_id,
        "file_unique_id": "u",
        "file_name": "plan.pdf",
        "mime_type": "application/pdf",
    }
    await desk.hear(desk.fake.telegram.say(42, "", document=document, caption="see"))
    (sent,) = desk.fake.sent("telegram")
    assert (sent.method, sent.text, sent.files[0].data) == ("sendPhoto", "a cat", cat)
    assert len(await desk.events("system.file_stored")) == 1


@pytest.mark.parametrize(
    ("sides", "methods"),
    [
        ([(640, 480)], ["sendPhoto"]), ([(300, 9000)], ["sendDocument"]),
        ([(640, 480), (640, 480)], ["sendMediaGroup"] * 2),
        ([(640, 480), (9000, 9000)], ["sendMediaGroup"] * 2),
    ],
)  # fmt: skip
async def test_a_picture_that_cannot_be_drawn_is_not_lost(
    desk: Desk, sides: list[tuple[int, int]], methods: list[str]
) -> None:
    """Alone or in an album: what Telegram refuses to draw arrives as a file, with its words, once."""
    files = [Attachment(png(*one), f"{n}.png") for n, one in enumerate(sides)]
    drawn = all(sum(one) <= 10_000 and max(one) <= 20 * min(one) for one in sides)
    await desk.app.send((desk.connection, "42"), Content("look", files=files))
    await desk.core.pump()
    heard = desk.fake.sent("telegram")
    assert [one.method for one in heard] == methods
    assert [file.data for one in heard for file in one.files] == [png(*one) for one in sides]
    assert [one.text for one in heard if one.text] == ["look"]
    media = [one["type"] for one in json.loads(heard[0].params.get("media", "[]"))]
    assert set(media) <= {"photo" if drawn else "document"}
    assert (await desk.events("message.failed")) == []


@pytest.mark.parametrize(
    ("attachment", "method", "note"),
    [
        (Attachment(webp(512, 512), "s.webp", kind="sticker"), "sendSticker", ""),
        (Attachment(webp(512, 512).ljust(512 * 1024 + 1), "s.webp", kind="sticker"), "sendPhoto", "sticker as image"),
        (Attachment(b"\x1f\x8b".ljust(64 * 1024 + 1), "s.tgs", kind="sticker"), "sendDocument", "sticker as document"),
        (Attachment(b"\x1f\x8b".ljust(64 * 1024), "s.tgs", kind="sticker"), "sendSticker", ""),
        (Attachment(png(9, 9).ljust(10 * 1024**2 + 1), "p.png"), "sendDocument", "image as document"),
    ],
)  # fmt: skip
async def test_what_is_too_large_for_its_kind_is_told_before_it_is_sent(
    desk: Desk, attachment: Attachment, method: str, note: str
) -> None:
    """`can` says as what it will arrive; Telegram makes of it just that, and refuses nothing."""
    content = Content(files=[attachment])
    verdict = await desk.app.can((desk.connection, "42"), content)
    assert (verdict.ok, ", ".join(verdict.degraded)) == (True, note)
    await desk.app.send((desk.connection, "42"), content)
    await desk.core.pump()
    assert [one.method for one in desk.fake.sent("telegram")] == [method]


async def test_what_is_too_large_for_telegram_is_refused_before_it_is_kept(desk: Desk) -> None:
    """A byte more than 50 MB."""
    attachment = Attachment(bytes(50 * 1024**2 + 1), "much.bin")
    with pytest.raises(FileTooLarge):
        await desk.app.send((desk.connection, "42"), Content(files=[attachment]))


async def test_long_texts_are_split_in_utf16_units(desk: Desk) -> None:
    """An emoji counts two: what fits by letters and not by Telegram's count is sent in parts."""

    @desk.app.on("message.inbound")
    def speech(_: Message) -> str:
        return "😀 " * 2000

    await desk.hear(desk.fake.telegram.say(42, "speech!"))
    sent = desk.fake.sent("telegram")
    assert len(sent) == 2
    assert sum(one.text.count("😀") for one in sent) == 2000


async def test_no_token_in_the_file_or_in_an_error(desk: Desk, tmp_path: Path) -> None:
    """Neither the store nor an event holds the token, though every URL does."""

    @desk.app.on("message.inbound")
    def echo(message: Message) -> str:
        return "hello"

    desk.fake.refuse(1, "/sendMessage")
    await desk.hear(desk.fake.telegram.say(42, "hi"))
    (failed,) = await desk.events("message.failed")
    assert "blocked" in failed.payload["reason"]
    held = b"".join(path.read_bytes() for path in tmp_path.glob("bot.db*") if path.is_file())
    assert CONFIG["token"].encode() not in held
