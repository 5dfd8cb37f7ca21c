"""Slack out: what is done to messages that exist, downloads, and what became of a lost message."""

from __future__ import annotations

import pytest

from outeract_core.adapter import MessageRef
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient
from outeract_core.testing import drive, reply
from tests.support.slack.calls import (
    ANNA,
    BUTTONS,
    EVENT,
    GENERAL,
    PDF,
    REF,
    TOKEN,
    TS,
    URL,
    act,
    message,
    method,
    no,
    ok,
    out,
    page,
)
from tests.support.slack.samples import CONFIG, slack

# ── upon what exists ──────────────────────────────────────────────────────────────────────────


def test_reactions():
    """Set and taken back by name; what already is so is done."""
    adapter = slack()
    (call,) = act(adapter.react(REF, "👍", False), ok())
    assert method(call) == "reactions.add"
    assert call.json == {"channel": "C0GENERAL1", "timestamp": TS, "name": "+1"}
    (call,) = act(adapter.react(REF, ":tada:", True), ok())
    assert (method(call), call.json["name"]) == ("reactions.remove", "tada")
    act(adapter.react(REF, "👍", False), no("already_reacted"))
    act(adapter.react(REF, "👍", True), no("no_reaction"))
    with pytest.raises(Rejected):
        act(adapter.react(REF, "👍", False), no("no_reaction"))
    with pytest.raises(Rejected):
        act(adapter.react(REF, "nothing like it", False), ok())


def test_edit():
    """Text and blocks are replaced; without new blocks the old ones are taken away."""
    (call,) = act(slack().edit(REF, out("new")), ok())
    assert method(call) == "chat.update"
    assert call.json == {"channel": "C0GENERAL1", "ts": TS, "text": "new", "blocks": []}
    (call,) = act(slack().edit(REF, out("new", buttons=BUTTONS[:1])), ok())
    assert call.json["blocks"][1]["type"] == "actions"


def test_delete():
    """A message that is gone is deleted."""
    (call,) = act(slack().delete(REF), ok())
    assert (method(call), call.json) == ("chat.delete", {"channel": "C0GENERAL1", "ts": TS})
    act(slack().delete(REF), no("message_not_found"))
    with pytest.raises(Rejected):
        act(slack().delete(REF), no("cant_delete_message"))


def test_mark_read():
    """The read mark moves to the message."""
    (call,) = act(slack().mark_read(REF), ok())
    assert method(call) == "conversations.mark"
    assert call.json == {"channel": "C0GENERAL1", "ts": TS}


@pytest.mark.parametrize("id", ["", "F0", TS, f"{TS}:", ":C0GENERAL1", "1e5:C1", f"{TS}:C 1"])
def test_what_is_no_message_of_slack_is_rejected(id: str):
    """An id of another form makes no request."""
    ref = MessageRef(id, GENERAL)
    for flow in (slack().delete(ref), slack().mark_read(ref), slack().react(ref, "👍", False)):
        with pytest.raises(Rejected, match="not a Slack message"):
            act(flow)


TOLD = {
    "ok": True, "user": "bot", "user_id": "U0BOT00001", "bot_id": "B0BOT00001", "team_id": "T1",
}  # fmt: skip
SCOPES = (
    "chat:write,files:read,files:write,im:write,reactions:read,reactions:write,"
    "channels:history,groups:history,im:history,mpim:history,users:read,channels:read,groups:read"
)


def grave(health):
    """What it found that is more than information."""
    return [str(one) for one in health.findings if one.level != "info"]


def test_check():
    """The bot's own id is the account, and with all scopes nothing is missing."""
    health, (call,) = drive(slack().check(), [reply(TOLD, headers={"x-oauth-scopes": SCOPES})])
    assert method(call) == "auth.test"
    assert (health.ok, health.account, health.name) == (True, "U0BOT00001", "bot")
    assert grave(health) == []


@pytest.mark.parametrize("scope", SCOPES.split(","))
def test_a_missing_scope_is_told_with_its_price(scope):
    """Each scope that the page asks for; without the one that sends, the bot is of no use."""
    left = ",".join(one for one in SCOPES.split(",") if one != scope)
    health, _ = drive(slack().check(), [reply(TOLD, headers={"x-oauth-scopes": left})])
    (found,) = [one for one in health.findings if one.level != "info"]
    assert f"no scope {scope}: " in found.what
    assert "install the app again" in found.remedy
    assert (found.level == "error") is (scope == "chat:write")


@pytest.mark.parametrize(
    ("config", "told", "words"),
    [
        ({"bot_user_id": "U0WRONG"}, {}, "bot_user_id is U0WRONG, but the token belongs to U0BOT"),
        ({"bot_id": "B0WRONG"}, {}, "bot_id is B0WRONG"),
        ({"team_id": "T2"}, {}, "workspace T2, but the token belongs to T1"),
        ({"team_id": "E1"}, {"enterprise_id": "E1"}, ""),
        ({"team_id": "T1"}, {"enterprise_id": "E1"}, ""),
    ],
)
def test_a_token_of_somebody_else_is_told(config, told, words):
    """Ids that were given and are not the token's own; those of the organisation are."""
    answer = reply({**TOLD, **told}, headers={"x-oauth-scopes": SCOPES})
    health, _ = drive(slack(**config).check(), [answer])
    assert health.ok is True
    assert [words in text for text in grave(health)] == ([True] if words else [])


def test_check_without_a_verdict():
    """A refused token is an answer, an outage is none; scopes that are not told are no scopes missing."""
    health, _ = drive(slack().check(), [no("invalid_auth")])
    assert (health.ok, [one.level for one in health.findings]) == (False, ["error"])
    with pytest.raises(Transient):
        drive(slack().check(), [reply(b"", 503)])
    health, _ = drive(slack().check(), [reply(TOLD)])
    assert grave(health) == []


@pytest.mark.parametrize(("more", "account"), [
    ({}, "T0TEAM0001"), ({"is_enterprise_install": True, "enterprise_id": "E0ORG00001"}, "E0ORG00001"),
    ({"is_enterprise_install": False, "enterprise_id": "E0ORG00001"}, "T0TEAM0001"),
])  # fmt: skip
def test_identify(more, account):
    """The token is a workspace's, or, installed for all of them, its organisation's."""
    told = {"ok": True, "team_id": "T0TEAM0001", "user_id": "U0BOT00001", **more}
    found, (call,) = drive(slack().identify(), [reply(told)])
    assert (found, method(call)) == (account, "auth.test")


# ── fetch ─────────────────────────────────────────────────────────────────────────────────────


def test_fetch_refuses_the_login_page():
    """The download carries the token and refuses HTML, which is what a missing scope gives."""
    handle = {"id": "F0PLAN0001", "url_private_download": URL}
    download, calls = drive(slack().fetch(handle), [])
    assert calls == []
    assert (download.call.method, download.call.url) == ("GET", URL)
    assert download.call.headers["authorization"] == f"Bearer {CONFIG['bot_token']}"
    assert download.refuse == ("text/html",)


def test_fetch_asks_when_the_event_did_not_tell():
    """A Slack Connect file has only an id: files.info tells the address."""
    file = {"id": "F0CONNECT1", "url_private": URL}
    download, (call,) = drive(slack().fetch({"id": "F0CONNECT1"}), [ok(file=file)])
    assert (method(call), call.method, call.params) == ("files.info", "GET", {"file": "F0CONNECT1"})
    assert download.call.url == URL


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://files.slack.com/x", "https://slack.com.evil.example/x",
     "https://evilslack.com/x", "ftp://files.slack.com/x", "https://slack.com@evil.example/x",
     "https://docs.google.com/spreadsheets/d/1", "//files.slack.com/x", ""],
)  # fmt: skip
def test_the_token_goes_to_slack_only(url: str):
    """No other host, and no plain HTTP, gets the bot's token."""
    handle = {"id": "F0PLAN0001", "url_private_download": url}
    with pytest.raises(Rejected):
        drive(slack().fetch(handle), [ok(file={"id": "F0PLAN0001", "url_private": url})])


def test_a_file_that_is_gone():
    """A deleted file, or one that lies elsewhere, is rejected."""
    for answer in (
        no("file_deleted"),
        ok(file={}),
        ok(file={"url_private": URL, "is_external": True}),
    ):
        with pytest.raises(Rejected):
            drive(slack().fetch({"id": "F0PLAN0001"}), [answer])


# ── find ──────────────────────────────────────────────────────────────────────────────────────


def test_find_tells_a_message_by_its_token():
    """The message with our token is the receipt, whatever else was said."""
    flow = slack().find(out())
    found, (call,) = drive(flow, [page(message("other.0"), message(), message(TOKEN))])
    assert found is not None
    assert found.external_id == f"{TS}:C0GENERAL1"
    assert (method(call), call.method) == ("conversations.history", "GET")
    assert call.params is not None
    assert call.params["include_all_metadata"] == "true"
    assert float(call.params["oldest"]) == (EVENT.int >> 80) / 1000 - 600


def test_find_is_certain_only_of_a_whole_page():
    """None needs every message since; a page that goes on, or an odd answer, is Ambiguous."""
    assert drive(slack().find(out()), [page(message("other.0"))])[0] is None
    for answer in (
        page(message(), has_more=True),
        ok(),
        ok(messages=[]),
        ok(messages={}, has_more=False),
        page(None),
        page("message"),
        page({**message(TOKEN), "ts": 5}),
        page({"type": "message", "text": "without a ts"}),
    ):
        with pytest.raises(Ambiguous):
            drive(slack().find(out()), [answer])


def test_find_reads_on_to_the_end_of_the_history():
    """Page after page, until the token is there or everything was seen; not for ever."""
    first = ok(
        messages=[message("other.0")], has_more=True, response_metadata={"next_cursor": "c2"}
    )
    found, calls = drive(slack().find(out()), [first, page(message(TOKEN))])
    assert found is not None
    assert [call.params.get("cursor") for call in calls] == [None, "c2"]
    assert drive(slack().find(out()), [first, page()])[0] is None
    with pytest.raises(Ambiguous):
        drive(slack().find(out()), lambda call: first)


def test_find_trusts_no_history_without_tokens():
    """A bot has said the same, and its metadata is not shown: it may be ours."""
    mute = {**message(), "text": out().text, "bot_id": "B0OTHER001"}
    mute.pop("metadata", None)
    with pytest.raises(Ambiguous, match="said the same"):
        drive(slack().find(out()), [page(mute)])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("see example.com", "see <http://example.com|example.com>"),
        ("done 👍", "done :+1:"),
        ("*bold* &amp; _more_", "*bold* &amp; _more_"),
        ("two\nlines ", "two\nlines"),
    ],
)
def test_find_knows_the_same_words_as_slack_keeps_them(sent: str, kept: str) -> None:
    """Links are made and emoji are named there: without a token it may be ours all the same."""
    mute = {**message(), "text": kept, "bot_id": "B0OTHER001"}
    mute.pop("metadata", None)
    with pytest.raises(Ambiguous, match="said the same"):
        drive(slack().find(out(text=sent)), [page(mute)])
    assert drive(slack().find(out(text="another")), [page(mute)])[0] is None


def test_find_looks_in_the_thread():
    """A reply is looked for among the replies."""
    _, (call,) = drive(slack().find(out(thread="1.000001:C0GENERAL1")), [page()])
    assert method(call) == "conversations.replies"
    assert (call.params or {})["ts"] == "1.000001"


def test_find_opens_a_direct_conversation():
    """For a user the channel is opened first."""
    opened = ok(channel={"id": "D0ANNA0001"})
    found, _ = drive(slack().find(out(to=ANNA)), [opened, page(message(TOKEN))])
    assert found is not None
    assert (found.external_id, found.address) == (f"{TS}:D0ANNA0001", "D0ANNA0001")


def test_find_says_when_it_cannot_tell():
    """No right to read and uploads are Ambiguous; a rate limit only takes time."""
    with pytest.raises(Ambiguous):
        drive(slack().find(out()), [no("missing_scope", needed="channels:history")])
    with pytest.raises(Ambiguous):
        drive(slack().find(out(files=(PDF,))), [])
    with pytest.raises(Throttled):
        drive(slack().find(out()), [reply({"ok": False, "error": "ratelimited"}, 429)])
    with pytest.raises(Transient):
        drive(slack().find(out()), [reply(b"", 500)])
