"""A person who has blocked the bot is remembered, and forgotten as soon as they write or let it in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Event, Outeract
from outeract_core.errors import Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_telegram

pytestmark = pytest.mark.anyio

ANN = 1001
WORDS = ("bot was blocked by the user", "user is deactivated")


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


def connected(app: App, fake: FakePlatform) -> Any:
    """The bot on Telegram."""
    return app.connect(
        "telegram", token="42:tests", webhook_secret_token="tests-word", base_url=fake.url
    )


async def comes(core: Outeract, app: App, fake: FakePlatform, update: Any) -> None:
    """Telegram tells the bot something."""
    where = connected(app, fake)
    headers, body = sign_telegram(update, "tests-word")
    answer = await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    assert answer.status == 200


async def first(core: Outeract, app: App, fake: FakePlatform) -> Event:
    """Somebody's first word."""
    await comes(core, app, fake, fake.telegram.say(ANN, "hi"))
    return (await app.events.page(type_is("message.inbound"))).nodes[0]


async def refused(app: App, to: Any) -> bool:
    """Whether `can` and `send` refuse alike, and nothing is written then."""
    prospect, before = await app.can(to, "hello"), await app.events.count()
    if prospect.ok:
        return False
    with pytest.raises(Unsupported) as caught:
        await app.send(to, "hello")
    assert prospect.reasons == (str(caught.value),)
    assert await app.events.count() == before
    return True


@pytest.mark.parametrize("words", WORDS)
async def test_a_refusal_is_remembered_until_they_write(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock, words: str
) -> None:
    """The first message fails with its class; the next ones are not even written."""
    heard = await first(core, app, fake)
    fake.telegram.leave(ANN, words)
    sent = await app.send(heard, "hello")
    await core.pump()
    assert (await sent.state()).status == "failed"
    for to in (heard, app.sender_of(heard), ("telegram", str(ANN))):
        assert await refused(app, to)
    fake.telegram.come_back(ANN)
    await comes(core, app, fake, fake.telegram.say(ANN, "here again"))
    assert not await refused(app, heard)
    again = await app.send(heard, "welcome")
    await core.pump()
    assert (await again.state()).status == "sent"


async def test_what_membership_says_counts(core: Outeract, app: App, fake: FakePlatform) -> None:
    """Blocked and let in again without a word, as often as they like; the newest word holds."""
    heard = await first(core, app, fake)
    for _ in range(2):
        await comes(core, app, fake, fake.telegram.leave(ANN))
        assert await refused(app, heard)
        await comes(core, app, fake, fake.telegram.come_back(ANN))
        assert not await refused(app, heard)


async def test_it_is_one_persons_and_on_one_platform(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Others are reached as before."""
    heard = await first(core, app, fake)
    await comes(core, app, fake, fake.telegram.leave(ANN))
    await comes(core, app, fake, fake.telegram.say(2002, "hello"))
    other = (await app.events.page(type_is("message.inbound"))).nodes[0]
    assert await refused(app, heard)
    assert not await refused(app, other)


async def test_other_refusals_close_nothing(core: Outeract, app: App, fake: FakePlatform) -> None:
    """A message that cannot be parsed, say, tells nothing of its recipient."""
    heard = await first(core, app, fake)
    wrong = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
    fake.fail(1, "sendMessage", 400, wrong)
    await app.send(heard, "hello")
    await core.pump()
    assert not await refused(app, heard)


async def test_a_restart_forgets_nothing(tmp_path: Path, clock: ManualClock) -> None:
    """It is in the file, as an edge of the event that says so."""
    with FakePlatform(clock=clock) as fake:
        async with Outeract(tmp_path / "b.db", clock=clock) as core:
            heard = await first(core, core.app("a"), fake)
            await comes(core, core.app("a"), fake, fake.telegram.leave(ANN))
        async with Outeract(tmp_path / "b.db", clock=clock) as core:
            app = core.app("a")
            connected(app, fake)
            assert await refused(app, heard.id)
