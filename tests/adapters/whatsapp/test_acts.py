"""What WhatsApp is asked upon messages that exist: reactions, read marks, typing, files, health."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core.adapter import MessageRef, Reply
from outeract_core.errors import Rejected, Transient, Unauthorised, Unsupported
from outeract_core.testing import drive, reply
from tests.support.whatsapp.calls import ADA, GROUP, NAMELESS, REF, accepted, act, no
from tests.support.whatsapp.openapi import faults
from tests.support.whatsapp.samples import CONFIG, NUMBER, read, samples, whatsapp

DONE = reply({"success": True})
LOOKASIDE = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=7001&hash=x"


@pytest.mark.parametrize(("remove", "emoji"), [(False, "👍"), (True, "")])
def test_react(remove: bool, emoji: str) -> None:
    """A reaction is a message of its own kind; an empty emoji takes it back."""
    (call,) = act(whatsapp().react(REF, "👍", remove), accepted())
    assert call.json["reaction"] == {"message_id": "wamid.IN001", "emoji": emoji}
    assert call.json["to"] == ADA.address
    assert faults(call.json) == []


@pytest.mark.parametrize("emoji", ["❤", "❤️", "👍🏽", "👨‍👩‍👧", "🇩🇪", "#️⃣", "ℹ️", "‼️", "▶️", "❤‍🔥"])
def test_every_emoji_is_a_reaction(emoji: str) -> None:
    """Also those of several code points, and those that were letters once."""
    (call,) = act(whatsapp().react(REF, emoji, False), accepted())
    assert call.json["reaction"]["emoji"] == emoji


@pytest.mark.parametrize(
    "text", ["x", "ok", "thumbsup", ":thumbsup:", "👍👎", " 👍", "1", "é", "🇩🇪🇫🇷", "!"]
)
def test_what_is_no_emoji_is_refused_before_anything_is_asked(text: str) -> None:
    """Meta would take it, and tell a day later that it came to nothing (131009)."""
    with pytest.raises(Unsupported, match="one emoji"):
        act(whatsapp().react(REF, text, False))


def test_react_to_a_user_id() -> None:
    """A person without a number is reached by the user id."""
    (call,) = act(whatsapp().react(MessageRef("wamid.1", NAMELESS), "👍", False), accepted())
    assert call.json["recipient"] == NAMELESS.address
    assert "to" not in call.json


def test_mark_read() -> None:
    """A message is marked read by its id alone."""
    (call,) = act(whatsapp().mark_read(REF), DONE)
    assert call.url.endswith(f"/{NUMBER}/messages")
    assert call.json == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.IN001",
    }
    assert faults(call.json) == []


def test_typing() -> None:
    """Typing is shown together with the read mark, in one request."""
    (call,) = act(whatsapp().typing(ADA, REF), DONE)
    assert call.json["typing_indicator"] == {"type": "text"}
    assert (call.json["status"], call.json["message_id"]) == ("read", "wamid.IN001")
    assert faults(call.json) == []


def test_what_whatsapp_has_not() -> None:
    """No typing without a message, no typing and no read marks in groups: said before any request."""
    adapter, group = whatsapp(), MessageRef("wamid.1", GROUP)
    for flow in (adapter.typing(ADA, None), adapter.typing(GROUP, group), adapter.mark_read(group)):
        with pytest.raises(Unsupported, match="WhatsApp"):
            act(flow)


def test_nothing_that_is_not_offered() -> None:
    """There is no edit, no delete and no way to look a message up; the manifest says so too."""
    adapter = whatsapp()
    assert not any(hasattr(adapter, verb) for verb in ("edit", "delete", "find", "poll"))
    assert adapter.manifest.idempotency == "none"
    assert not {"edit", "delete", "thread", "album"} & adapter.manifest.capabilities


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_fetch() -> None:
    """The id leads to an address, and the address gets the token."""
    (fact,) = read(samples()["image"]["body"])
    flow = whatsapp().fetch(fact.files[0].handle)  # type: ignore[union-attr]
    download, (call,) = drive(
        flow, [reply({"id": "7001", "url": LOOKASIDE, "mime_type": "image/jpeg"})]
    )
    assert (call.method, call.url) == ("GET", "https://graph.facebook.com/v23.0/7001")
    assert call.params == {"phone_number_id": NUMBER}
    assert download.call.url == LOOKASIDE
    assert download.call.headers["authorization"] == f"Bearer {CONFIG['access_token']}"
    assert download.refuse == ("text/html",)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x", "http://lookaside.fbsbx.com/x", "https://fbsbx.com.evil.example/",
        "https://evilfbsbx.com/", "https://lookaside.fbsbx.com@evil.example/", "file:///etc/passwd",
        "https://[::1", "//lookaside.fbsbx.com/", "https://lookaside.fbsbx.com/a b", "ä",
    ],
)  # fmt: skip
def test_the_token_stays_with_meta(url: str) -> None:
    """No other host, and nothing without TLS, gets the token."""
    with pytest.raises(Rejected):
        drive(whatsapp().fetch({"id": "7001"}), [reply({"url": url})])
    with pytest.raises(Rejected):
        drive(whatsapp().fetch({"url": url}), [])


@pytest.mark.parametrize(
    "handle", [{}, {"id": 5}, {"id": "../me"}, {"id": "7/../8"}, {"id": "a?b"}]
)
def test_strange_handles(handle: dict[str, Any]) -> None:
    """A handle that is none leads to no request."""
    with pytest.raises(Rejected):
        drive(whatsapp().fetch(handle), [])


def test_a_file_that_is_gone() -> None:
    """After 30 days the id is unknown: that is final."""
    with pytest.raises(Rejected):
        drive(whatsapp().fetch({"id": "7001"}), [no(100, error_subcode=33)])
    with pytest.raises(Rejected, match="30 days"):
        drive(whatsapp().fetch({"id": "7001"}), [reply({})])


# ── health ────────────────────────────────────────────────────────────────────────────────────


GOOD = {
    "id": NUMBER, "verified_name": "Tea Shop", "display_phone_number": "+49 30 1",
    "quality_rating": "GREEN",
}  # fmt: skip
HOOK = {
    "id": NUMBER,
    "webhook_configuration": {"application": "https://h.example/webhooks/1/s3cret"},
}
MAY = ["whatsapp_business_messaging", "whatsapp_business_management"]
GRANTED = [{"scope": "whatsapp_business_management", "target_ids": ["77"]}]
TOKEN = {
    "app_id": "5",
    "is_valid": True,
    "expires_at": 0,
    "scopes": MAY,
    "granular_scopes": GRANTED,
}
APPS = {"data": [{"whatsapp_business_api_data": {"id": "5", "name": "Tea"}}]}


def checked(
    number: Any = GOOD, callback: Any = HOOK, token: Any = TOKEN, apps: Any = APPS
) -> tuple[Any, Any]:
    """What a check finds when it is answered so, and its calls; a `Reply` is answered as it is."""
    data = token if isinstance(token, Reply) else {"data": token}
    answers = [
        one if isinstance(one, Reply) else reply(one) for one in (number, callback, data, apps)
    ]
    return drive(whatsapp().check(), answers)


def found(health: Any, level: str) -> list[str]:
    """Its findings of a level."""
    return [str(one) for one in health.findings if one.level == level]


def test_check() -> None:
    """The number answers with its name, the token with its scopes, the account with its apps."""
    health, calls = checked()
    assert (health.ok, health.account, health.name) == (True, NUMBER, "Tea Shop +49 30 1")
    assert found(health, "error") == found(health, "warning") == []
    assert found(health, "info") == ["webhooks go to h.example"]
    assert {call.method for call in calls} == {"GET"}
    ends = (f"/{NUMBER}", f"/{NUMBER}", "/debug_token", "/77/subscribed_apps")
    assert all(call.url.endswith(end) for call, end in zip(calls, ends, strict=True))
    assert CONFIG["access_token"] not in repr(calls)
    assert "s3cret" not in repr(health)


@pytest.mark.parametrize(
    ("level", "answers", "words"),
    [
        ("warning", {"number": {**GOOD, "quality_rating": "RED"}}, "RED"),
        ("warning", {"number": {**GOOD, "code_verification_status": "EXPIRED"}}, "verification has expired"),
        ("error", {"callback": {"id": NUMBER}}, "no webhook URL is set"),
        ("info", {"callback": no(100)}, "webhook's URL could not be asked"),
        ("error", {"token": {**TOKEN, "is_valid": False}}, "invalid"),
        ("error", {"token": {**TOKEN, "scopes": MAY[1:]}}, "nothing can be sent"),
        ("info", {"token": {**TOKEN, "scopes": MAY[:1]}, "apps": b""}, "cannot be asked"),
        ("info", {"token": no(200, 403), "apps": b""}, "scopes could not be asked"),
        ("info", {"token": {**TOKEN, "granular_scopes": []}, "apps": b""}, "which business accounts"),
        ("warning", {"token": {**TOKEN, "expires_at": 1767225600}}, "2026-01-01 00:00 UTC; that of a system user"),
        ("error", {"apps": {"data": []}}, "not subscribed to webhooks of account 77"),
        ("info", {"apps": no(200, 403)}, "subscriptions of account 77 could not be asked"),
    ],
)  # fmt: skip
def test_what_a_check_finds(level: str, answers: Any, words: str) -> None:
    """What does not work, what will not last, and what could not be asked, which is no verdict."""
    health, _ = checked(**answers)
    assert health.ok is True
    assert any(words in text for text in found(health, level))


def test_check_with_a_wrong_token() -> None:
    """A refused token is ill health, not an exception; a server's failure is no verdict."""
    health, _ = drive(whatsapp().check(), [no(190, 401)])
    assert health.ok is False
    assert "token" in found(health, "error")[0]
    with pytest.raises(Transient):
        drive(whatsapp().check(), [reply(b"", 503)])


def test_acts_may_be_repeated() -> None:
    """An unclear outcome of what may be repeated is worth another attempt."""
    for flow in (
        whatsapp().react(REF, "👍", False),
        whatsapp().mark_read(REF),
        whatsapp().typing(ADA, REF),
    ):
        with pytest.raises(Transient):
            act(flow, reply(b"", 502))
    with pytest.raises(Unauthorised):
        act(whatsapp().mark_read(REF), no(190, 401))
