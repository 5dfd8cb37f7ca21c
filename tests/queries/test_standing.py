"""Messages as they stand: pages, the list of conversations and search show what people see now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from outeract_core import App, Attachment, Button, Content, Event, Menu, MenuRow, Outeract, Standing
from outeract_core.adapter import Call, Flow, MessageRef, Outgoing
from outeract_core.errors import Rejected
from outeract_core.events import Fact, FileRef, Party
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import (
    BASE,
    START,
    Loft,
    Pigeon,
    about,
    arrive,
    connect,
    event,
    person,
    said,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def loft() -> Loft:
    """The platform's far end."""
    return Loft()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock, loft: Loft) -> AsyncIterator[Outeract]:
    """A store whose requests all go to the loft."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(loft),
    ) as core:  # fmt: skip
        yield core


async def page(app: App, who: Any, **options: Any) -> list[Standing]:
    """The messages of somebody's conversation, oldest first."""
    return list(await (await app.conversations.of(who)).page(order="oldest", **options))


async def test_a_page_shows_what_people_see_now(core: Outeract, app: App) -> None:
    """Edited words, deletions, reactions with who gave them, the quoted message as it stands."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", "transfer 1000", "ann", name="Ann"), said("m2", "secret", "ann"),
        said("m3", "why?", "ann", reply_to="m1"),
        about("message.edited", "e1", "m1", {"message": {"text": "transfer 10"}}),
        about("message.deleted", "d1", "m2", {}),
        about("message.reaction_added", "r1", "m3", {"emoji": "👍"}, "bob"),
        about("message.reaction_added", "r2", "m3", {"emoji": "👍"}, "cem"),
        about("message.reaction_removed", "r3", "m3", {"emoji": "👍"}, "bob"),
    )  # fmt: skip
    first, second, third = await page(app, await person(app, conn, "ann"))
    assert (first.text, first.edited, first.original_text) == ("transfer 10", True, "transfer 1000")
    assert first.payload["message"]["text"] == "transfer 1000"
    assert (second.deleted, second.text, second.said) == (True, "", False)
    assert [(r.emoji, [w.external_id for w in r.by], r.count) for r in third.reactions] == [
        ("👍", ["cem"], 1)
    ]
    assert third.quoted is not None
    assert (third.quoted.text, third.quoted.sender) == ("transfer 10", first.sender)
    assert isinstance(third, Event)
    assert (await app.events.get(first)).text == "transfer 1000"


async def test_it_stands_the_same_everywhere(core: Outeract, app: App) -> None:
    """The list of conversations, summaries, sessions, search and a person's timeline say the same."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", "helo", "ann"),
        about("message.edited", "e1", "m1", {"message": {"text": "hello"}}),
    )  # fmt: skip
    ann = await person(app, conn, "ann")
    conversation = await app.conversations.of(ann)
    summary = await conversation.summary()
    assert summary is not None
    found = [
        summary.last_message,
        (await app.conversations.recent()).nodes[0].last_message,
        (await conversation.sessions()).nodes[0].messages[0],
        (await app.search("helo")).nodes[0].message,
        *(await page(app, await app.people.user(ann))),
        *(await (await app.conversations.thread(await event(app, conn, "m1"))).page()),
    ]
    assert [(one.text, one.edited) for one in found] == [("hello", True)] * 6
    assert len(set(found)) == 1


async def test_choices_and_who_pressed_them(core: Outeract, app: App) -> None:
    """What was offered, and what was pressed by whom; the last press is `pressed`."""
    conn = connect(core, app)
    content = Content("Which?", buttons=(Button("y", "Yes"), Button("w", "Web", "https://a.test")))
    await app.send((conn, "ann"), content)
    await core.pump()
    press = {"type": "button", "id": "y", "title": "Yes"}
    await arrive(
        core, conn, about("message.action", "p1", "out-1", press),
        about("message.action", "p2", "out-1", {**press, "id": "n"}, "bob"),
    )  # fmt: skip
    (message,) = await page(app, await person(app, conn, "ann"))
    assert [(c.kind, c.id, c.title, c.url) for c in message.choices] == [
        ("button", "y", "Yes", None), ("button", "w", "Web", "https://a.test"),
    ]  # fmt: skip
    assert [(p.id, p.by and p.by.external_id) for p in message.presses] == [
        ("y", "ann"),
        ("n", "bob"),
    ]
    assert message.pressed == message.presses[-1]


async def test_the_rows_of_a_menu_are_choices(core: Outeract, app: App) -> None:
    """A menu offers its rows, with their descriptions."""
    conn = connect(core, app)
    menu = Menu("Open", (MenuRow("s", "Small", "6 cm"), MenuRow("l", "Large")))
    await app.send((conn, "ann"), Content("Size?", menu=menu))
    (message,) = await page(app, await person(app, conn, "ann"))
    assert [(c.kind, c.title, c.description) for c in message.choices] == [
        ("row", "Small", "6 cm"), ("row", "Large", None),
    ]  # fmt: skip


async def test_the_bots_own_edit_counts_once_the_platform_has_it(
    core: Outeract, app: App, loft: Loft
) -> None:
    """Before it is sent an edit, deletion or reaction of the bot's has changed nothing."""
    conn = connect(core, app)
    delivery = await app.send((conn, "ann"), "helo")
    await core.pump()
    ann = await person(app, conn, "ann")
    await app.edit(delivery.id, "hello")
    await app.react(delivery.id, "👍")
    (message,) = await page(app, ann)
    assert (message.text, message.edited, message.reactions) == ("helo", False, ())
    await core.pump()
    (message,) = await page(app, ann)
    assert (message.text, message.edited) == ("hello", True)
    assert [(r.emoji, r.by[0].kind) for r in message.reactions] == [("👍", "system")]
    await app.delete(delivery.id)
    assert not (await page(app, ann))[0].deleted
    await core.pump()
    assert (await page(app, ann))[0].deleted


class Strict(Pigeon):
    """A platform that takes no edits."""

    def edit(self, message: MessageRef, outgoing: Outgoing) -> Flow[None]:
        yield Call("POST", f"{BASE}/edit")
        raise Rejected("too old to be edited")


async def test_an_edit_that_failed_has_changed_nothing(core: Outeract, app: App) -> None:
    """An edit that the platform refuses leaves the words as people see them."""
    core.register("strict", Strict)
    conn = app.connect("strict")
    delivery = await app.send((conn, "ann"), "helo")
    await core.pump()
    edit = await app.edit(delivery.id, "hello")
    await core.pump()
    assert (await edit.state()).status == "failed"
    (message,) = await page(app, await person(app, conn, "ann"))
    assert (message.text, message.edited) == ("helo", False)


async def test_files_are_those_that_are_to_be_seen_now(core: Outeract, app: App) -> None:
    """A message's files in order; an edit that brings another picture shows that one; a deleted none."""
    conn = connect(core, app)

    def picture(name: str) -> tuple[FileRef, ...]:
        return (FileRef({"id": name}, name, "image/png"),)

    edit = Fact(
        "message.edited", "e1", {"message": {"type": "image", "text": "new"}}, target="m2",
        sender=Party("ann"), files=picture("new.png"),
    )  # fmt: skip
    await arrive(
        core, conn, said("m1", "", "ann", type="image", files=picture("one.png")),
        said("m2", "old", "ann", type="image", files=picture("old.png")), edit,
        said("m3", "", "ann", type="image", files=picture("gone.png")),
        about("message.deleted", "d1", "m3", {}),
    )  # fmt: skip
    await app.send((conn, "ann"), Content(files=(Attachment(b"%PDF", "a.pdf", "application/pdf"),)))
    names = [[f.filename for f in m.files] for m in await page(app, await person(app, conn, "ann"))]
    assert names == [["one.png"], ["new.png"], [], ["a.pdf"]]


async def test_what_is_not_yet_due_says_when(core: Outeract, app: App, clock: ManualClock) -> None:
    """A message for later is there with its time, and was not said; once it is due it is."""
    conn = connect(core, app)
    later = START + timedelta(hours=1)
    await app.send((conn, "ann"), "good morning", not_before=later)
    ann = await person(app, conn, "ann")
    (message,) = await page(app, ann)
    assert (message.due_at, message.said) == (later, False)
    clock.advance(3600)
    (message,) = await page(app, ann)
    assert (message.due_at, message.said) == (None, True)


async def test_delivery_is_told_by_part(core: Outeract, app: App) -> None:
    """Each part of a long message says how far it has come, and under which id."""
    conn = connect(core, app)
    await app.send((conn, "ann"), "x" * 5000)
    ann = await person(app, conn, "ann")
    (message,) = await page(app, ann)
    assert [(p.number, p.status) for p in message.parts] == [(0, "queued"), (1, "queued")]
    await core.pump()
    told = {"external_message_id": "out-2"}
    await arrive(core, conn, Fact(
        "message.read", "s1", told, sender=Party("bot", "system"), target="out-2"
    ))  # fmt: skip
    (message,) = await page(app, ann)
    assert [(p.status, p.external_ids) for p in message.parts] == [
        ("sent", ("out-1",)), ("read", ("out-2",)),
    ]  # fmt: skip
    await arrive(core, conn, said("m1", "thanks", "ann"))
    assert (await page(app, ann))[1].parts == ()


async def test_a_thread_holds_what_was_said_in_it(core: Outeract, app: App) -> None:
    """Reactions, presses and edits within a thread are no messages of it."""
    conn = connect(core, app)
    thread = {"thread": "m1", "target": "m2", "sender": Party("ann"), "chat": Party("g1", "group")}
    await arrive(
        core, conn, said("m1", "root", "ann", group="g1"),
        said("m2", "reply", "bob", group="g1", thread="m1"),
        Fact("message.reaction_added", "r1", {"emoji": "👍"}, **thread),  # type: ignore[arg-type]
        Fact("message.action", "p1", {"type": "button", "id": "y"}, **thread),  # type: ignore[arg-type]
        Fact("message.edited", "e1", {"message": {"text": "reply!"}}, **thread),  # type: ignore[arg-type]
    )  # fmt: skip
    found = await app.conversations.thread(await event(app, conn, "m1"))
    assert [m.text for m in await found.page(order="oldest", total=True)] == ["root", "reply!"]
    assert (await found.page(total=True)).total_count == 2
    assert (await found.analytics()).inbound == 2


async def test_a_message_that_much_happened_to_is_read_within_bounds(
    core: Outeract, app: App
) -> None:
    """Of ten thousand reactions the newest are looked at, so that no message makes a page slow."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    for start in range(0, 1200, 300):
        await arrive(core, conn, *(
            about("message.reaction_added", f"r{n}", "m1", {"emoji": "👍"}, f"p{n}")
            for n in range(start, start + 300)
        ))  # fmt: skip
    (message,) = await page(app, await person(app, conn, "ann"))
    assert 1000 <= message.reactions[0].count <= 1001
