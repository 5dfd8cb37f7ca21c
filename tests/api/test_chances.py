"""Second chances: what was not delivered is found, counted, sent again, and taken back in time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Delivery, Outeract
from outeract_core.errors import BadInput, NotFound
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import whatsapp

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
ANN, BOB = ("whatsapp", "+14155550100"), ("whatsapp", "+14155550111")


@pytest.fixture
async def fake(app: App, clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """A fake WhatsApp that the application is connected to."""
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        yield fake


async def dead(core: Outeract, app: App, fake: FakePlatform, content: object = "pay") -> Delivery:
    """A message that the platform has refused."""
    fake.refuse(1)
    delivery = await app.send(ANN, content, key=None)  # type: ignore[arg-type]
    await core.pump()
    assert (await delivery.state()).status == "failed"
    return delivery


async def test_a_failed_message_is_sent_again_once(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """A new message to where the old went, triggered by it; asked twice, it is the same one."""
    old = await dead(core, app, fake)
    new, again = await app.resend(old.id), await app.resend(old.id)
    assert new.id == again.id != old.id
    await core.pump()
    assert [m.text for m in fake.sent()] == ["pay"]
    assert old.id in {
        e.id for e in (await app.graph.neighbours(new.id, types=["triggered_by"])).events
    }
    assert (await old.state()).status == "failed"


async def test_everything_it_said_is_said_again(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Files, buttons, header, footer: the same content; marked, its text says what it may be."""
    said = Content("choose", buttons=[Button("a", "A")], header="H", footer="F")
    old = await dead(core, app, fake, said)
    new = await app.events.get((await app.resend(old.id)).id)
    assert new.payload["message"] == (await app.events.get(old.id)).payload["message"]
    await core.pump()
    old = await dead(core, app, fake, Content(files=[Attachment(b"bytes", "a.txt")]))
    new = await app.events.get((await app.resend(old.id, marked="Perhaps again")).id)
    assert new.text == "Perhaps again"
    assert [f.filename for f in await app.files.of(new)] == ["a.txt"]


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("sticker", "image/webp"),
        ("voice", "audio/ogg"),
        ("image", "image/png"),
        (None, "image/png"),
    ],
)
async def test_it_is_shown_as_it_was_to_be(
    core: Outeract, app: App, fake: FakePlatform, kind: Any, mime: str
) -> None:
    """A sticker is sent again as a sticker, what was spoken as spoken."""
    said = Attachment(b"RIFF....WEBPVP8 ", "a", mime, kind=kind)
    old = await app.send(ANN, Content(files=[said]))
    planned = await sent_as(core, old)
    fake.refuse(1)
    await core.pump()
    assert (await old.state()).status == "failed"
    assert await sent_as(core, await app.resend(old.id)) == planned == [kind or "image"]


async def sent_as(core: Outeract, delivery: Delivery) -> list[str]:
    """The kinds of the files of what is queued."""
    rows = core.runtime.database.read(
        lambda tx: tx.db.execute("SELECT parts FROM outbox ORDER BY id").fetchall()
    )
    return list(json.loads(rows[-1][0])["kinds"])


async def test_an_unknown_message_can_be_marked(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Nobody knows whether it has arrived: the repetition says so."""
    fake.drop(1)
    old = await app.send(ANN, "pay")
    await core.pump()
    assert (await old.state()).status == "unknown"
    await app.resend(old.id, marked=True)
    await core.pump()
    first, second = (m.text for m in fake.sent())
    assert first == "pay"
    assert second.endswith("may be a repetition:\n\npay")


async def test_only_what_has_failed_is_sent_again(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Queued, sent, cancelled, somebody else's, not there: refused with the reason, nothing written."""
    queued = await app.send(ANN, "one")
    with pytest.raises(BadInput, match="still on its way"):
        await app.resend(queued.id)
    await core.pump()
    with pytest.raises(BadInput, match="it has arrived"):
        await app.resend(queued.id)
    taken = await app.send(ANN, "two")
    await taken.cancel()
    with pytest.raises(BadInput, match="send a new one"):
        await app.resend(taken.id)
    with pytest.raises(BadInput, match="only a message that was sent"):
        await app.resend(await app.emit("order.made", {}))
    with pytest.raises(NotFound):
        await core.app("other").resend(queued.id)
    await core.pump()
    assert [m.text for m in fake.sent()] == ["one"]


async def test_what_was_not_delivered_is_listed_and_counted(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """By status, connection and time, the newest first; what was delivered is not among it."""
    first = await dead(core, app, fake)
    clock.advance(2 * 86_400)
    fake.drop(1)
    second = await app.send(BOB, "perhaps")
    await core.pump()
    await app.send(BOB, "fine")
    await core.pump()
    found = await app.deliveries()
    assert [(u.event.id, u.status) for u in found] == [
        (second.id, "unknown"), (first.id, "failed"),
    ]  # fmt: skip
    assert found[1].reason
    assert found[0].connection.platform == "whatsapp"
    assert [u.event.id for u in await app.deliveries("failed", connection="whatsapp")] == [first.id]
    since = clock() - timedelta(days=1)
    assert [u.event.id for u in await app.deliveries(since=since)] == [second.id]
    assert [u.event.id for u in await app.deliveries(until=since)] == [first.id]
    assert [u.event.id for u in await app.deliveries(before=second.id, first=1)] == [first.id]
    counts = await app.delivery_counts()
    assert [(c.status, c.count) for c in counts] == [("unknown", 1), ("failed", 1)]
    assert counts[0].start <= found[0].at < counts[0].start + timedelta(days=1)
    assert await app.delivery_counts(since=clock() + timedelta(seconds=1)) == []
    for wrong in ({"status": "sent"}, {"first": 0}, {"first": True}):
        with pytest.raises(BadInput):
            await app.deliveries(**wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        await app.delivery_counts(every=timedelta(0))


async def test_what_another_program_has_queued_can_be_taken_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    """After a restart the event is enough; what is not ours has no delivery."""
    async with Outeract(tmp_path / "a.db", clock=clock, console=lambda _m: {}) as core:
        app = core.app("support")
        app.connect("console")
        event = (await app.send(("console", "ann"), "oops")).id
    async with Outeract(tmp_path / "a.db", clock=clock, console=lambda _m: {}) as core:
        app = core.app("support")
        assert (await app.delivery(event).state()).status == "queued"
        assert await app.cancel(event)
        assert not await app.cancel(event)
        assert (await app.delivery(event).state()).status == "cancelled"
        with pytest.raises(BadInput, match="has sent"):
            await app.cancel(await app.emit("order.made", {}))
