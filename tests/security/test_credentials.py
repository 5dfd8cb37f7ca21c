"""What a platform hands over to be used once is in no file, log or traceback, and a handler can use it.

Knows: the attacks of whoever reads what was kept of Slack's interactions. Does not know: what they mean.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core import App, Message, Outeract, PlatformConnection
from outeract_core._domain.rules.credentials import MARK, strike, strike_body
from outeract_core._io.handed import Handed
from outeract_core.testing import ManualClock, sign_slack

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
SIGNING = "a-signing-secret"
TOKEN, URL = "LEGACYverificationTOKEN1", "https://hooks.slack.com/actions/T1/42/OPENSesame"
TRIGGER, ACCESS, POINTER = "13345224609.738474920.8088930838d8", "xwfp-WORKFLOW", "Fp0pointer"
CREDENTIALS = (TOKEN, URL, "OPENSesame", TRIGGER, "8088930838d8", ACCESS, POINTER)
COMMAND = {
    "token": TOKEN, "team_id": "T1", "api_app_id": "A1", "user_id": "U1", "channel_id": "C1",
    "channel_name": "general", "command": "/deploy", "text": "now", "response_url": URL,
    "trigger_id": TRIGGER,
}  # fmt: skip
BUTTON: dict[str, Any] = {
    "type": "block_actions", "token": TOKEN, "team": {"id": "T1"}, "api_app_id": "A1",
    "user": {"id": "U1", "name": "anna"}, "channel": {"id": "C1", "name": "general"},
    "trigger_id": TRIGGER, "response_url": URL, "bot_access_token": ACCESS,
    "interactivity": {"interactor": {"id": "U1", "secret": ACCESS}, "interactivity_pointer": POINTER},
    "container": {"type": "message", "message_ts": "1764000017.001200", "channel_id": "C1"},
    "actions": [{"type": "button", "action_id": "yes", "value": "yes", "action_ts": "1764000018.000100"}],
}  # fmt: skip
FORM: dict[str, Any] = {
    "type": "view_submission", "token": TOKEN, "team": {"id": "T1"}, "user": {"id": "U1"},
    "trigger_id": TRIGGER, "view": {"id": "V1", "callback_id": "cb", "state": {"values": {}}},
    "response_urls": [{"block_id": "b", "channel_id": "C1", "response_url": URL}],
}  # fmt: skip


def connected(app: App) -> PlatformConnection:
    """A Slack app."""
    return app.connect(
        "slack", bot_token="xoxb-bot-token", signing_secret=SIGNING, team_id="T1",
        base_url="http://127.0.0.1:9",
    )  # fmt: skip


async def deliver(core: Outeract, conn: PlatformConnection, body: bytes) -> int:
    """What a signed form is answered with."""
    now = core.runtime.database.options.clock()
    headers, _ = sign_slack(body, SIGNING, now)
    answer = await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", headers, {}, body)
    return answer.status


def command(**more: str) -> bytes:
    """A slash command as Slack posts it."""
    return urlencode({**COMMAND, **more}).encode()


def interaction(payload: Any) -> bytes:
    """An interaction as Slack posts it."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def everything(folder: Path) -> bytes:
    """All bytes of a folder, and of what is packed in it."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def shown(text: str | bytes) -> list[str]:
    """Which credentials are in it."""
    text = text if isinstance(text, str) else text.decode("latin-1")
    return [one for one in CREDENTIALS if one in text]


BODIES = {
    "command": command(), "button": interaction(BUTTON), "form": interaction(FORM),
    "event": json.dumps({"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "token": TOKEN,
                         "event": {"type": "strange", "token": TOKEN}}).encode(),
    "not understood": interaction({**BUTTON, "user": None}),
    "no type": interaction({k: v for k, v in BUTTON.items() if k != "type"}),
    "cut off": interaction(BUTTON)[:-40],
    "cut JSON": json.dumps(BUTTON).encode()[:-40],
    "no form": b"\xff\xfe" + interaction(BUTTON),
    "twice": interaction(BUTTON) + b"&" + interaction(BUTTON),
    "spaced": urlencode({"payload": json.dumps(BUTTON, indent=2)}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
async def test_what_opens_something_is_written_nowhere(
    core: Outeract, app: App, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Database, its log, backup, export: whatever was delivered, and whether it was understood."""
    caplog.set_level(logging.DEBUG)
    conn = connected(app)
    assert await deliver(core, conn, BODIES[kind]) == 200
    kept = core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT (SELECT count(*) FROM event), count(*) FROM raw_delivery", {})
    )
    assert sum(kept[0]) > 0
    await core.backup(tmp_path / "copy.db")
    await app.export(tmp_path / "bot.jsonl")
    assert shown(everything(tmp_path)) == []
    assert shown(caplog.text) == []


@pytest.mark.parametrize(
    ("body", "there"),
    [(BODIES["command"], {"response_url": URL, "trigger_id": TRIGGER, "token": TOKEN}),
     (BODIES["button"], {"response_url": URL, "trigger_id": TRIGGER, "bot_access_token": ACCESS}),
     (BODIES["form"], {"response_urls.0.response_url": URL})],
)  # fmt: skip
async def test_a_handler_has_what_it_needs(
    core: Outeract, app: App, clock: ManualClock, body: bytes, there: dict[str, str]
) -> None:
    """Its platform's credentials are at hand by their places, in a retry too, and only with their event."""
    seen: list[Any] = []

    @app.on("message.action", attempts=3)
    def handle(message: Message) -> None:
        seen.append(message.credentials)
        if len(seen) == 1:
            raise RuntimeError("again")

    await deliver(core, connected(app), body)
    await core.pump()
    clock.advance(60)
    await core.pump()
    assert len(seen) == 2
    for found in seen:
        assert there.items() <= found.items()
        with pytest.raises(TypeError):
            found["trigger_id"] = "x"


async def test_after_a_restart_they_are_gone(core: Outeract, app: App, clock: ManualClock) -> None:
    """Another process, or a later one, has the event, and None where the credentials were."""
    await deliver(core, connected(app), BODIES["command"])
    (event,) = [one async for one in app.events.all()]
    assert core.runtime.handed.of(event.position) is not None
    again = Outeract(core.path, clock=clock)
    assert again.runtime.handed.of(event.position) is None
    again.close()
    clock.advance(31 * 60)
    assert core.runtime.handed.of(event.position) is None


async def test_a_traceback_does_not_quote_them(
    core: Outeract, app: App, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler whose request to `response_url` has failed leaves its traceback without that URL."""

    @app.on("message.action", attempts=1)
    def handle(message: Message) -> None:
        assert message.credentials is not None
        raise RuntimeError(f"404 for {message.credentials['response_url']}")

    await deliver(core, connected(app), BODIES["command"])
    await core.pump()
    assert "404 for" in caplog.text
    assert shown(caplog.text) == []
    assert shown(everything(tmp_path)) == []


async def test_two_commands_alike_are_two(core: Outeract, app: App) -> None:
    """What tells equal commands apart is a credential: they stay two, also when they are read again."""
    conn = connected(app)
    for n in range(2):
        assert await deliver(core, conn, command(trigger_id=f"{TRIGGER}{n}")) == 200
    assert await deliver(core, conn, command(trigger_id=f"{TRIGGER}0")) == 200
    assert len([one async for one in app.events.all()]) == 2


async def test_what_was_kept_is_read_again_as_the_same(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept delivery has no credential any more, and its replay makes the event that it would have made."""
    from outeract_adapters.slack import Slack

    conn = connected(app)
    whole = Slack.parse
    monkeypatch.setattr(Slack, "parse", _broken)
    for n in range(2):
        await deliver(core, conn, command(trigger_id=f"{TRIGGER}{n}"))
    monkeypatch.setattr(Slack, "parse", whole)
    (number,) = [one.id for one in core.runtime.conns()]
    assert await core.replay_connection(core.runtime.conn(number)) == (2, 0)
    await deliver(core, conn, command(trigger_id=f"{TRIGGER}0"))
    found = [one async for one in app.events.all() if one.event_type == "message.action"]
    assert len(found) == 2
    assert shown(json.dumps([one.raw for one in found])) == []


def _broken(*_: Any) -> Any:
    raise KeyError("an adapter of yesterday")


async def test_nobody_gets_those_of_somebody_else() -> None:
    """The memory is by event; what is over is forgotten, and so is what is too much."""
    now = [0]
    handed = Handed(lambda: now[0])
    for key in range(3000):
        handed.keep([key], {"trigger_id": str(key)})
    assert handed.of(0) is None
    assert handed.of(2999) == {"trigger_id": "2999"}
    assert len(handed.texts()) <= 1000
    now[0] = 31 * 60_000
    assert handed.of(2999) is None
    assert handed.texts() == []


NAMES = frozenset({"token", "event.token", "**.response_url"})
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["token", "event", "response_url", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_what_is_struck_stays_in_its_place(value: Any) -> None:
    """Nothing else changes, nothing is changed in the caller's hands, and again changes nothing."""
    before = json.dumps(value)
    left, found = strike(value, NAMES)
    assert json.dumps(value) == before
    assert strike(left, NAMES) == (left, {})
    for path, one in found.items():
        at = left
        for part in path.split("."):
            at = at[int(part)] if isinstance(at, list) else at[part]
        assert MARK.fullmatch(at)
        assert path == "token" or path.rpartition(".")[2] in ("token", "response_url")
        assert one not in (None, "", [], {})


@given(_JSON.filter(lambda value: isinstance(value, dict)), st.sampled_from(["json", "form"]))
def test_bodies_are_struck_as_their_values(value: Any, how: str) -> None:
    """JSON, and JSON in a form: what comes out says what `strike` says."""
    left, found = strike(value, NAMES)
    text = json.dumps(value)
    body = text.encode() if how == "json" else urlencode({"payload": text, "a": "b c"}).encode()
    struck, told = strike_body(body, NAMES)
    inner = struck.decode() if how == "json" else dict(parse_qsl(struck.decode()))["payload"]
    assert json.loads(inner) == left
    assert told == found


@pytest.mark.parametrize("platform", ["telegram", "whatsapp", "console"])
async def test_platforms_that_hand_out_nothing_say_so(core: Outeract, platform: str) -> None:
    """Their items hold nothing that acts without a secret of the connection's own: none is declared."""
    assert core.runtime.plugins.load(platform).manifest.credentials == frozenset()
