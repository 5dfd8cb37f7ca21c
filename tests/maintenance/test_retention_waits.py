"""Retention: what is old and stays a while longer, and what goes beside events.

Knows: the outbox, handlers, files, kept deliveries. Does not know: how content leaves the log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core.content import Attachment, Content
from outeract_core.errors import FileError
from outeract_core.events import Unparsed
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import events, readable, said, take
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio
DAY = 86_400
DAYS_90 = timedelta(days=90)
DROPPED = {"erased": True}


# ── what stays a while longer ─────────────────────────────────────────────────────────────────


async def test_unsent_messages_stay_until_they_are_sent(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A message that waits for its time is passed by, holds up nothing, and goes once it was sent."""
    later = datetime.fromtimestamp(clock().timestamp() + 200 * DAY, UTC)
    waiting = await app.send((plain, "alice"), "happy birthday", not_before=later)
    await take(core, plain, said("m1"))
    await app.retention.keep("message.*", DAYS_90)
    clock.advance(100 * DAY)
    (done,) = await app.retention.apply()
    assert (done.events, done.unsent) == (1, 1)
    assert await readable(app) == ["happy birthday", None]
    (foreseen,) = await app.retention.apply(dry_run=True)
    assert (foreseen.events, foreseen.unsent) == (0, 1)
    clock.advance(100 * DAY)
    await core._sender.step()
    assert (await app.events.get(waiting.id)).status == "sent"
    (done,) = await app.retention.apply()
    assert (done.events, done.unsent) == (1, 0)
    assert await readable(app) == [None, None]
    assert (await app.events.get(waiting.id)).status == "sent"


async def test_what_handlers_have_not_handled_stays(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """A handler that was down for months still gets the text; afterwards it goes."""
    heard: list[str] = []
    await take(core, plain, said("m1", text="first"), said("m2", text="second"))
    await app.retention.keep("message.*", DAYS_90)

    @app.on("message.inbound", overlap="queue")
    def listen(message: Any) -> None:
        heard.append(message.text)
        if len(heard) == 2:
            raise ValueError("again later")

    clock.advance(91 * DAY)
    assert (await app.retention.apply())[0].unhandled
    assert await readable(app) == ["first", "second"]
    await core.pump()
    assert await readable(app) == [None, "second"]
    clock.advance(DAY)
    await core.pump()
    assert heard == ["first", "second", "second"]
    (done,) = await app.retention.apply()
    assert not done.unhandled
    assert await readable(app) == [None, None]


async def test_a_handler_of_something_else_holds_up_nothing(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Events that no handler wants need not be behind the cursor."""
    await take(core, plain, said("m1"))
    app.on("order.*")(lambda _message: None)
    await app.retention.keep("message.*", DAYS_90)
    clock.advance(91 * DAY)
    await app.retention.apply()
    assert await readable(app) == [None]


async def test_handlers_of_another_program_are_respected(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path, clock: ManualClock
) -> None:
    """A program without handlers drops only what the other's cursor has passed."""
    app.on("message.inbound")(lambda _message: None)
    await take(core, plain, said("m1", text="handled"))
    await core.pump()
    await take(core, plain, said("m2", text="not handled"))
    clock.advance(91 * DAY)
    async with Outeract(tmp_path / "bot.db", clock=clock) as script:
        rules = script.app("support").retention
        await rules.keep("message.*", DAYS_90)
        (done,) = await rules.apply()
    assert (done.events, done.unhandled) == (1, True)
    assert await readable(app) == [None, "not handled"]


async def test_a_wrong_clock_keeps_rather_than_drops(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """With a clock that went back nothing is too old; an event from the future holds the rest."""
    await app.retention.keep("*", DAYS_90)
    await take(core, plain, said("m1"))
    clock.advance(1000 * DAY)
    await take(core, plain, said("m2"))
    clock.advance(-2000 * DAY)
    await app.retention.apply()
    assert await readable(app) == ["hello", "hello"]
    clock.advance(1091 * DAY)
    await take(core, plain, said("m3"))
    clock.advance(DAY * 100)
    await app.retention.apply()
    assert await readable(app) == [None, "hello", "hello"]


# ── files and kept deliveries ─────────────────────────────────────────────────────────────────


async def test_files_go_with_the_last_that_shows_them(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """Bytes go when the last message that shows them goes, and only when no other node has them."""
    data, shared = words.plant("bytes").encode() * 9, words.plant("shared").encode() * 9
    file = await app.files.add(data, filename=words.plant("name"))
    other = core.app("other")
    theirs = await other.files.add(shared, filename="theirs")
    await app.send((plain, "alice"), Content("1", files=(Attachment(file),)))
    await app.send((plain, "alice"), Content("2", files=(Attachment(shared, "x"),)))
    clock.advance(50 * DAY)
    await app.send((plain, "bob"), Content("3", files=(Attachment(file),)))
    await core.pump()
    await app.retention.keep("message.*", DAYS_90)
    clock.advance(50 * DAY)
    assert (await app.retention.apply())[0].files == 1
    assert await app.files.read(file) == data
    assert await other.files.read(theirs) == shared
    clock.advance(50 * DAY)
    assert (await app.retention.apply())[0].files == 1
    assert words.found() == {"shared"}
    with pytest.raises(FileError, match="erased"):
        await app.files.read(file)


async def test_kept_deliveries_go_too(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """Bytes that were kept because they were not understood go after the time of messages."""
    bad = Unparsed({"x": words.plant("kept")}, words.plant("error")), said("m1")
    await take(core, plain, *bad)
    clock.advance(91 * DAY)
    await take(core, plain, Unparsed({"x": words.plant("young")}, "again"))
    await app.retention.keep("order.*", DAYS_90)
    await app.retention.keep("*", DAYS_90)
    assert [each.deliveries for each in await app.retention.apply(dry_run=True)] == [0, 1]
    assert [each.deliveries for each in await app.retention.apply()] == [0, 1]
    assert words.found() == {"young"}
    before = await events(app)
    await take(core, plain, *bad)
    assert await events(app) == before
    assert (await app.retention.apply())[1].deliveries == 0
