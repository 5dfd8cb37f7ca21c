"""A message as it stands at its turn: edited and deleted before it, at every moment that there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import App, Message, Outeract
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack, sign_telegram
from tests.support.patience import soon
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
ANN, CHANNEL = "U0ANN", "C0GENERAL1"

Change = Callable[[dict[str, Any]], Awaitable[None]]
OLD, NEW = "transfer 1000", "transfer 10"
WANTED = {"edited": [NEW], "edited twice": ["transfer 1"], "deleted": [], "edited, deleted": []}


class Place:
    """One Slack channel with a bot in it, and what its handler was given."""

    def __init__(self, core: Outeract, app: App, fake: FakePlatform) -> None:
        self.core, self.app, self.fake = core, app, fake
        self.line = app.connect("slack", base_url=fake.url, **CONFIG)
        self.given: list[str] = []

    async def says(self, text: str, user: str = ANN) -> dict[str, Any]:
        """Somebody writes; the message as Slack names it."""
        payload = self.fake.slack.say(user, text, CHANNEL)
        await self._hears(payload)
        event: dict[str, Any] = payload["event"]
        return event

    async def edits(self, said: dict[str, Any], text: str) -> None:
        """Its author writes it anew."""
        message = {name: said[name] for name in ("type", "user", "ts", "team")}
        changed = {**message, "text": text, "edited": {"user": said["user"], "ts": "1.0"}}
        await self._notice(said, "message_changed", message=changed,
                           previous_message={**message, "text": said["text"]})  # fmt: skip

    async def deletes(self, said: dict[str, Any]) -> None:
        """Its author takes it back."""
        await self._notice(said, "message_deleted", deleted_ts=said["ts"])

    async def changes(self, said: dict[str, Any], how: str) -> None:
        """One of the changes of the table."""
        if "edited" in how:
            await self.edits(said, NEW)
        if "twice" in how:
            await self.edits({**said, "text": NEW}, "transfer 1")
        if "deleted" in how:
            await self.deletes(said)

    async def _notice(self, said: dict[str, Any], subtype: str, **more: Any) -> None:
        await self._hears(
            self.fake.slack.say(said["user"], "", CHANNEL, subtype=subtype, hidden=True, **more)
        )

    async def _hears(self, payload: Any) -> None:
        headers, body = sign_slack(payload, CONFIG["signing_secret"], self.fake.clock())
        ids = self.line.webhook_id, self.line.webhook_secret
        assert (await self.core.ingest(*ids, "POST", headers, {}, body)).status == 200

    async def pump(self) -> None:
        """One round."""
        with soon():
            await self.core.pump()

    async def skipped(self) -> list[str]:
        """The texts of the messages that were not handled, as they were said."""
        found = [e async for e in self.app.events.all(type_is("system.handler_skipped"))]
        assert all(event.payload["reason"] == "deleted" for event in found)
        about = [e.origin_event_id for e in found]
        return [(await self.app.events.get(one)).text for one in about if one is not None]


@pytest.fixture
async def place(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Place]:
    """The channel."""
    with FakePlatform(clock=clock, slack_token=CONFIG["bot_token"]) as fake:
        yield Place(core, app, fake)


@pytest.mark.parametrize("change", WANTED)
async def test_before_any_turn(place: Place, change: str) -> None:
    """It is handled once as it says now, or not at all, and that is told."""
    place.app.on("message.inbound")(lambda message: place.given.append(message.text))
    await place.changes(await place.says(OLD), change)
    for _ in range(2):
        await place.pump()
    assert place.given == WANTED[change]
    assert await place.skipped() == ([] if WANTED[change] else [OLD])


@pytest.mark.parametrize("overlap", ["burst", "queue"])
@pytest.mark.parametrize("change", WANTED)
async def test_while_an_earlier_turn_of_its_lane_runs(
    place: Place, overlap: str, change: str
) -> None:
    """What was read of it when it was found does not count."""
    began, go_on = anyio.Event(), anyio.Event()

    @place.app.on("message.inbound", overlap=overlap, burst=1)
    async def slow(message: Message) -> None:
        place.given.append(message.text)
        began.set()
        await go_on.wait()

    await place.says("first")
    said = await place.says(OLD)
    async with anyio.create_task_group() as group:
        group.start_soon(place.pump)
        with soon():
            await began.wait()
        await place.changes(said, change)
        go_on.set()
    assert place.given == ["first", *WANTED[change]]
    assert await place.skipped() == ([] if WANTED[change] else [OLD])


@pytest.mark.parametrize("change", WANTED)
async def test_in_the_quiet_before_it_is_handed_over(
    place: Place, clock: ManualClock, change: str
) -> None:
    """What waits for `settle=` is handed over as it stands then."""
    place.app.on("message.inbound", settle=5)(lambda message: place.given.append(message.text))
    said = await place.says(OLD)
    await place.pump()
    assert place.given == []
    clock.advance(3)
    await place.changes(said, change)
    clock.advance(3)
    await place.pump()
    assert place.given == WANTED[change]


@pytest.mark.parametrize("change", WANTED)
async def test_between_two_attempts(place: Place, clock: ManualClock, change: str) -> None:
    """The second attempt is not at what the first one was at."""

    @place.app.on("message.inbound")
    def at_first_not(message: Message) -> None:
        place.given.append(message.text)
        if len(place.given) == 1:
            raise RuntimeError

    said = await place.says(OLD)
    await place.pump()
    await place.changes(said, change)
    clock.advance(60)
    await place.pump()
    assert place.given == [OLD, *WANTED[change]]
    assert await place.app.events.count(type_is("system.handler_failed")) == 0


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("change", WANTED)
async def test_within_a_burst(place: Place, which: int, change: str) -> None:
    """The others of the burst are what they were; who is left of it is answered, once."""
    turns: list[list[str]] = []

    @place.app.on("message.inbound")
    def handler(message: Message) -> None:
        turns.append([event.text for event in message.events])
        assert message.event is message.events[-1]

    said = [await place.says(text) for text in ("a", "b", "c")]
    await place.changes(said[which], change)
    await place.pump()
    texts: list[list[str]] = [["a"], ["b"], ["c"]]
    texts[which] = WANTED[change]
    assert turns == [[text for some in texts for text in some]]


async def test_a_burst_that_was_deleted_whole_is_not_handled(place: Place) -> None:
    """There is nothing to answer; each of its messages is told as skipped; the next one is handled."""
    place.app.on("message.inbound")(lambda message: place.given.append(message.text))
    for said in [await place.says(text) for text in ("a", "b")]:
        await place.deletes(said)
    await place.pump()
    await place.says("c")
    await place.pump()
    assert place.given == ["c"]
    assert await place.skipped() == ["a", "b"]


async def test_a_change_after_the_turn_is_news_of_its_own(place: Place) -> None:
    """Who answers edits hears of it; the message itself is not handled again."""
    place.app.on("message.inbound", name="said")(lambda m: place.given.append(m.text))
    place.app.on("message.edited", name="edited")(lambda m: place.given.append(m.type))
    said = await place.says(OLD)
    await place.pump()
    await place.edits(said, NEW)
    await place.pump()
    assert place.given == [OLD, "message.edited"]


async def test_the_files_are_those_that_are_to_be_seen_now(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """An album of which one picture was replaced before its turn; and what the message quotes."""
    seen: list[Any] = []
    with FakePlatform(clock=clock) as fake:
        line = app.connect(
            "telegram", token="42:t", webhook_secret_token="word-1", base_url=fake.url
        )

        async def hears(update: Any) -> None:
            headers, body = sign_telegram(update, "word-1")
            ids = line.webhook_id, line.webhook_secret
            assert (await core.ingest(*ids, "POST", headers, {}, body)).status == 200

        def picture(data: bytes) -> list[dict[str, Any]]:
            file = fake.telegram.add_file(data)
            return [{"file_id": file, "file_unique_id": file, "width": 1, "height": 1}]

        question = fake.telegram.say(7, "which ones?")
        await hears(question)
        with soon():
            await core.pump()
        app.on("message.inbound")(
            lambda message: seen.append((message.text, message.files, message.quoted))
        )
        more = {"media_group_id": "g", "reply_to_message": question["message"]}
        parts = [
            fake.telegram.say(7, "", **more, photo=picture(data), caption=data.decode())["message"]
            for data in (b"one", b"two", b"three")
        ]
        for part in parts:
            del part["text"]
            await hears(fake.telegram.push({"message": part}))
        better = {
            **parts[1],
            "edit_date": parts[1]["date"] + 1,
            "caption": "2",
            "photo": picture(b"2"),
        }
        await hears(fake.telegram.push({"edited_message": better}))
        clock.advance(2)
        with soon():
            for _ in range(8):
                await core.pump()
        ((text, files, quoted),) = seen
        assert text == "one\n2\nthree"
        assert [await app.files.read(file) for file in files] == [b"one", b"2", b"three"]
        assert quoted.text == "which ones?"


async def test_what_is_no_message_has_neither_files_nor_a_quote(core: Outeract, app: App) -> None:
    """An event of the host's own, say."""
    seen: list[Any] = []
    app.on("order.*")(lambda m: seen.append((m.standing, m.files, m.quoted)))
    await app.emit("order.created", {"price": 1})
    with soon():
        await core.pump()
    assert seen == [((), (), None)]


@pytest.mark.parametrize("way", ["left out", "a tombstone"])
@pytest.mark.parametrize("left", [0, 1, 2])
async def test_a_file_that_was_taken_away_is_seen_by_nobody(
    place: Place, left: int, way: str
) -> None:
    """Slack tells of fewer files, or of what is left of one: page and handler have those that are there."""
    fake = place.fake.slack
    files = [fake.add_file(one.encode(), f"{one}.pdf", "application/pdf") for one in "ab"]
    said = fake.say(ANN, "look", CHANNEL, subtype="file_share", files=files)["event"]
    await place._hears({**fake.say(ANN, "", CHANNEL), "event": said})
    message = {name: said[name] for name in ("type", "user", "ts", "team", "text")}
    gone = [{"id": one["id"], "mode": "tombstone"} for one in files[left:]]
    now = files[:left] + (gone if way == "a tombstone" else [])
    await place._notice(said, "message_changed", message={**message, "files": now},
                        previous_message={**message, "files": files})  # fmt: skip
    seen: list[list[str | None]] = []
    place.app.on("message.inbound", since="beginning")(
        lambda given: seen.append([file.filename for file in given.files])
    )
    await place.pump()
    wanted = ["a.pdf", "b.pdf"][:left]
    (heard,) = (await place.app.events.page(type_is("message.inbound"))).nodes
    (shown,) = (await (await place.app.conversations.of(heard)).page()).nodes
    assert (seen, [file.filename for file in shown.files]) == ([wanted], wanted)
    assert (shown.text, shown.edited, shown.content_type) == (
        "look", left < 2, "document" if left else "text"
    )  # fmt: skip
