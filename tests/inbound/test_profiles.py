"""Names and pictures are asked for in the background: of whom there is to do with, once, and slowly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define

from outeract_core import App, Message, Outeract, PlatformConnection
from outeract_core._io.heartbeat import LEASE
from outeract_core._store.leases import profiles
from outeract_core.errors import FileError, NotFound
from outeract_core.exchange import Profile
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock, sign_slack, sign_telegram
from tests.support.patience import soon
from tests.support.slack.samples import CONFIG

pytestmark = pytest.mark.anyio
DAY = 86_400


@define
class Desk:
    """A bot in the fake Slack workspace."""

    core: Outeract
    app: App
    fake: FakePlatform
    connection: PlatformConnection
    clock: ManualClock

    async def hears(self, payload: Any) -> None:
        """Slack delivers."""
        headers, body = sign_slack(payload, CONFIG["signing_secret"], self.clock())
        ids = self.connection.webhook_id, self.connection.webhook_secret
        answer = await self.core.ingest(*ids, "POST", headers, {}, body)
        assert answer.status == 200

    async def says(self, user: str, text: str = "hello", channel: str | None = None) -> None:
        """Somebody writes."""
        await self.hears(self.fake.slack.say(user, text, channel))

    def asked(self, method: str = ".info") -> list[str]:
        """Of whom Slack was asked, in order."""
        found = [one for one in self.fake.requests if method in one.path]
        return [str(one.params.get("user") or one.params.get("channel")) for one in found]

    async def name(self, external_id: str) -> str | None:
        """What they are called."""
        return (await self.app.people.by_external_id(self.connection, external_id)).name


@pytest.fixture
async def desk(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Desk]:
    """A desk that nobody has written to."""
    with FakePlatform(clock=clock, slack_token=CONFIG["bot_token"]) as fake:
        yield Desk(core, app, fake, app.connect("slack", base_url=fake.url, **CONFIG), clock)


async def test_a_name_is_learnt_behind_the_turn(desk: Desk) -> None:
    """The first turn does not wait for it; the next one, the page, the transcript and the user have it."""
    seen: list[tuple[str | None, int]] = []

    @desk.app.on("message.inbound")
    async def hear(message: Message) -> None:
        seen.append((message.sender.name, len(desk.asked())))

    desk.fake.slack.directory.called("U0ANNA", "Anna", "https://avatars.slack-edge.com/anna.png")
    await desk.says("U0ANNA")
    await desk.core.pump()
    await desk.says("U0ANNA", "again")
    await desk.core.pump()
    assert seen == [(None, 0), ("Anna", 1)]
    anna = await desk.app.people.by_external_id(desk.connection, "U0ANNA")
    assert anna.profile_picture_url == "https://avatars.slack-edge.com/anna.png"
    assert (await desk.app.people.user(anna)).name == "Anna"
    conversation = await desk.app.conversations.of(anna)
    assert conversation.peer.name == "Anna"
    group = await desk.app.conversations.recent()
    assert [one.peer.name for one in group.nodes] == ["Anna"]
    assert desk.asked() == ["U0ANNA"]


async def test_only_who_takes_part_is_asked_of(desk: Desk) -> None:
    """Who writes, who is written to, and where: nobody else of the workspace, and each once."""
    for user in ("U0STRANGER", "U0OTHER"):
        desk.fake.slack.directory.met(user)
    for text in ("one", "two", "three"):
        await desk.says("U0ANNA", text, "C0GENERAL")
    await desk.app.send((desk.connection, "U0BEN"), "hello")
    await desk.core.pump()
    await desk.core.pump()
    assert sorted(desk.asked()) == ["C0GENERAL", "U0ANNA", "U0BEN"]
    assert await desk.name("C0GENERAL") == "channel-c0general"
    assert await desk.name("U0BEN") == "Person U0BEN"
    channel = await desk.app.people.by_external_id(desk.connection, "C0GENERAL")
    conversation = await desk.app.conversations.of(channel)
    page = await conversation.page()
    assert {one.sender.name for one in page.nodes if one.sender} == {"Person U0ANNA"}
    assert "Person U0ANNA" in str(await conversation.context())


async def test_changes_are_told_and_need_no_question(desk: Desk) -> None:
    """`user_change` and `channel_rename` change the name of whom we know; of others nothing is kept."""
    await desk.says("U0ANNA", channel="C0GENERAL")
    await desk.core.pump()
    before = len(desk.fake.requests)
    told = desk.fake.slack.rename("U0ANNA", "Anne")
    await desk.hears(told)
    await desk.hears(told)
    await desk.hears(desk.fake.slack.retitle("C0GENERAL", "all"))
    await desk.hears(desk.fake.slack.rename("U0STRANGER", "Stranger"))
    await desk.core.pump()
    assert await desk.name("U0ANNA") == "Anne"
    assert await desk.name("C0GENERAL") == "all"
    with pytest.raises(NotFound):
        await desk.name("U0STRANGER")
    notices = (await desk.app.events.page(type_is("system.notice"))).nodes
    assert sorted(one.payload["notice"] for one in notices) == ["channel_rename", "user_change"]
    assert len(desk.fake.requests) == before


async def test_a_missing_scope_is_told_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """It is asked once a day, whoever writes; other kinds are not touched; once granted, all is learnt."""
    desk.fake.slack.scopes -= {"users:read"}
    for number in range(6):
        await desk.says(f"U0P{number}", channel="C0GENERAL")
        await desk.core.pump()
        desk.clock.advance(60)
    assert len(desk.asked("users.info")) == 1
    assert await desk.name("C0GENERAL") == "channel-c0general"
    desk.clock.advance(DAY)
    await desk.core.pump()
    assert len(desk.asked("users.info")) == 2
    told = [line for line in caplog.messages if "users:read" in line]
    assert len(told) == 1
    desk.fake.slack.scopes |= {"users:read"}
    desk.clock.advance(DAY + 1)
    for _ in range(3):
        await desk.core.pump()
        desk.clock.advance(60)
    assert await desk.name("U0P5") == "Person U0P5"


async def test_a_private_channel_does_not_cost_the_others_their_names(desk: Desk) -> None:
    """Where `groups:read` is missing only the private channel stays without a name."""
    desk.fake.slack.scopes -= {"groups:read"}
    await desk.says("U0ANNA", channel="G0SECRET")
    await desk.core.pump()
    await desk.says("U0ANNA", channel="C0GENERAL")
    await desk.core.pump()
    assert (await desk.name("G0SECRET"), await desk.name("C0GENERAL")) == (
        None, "channel-c0general",
    )  # fmt: skip


async def test_who_is_not_found_is_asked_of_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal is for long, and told once."""
    await desk.says("U0ANNA")
    desk.fake.slack.directory._people.pop("U0ANNA")
    for _ in range(4):
        await desk.core.pump()
        desk.clock.advance(2 * DAY)
    assert desk.asked() == ["U0ANNA"]
    desk.clock.advance(31 * DAY)
    await desk.core.pump()
    assert desk.asked() == ["U0ANNA"] * 2
    assert len([line for line in caplog.messages if "user_not_found" in line]) == 1


async def test_too_fast_is_waited_out_by_the_connection(desk: Desk) -> None:
    """With `Retry-After` nobody of the connection is asked of before it is over."""
    desk.fake.throttle(1, "users.info", after=30)
    await desk.says("U0ANNA")
    await desk.says("U0BEN")
    await desk.core.pump()
    assert len(desk.asked()) == 1
    desk.clock.advance(29)
    await desk.core.pump()
    assert len(desk.asked()) == 1
    desk.clock.advance(2)
    await desk.core.pump()
    assert {await desk.name("U0ANNA"), await desk.name("U0BEN")} == {
        "Person U0ANNA", "Person U0BEN",
    }  # fmt: skip


async def test_failures_wait_longer_each_time(desk: Desk) -> None:
    """A platform that is ill is not asked again at once, and nothing is lost."""
    desk.fake.fail(3, "users.info", status=503)
    await desk.says("U0ANNA")
    for seconds in (0, 0, 10, 60, 600, 600):
        desk.clock.advance(seconds)
        await desk.core.pump()
    assert len(desk.asked()) == 4
    assert await desk.name("U0ANNA") == "Person U0ANNA"


async def test_a_connection_is_asked_slowly(desk: Desk) -> None:
    """Twenty people at once: five questions, then one a second; another connection has its own pace."""
    other = desk.core.app("other")
    await _second(desk, other)
    for number in range(20):
        await desk.says(f"U0P{number}")
    counts = []
    for _ in range(4):
        await desk.core.pump()
        counts.append(len([one for one in desk.asked() if one != "U0CARL"]))
        desk.clock.advance(1)
    assert counts == [5, 6, 7, 8]
    assert "U0CARL" in desk.asked()


async def _second(desk: Desk, app: App, who: str = "U0CARL") -> PlatformConnection:
    """A connection of another application, to which somebody has written."""
    token = {**CONFIG, "bot_token": CONFIG["bot_token"] + "2"}
    desk.fake.slack._token = None
    connection = app.connect("slack", base_url=desk.fake.url, **token)
    mine, desk.connection = desk.connection, connection
    await desk.says(who)
    desk.connection = mine
    return connection


async def test_applications_do_not_learn_from_each_other(desk: Desk) -> None:
    """The same person is asked of by each application; one that does not want it asks nothing."""
    quiet = desk.core.app("quiet", profiles="disabled")
    theirs = await _second(desk, quiet, "U0ANNA")
    await desk.says("U0ANNA")
    await desk.core.pump()
    assert desk.asked() == ["U0ANNA"]
    assert await desk.name("U0ANNA") == "Person U0ANNA"
    assert (await quiet.people.by_external_id(theirs, "U0ANNA")).name is None
    desk.core.app("quiet", profiles="names")
    await desk.core.pump()
    assert (await quiet.people.by_external_id(theirs, "U0ANNA")).name == "Person U0ANNA"


async def test_it_is_asked_again_of_who_is_still_here(desk: Desk) -> None:
    """After a month a name is old, if there was to do with them since; of others it is kept unasked."""
    for user in ("U0ANNA", "U0BEN"):
        await desk.says(user)
    await desk.core.pump()
    desk.fake.slack.directory.called("U0ANNA", "Anne")
    desk.fake.slack.directory.called("U0BEN", "Benjamin")
    desk.clock.advance(DAY)
    await desk.says("U0ANNA")
    desk.clock.advance(31 * DAY)
    await desk.core.pump()
    assert await desk.name("U0ANNA") == "Anne"
    assert await desk.name("U0BEN") == "Person U0BEN"


async def test_the_name_of_a_user_stays(desk: Desk) -> None:
    """Who was merged into somebody with a name keeps that one: a profile names the identity only."""
    await desk.says("U0ANNA")
    await desk.core.pump()
    await desk.says("U0BEN")
    anna, ben = [
        await desk.app.people.by_external_id(desk.connection, one) for one in ("U0ANNA", "U0BEN")
    ]
    await desk.app.people.merge(ben, anna)
    await desk.core.pump()
    assert await desk.name("U0BEN") == "Person U0BEN"
    assert (await desk.app.people.user(ben)).name == "Person U0ANNA"


async def test_erasure_takes_the_profile(desk: Desk) -> None:
    """Name and picture go, nobody is asked again, and an answer that comes late changes nothing."""
    desk.fake.slack.directory.called("U0ANNA", "Anna", "https://avatars.slack-edge.com/anna.png")
    await desk.says("U0ANNA")
    await desk.core.pump()
    anna = await desk.app.people.by_external_id(desk.connection, "U0ANNA")
    await desk.says("U0BEN")
    ben = await desk.app.people.by_external_id(desk.connection, "U0BEN")
    (asked,) = await desk.core.runtime.write(
        lambda tx: profiles.claim(tx, "somebody", {1: False}, LEASE)
    )
    for one in (anna, ben):
        await desk.app.people.erase(one)
    conn = desk.core.runtime.conns()[0]
    await desk.core.runtime.write(
        lambda tx: profiles.learnt(tx, conn, asked, Profile("Ben"), pictures=False)
    )
    desk.clock.advance(40 * DAY)
    await desk.core.pump()
    for one in (anna, ben):
        now = await desk.app.people.platform_user(one)
        assert (now.name, now.profile_picture_url) == (None, None)
    assert desk.asked() == ["U0ANNA"]


async def test_an_export_carries_what_was_learnt(desk: Desk, tmp_path: Path) -> None:
    """In another file the name is known, and not asked for again."""
    await desk.says("U0ANNA")
    await desk.core.pump()
    await desk.app.export(tmp_path / "out.jsonl")
    async with Outeract(
        tmp_path / "two.db", clock=desk.clock, allow_private_addresses=True
    ) as other:
        await other.import_app(tmp_path / "out.jsonl")
        app = other.app("support")
        conn = app.connect("slack", base_url=desk.fake.url, **CONFIG)
        await other.pump()
        assert (await app.people.by_external_id(conn, "U0ANNA")).name == "Person U0ANNA"
        row = other.runtime.database.read(
            lambda tx: tx.dynamic("SELECT due > 0, fetched_at > 0, error FROM profile", {})
        )
        assert row == [(1, 1, None)]
    assert desk.asked() == ["U0ANNA"]


async def test_a_process_that_died_leaves_the_question(desk: Desk) -> None:
    """What a process held is asked by another one, when its lease is over."""
    await desk.says("U0ANNA")
    await desk.core.runtime.write(lambda tx: profiles.claim(tx, "dead", {1: False}, LEASE))
    await desk.core.pump()
    assert desk.asked() == []
    desk.clock.advance(LEASE / 1000 + 1)
    await desk.core.pump()
    assert desk.asked() == ["U0ANNA"]


async def test_who_serves_learns_while_it_is_cancelled(desk: Desk) -> None:
    """Cancelled in the middle, the question is given back unasked, and is free at once."""
    desk.fake.hang(1, "users.info")
    await desk.says("U0ANNA")
    async with anyio.create_task_group() as group:
        group.start_soon(desk.core.serve)
        with soon():
            while not desk.asked():
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    row = desk.core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT attempt, lease_token, error FROM profile", {})
    )
    assert row == [(0, None, None)]


# ── Telegram: pictures are files ──────────────────────────────────────────────────────────────


async def _telegram(desk: Desk, app: App, chat: int = 7) -> PlatformConnection:
    connection = app.connect(
        "telegram", token="1:secret-part", webhook_secret_token="word", base_url=desk.fake.url
    )
    headers, body = sign_telegram(desk.fake.telegram.say(chat, "hello"), "word")
    ids = connection.webhook_id, connection.webhook_secret
    assert (await desk.core.ingest(*ids, "POST", headers, {}, body)).status == 200
    return connection


async def test_where_names_come_along_nothing_is_asked(desk: Desk) -> None:
    """Telegram tells names in each message: without `profiles="pictures"` there is nothing to ask."""
    connection = await _telegram(desk, desk.app)
    await desk.core.pump()
    ann = await desk.app.people.by_external_id(connection, "7")
    assert (ann.name, desk.fake.requests) == ("Person 7", [])
    assert await desk.app.files.picture_of(ann) is None


async def test_a_picture_is_a_file_like_others(desk: Desk) -> None:
    """It is fetched by the file's id; no address with the token is kept; a new one takes its place."""
    desk.fake.telegram.portray(7, b"the old picture")
    app = desk.core.app("support", profiles="pictures")
    connection = await _telegram(desk, app)
    await desk.core.pump()
    ann = await app.people.by_external_id(connection, "7")
    old = await app.files.picture_of(ann)
    assert old is not None
    assert await app.files.read(old) == b"the old picture"
    assert ann.profile_picture_url is None
    dump = desk.core.runtime.database.read(
        lambda tx: str(
            [tx.dynamic(f"SELECT * FROM {one}", {}) for one in ("file", "profile", "puser")]
        )
    )
    assert "secret-part" not in dump
    desk.fake.telegram.portray(7, b"the new picture")
    desk.clock.advance(DAY)
    await _again(desk, connection)
    desk.clock.advance(31 * DAY)
    await desk.core.pump()
    new = await app.files.picture_of(ann)
    assert new is not None
    assert await app.files.read(new) == b"the new picture"
    with pytest.raises(FileError, match="erased"):
        await app.files.read(old)
    await app.people.erase(ann)
    assert await app.files.picture_of(ann) is None
    folder = Path(f"{desk.core.path}.files")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


async def _again(desk: Desk, connection: PlatformConnection) -> None:
    headers, body = sign_telegram(desk.fake.telegram.say(7, "again"), "word")
    ids = connection.webhook_id, connection.webhook_secret
    assert (await desk.core.ingest(*ids, "POST", headers, {}, body)).status == 200


async def test_the_same_picture_is_not_fetched_twice(desk: Desk) -> None:
    """When it is asked again, and the picture is the one that is here, no bytes are moved."""
    desk.fake.telegram.portray(7, b"picture")
    app = desk.core.app("support", profiles="pictures")
    connection = await _telegram(desk, app)
    await desk.core.pump()
    desk.clock.advance(DAY)
    await _again(desk, connection)
    desk.clock.advance(31 * DAY)
    await desk.core.pump()
    paths = [one.path.rpartition("/")[2] for one in desk.fake.requests]
    assert (paths.count("getChat"), paths.count("getFile")) == (2, 1)
    desk.fake.telegram.portray(7, b"")
    desk.clock.advance(1)
    await _again(desk, connection)
    desk.clock.advance(31 * DAY)
    await desk.core.pump()
    ann = await app.people.by_external_id(connection, "7")
    assert await app.files.picture_of(ann) is None
