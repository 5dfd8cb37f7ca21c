"""What a reader sees is what was said: plain text as it stands, and choices told where there are none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Menu, MenuRow, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, deliver, whatsapp
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
MARKED = ["2*3*4 = 24", "snake_case_name", "~no~", "`x`", "> not a quote", "at 12:30:45"]


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


def _asked(fake: FakePlatform, method: str) -> dict[str, Any]:
    """The parameters of the last call of a method."""
    found: dict[str, Any] = [r.params for r in fake.requests if r.path.endswith(method)][-1]
    return found


def _standing(blocks: Any) -> str:
    """What blocks show in which nothing is read for a mark."""
    assert all(block["text"]["type"] == "plain_text" for block in blocks)
    return "".join(block["text"]["text"] for block in blocks)


@pytest.mark.parametrize("text", MARKED)
async def test_on_slack_an_edit_and_a_caption_show_plain_text_as_it_stands(
    core: Outeract, app: App, fake: FakePlatform, text: str
) -> None:
    """As a new message does: no method reads marks in what is none."""
    app.connect("slack", base_url=fake.url, **CONFIG)
    sent = await app.send(("slack", "C0GENERAL1", "channel"), text)
    await core.pump()
    assert _asked(fake, "chat.postMessage")["mrkdwn"] is False
    await app.edit(sent.id, f"now\n{text}")
    await core.pump()
    assert _standing(_asked(fake, "chat.update")["blocks"]) == f"now\n{text}"
    file = Attachment(b"abc", "a.txt")
    await app.send(("slack", "C0GENERAL1", "channel"), Content(text, files=[file]))
    await core.pump()
    blocks = _asked(fake, "files.completeUploadExternal").get("blocks")
    assert _standing(json.loads(blocks)) == text


async def test_on_slack_an_edit_without_marks_or_with_formatting_needs_no_block(
    core: Outeract, app: App, fake: FakePlatform
) -> None:
    """Blocks are for what text cannot show; what was a block before is taken away."""
    app.connect("slack", base_url=fake.url, **CONFIG)
    sent = await app.send(("slack", "C0GENERAL1", "channel"), "first")
    await core.pump()
    for content in (Content("nothing special"), Content("**bold**", format="markdown")):
        await app.edit(sent.id, content)
        await core.pump()
        assert _asked(fake, "chat.update")["blocks"] == []


CHOICES: list[tuple[Content, str, tuple[str, ...]]] = [
    (Content("pick", buttons=[Button("a", "Yes")]), "1. Yes", ("1 button as text",)),
    (
        Content("pick", menu=Menu("Choose", [MenuRow("a", "Tea", "hot", "Drinks")])),
        "Choose:\nDrinks\n1. Tea: hot", ("menu of 1 rows as text",),
    ),
    (
        Content("pick", buttons=[Button("a", "Page", url="https://example.org")]),
        "Page: https://example.org", ("1 link button as text",),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words", "notes"), CHOICES)
async def test_in_a_whatsapp_group_choices_are_words_and_that_is_told(
    core: Outeract, app: App, fake: FakePlatform, content: Content, words: str,
    notes: tuple[str, ...],
) -> None:  # fmt: skip
    """By `can`, in the event, and as the group sees it; a person there can press them."""
    line = whatsapp(app, fake)
    payload = fake.whatsapp.say("14155550100", "hi", phone_number_id=NUMBER, group_id="G1")
    await deliver(core, line, payload)
    (heard,) = (await app.events.page(type_is("message.inbound"))).nodes
    assert (await app.can(heard, content)).degraded == notes
    sent = await app.send(heard, content)
    await core.pump()
    assert (await app.events.get(sent.id)).payload["degraded"] == list(notes)
    assert fake.sent()[-1].text == f"pick\n\n{words}"
    alone = await app.can(("whatsapp", "+14155550100"), content)
    assert (alone.degraded, alone.parts[0].text) == ((), "pick")
