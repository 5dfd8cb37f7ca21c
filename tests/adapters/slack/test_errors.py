"""Slack out: what each answer means, and whether the requests fit Slack's specification."""

from __future__ import annotations

import json
from typing import Any

import pytest

from outeract_adapters.slack.errors import outcome
from outeract_core.adapter import Call, Recipient, Reply
from outeract_core.errors import (
    Ambiguous,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)
from outeract_core.testing import drive, reply
from tests.support.shared import shared
from tests.support.slack.calls import (
    BUTTONS,
    MENU,
    PDF,
    REF,
    TS,
    URL,
    act,
    method,
    no,
    ok,
    out,
    page,
    posted,
    sent,
    uploads,
)
from tests.support.slack.samples import CONFIG, slack

# ── errors ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no("invalid_auth"), Unauthorised),
        (no("token_revoked"), Unauthorised),
        (no("account_inactive"), Unauthorised),
        (no("not_authed"), Unauthorised),
        (no("channel_not_found"), Rejected),
        (no("is_archived"), Rejected),
        (no("msg_too_long"), Rejected),
        (no("no_text"), Rejected),
        (no("missing_scope", needed="chat:write"), Rejected),
        (no("something_new"), Rejected),
        (no("ratelimited"), Throttled),
        (no("internal_error"), Ambiguous),
        (no("fatal_error"), Ambiguous),
        (no("service_unavailable"), Ambiguous),
        (no("request_timeout"), Ambiguous),
        (no("team_added_to_org"), Transient),
        (reply(b"<html>", 500), Ambiguous),
        (reply(b"", 503), Ambiguous),
        (reply(b"<html>", 200), Ambiguous),
        (reply(b"", 302), Ambiguous),
        (reply(b"", 401), Unauthorised),
        (reply(b"", 404), Rejected),
        (reply(b"", 413), Rejected),
        (reply(b"", 408), Ambiguous),
        (reply({"ok": False}, 200), Ambiguous),
        (reply([], 200), Ambiguous),
    ],
)
def test_errors_of_a_message(answer: Reply, error: type[SendError]):
    """Each answer to chat.postMessage has one meaning."""
    with pytest.raises(SendError) as raised:
        sent(out(), answer)
    assert type(raised.value) is error
    assert CONFIG["bot_token"] not in repr(raised.value) + str(raised.value)


@pytest.mark.parametrize(
    "answer", [no("internal_error"), no("fatal_error"), reply(b"", 502), reply(b"", 408)]
)
def test_repeatable_calls_are_never_unclear(answer: Reply):
    """What may be repeated is Transient where a message would be Ambiguous."""
    for flow in (slack().delete(REF), slack().edit(REF, out()), slack().react(REF, "👍", True)):
        with pytest.raises(Transient):
            act(flow, answer)


def test_a_broken_connection():
    """What core throws in after a lost connection stays Ambiguous for a message only."""

    def throwing(flow: Any) -> None:
        next(flow)
        flow.throw(Ambiguous("the connection broke off"))

    with pytest.raises(Ambiguous):
        throwing(slack().send(out()))
    for flow in (slack().delete(REF), slack().check(), slack().send(out(files=(PDF,)))):
        with pytest.raises(Transient):
            throwing(flow)


@pytest.mark.parametrize(
    ("header", "after"),
    [("30", 30.0), (" 1 ", 1.0), ("", None), ("soon", None), ("-1", None), ("9" * 400, None)],
)
def test_retry_after(header: str, after: float | None):
    """The wait stands in the header; a message's limit is its channel's."""
    answer = reply({"ok": False, "error": "ratelimited"}, 429, {"retry-after": header})
    with pytest.raises(Throttled) as raised:
        sent(out(), answer)
    assert (raised.value.after, raised.value.scope) == (after, "chat")
    with pytest.raises(Throttled) as raised:
        act(slack().delete(REF), answer)
    assert raised.value.scope == "connection"


def test_reasons_help():
    """The missing scope and Slack's remarks are in the reason, the name in the code."""
    answer = no("missing_scope", needed="chat:write", response_metadata={"messages": ["[ERROR] x"]})
    with pytest.raises(Rejected) as raised:
        sent(out(), answer)
    assert "chat:write" in raised.value.reason
    assert "[ERROR] x" in raised.value.reason
    assert raised.value.code == "missing_scope"


# ── judged by Slack's specification ───────────────────────────────────────────────────────────


def spec() -> dict[str, Any]:
    """The paths of Slack's OpenAPI description."""
    paths: dict[str, Any] = json.loads(shared("slack/slack_web_openapi_v2.json").read_text())[
        "paths"
    ]
    return paths


def every_call() -> list[Call]:
    """One call of each kind that we make, as full as may be."""
    known = Recipient("U0ANNA0001", "U0ANNA0001")
    full = out("text", thread=f"{TS}:C0GENERAL1", buttons=BUTTONS, menu=MENU,
               metadata={"unfurl_links": False, "unfurl_media": False, "reply_broadcast": True})  # fmt: skip
    return [
        *sent(full, posted())[1],
        *drive(slack().send(out(to=known, files=(PDF,))), uploads)[1],
        *act(slack().edit(REF, full), ok()),
        *act(slack().delete(REF), ok()),
        *act(slack().react(REF, "👍", False), ok()),
        *act(slack().react(REF, "👍", True), ok()),
        *act(slack().mark_read(REF), ok()),
        *drive(slack().check(), [ok()])[1],
        *drive(slack().fetch({"id": "F0"}), [ok(file={"url_private": URL})])[1],
        *drive(slack().find(out()), [page()])[1],
        *drive(slack().find(out(thread=f"{TS}:C0GENERAL1")), [page()])[1],
    ]  # fmt: skip


def test_calls_fit_the_specification():
    """Every method that the specification has gets all it requires and nothing that it does not know."""
    newer = {"metadata", "include_all_metadata", "blocks"}
    judged = set()
    for call in every_call():
        operations = spec().get(f"/{method(call)}")
        if operations is None:
            continue
        (operation,) = operations.values()
        parameters = {p["name"]: p for p in operation["parameters"] if p["name"] != "token"}
        given = {**(call.json or {}), **(call.form or {}), **(call.params or {})}
        required = {name for name, parameter in parameters.items() if parameter.get("required")}
        assert required <= set(given), method(call)
        assert set(given) - newer <= set(parameters), method(call)
        assert call.headers["authorization"].startswith("Bearer ")
        judged.add(method(call))
    assert len(judged) >= 11


def test_every_specified_error_has_a_meaning():
    """Each error name that the specification lists for our methods is classified, none is success."""
    done = {"already_reacted", "no_reaction", "message_not_found"}
    seen = set()
    for call in every_call():
        for error in errors_of(spec().get(f"/{method(call)}") or {}):
            with pytest.raises(SendError) as raised:
                outcome(no(error), repeatable=False)
            assert raised.value.code == error
            seen.add(error)
    assert len(seen) > 40
    assert done <= seen
    assert {"invalid_auth", "account_inactive", "fatal_error", "request_timeout"} <= seen


def errors_of(operations: Any) -> set[str]:
    """The enum of every `error` member below."""
    found: set[str] = set()
    if isinstance(operations, dict):
        for name, value in operations.items():
            if name == "error" and isinstance(value, dict):
                found |= set(value.get("enum") or ())
            found |= errors_of(value)
    elif isinstance(operations, list):
        found = set().union(*map(errors_of, operations))
    return found
