"""People who write to a channel are each in a conversation of their own, and are answered there and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_adapters.telegram.fields import address
from outeract_core import App, Attachment, Content, Message, Outeract
from outeract_core.errors import Rejected, Unsupported
from outeract_core.testing import FakePlatform, sign_telegram
from tests.support.pictures import jpeg
from tests.support.telegram.calls import out
from tests.support.telegram.samples import CONFIG, one, telegram

pytestmark = pytest.mark.anyio
CHAT = {"id": -1002000000001, "type": "supergroup", "title": "News", "is_direct_messages": True}
ADA = {"id": 42, "is_bot": False, "first_name": "Ada"}
BOB = {"id": 43, "is_bot": False, "first_name": "Bob"}


def topic(user: dict[str, Any]) -> dict[str, Any]:
    """The topic of somebody who has written to the channel."""
    return {"topic_id": user["id"], "user": user}


def test_each_person_has_a_place() -> None:
    """A message, an edit and a press are in the topic's place, under the name of whose it is."""
    body = {"message_id": 9, "date": 1_784_000_000, "chat": CHAT, "from": ADA, "text": "a tip",
            "direct_messages_topic": topic(ADA)}  # fmt: skip
    press = {"id": "1", "from": ADA, "message": body, "data": "x", "chat_instance": "1"}
    updates = (
        {"message": body},
        {"edited_message": {**body, "edit_date": 1_784_000_001}},
        {"callback_query": press},
    )
    for number, update in enumerate(updates):
        fact = one({"update_id": number, **update})
        assert fact.chat is not None
        assert (fact.chat.external_id, fact.chat.kind, fact.chat.name) == (
            "-1002000000001:@42", "group", "Ada",
        )  # fmt: skip
    assert address("-1002000000001:@42").topic == 42
    with pytest.raises(Rejected):
        address("-1002000000001:@x")


def test_nobody_is_shown_that_a_bot_is_writing() -> None:
    """SendChatAction takes no such chat: the adapter says so, and core leaves it out."""
    to = type(out().to)("-1002000000001:@42", "-1002000000001:@42", "group")
    with pytest.raises(Unsupported):
        next(telegram().typing(to, None))


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Bot API on a loopback port."""
    with FakePlatform(telegram_token=CONFIG["token"]) as platform:
        yield platform


@pytest.fixture
async def desk(tmp_path: Path, fake: FakePlatform) -> AsyncIterator[tuple[Outeract, App]]:
    """A bot that answers with whom it heard, below a picture."""
    async with Outeract(tmp_path / "bot.db", allow_private_addresses=True) as core:
        app = core.app("support")
        app.connect("telegram", base_url=fake.url, **CONFIG)

        @app.on("message.inbound")
        async def answer(message: Message) -> Content:
            await message.typing()
            picture = Attachment(jpeg(9, 6), "a.jpg", "image/jpeg")
            return Content(f"{message.sender.name}: {message.text}", files=(picture,))

        yield core, app


async def test_two_people_are_answered_apart(
    desk: tuple[Outeract, App], fake: FakePlatform
) -> None:
    """Each in their own topic, which the fake asks for as Telegram does; the list has two conversations."""
    core, app = desk
    (where,) = app.connections()
    for who, text in ((ADA, "a tip"), (BOB, "an ad"), (ADA, "and one more")):
        about = {"from": who, "chat": CHAT, "direct_messages_topic": topic(who)}
        update = fake.telegram.say(-1002000000001, text, **about)
        headers, body = sign_telegram(update, CONFIG["webhook_secret_token"])
        await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
        await core.pump()
    assert [(m.text, m.params["direct_messages_topic_id"]) for m in fake.sent()] == [
        ("Ada: a tip", "42"), ("Bob: an ad", "43"), ("Ada: and one more", "42"),
    ]  # fmt: skip
    recent = await app.conversations.recent()
    assert [(line.peer.name, line.messages, line.last_message.text) for line in recent] == [
        ("Ada", 4, "Ada: and one more"), ("Bob", 2, "Bob: an ad"),
    ]  # fmt: skip
