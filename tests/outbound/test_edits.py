"""An edit changes what stands in each part of a message, by the method that fits the part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Event, Outeract
from outeract_core._outbound.attempt import Attempts
from outeract_core.content import Location
from outeract_core.errors import BadInput, Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import heard_on_telegram

pytestmark = pytest.mark.anyio


class PowerError(BaseException):
    """The power is gone."""


PNG = b"\x89PNG\r\n\x1a\n"
EDITS = ("editMessageText", "editMessageCaption", "deleteMessage")


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


@pytest.fixture
async def heard(core: Outeract, app: App, fake: FakePlatform) -> Event:
    """A message that somebody has written on Telegram."""
    return await heard_on_telegram(core, app, fake)


async def carried(core: Outeract) -> None:
    """Everything that was queued is done, also what had to wait for its turn."""
    clock: Any = core.runtime.database.options.clock
    for _ in range(8):
        await core.pump()
        clock.advance(5)


def edits(fake: FakePlatform) -> list[tuple[str, int, str]]:
    """What was asked to be changed: the method, which message, its new words' beginning."""
    found = []
    for request in fake.requests:
        method = request.path.rpartition("/")[2]
        if method in EDITS:
            said = request.params.get("text") or request.params.get("caption") or ""
            found.append((method, int(request.params["message_id"]), said[:3]))
    return found


def text(letters: str, each: int = 4000) -> str:
    """A text that takes a message for each letter."""
    return "\n\n".join(letter * each for letter in letters)


def ids(fake: FakePlatform) -> list[int]:
    """The numbers of all messages that were sent, in order."""
    return [int(message.id) for message in fake.sent()]


async def sent(core: Outeract, app: App, to: Event, content: Any) -> Any:
    """A message that is on the platform."""
    delivery = await app.send(to, content)
    await carried(core)
    return delivery


async def test_each_part_of_a_message_is_changed_by_itself(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """As many words as before: each of them is settled."""
    delivery = await sent(core, app, heard, text("abc"))
    edit = await app.edit(delivery.id, text("xyz"))
    await carried(core)
    first, second, third = ids(fake)
    assert edits(fake) == [
        ("editMessageText", first, "xxx"),
        ("editMessageText", second, "yyy"),
        ("editMessageText", third, "zzz"),
    ]
    state = await edit.state()
    assert (state.status, [part.status for part in state.parts]) == ("sent", ["sent"] * 3)


async def test_fewer_words_take_the_parts_away_that_are_left(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """Nothing of the old text stays to be read; the log names what was taken away."""
    delivery = await sent(core, app, heard, text("abc"))
    await app.edit(delivery.id, "short")
    await carried(core)
    first, second, third = ids(fake)
    assert edits(fake) == [
        ("editMessageText", first, "sho"),
        ("deleteMessage", second, ""),
        ("deleteMessage", third, ""),
    ]
    (edited,) = (await app.events.page(type_is("message.edited"))).nodes
    assert edited.payload["removed"] == [1, 2]


async def test_what_was_taken_away_is_never_written_to_again(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """A later edit has the room that is left; what should be gone is taken away once more, in vain."""
    delivery = await sent(core, app, heard, text("abc"))
    await app.edit(delivery.id, text("xy"))
    with pytest.raises(Unsupported, match="need 3 messages"):
        await app.edit(delivery.id, text("uvw"))
    again = await app.edit(delivery.id, "one")
    await carried(core)
    third = ids(fake)[2]
    assert [what for what in edits(fake) if what[1] == third] == [
        ("deleteMessage", third, ""),
        ("deleteMessage", third, ""),
    ]
    assert (await again.state()).status == "sent"


async def test_more_words_than_there_is_room_for_are_refused_before_anything_is_written(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """Nothing can be put between two messages, and nothing is done by halves."""
    delivery = await sent(core, app, heard, text("ab"))
    before = await app.events.count()
    with pytest.raises(Unsupported, match="need 3 messages, and there is room for 2"):
        await app.edit(delivery.id, text("xyz"))
    assert (await app.events.count(), edits(fake)) == (before, [])


def album(size: int, words: str = "look") -> Content:
    """Pictures with a text."""
    files = [Attachment(PNG + bytes([n]), f"{n}.png") for n in range(size)]
    return Content(words, files=files)


@pytest.mark.parametrize("size", [1, 3])
async def test_a_caption_is_edited_as_one_on_the_picture_that_carries_it(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, size: int
) -> None:
    """Of an album that is the first."""
    delivery = await sent(core, app, heard, album(size))
    edit = await app.edit(delivery.id, "see")
    await carried(core)
    assert edits(fake) == [("editMessageCaption", ids(fake)[0], "see")]
    assert (await edit.state()).status == "sent"


async def test_a_caption_that_was_none_is_written_below_the_picture(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """There is room for it, though nothing was said."""
    delivery = await sent(core, app, heard, Content(files=[Attachment(PNG, "a.png")]))
    await app.edit(delivery.id, "a picture")
    await carried(core)
    assert edits(fake) == [("editMessageCaption", ids(fake)[0], "a p")]


async def test_a_text_that_had_no_room_below_its_picture_is_edited_as_a_text(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """It stays where it stands, also when it would fit below the picture now."""
    delivery = await sent(core, app, heard, album(1, "w" * 2000))
    edit = await app.edit(delivery.id, "short")
    await carried(core)
    assert edits(fake) == [("editMessageText", ids(fake)[1], "sho")]
    assert (await edit.state()).status == "sent"


async def test_words_that_do_not_fit_below_a_picture_are_refused(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """A caption has no second message to go on in."""
    delivery = await sent(core, app, heard, album(1))
    with pytest.raises(Unsupported, match="below its file there is room for 1"):
        await app.edit(delivery.id, "w" * 1025)
    await app.edit(delivery.id, "w" * 1024)
    await carried(core)
    assert [method for method, _id, _words in edits(fake)] == ["editMessageCaption"]


@pytest.mark.parametrize(
    ("content", "words", "why"),
    [
        (album(3), Content("x", buttons=[Button("a", "A")]), "cannot carry anything to press"),
        (Content(location=Location(1.0, 2.0)), "x", "no words in this message"),
        (Content(files=[Attachment(b"RIFF....WEBP", "s.webp", kind="sticker")]), "x", "no words"),
    ],
)
async def test_what_has_no_room_for_it_is_refused(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, content: Any, words: Any, why: str
) -> None:
    """With the reason, before anything is written."""
    delivery = await sent(core, app, heard, content)
    with pytest.raises(Unsupported, match=why):
        await app.edit(delivery.id, words)
    assert edits(fake) == []


@pytest.mark.parametrize(
    "other", [Content("x", files=[Attachment(PNG, "a.png")]), Content("x", location=Location(1, 2))]
)
async def test_an_edit_does_not_pass_over_what_it_cannot_change(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, other: Content
) -> None:
    """Files and places given to it are refused, not left out in silence."""
    delivery = await sent(core, app, heard, "words")
    with pytest.raises(BadInput, match="changes words and what there is to press"):
        await app.edit(delivery.id, other)


async def test_an_edit_waits_for_the_message_that_it_is_about(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """Said and corrected in one breath: both are taken up together, and the first has no id yet."""
    delivery = await app.send(heard, text("ab"))
    edit = await app.edit(delivery.id, "only this")
    reaction = await app.react(delivery.id, "👍")
    await carried(core)
    first, second = ids(fake)
    assert edits(fake) == [("editMessageText", first, "onl"), ("deleteMessage", second, "")]
    assert {(await one.state()).status for one in (edit, reaction)} == {"sent"}


async def test_a_crash_between_two_changes_loses_none_and_repeats_none(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The first change is settled by itself; what is left goes on from there."""
    delivery = await sent(core, app, heard, text("ab"))
    edit = await app.edit(delivery.id, text("xy"))
    part = Attempts._part

    async def powerless(self: Attempts, row: Any, *, first: bool) -> Any:
        if row.done == 1:
            raise PowerError
        return await part(self, row, first=first)

    monkeypatch.setattr(Attempts, "_part", powerless)
    await core.pump()
    monkeypatch.setattr(Attempts, "_part", part)
    first, second = ids(fake)
    assert (await edit.state()).status == "queued"
    clock.advance(300)
    await carried(core)
    assert (await edit.state()).status == "sent"
    done = [what for what in edits(fake) if what[0] == "editMessageText"]
    assert done == [("editMessageText", first, "xxx"), ("editMessageText", second, "yyy")]


async def test_a_change_that_fails_is_told_with_its_part_and_stops_those_behind_it(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """What people have deleted themselves cannot be edited; the message is not said to be changed."""
    delivery = await sent(core, app, heard, text("ab"))
    edit = await app.edit(delivery.id, text("xy"))
    fake.telegram.forget(1001, ids(fake)[1])
    await carried(core)
    state = await edit.state()
    assert state.status == "failed"
    assert [part.status for part in state.parts] == ["sent", "failed"]
    (failed,) = (await app.events.page(type_is("message.failed"))).nodes
    assert (failed.payload["part"], failed.payload["class"]) == (1, "gone")


async def test_a_place_that_is_shown_in_words_stays_when_the_words_change(
    core: Outeract, app: App, fake: FakePlatform, heard: Event
) -> None:
    """An edit that does not speak of it must not take it away where it is no message of its own."""
    slack = app.connect(
        "slack",
        bot_token="xoxb-tests",
        signing_secret="secret-of-tests",
        base_url=f"{fake.url}/api",
    )
    delivery = await sent(
        core, app, (slack, "C1", "channel"), Content("meet here", location=Location(1.0, 2.0))
    )  # type: ignore[arg-type]
    await app.edit(delivery.id, "meet there")
    await carried(core)
    (update,) = [r.params for r in fake.requests if r.path.endswith("chat.update")]
    assert "meet there" in update["text"]
    assert "mlat=1.000000" in update["text"]
