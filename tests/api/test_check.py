"""Asking the platforms: what each says is a finding, and nobody's trouble hides another's answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import anyio
import httpx
import pytest

from outeract_core import App, Check, Finding, Outeract, blocking
from outeract_core.adapter import Call, Flow, Health, Manifest
from outeract_core.errors import (
    BadInput,
    NotFound,
    Rejected,
    StoreClosed,
    Throttled,
    Transient,
    Unauthorised,
    Unreachable,
)
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER, SECRET, whatsapp
from tests.support.patience import PATIENCE, Limit, until
from tests.support.store.platform import Plain

pytestmark = pytest.mark.anyio
TOKEN = "777000111:a-token-of-tests"


def telegram(app: App, fake: FakePlatform, **config: Any) -> Any:
    """Connect the application to the fake Telegram."""
    return app.connect(
        "telegram", token=TOKEN, base_url=fake.url, webhook_secret_token="a-secret-word", **config
    )


def slack(app: App, fake: FakePlatform) -> Any:
    """Connect the application to the fake Slack."""
    return app.connect(
        "slack", bot_token="xoxb-of-tests", signing_secret=SECRET, base_url=fake.url + "/api"
    )


def said(check: Check, level: str) -> list[str]:
    """The findings of a level."""
    return [str(one) for one in check.findings if one.level == level]


async def states(app: App) -> list[Any]:
    """What was recorded of connections' states."""
    kind = type_is("system.connection_changed")
    return [event.payload["status"] async for event in app.events.all(kind)]


# ── the platforms ─────────────────────────────────────────────────────────────────────────────


async def test_all_is_well_on_every_platform(core: Outeract, app: App) -> None:
    """Asked over HTTP, each of them answers whose the credentials are, and nothing is amiss."""
    with FakePlatform() as fake:
        telegram(app, fake, poll=True)
        whatsapp(app, fake)
        slack(app, fake)
        app.connect("console")
        checks = await core.check()
    told = {one.connection.platform: (one.ok, one.account, one.name) for one in checks}
    assert told == {
        "telegram": (True, "777000111", "@fake_bot"),
        "whatsapp": (True, NUMBER, "Fake business 15550783881"),
        "slack": (True, "U0FAKEBOT", "fakebot"),
        "console": (True, "you", None),
    }
    assert [said(one, "error") + said(one, "warning") for one in checks] == [[], [], [], []]
    assert await states(app) == []


async def test_a_token_that_is_refused_is_the_connections_state(core: Outeract, app: App) -> None:
    """On each platform; mended, the next check says so, and each change is told once."""
    with FakePlatform(telegram_token="a", whatsapp_token="b", slack_token="c") as fake:
        telegram(app, fake, poll=True)
        whatsapp(app, fake)
        slack(app, fake)
        for _ in range(2):
            checks = await core.check()
            assert [one.ok for one in checks] == [False] * 3
            assert [one.connection.status for one in checks] == ["unauthorised"] * 3
            assert all(said(one, "error") for one in checks)
        assert await states(app) == ["unauthorised"] * 3
    with FakePlatform() as mended:
        telegram(app, mended, poll=True)
        assert (await app.check("telegram")).connection.status == "active"
    assert (await states(app))[3:] == ["active"]


async def test_a_webhook_is_compared_with_the_connections_own(core: Outeract, app: App) -> None:
    """Set to its path all is well; to an older one, or beside polling, that is said; no secret is."""
    with FakePlatform() as fake:
        mine = telegram(app, fake)
        wanted = ["message_reaction", "callback_query", "my_chat_member"]

        async def set_to(path: str) -> Check:
            fake.telegram._do_setwebhook({
                "url": f"https://bot.example{path}", "allowed_updates": json.dumps(wanted),
            })  # fmt: skip
            return await app.check(mine)

        good = await set_to(mine.webhook_path)
        assert (good.ok, said(good, "error") + said(good, "warning")) == (True, [])
        old = await set_to("/webhooks/1/old")
        assert "not that of this connection" in said(old, "warning")[0]
        mine = telegram(app, fake, poll=True)
        beside = await set_to(mine.webhook_path)
        assert (beside.ok, beside.connection.status) == (False, "active")
        assert "every poll is refused" in said(beside, "error")[0]
        assert not [one for one in (good, old, beside) if mine.webhook_secret in str(one.findings)]


async def test_what_a_token_may_not_do_is_told(core: Outeract, app: App) -> None:
    """Slack's scopes, Meta's permissions and subscriptions: what is taken away is missed."""
    with FakePlatform() as fake:
        slack(app, fake)
        whatsapp(app, fake)
        fake.slack.scopes -= {"files:read"}
        fake.whatsapp.scopes -= {"whatsapp_business_messaging"}
        one, other = await core.check()
        assert (one.ok, other.ok) == (True, False)
        assert "files:read" in said(one, "warning")[0]
        assert "nothing can be sent" in said(other, "error")[0]
        fake.whatsapp.scopes |= {"whatsapp_business_messaging"}
        fake.whatsapp.subscribed, fake.whatsapp.callback = set(), None
        errors = said(await app.check("whatsapp"), "error")
        assert any("not subscribed" in text for text in errors)
        assert any("no webhook URL" in text for text in errors)


# ── whatever a platform does ──────────────────────────────────────────────────────────────────


def answering(check: Callable[[], Flow[Health]] | None, secrets: tuple[str, ...] = ()) -> type:
    """An adapter that is checked so."""

    class Asked(Plain):
        manifest: ClassVar[Manifest] = Manifest(
            platform="asked",
            text_limit=None,
            config=dict.fromkeys(secrets, ""),
            secrets=frozenset(secrets),
        )

    if check is not None:
        Asked.check = lambda self: check()  # type: ignore[attr-defined]
    return Asked


def raising(error: BaseException) -> Callable[[], Flow[Health]]:
    """A check that ends so."""

    def check() -> Flow[Health]:
        raise error
        yield Call("GET", "https://example.org")

    return check


@pytest.mark.parametrize(
    ("check", "ok", "status", "level", "words"),
    [
        (raising(Unauthorised("no such key")), False, "unauthorised", "error", "no such key"),
        (raising(Unreachable("nobody there")), False, "unreachable", "error", "nobody there"),
        (raising(Transient("answered 503")), False, "active", "error", "answered 503"),
        (raising(Rejected("no such account")), False, "active", "error", "no such account"),
        (raising(Throttled("too fast", after=7)), None, "active", "warning", "ask again in 7 seconds"),
        (raising(Throttled("too fast")), None, "active", "warning", "ask again later"),
        (raising(ZeroDivisionError("oops")), False, "active", "error", "the check broke"),
        (raising(RecursionError()), False, "active", "error", "the check broke"),
        (None, None, "active", "warning", "has no check"),
    ],
)  # fmt: skip
async def test_each_ending_of_a_check_is_a_finding(
    core: Outeract, app: App, check: Any, ok: Any, status: str, level: str, words: str
) -> None:
    """None of them is raised, none hides the answer of the console beside it."""
    core.register("asked", answering(check))
    app.connect("asked")
    app.connect("console")
    one, console = await core.check()
    assert (one.ok, one.connection.status, console.ok) == (ok, status, True)
    assert any(words in text for text in said(one, level))


async def test_silent_platforms_end_with_the_stated_time(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All together, however many: those that have answered by then are told."""

    def check() -> Flow[Health]:
        yield Call("GET", "https://silent.example/", timeout=600)
        return Health(True)

    async def silent(_request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    core.runtime.open_http = _through(silent)
    core.register("asked", answering(check))
    for number in range(30):  # more than have a place at once
        app.connect("asked", name=f"n{number}")
    app.connect("console")
    limit, checks = Limit(monkeypatch, 7.25), list[Check]()

    async def checking() -> None:
        checks.extend(await core.check(timeout=7.25))

    async with anyio.create_task_group() as group:
        group.start_soon(checking)
        await until(limit.begun.is_set)
        await anyio.wait_all_tasks_blocked()  # the one that answers has done so
        limit.end()
    assert [one.ok for one in checks] == [False] * 30 + [True]
    assert said(checks[0], "error") == ["no answer within 7.25 seconds; is the platform reached?"]
    assert await states(app) == []


def _through(answer: Any) -> Callable[[], Any]:
    from outeract_core._io.web.http import Http, Network

    return lambda: Http(Network(httpx.MockTransport(answer), allow_private=True))


async def test_a_missing_secret_is_named_and_one_that_is_elsewhere_is_no_fault(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this program lacks is an error; what the bot's own program hands over is not known here."""
    monkeypatch.delenv("NOT_THERE", raising=False)
    core.register("asked", answering(raising(Unauthorised("unused")), ("key",)))
    app.connect("asked", name="env", key="env:NOT_THERE")
    with FakePlatform() as fake:
        app.connect("telegram", token="env:NOT_THERE", base_url=fake.url)
        there = telegram(app, fake, name="host", poll=True)
        core.runtime.texts._given.clear()  # as in another program
        core.runtime.reload()
        checks = {one.connection.name: one for one in await core.check()}
        assert fake.requests == []
    assert checks["telegram"].ok is False
    assert "NOT_THERE is not set" in said(checks["telegram"], "error")[0]
    assert checks["env"].connection.status == "unauthorised"
    assert "key: the environment variable NOT_THERE" in " ".join(said(checks["env"], "error"))
    host = checks["host"]
    assert (host.ok, host.connection.id, host.connection.status) == (None, there.id, "active")
    assert "give it again at every start" in said(host, "warning")[0]


async def test_no_secret_is_in_a_check(core: Outeract, app: App) -> None:
    """Whoever puts it into an answer, an error or an account's name."""
    secret = "a secret/with+signs"
    mine: list[Any] = []

    def check() -> Flow[Health]:
        yield from ()
        leak = f"{secret} a%20secret%2fwith%2Bsigns {mine[0].webhook_path}"
        return Health(True, leak, leak, (leak, Finding("error", leak, leak)))

    core.register("asked", answering(check, ("key",)))
    mine.append(app.connect("asked", key=secret))
    one = await app.check(mine[0])
    assert one.ok is False
    assert [
        part for part in (secret, "a%20secret", mine[0].webhook_secret) if part in repr(one)
    ] == []
    shuffled = Check(one.connection, one.ok, findings=one.findings[::-1])
    assert [found.level for found in shuffled.findings] == ["error", "warning"]


# ── arguments ─────────────────────────────────────────────────────────────────────────────────


async def test_wrong_arguments_are_refused(core: Outeract, app: App) -> None:
    """No time, no such connection, one of another application."""
    mine = app.connect("console")
    other = core.app("other")
    with pytest.raises(NotFound):
        await other.check(mine)
    with pytest.raises(NotFound):
        await app.check("telegram")
    for timeout in (0, -1, float("nan")):
        with pytest.raises(BadInput):
            await app.check(mine, timeout=timeout)
    assert [one.connection for one in await core.check(other)] == []
    assert [one.connection for one in await core.check(app)] == [mine]


def test_both_facades_check(tmp_path: Path) -> None:
    """A script without a loop asks as well; a closed store says so."""
    with blocking.Outeract(tmp_path / "a.db") as core:
        app = core.app("support")
        app.connect("console")
        assert app.check("console").ok is True
        assert [one.ok for one in core.check(app)] == [True]
        assert [one.ok for one in core.check(timeout=PATIENCE)] == [True]
    with pytest.raises(StoreClosed):
        core.check()


async def test_a_check_beside_a_running_program_leaves_its_connections_open(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """The door to the network is closed with the last of the work, not with the check."""
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            await core.check()
            delivery = await app.send(("whatsapp", "+14155550100"), "hello")
            assert (await delivery.wait("sent", timeout=PATIENCE)).status == "sent"
            assert (await app.check("whatsapp")).ok is True
            group.cancel_scope.cancel()
