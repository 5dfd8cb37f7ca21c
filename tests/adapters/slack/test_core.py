"""Slack works through the whole of core: over HTTP to a fake Slack and back by signed webhooks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Attachment, Button, Content, Outeract
from outeract_core.testing import FakePlatform, sign_slack
from tests.support.slack.samples import CONFIG, samples

pytestmark = pytest.mark.anyio


@pytest.fixture
def fake():
    """A Slack on a loopback port."""
    with FakePlatform(slack_token=CONFIG["bot_token"]) as platform:
        yield platform


class Desk:
    """A bot with its Slack: what people say goes in, what the fake has heard comes out."""

    def __init__(self, core: Outeract, fake: FakePlatform) -> None:
        self.core, self.fake = core, fake
        self.app: App = core.app("support")
        self.connection = self.app.connect("slack", base_url=fake.url, **CONFIG)
        self.echoes: list[Any] = []
        fake.webhook("slack", lambda *signed: self.echoes.append(signed), CONFIG["signing_secret"])

    async def deliver(self, headers: Any, body: bytes) -> None:
        """A signed request of Slack's, and the round that it causes."""
        ids = self.connection.webhook_id, self.connection.webhook_secret
        answer = await self.core.ingest(*ids, "POST", headers, {}, body)
        assert answer.status == 200
        await self.core.pump()

    async def hear(self, payload: Any, *, form: bool = False) -> None:
        """A payload, signed now."""
        at = self.fake.clock()
        await self.deliver(*sign_slack(payload, CONFIG["signing_secret"], at, form=form))

    async def echo(self) -> None:
        """Whatever Slack has shown the bot of its own messages."""
        assert self.fake.settled()
        while self.echoes:
            await self.deliver(*self.echoes.pop(0))

    async def kinds(self) -> list[str]:
        """The types of all events, oldest first."""
        return [event.event_type async for event in self.app.events.all()]


@pytest.fixture
async def desk(tmp_path, fake) -> AsyncIterator[Desk]:
    """A bot that echoes, on a fresh file."""
    async with Outeract(tmp_path / "bot.db", allow_private_addresses=True) as core:
        yield Desk(core, fake)


async def test_a_message_is_answered_once(desk):
    """Heard twice, answered once; the echo of the answer is its receipt and no message of its own."""

    @desk.app.on("message.inbound")
    def echo(message):
        return f"You said: {message.text}"

    said = desk.fake.slack.say("U0ANNA0001", "1 < 2")
    await desk.hear(said)
    await desk.hear(said)
    (sent,) = desk.fake.sent("slack")
    assert (sent.text, sent.chat) == ("You said: 1 < 2", "D0ANNA0001")
    before = await desk.kinds()
    await desk.echo()
    assert await desk.kinds() == before
    assert before.count("message.inbound") == before.count("message.outbound") == 1


async def test_a_lost_answer_is_found(desk):
    """Slack took the message and the connection broke: it is looked up, and not said twice."""

    @desk.app.on("message.inbound")
    def echo(message):
        return "hello"

    desk.fake.drop(1, "chat.postMessage", done=True)
    await desk.hear(desk.fake.slack.say("U0ANNA0001", "hi"))
    for _ in range(3):
        await desk.core.pump()
    await desk.echo()
    assert len(desk.fake.sent("slack")) == 1
    assert desk.fake.duplicates() == []
    kinds = await desk.kinds()
    assert kinds.count("message.outbound") == kinds.count("message.sent") == 1


async def test_a_press_comes_back(desk):
    """The button that a handler sent is pressed: the id is its own, the answer stands in the thread."""

    @desk.app.on("message.inbound")
    def offer(message):
        return Content("Well?", buttons=(Button("yes", "Yes"),))

    @desk.app.on("message.action")
    def pressed(message):
        message.reply(f"Pressed {message.payload['id']}", quote=True)

    await desk.hear(desk.fake.slack.say("U0ANNA0001", "hi", "C0GENERAL1"))
    (offered,) = desk.fake.sent("slack")
    body = json.loads(json.dumps(samples()["button"]["body"]).replace("T0OUTERACT", "T0FAKE001"))
    (actions,) = [b for b in offered.params["blocks"] if b["type"] == "actions"]
    body["actions"] = [{**actions["elements"][0], "action_ts": "1764000070.005000"}]
    body["container"]["message_ts"] = body["message"]["ts"] = offered.id
    del body["message"]["thread_ts"]
    await desk.hear(body, form=True)
    answer = desk.fake.sent("slack")[1]
    assert answer.text == "Pressed yes"
    assert answer.params["thread_ts"] == offered.id


async def test_a_file_is_one_message(desk):
    """An upload goes out once, and what it looked like is in the fake."""

    @desk.app.on("message.inbound")
    def picture(message):
        return Content("a cat", files=(Attachment(b"meow", "cat.txt", "text/plain"),))

    await desk.hear(desk.fake.slack.say("U0ANNA0001", "cat?"))
    (sent,) = desk.fake.sent("slack")
    assert (sent.text, sent.files[0].data) == ("a cat", b"meow")
    assert (await desk.kinds()).count("message.sent") == 1
