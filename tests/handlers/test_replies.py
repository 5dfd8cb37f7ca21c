"""An answer stands where what it answers stands: every kind of event, in threads and outside, in turns and not.

Knows: the fakes of three platforms. Does not know: bursts, lanes (`test_group.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from outeract_core import App, Event, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack, sign_telegram
from tests.support.bots import NUMBER, deliver, whatsapp
from tests.support.patience import soon
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
ABOUT = ("message.inbound", "message.edited", "message.reaction_added", "message.action")
ANN, CHANNEL, FOREIGN = "U0ANN", "C0GENERAL1", "14155550100"


class World:
    """What people did on a platform, and what the bot has said there."""

    def __init__(self, core: Outeract, app: App, fake: FakePlatform, clock: ManualClock) -> None:
        self.core, self.app, self.fake, self.clock = core, app, fake, clock

    async def slack(self, *, threaded: bool) -> str:
        """A message, an edit of it, a reaction, a press on it; the `ts` of where answers belong."""
        line = self.app.connect("slack", base_url=self.fake.url, **CONFIG)
        root = self.fake.slack.say(ANN, "root", CHANNEL)
        said = root
        if threaded:
            await self._slack(line, root)
            said = self.fake.slack.say(ANN, "hello", CHANNEL, thread_ts=root["event"]["ts"])
        event, where = said["event"], {"channel": CHANNEL, "channel_type": "channel"}
        item = {"type": "message", "channel": CHANNEL, "ts": event["ts"]}
        edited = {**event, "text": "hello!", "edited": {"user": ANN, "ts": "1764000009.000001"}}
        changed = {"type": "message", "subtype": "message_changed", "hidden": True, "message": edited,
                   "previous_message": event, "ts": "1764000009.000002", "event_ts": "1764000009.000002", **where}  # fmt: skip
        reaction = {"type": "reaction_added", "user": ANN, "reaction": "+1", "item": item,
                    "event_ts": "1764000009.000003"}  # fmt: skip
        press = {
            "type": "block_actions", "team": {"id": said["team_id"]}, "user": {"id": ANN},
            "api_app_id": said["api_app_id"], "channel": {"id": CHANNEL}, "message": event,
            "container": {"type": "message", "message_ts": event["ts"], "channel_id": CHANNEL},
            "actions": [{"type": "button", "action_id": "a", "block_id": "b", "value": "x",
                         "text": {"type": "plain_text", "text": "X"}, "action_ts": "1.1"}],
        }  # fmt: skip
        await self._slack(line, said)
        await self._slack(line, {**said, "event": changed, "event_id": "Ev0000000a"})
        await self._slack(line, {**said, "event": reaction, "event_id": "Ev0000000b"})
        await self._slack(line, press, form=True)
        return str(root["event"]["ts"])

    async def _slack(self, line: Any, payload: Any, *, form: bool = False) -> None:
        headers, body = sign_slack(payload, CONFIG["signing_secret"], self.clock(), form=form)
        ids = line.webhook_id, line.webhook_secret
        assert (await self.core.ingest(*ids, "POST", headers, {}, body)).status == 200

    async def telegram(self) -> int:
        """A message, an edit of it, a reaction on it; its number."""
        line = self.app.connect(
            "telegram", token="42:t", webhook_secret_token="word-1", base_url=self.fake.url
        )
        said = self.fake.telegram.say(7, "hello")
        message = said["message"]
        edited = {**message, "text": "hello!", "edit_date": message["date"] + 1}
        reaction = {"chat": message["chat"], "message_id": message["message_id"], "user": message["from"],
                    "date": message["date"] + 2, "old_reaction": [],
                    "new_reaction": [{"type": "emoji", "emoji": "👍"}]}  # fmt: skip
        for update in (said, {"edited_message": edited}, {"message_reaction": reaction}):
            headers, body = sign_telegram(
                update if update is said else self.fake.telegram.push(update), "word-1"
            )
            ids = line.webhook_id, line.webhook_secret
            assert (await self.core.ingest(*ids, "POST", headers, {}, body)).status == 200
        return int(message["message_id"])

    async def whatsapp(self) -> dict[str, str]:
        """A message, an edit of it, a reaction on it, a press; by kind, what an answer quotes."""
        line = whatsapp(self.app, self.fake)
        said = self.fake.whatsapp.say(FOREIGN, "hello", phone_number_id=NUMBER)
        wamid = said["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
        better = {"type": "text", "text": {"body": "hello!"}}
        press = {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}
        pressed = {"type": "interactive", "interactive": press, "context": {"id": wamid}}
        for payload in (
            said,
            self._more(type="edit", edit={"original_message_id": wamid, "message": better}),
            self._more(type="reaction", reaction={"message_id": wamid, "emoji": "👍"}),
            self._more(**pressed, id="wamid.pressed"),
        ):
            await deliver(self.core, line, payload)
        return dict.fromkeys(ABOUT, wamid) | {"message.action": "wamid.pressed"}

    def _more(self, **more: Any) -> dict[str, Any]:
        payload = self.fake.whatsapp.say(FOREIGN, "", phone_number_id=NUMBER, **more)
        del payload["entry"][0]["changes"][0]["value"]["messages"][0]["text"]
        return payload

    async def about(self, kind: str) -> Event:
        """The newest event of this type."""
        return (await self.app.events.page(type_is(kind))).nodes[0]

    async def answers(self, kind: str, in_turn: bool, text: str = "an answer") -> list[Any]:
        """What the platform is sent when that event is answered."""
        before = len(self.fake.sent())
        if in_turn:
            self.app.on(kind, since="beginning", name=kind)(
                lambda message: self.app.reply(message.event, text) and None
            )
        else:
            await self.app.reply(await self.about(kind), text)
        with soon():
            for _ in range(6):
                await self.core.pump()
                self.clock.advance(2)
        return [message.params for message in self.fake.sent()[before:]]


@pytest.fixture
async def world(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[World]:
    """The platforms and a bot."""
    with FakePlatform(clock=clock) as fake:
        yield World(core, app, fake, clock)


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize("kind", ABOUT)
async def test_on_slack_it_stands_in_the_thread_of_what_is_answered(
    world: World, kind: str, threaded: bool, in_turn: bool
) -> None:
    """Every part under the thread's root, never under a message within it; and the log says the same."""
    root = await world.slack(threaded=threaded)
    long = "\n\n".join(letter * 3900 for letter in "ab")
    sent = await world.answers(kind, in_turn, long)
    told = [one["thread_ts"] for one in sent]
    assert len(told) >= 2
    assert set(told) == {root}
    first = (await world.app.events.page(type_is("message.inbound"), order="oldest")).nodes[0]
    thread = await world.app.conversations.thread(first)
    assert long in [message.text for message in await thread.page()]


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("kind", ABOUT[:3])
async def test_on_telegram_it_quotes_the_message(world: World, kind: str, in_turn: bool) -> None:
    """An edit and a reaction are no messages: what they are about is quoted."""
    number = await world.telegram()
    (sent,) = await world.answers(kind, in_turn)
    assert sent["reply_parameters"]["message_id"] == number
    assert "message_thread_id" not in sent


@pytest.mark.parametrize("in_turn", [False, True])
@pytest.mark.parametrize("kind", ABOUT)
async def test_on_whatsapp_it_quotes_the_message(world: World, kind: str, in_turn: bool) -> None:
    """The message, not the edit of it, nor the reaction; a press is a message of its own."""
    quoted = await world.whatsapp()
    (sent,) = await world.answers(kind, in_turn)
    assert sent["context"] == {"message_id": quoted[kind]}


async def test_what_is_said_to_a_thread_is_said_in_it(world: World) -> None:
    """A thread is asked for by any message in it, and taken as the one to write to."""
    root = await world.slack(threaded=True)
    inner = await world.about("message.inbound")
    thread = await world.app.conversations.thread(inner)
    assert [message.text for message in await thread.page(order="oldest")] == ["root", "hello!"]
    assert thread.peer.external_id == CHANNEL
    await world.app.send(thread, "to the thread")
    await world.app.send(await world.app.conversations.of(inner), "to the channel")
    with soon():
        for _ in range(4):
            await world.core.pump()
            world.clock.advance(2)
    assert [(m.params.get("thread_ts"), m.text) for m in world.fake.sent()] == [
        (root, "to the thread"), (None, "to the channel")
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["returned", "app.reply", "desk"])
async def test_threads_below_the_parts_of_one_answer_are_threads_of_their_own(
    world: World, way: str
) -> None:
    """The bot's answer has three parts, and people write below two of them: two lanes, each answered there."""
    line = world.app.connect("slack", base_url=world.fake.url, **CONFIG)
    long = "\n\n".join(letter * 3900 for letter in "abc")
    sent = await world.app.send((line, CHANNEL, "channel"), long)
    with soon():
        await world.core.pump()
        world.clock.advance(5)
        await world.core.pump()
    _, second, third = [message.id for message in world.fake.sent()]
    turns: list[tuple[str | None, str]] = []
    if way != "desk":

        @world.app.on("message.inbound")
        async def hear(message: Any) -> str | None:
            turns.append((message.thread, message.text))
            if way == "returned":
                return f"re {message.text}"
            await world.app.reply(message.event, f"re {message.text}")
            return None

    for ts, text in ((second, "one"), (third, "two"), (second, "three")):
        await world._slack(line, world.fake.slack.say(ANN, text, CHANNEL, thread_ts=ts))
        if way == "desk":
            await world.app.reply(await world.about("message.inbound"), f"re {text}")
        else:
            with soon():
                await world.core.pump()
        world.clock.advance(5)
    with soon():
        for _ in range(6):
            await world.core.pump()
            world.clock.advance(5)
    told = [(m.params.get("thread_ts"), m.text) for m in world.fake.sent()[3:]]
    assert told == [(second, "re one"), (third, "re two"), (second, "re three")]
    if way != "desk":
        below = {ts: f"{ts}:{CHANNEL}" for ts in (second, third)}
        assert turns == [(below[second], "one"), (below[third], "two"), (below[second], "three")]
    last = (await world.app.events.page(type_is("message.outbound"))).nodes[0]
    again = await world.answers("message.outbound", False, "and more")
    assert (last.text, [one["thread_ts"] for one in again]) == ("re three", [second])
    thread = await world.app.conversations.thread(sent.id)
    assert len((await thread.page(first=20)).nodes) == 8


async def test_a_burst_never_goes_over_two_threads(world: World) -> None:
    """What waits while the bot is away: the threads below two parts of one message stay apart."""
    line = world.app.connect("slack", base_url=world.fake.url, **CONFIG)
    await world.app.send((line, CHANNEL, "channel"), "\n\n".join(one * 3900 for one in "ab"))
    with soon():
        await world.core.pump()
        world.clock.advance(5)
        await world.core.pump()
    first, second = [message.id for message in world.fake.sent()]
    for ts, text in ((first, "a"), (second, "b"), (first, "c"), (None, "d")):
        more = {} if ts is None else {"thread_ts": ts}
        await world._slack(line, world.fake.slack.say(ANN, text, CHANNEL, **more))
    turns: list[str] = []
    world.app.on("message.inbound", since="beginning")(lambda message: turns.append(message.text))
    with soon():
        await world.core.pump()
    assert sorted(turns) == ["a\nc", "b", "d"]
