"""Three people, two threads and somebody else's bot in one Slack channel; the page shows what was said."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Message, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, sign_slack
from tests.support.patience import PATIENCE, soon
from tests.support.places import ROOT
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
PAGE = ROOT / "docs" / "explanation" / "handlers.md"
ANN, BOB, CLEO, OTHER = "U0ANN", "U0BOB", "U0CLEO", "U0OTHER"
NAMES = {ANN: "Ann", BOB: "Bob", CLEO: "Cleo", OTHER: "a bot"}
PLACES = {"1764000001.000100": "thread 1", "1764000002.000200": "thread 2", None: "channel"}
FIRST, SECOND, CHANNEL = PLACES
SAID = [
    (FIRST, ANN, "my order is late"),
    (SECOND, BOB, "can I change my address?"),
    (FIRST, ANN, "it is number 1000"),
    (FIRST, CLEO, "mine too"),
    (FIRST, OTHER, "order 1000: shipped"),
    (CHANNEL, BOB, "good morning"),
    (FIRST, ANN, "thanks"),
    (SECOND, CLEO, "same here"),
]


def answer(message: Message) -> str:
    """Whom it answers, and all that it was given."""
    assert message.sender is not None
    return f"{NAMES[message.sender.external_id]}: " + " / ".join(e.text for e in message.events)


@pytest.mark.parametrize("way", ["pump", "serve"])
async def test_every_message_is_answered_once_in_its_thread_as_its_author(
    tmp_path: Path, way: str
) -> None:
    """Also when the bot is shown its own answers; and the transcript is the one on the page."""
    with FakePlatform(slack_token=CONFIG["bot_token"]) as fake:
        async with Outeract(tmp_path / "a.db", clock=fake.clock) as core:
            app = core.app("support")
            connection = app.connect("slack", base_url=fake.url, **CONFIG)
            app.on("message.inbound")(answer)

            async def hears(payload: object) -> None:
                signed = sign_slack(payload, CONFIG["signing_secret"], fake.clock())
                ids = connection.webhook_id, connection.webhook_secret
                headers, body = signed
                assert (await core.ingest(*ids, "POST", headers, {}, body)).status == 200

            for thread, user, text in SAID:
                more = {"bot_id": "B0OTHER"} if user == OTHER else {}
                in_thread = {"thread_ts": thread} if thread else {}
                await hears(fake.slack.say(user, text, "C0GENERAL1", **in_thread, **more))
            await _work(core, fake, way)
            for sent in fake.sent():
                await hears(fake.slack.echo(sent))
            await core.drain(PATIENCE)
            answers = [(sent.params.get("thread_ts"), sent.text) for sent in fake.sent()]
            assert await app.events.count(type_is("system.handler_failed")) == 0
    _each_once(answers)
    assert transcript(answers) == _on_the_page()


async def _work(core: Outeract, fake: FakePlatform, way: str) -> None:
    if way == "pump":
        await core.drain(PATIENCE)
        return
    async with anyio.create_task_group() as group:
        group.start_soon(core.serve)
        with soon():
            while len(fake.sent()) < 6:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


def _each_once(answers: list[tuple[str | None, str]]) -> None:
    """Whatever the bursts: each message in exactly one answer, in its place, of its author."""
    heard = []
    for place, text in answers:
        name, _, texts = text.partition(": ")
        heard += [(place, name, said) for said in texts.split(" / ")]
    wanted = [(place, NAMES[user], text) for place, user, text in SAID if user != OTHER]
    assert sorted(heard, key=str) == sorted(wanted, key=str)


def transcript(answers: list[tuple[str | None, str]]) -> str:
    """What was said in the order of the log, and what was answered, by place."""
    lines = [f"{PLACES[place]:8}  {NAMES[user]:5}  {text}" for place, user, text in SAID]
    for place, name in PLACES.items():
        lines += ["", *(f"{name:8}  → {text}" for where, text in answers if where == place)]
    return "\n".join(lines)


def _on_the_page() -> str:
    found = re.search(r"```text\n(thread 1 .*?)\n```", PAGE.read_text("utf-8"), re.S)
    assert found is not None
    return found[1]
