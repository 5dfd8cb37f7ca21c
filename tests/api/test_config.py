"""Application config decides when messages are marked as read, and what a platform is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core import App, Message, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, deliver, whatsapp, writes

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]


def reads(fake: FakePlatform) -> list[Any]:
    """The read marks that WhatsApp was told."""
    return [r.json for r in fake.requests if r.json and r.json.get("status") == "read"]


async def unread(app: App) -> list[int]:
    """The unread counts of all conversations."""
    return [summary.unread for summary in (await app.conversations.recent()).nodes]


async def test_by_default_nothing_is_marked_as_read(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """`never`: a message stays unread until the host says otherwise."""
    with FakePlatform(clock=clock) as fake:
        connection = whatsapp(app, fake)
        app.on("message.inbound", name="h")(lambda message: "hello")
        await writes(core, connection, fake, "hi")
        await core.pump()
        assert await unread(app) == [1]
        assert reads(fake) == []


async def test_on_received_marks_in_the_commit_of_the_message(
    core: Outeract, clock: ManualClock
) -> None:
    """With `on_received` it is read before any handler runs, and the platform is told once."""
    with FakePlatform(clock=clock) as fake:
        app = core.app("eager", auto_mark_read="on_received")
        connection = whatsapp(app, fake)
        for _ in range(2):
            await writes(core, connection, fake, "hi")
        assert await unread(app) == [0]
        await core.pump()
        assert len(reads(fake)) == 2
        assert await app.events.count(type_is("system.conversation_read")) == 2


async def test_on_processing_complete_waits_for_every_handler(
    core: Outeract, clock: ManualClock
) -> None:
    """With `on_processing_complete` it is read when the last handler is through with it."""
    with FakePlatform(clock=clock) as fake:
        app = core.app("patient", auto_mark_read="on_processing_complete")
        connection = whatsapp(app, fake)
        app.on("message.inbound", name="quick")(lambda message: None)

        fails = [True]

        @app.on("message.inbound", name="slow", attempts=2)
        def slow(message: Message) -> None:
            if fails.pop():
                fails.append(False)
                raise RuntimeError

        await writes(core, connection, fake, "hi")
        await core.pump()
        assert await unread(app) == [1]
        clock.advance(3600)
        await core.pump()
        await core.pump()
        assert await unread(app) == [0]
        assert len(reads(fake)) == 1


async def test_only_messages_that_were_handled_are_marked(
    core: Outeract, clock: ManualClock
) -> None:
    """A handler of statuses does not mark the messages before them as read."""
    with FakePlatform(clock=clock) as fake:
        app = core.app("statuses", auto_mark_read="on_processing_complete")
        connection = whatsapp(app, fake)
        app.on("message.sent", name="h")(lambda message: None)
        await writes(core, connection, fake, "hi")
        person = await app.people.by_external_id("whatsapp", "+14155550100")
        await app.send(person, "out of the blue")
        await core.pump()
        assert await unread(app) == [1]


async def test_where_a_platform_has_no_read_marks_the_count_moves_all_the_same(
    core: Outeract, clock: ManualClock
) -> None:
    """In a WhatsApp group nothing is told to the platform, and nothing fails."""
    with FakePlatform(clock=clock) as fake:
        app = core.app("groups", auto_mark_read="on_received")
        connection = whatsapp(app, fake)
        payload = fake.whatsapp.say("14155550100", "hi all", phone_number_id=NUMBER, group_id="G1")
        await deliver(core, connection, payload)
        await core.pump()
        assert await unread(app) == [0]
        assert reads(fake) == []
        assert await app.events.count(type_is("message.failed")) == 0
