"""What Telegram's refusals mean: wait, give up, call the host, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from outeract_core.adapter import Flow, Reply
from outeract_core.errors import (
    Ambiguous,
    Rejected,
    SendError,
    Throttled,
    Transient,
    Unauthorised,
)
from outeract_core.testing import drive, reply
from tests.support.telegram.calls import ADA, REF, no, out
from tests.support.telegram.samples import CONFIG, telegram


def raised(flow: Flow[Any], *replies: Reply) -> SendError:
    """The error that a flow ends with."""
    with pytest.raises(SendError) as caught:
        drive(flow, replies)
    return caught.value


def send_error(answer: Reply) -> SendError:
    """The error of a message that was answered so."""
    return raised(telegram().send(out()), answer)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (no(400, "Bad Request: chat not found"), Rejected, "never written"),
        (no(400, "Bad Request: message thread not found"), Rejected, "topic was deleted"),
        (no(400, "Bad Request: TOPIC_CLOSED"), Rejected, "topic is closed"),
        (no(400, "Bad Request: message is too long"), Rejected, "too long"),
        (no(400, "Bad Request: BUTTON_DATA_INVALID"), Rejected, "64 bytes"),
        (no(400, "Bad Request: not enough rights to send text messages to the chat"), Rejected, "admin"),
        (no(400, "Bad Request: something new"), Rejected, "something new"),
        (no(403, "Forbidden: bot was blocked by the user"), Rejected, "only they can undo"),
        (no(403, "Forbidden: bot was kicked from the group chat"), Rejected, "add it again"),
        (no(403, "Forbidden: user is deactivated"), Rejected, "deleted"),
        (no(403, "Forbidden: bot can't initiate conversation with a user"), Rejected, "first"),
        (no(413, "Request Entity Too Large"), Rejected, "50 MB"),
        (no(401, "Unauthorized"), Unauthorised, "BotFather"),
        (no(404, "Not Found"), Unauthorised, "BotFather"),
        (no(404, "Not Found: method not found"), Rejected, "method"),
        (no(409, "Conflict: terminated by other getUpdates request"), Transient, "stop one"),
        (no(500, "Internal Server Error: restart"), Transient, "restart"),
        (no(503, "Service Unavailable"), Transient, "Unavailable"),
        (no(502, "Bad Gateway"), Ambiguous, "Bad Gateway"),
        (no(504, "Gateway Timeout"), Ambiguous, "Gateway"),
        (reply(b"<html>Bad Gateway</html>", 502), Ambiguous, "502"),
        (reply(b"", 500), Ambiguous, "500"),
        (reply(b"[" * 100_000, 200), Ambiguous, "200"),
        (reply(b"<html>Forbidden</html>", 403), Rejected, "403"),
        (reply({"ok": True}), Ambiguous, "without"),
        (reply({"ok": True, "result": {"date": 1}}), Ambiguous, "message_id"),
        (reply({"ok": True, "result": []}), Ambiguous, "message_id"),
    ],
)  # fmt: skip
def test_refusals(answer: Reply, kind: type[SendError], words: str) -> None:
    """Each refusal leads to one kind of error, in Telegram's words and with the remedy.

    What the Bot API itself refuses is not done; what a proxy before it answers may have been done.
    """
    error = send_error(answer)
    assert type(error) is kind
    assert words in error.reason


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (no(429, "Too Many Requests: retry after 35", retry_after=35), 35.0),
        (no(429, "Too Many Requests: retry after 0", retry_after=0), 0.0),
        (no(429, "Too Many Requests"), None),
        (no(429, "Too Many Requests", retry_after="x"), None),
        (no(429, "Too Many Requests", retry_after=-5), None),
        (no(429, "Too Many Requests", retry_after=True), None),
        (no(429, "Too Many Requests", retry_after=10**30), None),
        (reply(b"slow down", 429, {"Retry-After": "7"}), 7.0),
        (reply(b"slow down", 429), None),
    ],
)
def test_too_fast(answer: Reply, after: float | None) -> None:
    """How long to wait stands in the body; what is no number is none."""
    error = send_error(answer)
    assert isinstance(error, Throttled)
    assert (error.after, error.scope, error.code) == (after, "chat", "429")


def test_codes_are_kept() -> None:
    """People can look the code up."""
    assert send_error(no(403, "Forbidden: bot was blocked by the user")).code == "403"


REPEATABLE: dict[str, Callable[[Any], Flow[Any]]] = {
    "react": lambda a: a.react(REF, "👍", False),
    "edit": lambda a: a.edit(REF, out("x")),
    "delete": lambda a: a.delete(REF),
    "typing": lambda a: a.typing(ADA, None),
    "answer": lambda a: a.answer({"callback_query_id": "1"}),
    "fetch": lambda a: a.fetch({"file_id": "x"}),
    "check": lambda a: a.check(),
    "poll": lambda a: a.poll(None, 0),
}


@pytest.mark.parametrize("name", REPEATABLE)
def test_what_may_be_repeated_is_only_transient(name: str) -> None:
    """Where a second attempt does no harm an unclear outcome is tried again, also a broken connection."""
    for answer in (reply(b"", 502), no(504, "Gateway Timeout"), reply({"ok": True})):
        assert type(raised(REPEATABLE[name](telegram()), answer)) is Transient
    flow = REPEATABLE[name](telegram())
    next(flow)
    with pytest.raises(Transient):
        flow.throw(Ambiguous("the connection broke off"))


def test_a_message_is_not_repeated() -> None:
    """Whether a message whose answer was lost has arrived, nobody can tell."""
    flow = telegram().send(out())
    next(flow)
    with pytest.raises(Ambiguous):
        flow.throw(Ambiguous("the connection broke off"))


@pytest.mark.parametrize("name", REPEATABLE)
def test_too_many_polls_hold_the_connection(name: str) -> None:
    """What is no message to a chat makes the connection wait, all else the chat."""
    if name == "check":
        return
    error = raised(REPEATABLE[name](telegram()), no(429, "Too Many Requests", retry_after=1))
    assert isinstance(error, Throttled)
    assert error.scope == ("connection" if name in ("fetch", "poll") else "chat")


def test_no_refusal_shows_the_token() -> None:
    """Should Telegram ever repeat the token, it is not told on."""
    error = send_error(no(400, f"Bad Request: {CONFIG['token']} is strange"))
    assert CONFIG["token"] not in f"{error} {error!r} {error.reason}"
    assert "…" in error.reason
