"""What one member of a group tells the bot alone stays between the two, through the whole of core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_adapters.telegram.fields import address, split_id
from outeract_core import App, Attachment, Button, Content, Message, Outeract
from outeract_core.errors import Rejected, Unsupported
from outeract_core.events import Fact
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, drive, reply, sign_telegram
from tests.support.pictures import png
from tests.support.telegram.calls import out, params
from tests.support.telegram.samples import CONFIG, one, telegram

GROUP, ADA, BOB = -1001234567890, 42, 43
CHAT = {"id": GROUP, "type": "supergroup", "title": "Engines"}
PERSON = {"id": ADA, "is_bot": False, "first_name": "Ada"}
BOT = {"id": 777000111, "is_bot": True, "first_name": "Fake bot"}
PLACE = f"{GROUP}:~{ADA}"


def update(**more: Any) -> dict[str, Any]:
    """An ephemeral command."""
    message = {
        "message_id": 0, "ephemeral_message_id": 7, "date": 1_784_000_000, "chat": CHAT,
        "from": PERSON, "receiver_user": BOT, "text": "/salary",
        "entities": [{"type": "bot_command", "offset": 0, "length": 7}],
    }  # fmt: skip
    return {"update_id": 5, "message": {**message, **more}}


# ── in ────────────────────────────────────────────────────────────────────────────────────────


def test_an_ephemeral_message_is_a_message_in_a_place_of_its_own() -> None:
    """It has a name that its number, which is used again, does not give, and a place of two people."""
    fact = one(update())
    assert (fact.kind, fact.key) == ("message.inbound", f"7.1784000000:{GROUP}:~{ADA}")
    assert fact.sender is not None
    assert fact.chat is not None
    assert (fact.sender.external_id, fact.chat.external_id, fact.chat.kind) == (
        "42",
        PLACE,
        "group",
    )
    assert fact.payload["message"]["ephemeral"] is True
    assert fact.payload["message"]["command"]["name"] == "salary"
    later = one(update(date=1_784_009_999))
    other = one(update(**{"from": {**PERSON, "id": BOB}}))
    assert len({fact.key, later.key, other.key}) == 3


def test_what_it_answers_is_found() -> None:
    """A reply to what the bot had said aside refers to that message by the name of its receipt."""
    answered = {"message_id": 0, "ephemeral_message_id": 6, "date": 1_783_999_999, "chat": CHAT,
                "from": BOT, "receiver_user": PERSON, "text": "which year?"}  # fmt: skip
    assert one(update(reply_to_message=answered)).reply_to == f"6.1783999999:{GROUP}:~{ADA}"


def test_a_press_below_it_stays_aside() -> None:
    """A press below an ephemeral message is about that message, in its place."""
    message = {"message_id": 0, "ephemeral_message_id": 6, "date": 1_783_999_999, "chat": CHAT,
               "from": BOT, "receiver_user": PERSON, "text": "which year?"}  # fmt: skip
    query = {"id": "99", "from": PERSON, "message": message, "data": "2026", "chat_instance": "1"}
    fact = one({"update_id": 5, "callback_query": query})
    assert fact.target == f"6.1783999999:{GROUP}:~{ADA}"
    assert fact.chat is not None
    assert fact.chat.external_id == PLACE


@pytest.mark.parametrize("gone", ["ephemeral_message_id", "date", "from"])
def test_one_that_cannot_be_named_is_kept(gone: str) -> None:
    """A message_id of 0 without what names an ephemeral message is kept as not understood."""
    body = update()
    del body["message"][gone]
    if gone == "from":
        del body["message"]["receiver_user"]
    (found,) = telegram().reread(body, None)  # type: ignore[arg-type]
    assert not isinstance(found, Fact)


def test_names_and_places_read_back() -> None:
    """A name gives its number and place again, an address its chat and person."""
    assert address(PLACE).user == split_id(f"7.1784000000:{PLACE}")[1].user == ADA
    assert split_id(f"7.1784000000:{PLACE}")[0] == 7
    for wrong in ("7:-1:~5", "7.1:-1", "7.1:-1:~x", "7.1:-1:BC", "-1:~", "-1:~-5", "@name:~5"):
        for read in (split_id, address):
            with pytest.raises(Rejected):
                read(wrong)


# ── out ───────────────────────────────────────────────────────────────────────────────────────


def test_a_reply_that_everybody_would_see_is_refused() -> None:
    """An ephemeral message cannot be quoted in public: nothing is sent."""
    to = type(out().to)(str(GROUP), str(GROUP), "group")
    with pytest.raises(Rejected, match="must be ephemeral"):
        next(telegram().send(out("no", to, reply_to=f"7.1:{PLACE}")))


def test_what_an_old_server_shows_to_all_is_deleted_and_told() -> None:
    """A Bot API server before 10.2 ignores what makes a message ephemeral: it is taken back."""
    to = type(out().to)(PLACE, PLACE, "group")
    calls: list[str] = []

    def server(call: Any) -> Any:
        calls.append(call.url.rpartition("/")[2])
        result: Any = True
        if calls[-1] == "sendMessage":
            told = params(call)
            assert told["receiver_user_id"] == ADA
            assert told["ephemeral_message_parameters"] == {"receiver_user_id": ADA}
            result = {"message_id": 9, "date": 1, "chat": {"id": GROUP, "type": "supergroup"}}
        return reply({"ok": True, "result": result})

    with pytest.raises(Rejected, match=r"older than 10\.2"):
        drive(telegram().send(out("secret", to)), server)
    assert calls == ["sendMessage", "deleteMessage"]


def test_nobody_is_shown_that_the_bot_writes_aside() -> None:
    """There is no typing, and no reaction, that only one person sees."""
    to = type(out().to)(PLACE, PLACE, "group")
    with pytest.raises(Unsupported):
        next(telegram().typing(to, None))


# ── through core ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Bot API on a loopback port."""
    with FakePlatform(telegram_token=CONFIG["token"]) as platform:
        yield platform


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Outeract]:
    """An empty store."""
    async with Outeract(tmp_path / "bot.db", allow_private_addresses=True) as opened:
        yield opened


class Desk:
    """A bot and what its group sees."""

    def __init__(self, core: Outeract, fake: FakePlatform) -> None:
        self.core, self.fake = core, fake
        self.app: App = core.app("support")
        self.connection = self.app.connect("telegram", base_url=fake.url, **CONFIG)

    async def hear(self, update: Any) -> None:
        """An update at the webhook, and the round that it causes."""
        ids = self.connection.webhook_id, self.connection.webhook_secret
        headers, body = sign_telegram(update, CONFIG["webhook_secret_token"])
        answer = await self.core.ingest(*ids, "POST", headers, {}, body)
        assert answer.status == 200
        await self.core.pump()

    @property
    def public(self) -> list[str]:
        """What everybody in the group has seen of the bot."""
        return [
            one.text for one in self.fake.sent("telegram") if not one.params.get("receiver_user_id")
        ]

    @property
    def aside(self) -> list[str]:
        """What one member has seen of it."""
        return [
            one.text for one in self.fake.sent("telegram") if one.params.get("receiver_user_id")
        ]


@pytest.fixture
def desk(core: Outeract, fake: FakePlatform) -> Desk:
    """A bot on a fresh file."""
    return Desk(core, fake)


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["short", "long", "files", "quote", "buttons"])
async def test_an_answer_is_seen_by_the_one_who_asked(desk: Desk, answer: str) -> None:
    """All parts of an answer, whatever it holds, go to the person alone, each with its receipt."""

    @desk.app.on("message.inbound")
    async def told(message: Message) -> None:
        photo = Attachment(png(90, 60), filename="a.png")
        contents: dict[str, Any] = {
            "short": "your salary", "long": "word " * 3000, "quote": "your salary",
            "files": Content("your salary", files=[photo, photo]),
            "buttons": Content("your salary", buttons=[Button("y", "Thanks")]),
        }  # fmt: skip
        message.reply(contents[answer], quote=answer == "quote")

    await desk.hear(desk.fake.telegram.whisper(GROUP, ADA, "/salary"))
    await desk.core.pump()
    assert desk.public == []
    assert len(desk.aside) >= (2 if answer in ("long", "files") else 1)
    sent = [event async for event in desk.app.events.all(type_is("message.sent"))]
    ids = [event.payload["external_message_id"] for event in sent]
    assert len(set(ids)) == len(ids) >= 1
    assert all(name.endswith(f":{PLACE}") for name in ids)


@pytest.mark.anyio
async def test_two_people_and_the_group_have_a_conversation_each(desk: Desk) -> None:
    """Nothing that was said aside is in the group's conversation, or in another member's."""
    await desk.hear(desk.fake.telegram.say(GROUP, "good morning"))
    await desk.hear(desk.fake.telegram.whisper(GROUP, ADA, "/salary"))
    await desk.hear(desk.fake.telegram.whisper(GROUP, BOB, "/salary"))
    found = (await desk.app.conversations.recent()).nodes
    assert {c.peer.external_id for c in found} == {str(GROUP), PLACE, f"{GROUP}:~{BOB}"}
    assert {c.inbound for c in found} == {1}


@pytest.mark.anyio
async def test_an_answer_that_comes_too_late_is_refused_openly(desk: Desk) -> None:
    """After 15 seconds only an admin may answer: then it fails, and stays unseen."""
    await desk.hear(desk.fake.telegram.whisper(GROUP, ADA, "/salary", date=1))
    place = (await desk.app.conversations.recent()).nodes[0]
    desk.app.on("message.failed")(lambda _message: None)
    await desk.app.send(place, "your salary")
    await desk.core.pump()
    assert (desk.public, desk.aside) == ([], [])
    desk.fake.telegram.asides.admin = True
    await desk.app.send(place, "your salary")
    await desk.core.pump()
    assert (desk.public, desk.aside) == ([], ["your salary"])


@pytest.mark.anyio
async def test_what_was_said_aside_can_be_changed_and_taken_back(desk: Desk) -> None:
    """Edit and delete use the methods of ephemeral messages."""
    desk.fake.telegram.asides.admin = True
    await desk.hear(desk.fake.telegram.whisper(GROUP, ADA, "/salary"))
    place = (await desk.app.conversations.recent()).nodes[0]
    delivery = await desk.app.send(place, "your salary")
    await desk.core.pump()
    (shown,) = desk.fake.telegram.asides._said.values()
    assert shown["text"] == "your salary"
    event = await desk.app.events.get(delivery.id)
    await desk.app.edit(event, "your new salary")
    await desk.core.pump()
    (shown,) = desk.fake.telegram.asides._said.values()
    assert shown["text"] == "your new salary"
    await desk.app.delete(event)
    await desk.core.pump()
    assert desk.fake.telegram.asides._said == {}
