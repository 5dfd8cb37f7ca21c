"""A person who has blocked the bot is remembered, and forgotten as soon as they write or let it in; so are windows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Content, Event, Outeract, Template
from outeract_core.errors import Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_telegram
from tests.support.bots import NUMBER, deliver, whatsapp

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


# ── a window that opens and closes ────────────────────────────────────────────────────────────

PRESS = {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}
WORD: dict[str, tuple[dict[str, Any], bool]] = {
    "a text": ({"type": "text", "text": {"body": "hi"}}, True),
    "a template's button": ({"type": "button", "button": {"payload": "P", "text": "Yes"}}, True),
    "a button": ({"type": "interactive", "interactive": PRESS}, True),
    "a reaction": ({"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}}, True),
    "an edit": (
        {"type": "edit", "edit": {"original_message_id": "wamid.x", "message": {"type": "text", "text": {"body": "ho"}}}},
        True,
    ),
    "taken back": ({"type": "revoke", "revoke": {"original_message_id": "wamid.x"}}, False),
    "in a group": ({"type": "text", "text": {"body": "hi"}, "group_id": "G1"}, False),
    "a press in a group": ({"type": "interactive", "interactive": PRESS, "group_id": "G1"}, False),
}  # fmt: skip
"""What a person may do on WhatsApp, and whether the bot may write to them then."""
ASKED: dict[str, Any] = {
    "by number": lambda _app, _who: ("whatsapp", "+14155550100"),
    "as it is typed": lambda _app, _who: ("whatsapp", "0014 155 550-100"),
    "by who it is": lambda _app, who: who,
    "by the person": lambda app, who: who.user_id,
}
DAY = 24 * 3600


async def _word(core: Outeract, app: App, fake: FakePlatform, **message: Any) -> None:
    payload = fake.whatsapp.say("14155550100", "", phone_number_id=NUMBER)
    said = payload["entry"][0]["changes"][0]["value"]["messages"][0]
    del said["text"]
    said |= message
    await deliver(core, whatsapp(app, fake), payload)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("word", WORD)
async def test_the_window_opens_with_whatever_a_person_does_towards_the_bot(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock, word: str, asked: str
) -> None:
    """And closes a day later; however the person is named, for `can` and `send` alike."""
    await _word(core, app, fake, **WORD["a text"][0])
    who = await app.people.by_external_id("whatsapp", "+14155550100")
    to = ASKED[asked](app, who)
    assert not await refused(app, to)
    clock.advance(DAY + 1)
    assert await refused(app, to)
    template = await app.can(to, Content(template=Template("hello", "en")))
    assert (template.ok, (await app.can(to, "hi")).needs_template) == (True, True)
    message, opens = WORD[word]
    await _word(core, app, fake, **message)
    assert await refused(app, to) is not opens
    prospect = await app.can(to, "hi")
    assert (prospect.needs_template, prospect.window_until) == (
        not opens, clock() + timedelta(days=1) if opens else clock() - timedelta(seconds=1)
    )  # fmt: skip
    clock.advance(DAY + 1)
    assert await refused(app, to)


async def test_who_presses_a_button_of_a_template_is_answered(
    core: Outeract, app: App, fake: FakePlatform, clock: ManualClock
) -> None:
    """A day of silence, a template, a press: the handler's text leaves."""
    app.on("message.action")(lambda message: f"You said {message.payload['title']}")
    await _word(core, app, fake, **WORD["a text"][0])
    clock.advance(2 * DAY)
    await app.send(("whatsapp", "+14155550100"), Content(template=Template("hello", "en")))
    await core.pump()
    await _word(core, app, fake, **WORD["a template's button"][0])
    await core.pump()
    assert fake.sent()[-1].text == "You said Yes"


async def test_who_presses_has_let_the_bot_in(core: Outeract, app: App, fake: FakePlatform) -> None:
    """Telegram tells of no unblocking but by what the person does; a press is such a thing."""
    heard = await first(core, app, fake)
    await comes(core, app, fake, fake.telegram.leave(ANN))
    assert await refused(app, ("telegram", str(ANN)))
    query = {"id": "1", "from": {"id": ANN, "is_bot": False, "first_name": "Ann"}, "chat_instance": "1", "data": "y",
             "message": {"message_id": 1, "date": 0, "chat": {"id": ANN, "type": "private"}}}  # fmt: skip
    await comes(core, app, fake, fake.telegram.push({"callback_query": query}))
    assert not await refused(app, heard)
