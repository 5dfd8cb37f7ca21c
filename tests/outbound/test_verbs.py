"""The verbs on messages that exist reach the fake platforms through the whole of core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Event, Outeract
from outeract_core._store.reading import health
from outeract_core.errors import BadInput, NotFound, Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, SECRET, deliver, heard_on_telegram, whatsapp, writes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


@pytest.fixture
async def heard(core: Outeract, app: App, fake: FakePlatform) -> Event:
    """A message that somebody has written on Telegram."""
    return await heard_on_telegram(core, app, fake)


def asked(fake: FakePlatform, method: str) -> list[Any]:
    """The parameters of every call of a method."""
    return [r.params for r in fake.requests if r.path.lower().endswith(method.lower())]


async def test_an_edit_replaces_the_text_at_the_platform(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """The platform is told; the log keeps both versions; the context shows the newer one."""
    delivery = await app.send(heard, "first")
    await core.pump()
    edit = await app.edit(delivery.id, Content("*second*", format="markdown"))
    await core.pump()
    (params,) = asked(fake, "editMessageText")
    assert "second" in params["text"]
    assert (await edit.state()).status == "sent"
    assert (await app.events.get(delivery.id)).text == "first"
    turns = await (await app.conversations.of(heard)).context()
    assert [turn.content for turn in turns] == ["hi", "*second*"]


async def test_a_deletion_takes_the_message_back(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """It is gone at the platform and in the context; in the log it stays, with the deletion."""
    delivery = await app.send(heard, "oops")
    await core.pump()
    await app.delete(delivery.id)
    await core.pump()
    assert len(asked(fake, "deleteMessage")) == 1
    turns = await (await app.conversations.of(heard)).context()
    assert [turn.content for turn in turns] == ["hi"]
    told = await app.graph.walk(delivery.id, types=["origin"], direction="in", depth=1)
    assert "message.deleted" in {event.event_type for event in told.events}


async def test_a_reaction_is_put_and_taken_back(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """Both are requests in order, and both are events about the message."""
    await app.react(heard, "👍")
    await app.react(heard, "👍", remove=True)
    await core.pump()
    assert len(asked(fake, "setMessageReaction")) == 2
    told = await app.graph.walk(heard, types=["origin"], direction="in", depth=1)
    kinds = [event.event_type for event in told.events]
    assert {"message.reaction_added", "message.reaction_removed"} <= set(kinds)


async def test_typing_that_comes_too_late_is_not_shown(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock, heard: Event
) -> None:
    """A sign that the bot is writing is worth nothing after seconds: it is dropped, no event tells of it."""
    await app.typing(heard)
    await core.pump()
    before = await app.events.count()
    await app.typing(heard)
    clock.advance(30)
    await core.pump()
    assert len(asked(fake, "sendChatAction")) == 1
    assert await app.events.count() == before


async def test_what_cannot_be_done_is_refused_before_anything_is_written(
    core: Outeract, app: App, heard: Event
) -> None:
    """Others' messages are not edited, unknown ones not found, platforms without a verb say so."""
    before = await app.events.count()
    tries: list[tuple[type[Exception], Any]] = [
        (BadInput, app.edit(heard, "mine now")),
        (BadInput, app.delete(heard)),
        (BadInput, app.react(heard, "")),
        (NotFound, app.react(app.id, "👍")),
        (Unsupported, app.edit(await _on_console(app), "x")),
    ]
    for error, call in tries:
        with pytest.raises(error):
            await call
    assert await app.events.count() == before + 1


async def _on_console(app: App) -> Any:
    app.connect("console")
    return (await app.send(("console", "ann"), "printed")).id


async def test_one_webhook_serves_several_numbers(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """A shared webhook is routed by the account in its body; of an unknown one only a hash is left."""
    first = whatsapp(app, fake)
    second = app.connect(
        "whatsapp", name="second", access_token="token-of-tests", app_secret=SECRET,
        verify_token="verify-of-tests", phone_number_id="200000000000002", base_url=fake.url,
    )  # fmt: skip
    for number in (NUMBER, "200000000000002", "300000000000003"):
        payload = fake.whatsapp.say("14155550100", f"to {number}", phone_number_id=number)
        await deliver(core, first, payload)
    heard = [event async for event in app.events.all(type_is("message.inbound"))]
    assert [event.connection_id for event in heard] == [first.id, second.id]
    assert await app.events.count(type_is("system.delivery_unparsed")) == 0
    (left,) = core.runtime.database.read(health.foreign)
    assert (left["items"], "300000000000003" in left["reason"]) == (1, True)
    people = {(await app.people.platform_user(app.sender_of(e).id)).id for e in heard}  # type: ignore[union-attr]
    assert len(people) == 2


async def test_an_answer_leaves_by_the_connection_that_was_written_to(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Replies go by the platform user that they answer, also after a merge of persons."""
    first = whatsapp(app, fake)
    app.connect(
        "whatsapp", name="second", access_token="token-of-tests", app_secret=SECRET,
        verify_token="verify-of-tests", phone_number_id="200000000000002", base_url=fake.url,
    )  # fmt: skip
    await writes(core, first, fake, "to the first")
    await deliver(
        core, first,
        fake.whatsapp.say("14155550100", "to the second", phone_number_id="200000000000002"),
    )  # fmt: skip
    heard = [event async for event in app.events.all(type_is("message.inbound"))]
    senders = [app.sender_of(event) for event in heard]
    await app.people.merge(senders[0], senders[1])
    for event in heard:
        await app.reply(event, f"re {event.text}")
    await core.pump()
    texts = {
        r.json["text"]["body"]: NUMBER in r.path
        for r in fake.requests
        if r.json and r.json.get("type") == "text"
    }
    assert texts == {"re to the first": True, "re to the second": False}


async def test_a_message_in_parts_is_deleted_whole(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """Each of its parts is taken back, in their order, also where ids get another digit."""
    for n in range(6):  # so that the parts' ids go from one digit to two
        await app.send(heard, f"m{n}")
    delivery = await app.send(heard, "\n\n".join(letter * 4000 for letter in "abc"))
    for _ in range(12):
        await core.pump()
        core.runtime.database.options.clock.advance(5)
    sent = [message.id for message in fake.sent() if message.text[:1] in "abc"]
    assert len(sent) == 3
    await app.delete(delivery.id)
    await core.pump()
    assert [str(params["message_id"]) for params in asked(fake, "deleteMessage")] == [
        str(one) for one in sent
    ]


async def test_an_album_is_deleted_whole(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """All its pictures, not the first alone."""
    files = [Attachment(b"\x89PNG\r\n\x1a\n" + bytes([n]), f"{n}.png") for n in range(3)]
    delivery = await app.send(heard, Content("look", files=files))
    await core.pump()
    await app.delete(delivery.id)
    await core.pump()
    assert len(asked(fake, "deleteMessage")) == 3


@pytest.mark.parametrize("emoji", ["🦄🦄", "no emoji", "🛸"])
async def test_a_reaction_that_the_platform_has_not_is_refused_before_it_is_written(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, emoji: str
) -> None:
    """Nothing is written, nothing is asked."""
    before = len((await app.events.page()).nodes)
    with pytest.raises(Unsupported):
        await app.react(heard, emoji)
    assert len((await app.events.page()).nodes) == before
    assert asked(fake, "setMessageReaction") == []


async def test_what_is_known_to_fail_is_told_and_refused_alike(
    core: Outeract, app: App, heard: Event
) -> None:
    """An id that no button carries: `can` says why, `send` refuses with the same words, nothing is written."""
    content = Content("press", buttons=[Button("x" * 65, "go")])
    prospect = await app.can(heard, content)
    assert not prospect.ok
    before = len((await app.events.page()).nodes)
    with pytest.raises(Unsupported, match="64") as caught:
        await app.send(heard, content)
    assert prospect.reasons == (str(caught.value),)
    assert len((await app.events.page()).nodes) == before
    assert (await app.can(heard, Content("press", buttons=[Button("x" * 64, "go")]))).ok


async def test_an_empty_file_is_refused(app: App, heard: Event) -> None:
    """With its name, before anything is written."""
    with pytest.raises(BadInput, match=r"x\.txt is empty"):
        await app.send(heard, Content("f", files=[Attachment(b"", "x.txt")]))
