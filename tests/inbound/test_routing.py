"""Whose a delivery is: by account over the file, by the owner's own secret, and nobody's leave a hash.

Knows: several applications with numbers of their own, Slack workspaces, a secret that signs for others.
Does not know: what the messages mean.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract, Secret
from outeract_core._store.reading import health
from outeract_core.errors import BadInput
from outeract_core.model import PlatformConnection
from outeract_core.testing import FakePlatform, sign_slack, sign_whatsapp
from tests.support.store.platform import kinds

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
SECRET, OTHER = "secret-of-one", "secret-of-two"


def number(app: App, account: str, secret: str = SECRET) -> PlatformConnection:
    """A WhatsApp number of an application."""
    return app.connect(
        "whatsapp", name=f"n{account}", phone_number_id=account, access_token="token-1234",
        app_secret=secret, verify_token="verify-1234",
    )  # fmt: skip


def body(*payloads: dict[str, Any]) -> dict[str, Any]:
    """One body out of several."""
    return {**payloads[0], "entry": [entry for one in payloads for entry in one["entry"]]}


async def deliver(
    core: Outeract, conn: PlatformConnection, payload: Any, secret: str = SECRET
) -> int:
    """What the URL of `conn` answers."""
    headers, data = sign_whatsapp(payload, secret)
    answer = await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", headers, {}, data)
    return answer.status


def everything_in(core: Outeract) -> str:
    """All texts and bytes that applications have in the file."""

    def read(tx: Any) -> str:
        rows = tx.dynamic(
            "SELECT payload, raw FROM event UNION ALL SELECT CAST(body AS TEXT), error FROM raw_delivery",
            {},
        )
        return repr(rows)

    return core.runtime.database.read(read)


def _say(account: str, text: str, **more: Any) -> dict[str, Any]:
    return FakePlatform().whatsapp.say("14155550100", text, phone_number_id=account, **more)


async def test_each_item_goes_to_its_own_application(core: Outeract) -> None:
    """One body for numbers of two applications: each gets its own item and no byte of the other's."""
    one, two = core.app("one"), core.app("two")
    first, _ = number(one, "111"), number(two, "222")
    assert await deliver(core, first, body(_say("111", "for one"), _say("222", "for two"))) == 200
    for app, own in ((one, "for one"), (two, "for two")):
        (event,) = [event async for event in app.events.all()]
        assert event.text == own
        assert own in json.dumps(event.raw)
        assert ("for two" if own == "for one" else "for one") not in json.dumps(event.raw)


async def test_a_secret_signs_for_nobody_else(core: Outeract) -> None:
    """An item for a connection with another secret is refused, in one application as in two."""
    one, two = core.app("one"), core.app("two")
    first, _, _ = number(one, "111"), number(one, "222", OTHER), number(two, "333", OTHER)
    for account in ("222", "333"):
        assert await deliver(core, first, _say(account, f"forged {account}")) == 200
    assert (await kinds(one), await kinds(two)) == ([], [])
    assert "forged" not in everything_in(core)
    left = core.runtime.database.read(health.foreign)
    assert len(left) == 2
    assert all("own secret" in each["reason"] for each in left)


async def test_an_address_takes_what_its_owners_own_secret_verifies(core: Outeract) -> None:
    """At another's address, an item signed by its own account's secret arrives; the address's own does not."""
    one, two = core.app("one"), core.app("two")
    first, second, _ = number(one, "111"), number(two, "222", OTHER), number(one, "333", OTHER)
    mixed = body(
        _say("222", "for two"), _say("111", "forged"), _say("333", "for one"), _say("999", "?")
    )
    assert await deliver(core, first, mixed, OTHER) == 200
    assert [event.text async for event in two.events.all()] == ["for two"]
    assert [event.text async for event in one.events.all()] == ["for one"]
    assert "forged" not in everything_in(core)
    assert await deliver(core, second, _say("111", "back"), SECRET) == 200
    assert [event.text async for event in one.events.all()] == ["for one", "back"]
    for conn in (first, second):
        assert await deliver(core, conn, _say("222", "forged"), "nobody's") == 401
    assert "forged" not in everything_in(core)


async def test_two_slack_apps_may_share_an_address(core: Outeract) -> None:
    """What another app's signing secret verifies goes to that app's connection, and to no other."""
    one, two = core.app("one"), core.app("two")
    first = workspace(one, team_id="T0FAKE001")
    two.connect("slack", bot_token="xoxb-2", signing_secret=OTHER, team_id="T0OTHER01")
    fake = FakePlatform().slack
    for team, text in (("T0OTHER01", "for two"), ("T0FAKE001", "forged")):
        payload = of_team(fake.say("U1", text), team)
        headers, data = sign_slack(payload, OTHER, core.runtime.now() / 1000)
        ids = first.webhook_id, first.webhook_secret
        assert (await core.ingest(*ids, "POST", headers, {}, data)).status == 200
    assert [event.text async for event in two.events.all()] == ["for two"]
    assert await kinds(one) == []


async def test_what_nobody_owns_leaves_a_hash(core: Outeract) -> None:
    """An unknown number's item is acknowledged, nowhere kept, counted once, and told by its reason."""
    first = number(core.app("one"), "111")
    foreign = _say("999", "of a stranger")
    for _ in range(3):
        assert await deliver(core, first, body(_say("111", "ours"), foreign)) == 200
    assert await kinds(core.app("one")) == ["message.inbound"]
    assert "of a stranger" not in everything_in(core)
    (left,) = core.runtime.database.read(health.foreign)
    assert (left["items"], left["times"], left["platform"]) == (1, 3, "whatsapp")
    assert "999" in left["reason"]


async def test_an_item_that_is_not_understood_is_kept_with_its_owner_alone(core: Outeract) -> None:
    """Beside others' items only the one that was not understood is kept, and it can be replayed."""
    one, two = core.app("one"), core.app("two")
    first, second = number(one, "111"), number(two, "222")
    broken = _say("222", "half understood")
    del broken["entry"][0]["changes"][0]["value"]["messages"][0]["id"]
    assert await deliver(core, first, body(_say("111", "private to one"), broken)) == 200
    assert (await kinds(one), await kinds(two)) == (
        ["message.inbound"],
        ["system.delivery_unparsed"],
    )
    rows = core.runtime.database.read(
        lambda tx: tx.dynamic(
            "SELECT c.name, CAST(d.body AS TEXT) FROM raw_delivery d JOIN connection c ON c.id = d.conn",
            {},
        )
    )
    ((name, kept),) = rows
    assert name == second.name
    assert "half understood" in kept
    assert "private to one" not in kept
    assert await core.replay() == (0, 1)


async def test_an_owner_whose_secret_is_not_there_yet_is_waited_for(core: Outeract) -> None:
    """The platform is asked to deliver again: nothing is lost while a host has not given a secret."""
    one, two = core.app("one"), core.app("two")
    first, _ = number(one, "111"), number(two, "222", "env:OUTERACT_TEST_NO_SUCH_SECRET")
    assert await deliver(core, first, _say("222", "wait for me")) == 503
    number(two, "222")
    assert await deliver(core, first, _say("222", "wait for me")) == 200
    assert await kinds(two) == ["message.inbound"]


# ── Slack ─────────────────────────────────────────────────────────────────────────────────────


def workspace(app: App, **more: Any) -> PlatformConnection:
    """A Slack app of an application."""
    return app.connect("slack", bot_token="xoxb-one-1", signing_secret=SECRET, **more)


async def slack(
    core: Outeract, conn: PlatformConnection, payload: dict[str, Any], **more: Any
) -> int:
    """What the URL of `conn` answers to this."""
    headers, data = sign_slack({**payload, **more}, SECRET, core.runtime.now() / 1000)
    answer = await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", headers, {}, data)
    return answer.status


def of_team(payload: dict[str, Any], team: str) -> dict[str, Any]:
    """The same event in another workspace."""
    return json.loads(json.dumps(payload).replace(payload["team_id"], team))


@pytest.mark.parametrize("pinned", [{}, {"team_id": "T0FAKE001"}], ids=["learnt", "given"])
async def test_a_foreign_workspace_is_not_ours(
    core: Outeract, app: App, pinned: dict[str, str]
) -> None:
    """After the first delivery, or as given, one workspace is ours: others neither speak nor uninstall."""
    with FakePlatform() as platform:
        conn, fake = workspace(app, base_url=platform.url, **pinned), platform.slack
        assert await slack(core, conn, fake.say("U1", "ours")) == 200
        assert await slack(core, conn, of_team(fake.say("U2", "theirs"), "T0OTHER01")) == 200
        gone = {**fake.say("U1", ""), "event": {"type": "app_uninstalled"}}
        assert await slack(core, conn, of_team(gone, "T0OTHER01")) == 200
    assert await kinds(app) == ["message.inbound"]
    assert "theirs" not in everything_in(core)
    again = workspace(app, **pinned)
    assert again.account == "T0FAKE001"


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"type": "app_uninstalled"}, "revoked"),
        ({"type": "tokens_revoked", "tokens": {"bot": ["U0FAKEBOT"]}}, "revoked"),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, "active"),
    ],
)
async def test_an_app_that_is_gone_is_told_of_the_connection_until_it_works_again(
    core: Outeract, app: App, event: dict[str, Any], status: str
) -> None:
    """The event and the connection say the same; a foreign workspace's word changes neither."""
    with FakePlatform() as platform:
        conn, fake = workspace(app, base_url=platform.url), platform.slack
        told = {**fake.say("U1", ""), "event": event}
        assert await slack(core, conn, of_team(told, "T0OTHER01"), event_id="Ev1") == 200
        assert app.connections()[0].status == "active"
        assert await slack(core, conn, told, event_id="Ev2") == 200
        assert app.connections()[0].status == status
        said = [e async for e in app.events.all() if e.event_type == "system.connection_changed"]
        assert [e.payload["status"] for e in said] == [status] * (status == "revoked")
        await app.send((conn, "U1"), "hello")
        await core.pump()
        assert app.connections()[0].status == "active"


async def test_the_token_says_whose_a_connection_is(core: Outeract, app: App) -> None:
    """A foreign workspace that writes first, well signed by the same app, is not taken for ours."""
    with FakePlatform() as fake:
        conn, slacks = workspace(app, base_url=fake.url), fake.slack
        assert await slack(core, conn, of_team(slacks.say("U2", "theirs"), "T0OTHER01")) == 200
        gone = {**slacks.say("U2", ""), "event": {"type": "app_uninstalled"}}
        assert await slack(core, conn, of_team(gone, "T0OTHER01")) == 200
        assert (await kinds(app), app.connections()[0].account) == ([], "T0FAKE001")
        assert "theirs" not in everything_in(core)
        assert await slack(core, conn, slacks.say("U1", "ours")) == 200
        assert await kinds(app) == ["message.inbound"]
        asked = [one.path for one in fake.requests]
        assert asked == ["/auth.test"]


async def test_the_first_delivery_says_it_where_nobody_can_be_asked(
    core: Outeract, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack does not answer: then the delivery is taken in, its workspace is ours, and that is told."""
    with FakePlatform() as fake:
        fake.fail(1, "auth.test", status=503)
        conn = workspace(app, base_url=fake.url)
        assert await slack(core, conn, fake.slack.say("U1", "ours")) == 200
        assert await slack(core, conn, fake.slack.say("U1", "again")) == 200
        assert await kinds(app) == ["message.inbound"] * 2
        assert len(fake.requests) == 1
        assert any("account=" in line for line in caplog.messages)


async def test_a_given_account_needs_no_question(core: Outeract, app: App) -> None:
    """What the host has said is not asked for."""
    with FakePlatform() as fake:
        conn = workspace(app, base_url=fake.url, team_id="T0FAKE001")
        assert await slack(core, conn, fake.slack.say("U1", "ours")) == 200
        assert fake.requests == []


async def test_two_workspaces_of_one_app_each_get_theirs(core: Outeract) -> None:
    """One app, one URL, two workspaces in two applications: each event goes to its own."""
    one, two = core.app("one"), core.app("two")
    first = workspace(one, team_id="T0FAKE001")
    two.connect("slack", bot_token="xoxb-two-2", signing_secret=SECRET, team_id="T0OTHER01")
    fake = FakePlatform().slack
    await slack(core, first, fake.say("U1", "to one"))
    await slack(core, first, of_team(fake.say("U2", "to two"), "T0OTHER01"))
    texts = [[event.text async for event in app.events.all()] for app in (one, two)]
    assert texts == [["to one"], ["to two"]]


async def test_requests_of_another_app_are_refused(core: Outeract, app: App) -> None:
    """With `app_id` given, a request of another app is none of ours, whatever signs it."""
    conn = workspace(app, app_id="A0MINE")
    assert await slack(core, conn, FakePlatform().slack.say("U1", "hi")) in (401, 403)
    assert await slack(core, conn, FakePlatform().slack.say("U1", "hi"), api_app_id="A0MINE") == 200


# ── one account, one connection ───────────────────────────────────────────────────────────────

TWICE = {
    "telegram": ({"token": "123:abcdefgh"}, {"token": "456:ijklmnop"}),
    "slack": ({"bot_token": "xoxb-1111", "signing_secret": SECRET}, {"bot_token": "xoxb-2222", "signing_secret": SECRET}),
    "whatsapp": (
        {"phone_number_id": "111", "access_token": "token-1", "app_secret": SECRET},
        {"phone_number_id": "222", "access_token": "token-1", "app_secret": SECRET},
    ),
}  # fmt: skip


GIVEN: dict[str, Any] = {
    "text": lambda secret, _file: secret,
    "text with space around it": lambda secret, _file: f"\t{secret} \n",
    "Secret.text": lambda secret, _file: Secret.text(f"{secret}\n"),
    "env:": lambda _secret, _file: "env:OUTERACT_TEST_SECRET",
    "Secret.env": lambda _secret, _file: Secret.env("OUTERACT_TEST_SECRET"),
    "Secret.file": lambda _secret, file: Secret.file(file),
}


@pytest.mark.parametrize("platform", TWICE)
@pytest.mark.parametrize("where", ["one application", "two applications"])
@pytest.mark.parametrize("way", GIVEN)
async def test_an_account_has_one_connection(
    core: Outeract, app: App, platform: str, where: str, way: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The same account again, in whatever way it is given, is refused with the other's name."""
    config, other = TWICE[platform]
    app.connect(platform, **config)
    app.connect(platform, **config)
    second = app if where == "one application" else core.app("second")
    name, secret = next(iter(config.items()))
    monkeypatch.setenv("OUTERACT_TEST_SECRET", f" {secret}\n")
    (tmp_path / "secret").write_text(f"{secret}\r\n")
    given = GIVEN[way](secret, tmp_path / "secret")
    plain = platform == "whatsapp" and not way.startswith("text")  # its account is no secret
    same = {**config, name: secret if plain else given}
    with pytest.raises(BadInput, match=rf"{platform} '{platform}' of default/support"):
        second.connect(platform, name="twice", **same)
    assert [c.name for c in second.connections()] == ([platform] if second is app else [])
    second.connect(platform, name="other", **other)


async def test_an_account_that_was_let_go_can_be_had(core: Outeract, app: App) -> None:
    """A connection with a new token leaves the old one to others; no secret is in the file."""
    app.connect("telegram", token="123:abcdefgh")
    app.connect("telegram", token="456:ijklmnop")
    core.app("second").connect("telegram", token="123:abcdefgh")
    with pytest.raises(BadInput):
        core.app("third").connect("telegram", token="456:ijklmnop")
    held = core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT digest, conn FROM account_holder", {})
    )
    assert len(held) == 2
    assert "abcdefgh" not in repr(held)
