"""What a verb would say is told beforehand, in its own words: adapters by verbs by messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from outeract_core import App, Attachment, Content, Event, Outeract
from outeract_core.errors import BadInput, NotFound, Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack, sign_telegram
from tests.support.bots import whatsapp, writes

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n"
UNSENT = ("tomorrow's", "cancelled", "failed")
MESSAGES = ("own", "foreign", "parts", "captioned", "deleted", "old", *UNSENT)
VERBS = ("react", "unreact", "edit", "long edit", "delete")
REFUSED = {
    "telegram": {
        ("own", "long edit"), ("captioned", "long edit"), ("old", "long edit"), ("deleted", "react"),
        ("deleted", "unreact"), ("deleted", "edit"), ("deleted", "long edit"), ("foreign", "edit"),
        ("foreign", "long edit"), ("foreign", "delete"), ("old", "delete"), ("parts", "long edit"),
    },
    "slack": {
        ("own", "long edit"), ("captioned", "long edit"), ("old", "long edit"), ("deleted", "react"),
        ("deleted", "unreact"), ("deleted", "edit"), ("deleted", "long edit"), ("foreign", "edit"),
        ("foreign", "long edit"), ("foreign", "delete"), ("parts", "long edit"),
    },
    "whatsapp": {
        (message, verb) for message in MESSAGES for verb in ("edit", "long edit", "delete")
    },
}  # fmt: skip
"""What each platform is known not to take; all the rest it may."""
for refused in REFUSED.values():
    refused |= {(message, verb) for message in UNSENT for verb in VERBS}


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


async def hello(core: Outeract, app: App, fake: FakePlatform, platform: str) -> Event:
    """A first word of somebody on a platform."""
    if platform == "whatsapp":
        await writes(core, whatsapp(app, fake), fake, "hi")
    elif platform == "telegram":
        where = app.connect(
            platform, token="42:tests", webhook_secret_token="tests-word", base_url=fake.url
        )
        headers, body = sign_telegram(fake.telegram.say(1001, "hi"), "tests-word")
        await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    else:
        where = app.connect(
            platform, bot_token="xoxb-tests", signing_secret="s" * 32, base_url=f"{fake.url}/api"
        )
        now = core.runtime.database.options.clock()
        headers, body = sign_slack(fake.slack.say("U1", "hi"), "s" * 32, now)
        await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    return (await app.events.page(type_is("message.inbound"))).nodes[0]


async def message(
    core: Outeract, app: App, fake: FakePlatform, heard: Event, which: str
) -> Any:  # fmt: skip
    """The message that is asked about."""
    clock: Any = core.runtime.database.options.clock
    if which == "foreign":
        return heard
    said: Any = "words"
    if which == "parts":
        said = "\n\n".join(letter * 3900 for letter in "ab")
    elif which == "captioned":
        said = Content("words", files=[Attachment(PNG, "a.png")])
    due = clock() + timedelta(days=1) if which in ("tomorrow's", "cancelled") else None
    if which == "failed":
        fake.refuse()
    sent = await app.send(heard, said, not_before=due)
    if which == "cancelled":
        assert await sent.cancel()
    for _ in range(4):
        await core.pump()
        clock.advance(5)
    if which == "captioned" and heard.payload["platform"] == "slack":
        where = app.connections()[0]
        headers, body = sign_slack(fake.slack.echo(fake.sent()[-1]), "s" * 32, clock())
        await core.ingest(where.webhook_id, where.webhook_secret, "POST", headers, {}, body)
    if which == "deleted":
        await _gone(core, app, sent.id)
    if which == "old":
        clock.advance(49 * 3600)
    return sent.id


async def _gone(core: Outeract, app: App, event: Any) -> None:
    if (await app.can_delete(event)).ok:
        await app.delete(event)
        await core.pump()


def ways(app: App, event: Any, verb: str) -> tuple[Any, Any]:
    """The question, and the verb itself."""
    long = "\n\n".join(letter * 3900 for letter in "xyz")
    return {
        "react": (lambda: app.can_react(event, "👍"), lambda: app.react(event, "👍")),
        "unreact": (
            lambda: app.can_react(event, "👍", remove=True),
            lambda: app.react(event, "👍", remove=True),
        ),
        "edit": (lambda: app.can_edit(event, "new"), lambda: app.edit(event, "new")),
        "long edit": (lambda: app.can_edit(event, long), lambda: app.edit(event, long)),
        "delete": (lambda: app.can_delete(event), lambda: app.delete(event)),
    }[verb]


@pytest.mark.parametrize("which", MESSAGES)
@pytest.mark.parametrize("platform", sorted(REFUSED))
async def test_a_verb_is_refused_as_it_was_told(
    core: Outeract, app: App, fake: FakePlatform, platform: str, which: str
) -> None:
    """Asked, nothing happens; refused, it is with the very reasons, and nothing is written."""
    heard = await hello(core, app, fake, platform)
    event = await message(core, app, fake, heard, which)
    if platform == "whatsapp" and which == "deleted":
        return  # nothing can be deleted there
    for verb in VERBS:
        ask, do = ways(app, event, verb)
        before, requests = await app.events.count(), len(fake.requests)
        verdict = await ask()
        assert (await app.events.count(), len(fake.requests)) == (before, requests)
        assert verdict.ok is ((which, verb) not in REFUSED[platform]), (verb, verdict)
        if verdict.ok:
            continue
        with pytest.raises((BadInput, Unsupported)) as caught:
            await do()
        assert verdict.reasons == (str(caught.value),)
        assert await app.events.count() == before


@pytest.mark.parametrize("platform", sorted(REFUSED))
async def test_what_was_said_to_be_taken_is_taken(
    core: Outeract, app: App, fake: FakePlatform, platform: str
) -> None:
    """By the verb, and by the platform, which refuses what does not fit."""
    heard = await hello(core, app, fake, platform)
    for verb in ("react", "unreact", "edit", "delete"):
        event = await message(core, app, fake, heard, "captioned")
        ask, do = ways(app, event, verb)
        if (await ask()).ok:
            await do()
            await core.pump()
    failed = (await app.events.page(type_is("message.failed"))).nodes
    assert [one.payload["reason"] for one in failed] == []


async def test_what_slack_has_not_named_yet_is_told(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """A message with a file has no name until its event comes: nothing is queued that must fail."""
    heard = await hello(core, app, fake, "slack")
    sent = await app.send(heard, Content("words", files=[Attachment(PNG, "a.png")]))
    for _ in range(4):
        await core.pump()
        clock.advance(5)
    for verb in VERBS:
        ask, _do = ways(app, sent.id, verb)
        (reason,) = (await ask()).reasons
        assert "not told yet" in reason or "room for" in reason


async def test_nobody_is_asked_about_what_is_not_there(app: App) -> None:
    """An unknown message is not found, whatever is asked."""
    with pytest.raises(NotFound):
        await app.can_delete(app.id)
