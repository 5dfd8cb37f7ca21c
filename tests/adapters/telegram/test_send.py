"""What Telegram is asked to send: every kind of message, judged by the machine-readable Bot API."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core.adapter import Outgoing, Recipient, Sent
from outeract_core.content import Contact, Location, Template
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient
from outeract_core.testing import drive, reply
from outeract_core.testing.fakes.telegram_html import utf16
from tests.support.telegram.bodies import EVERY, YES_NO
from tests.support.telegram.calls import (
    ADA,
    CUSTOMER,
    GROUP,
    OLD_GROUP,
    PUBLIC,
    answers,
    calls,
    faults,
    file,
    no,
    ok,
    out,
    params,
    sent,
)
from tests.support.telegram.samples import CONFIG, telegram
from tests.support.telegram.schema import call_faults


@pytest.mark.parametrize("name", EVERY)
def test_calls_satisfy_the_description(name: str) -> None:
    """Every call is valid by the machine-readable Bot API: method, parameters, types, limits."""
    made = calls(EVERY[name])
    assert made
    for call in made:
        assert faults(call) == []
        assert call.secret_url
        assert utf16(str(params(call).get("text", ""))) <= 4096 * 2


@pytest.mark.parametrize(
    ("name", "values", "files"),
    [
        ("sendMessage", {"chat_id": 42}, ()),
        ("sendMessage", {"chat_id": 42, "text": 5}, ()),
        ("sendMessage", {"chat_id": 1.5, "text": "x"}, ()),
        ("sendMessage", {"chat_id": 42, "text": "x", "surprise": 1}, ()),
        ("sendMessage", {"chat_id": 42, "text": "x", "reply_markup": {"keyboard": ["a"]}}, ()),
        ("sendMessage", {"chat_id": 42, "text": "x", "reply_parameters": {}}, ()),
        ("sendMessage", {"chat_id": 42, "text": "x", "disable_notification": 1}, ()),
        ("sendMessage", {"chat_id": 42, "text": "x", "reply_markup":
            {"inline_keyboard": [[{"text": "a", "callback_data": "é" * 33}]]}}, ()),
        ("sendPhoto", {"chat_id": 42}, ()),
        ("sendPhoto", {"chat_id": 42}, ("document",)),
        ("sendMediaGroup", {"chat_id": 42, "media": [{"type": "photo", "media": "x"}]}, ()),
        ("sendMediaGroup", {"chat_id": 42, "media": [{"type": "photo", "media": "attach://a"},
            {"type": "photo", "media": "attach://b"}]}, ("a",)),
        ("sendMediaGroup", {"chat_id": 42, "media": [{"type": "gif", "media": "x"},
            {"type": "photo", "media": "y"}]}, ()),
        ("setMessageReaction", {"chat_id": 42, "message_id": 5, "reaction":
            [{"type": "emoji", "emoji": "🦜"}]}, ()),
        ("sendNothing", {}, ()),
    ],
)  # fmt: skip
def test_the_judge_refuses(name: str, values: dict[str, Any], files: tuple[str, ...]) -> None:
    """The description still refuses what is wrong."""
    assert call_faults(name, values, files)


# ── requests ──────────────────────────────────────────────────────────────────────────────────


def test_text_request() -> None:
    """A text is one POST of JSON with the token in the URL."""
    receipt, (call,) = drive(telegram().send(out("1 < 2 & so on")), [ok(sent(77))])
    assert call.method == "POST"
    assert call.url == f"https://api.telegram.org/bot{CONFIG['token']}/sendMessage"
    assert call.json == {"chat_id": 42, "text": "1 &lt; 2 &amp; so on", "parse_mode": "HTML"}
    raw = {"messages": [{"message_id": 77, "date": 1_767_322_800}]}
    assert receipt == Sent("77:42", (), None, raw)


def test_base_url_is_configurable() -> None:
    """A Bot API server of one's own is asked where it is."""
    (call,) = calls(out(), base_url="http://127.0.0.1:8081/")
    assert call.url.startswith("http://127.0.0.1:8081/bot777000111:AA")


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (ADA, {"chat_id": 42}),
        (GROUP, {"chat_id": -1001234567890}),
        (PUBLIC, {"chat_id": "@outeract"}),
        (CUSTOMER, {"chat_id": 42, "business_connection_id": "BCabc_1-2"}),
        (Recipient("-4242", "-1004242000000", "group"), {"chat_id": -1004242000000}),
    ],
)
def test_recipients(to: Recipient, expected: dict[str, Any]) -> None:
    """Numbers go as numbers, public names as they are, a business account by its connection."""
    (call,) = calls(out(to=to))
    assert {name: params(call).get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "address", ["", "ada", "../x", "@a", "42:", "4 2", "42:a b", "1" * 30, "@é" * 4]
)
def test_no_recipient(address: str) -> None:
    """What names no chat is refused before any request, with what a chat looks like."""
    with pytest.raises(Rejected, match="chat"):
        drive(telegram().send(out(to=Recipient(address, address))), [])


def test_a_public_name_becomes_a_number() -> None:
    """The answer tells the chat's number: that is its address from now on."""
    receipt, _ = drive(telegram().send(out(to=PUBLIC)), [ok(sent(77, -1009876543210))])
    assert (receipt.external_id, receipt.address) == ("77:-1009876543210", "-1009876543210")


def test_business_receipts_name_their_connection() -> None:
    """A message of a business account has its connection in its name, as facts will have."""
    receipt, _ = drive(telegram().send(out(to=CUSTOMER)), [ok(sent(77))])
    assert (receipt.external_id, receipt.address) == ("77:42:BCabc_1-2", None)


def test_a_message_that_is_still_to_be_posted_has_no_id() -> None:
    """Bot API: a message_id of 0 is that of a message which the server posts later."""
    receipt, _ = drive(telegram().send(out()), [ok(sent(0))])
    assert receipt.external_id is None


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({}, {}),
        ({"silent": True}, {"disable_notification": True}),
        ({"disable_notification": True}, {"disable_notification": True}),
        ({"silent": False, "protect_content": "yes"}, {}),
        ({"link_preview": False}, {"link_preview_options": {"is_disabled": True}}),
        ({"link_preview": True}, {}),
        ({"link_preview": {"show_above_text": True, "url": 5}}, {"link_preview_options": {"show_above_text": True}}),
        ({"message_thread_id": 7}, {"message_thread_id": 7}),
        ({"message_thread_id": 1}, {}),
        ({"direct_messages_topic_id": 8}, {"direct_messages_topic_id": 8}),
    ],
)  # fmt: skip
def test_options(metadata: dict[str, Any], expected: dict[str, Any]) -> None:
    """`metadata` asks for what Telegram offers; what is of another type is not passed on."""
    (call,) = calls(out(metadata=metadata))
    around = {"chat_id", "text", "parse_mode"}
    assert {name: one for name, one in params(call).items() if name not in around} == expected


# ── replies and topics ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("outgoing", "expected"),
    [
        (out(reply_to="5:42"), {"message_id": 5, "allow_sending_without_reply": True}),
        (out(to=GROUP, reply_to="5:42"), {"message_id": 5, "chat_id": 42}),
        (out(to=CUSTOMER, reply_to="5:42:BCabc_1-2"), {"message_id": 5, "allow_sending_without_reply": True}),
        (out(to=Recipient("-4242", "-1004242000000", "group"), reply_to="5:-4242"), None),
        (out(reply_to="182736450001"), None),
        (out(reply_to="sandbox:abc.0"), None),
    ],
)  # fmt: skip
def test_replies(outgoing: Outgoing, expected: Any) -> None:
    """A message is answered if it can be referred to; what has none to refer to is just said."""
    (call,) = calls(outgoing)
    assert params(call).get("reply_parameters") == expected


@pytest.mark.parametrize(
    ("thread", "expected"),
    [("300:-1001234567890", 300), ("1:-1001234567890", None), ("300:-100999", None), ("x", None)],
)
def test_topics(thread: str, expected: int | None) -> None:
    """A topic is named by its opening; "General" by naming none; another chat's is none of this one."""
    (call,) = calls(out(to=GROUP, thread=thread))
    assert params(call).get("message_thread_id") == expected


def test_a_reply_that_is_gone_is_sent_without() -> None:
    """In topics Telegram insists on the answered message: if it is gone, the answer is sent alone."""
    gone = no(400, "Bad Request: message to be replied not found")
    outgoing = out(to=GROUP, reply_to="5:-1001234567890", thread="300:-1001234567890")
    receipt, (first, second) = drive(
        telegram().send(outgoing), [gone, ok(sent(77, -1001234567890))]
    )
    assert "reply_parameters" in params(first)
    assert "reply_parameters" not in params(second)
    assert params(second)["message_thread_id"] == 300
    assert receipt.external_id == "77:-1001234567890"


# ── markup that is not taken ──────────────────────────────────────────────────────────────────

UNREADABLE = no(
    400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 3'
)


def test_plain_text_when_markup_is_not_taken() -> None:
    """What Telegram cannot parse is said plainly, with nothing escaped."""
    outgoing = out("a < b", header="H & I", footer="F")
    _, (first, second) = drive(telegram().send(outgoing), [UNREADABLE, ok(sent())])
    assert params(first)["text"] == "<b>H &amp; I</b>\n\na &lt; b\n\n<i>F</i>"
    assert params(second)["text"] == "H & I\n\na < b\n\nF"
    assert "parse_mode" not in params(second)


@pytest.mark.parametrize("count", [1, 2])
def test_plain_captions_when_markup_is_not_taken(count: int) -> None:
    """Captions of files and albums, too; the files go along again."""
    outgoing = out("a < b", files=tuple(file("image") for _ in range(count)))
    answer = ok([sent(77), sent(78)] if count > 1 else sent(77))
    _, (first, second) = drive(telegram().send(outgoing), [UNREADABLE, answer])
    assert first.files == second.files != ()
    said = params(second)["media"][0] if count > 1 else params(second)
    assert (said["caption"], "parse_mode" in said) == ("a < b", False)
    assert faults(second) == []


def test_plain_text_that_is_not_taken_either_is_refused() -> None:
    """There is an end to it."""
    with pytest.raises(Rejected, match="can't parse"):
        drive(telegram().send(out("x")), [UNREADABLE, UNREADABLE])


# ── groups that have moved ────────────────────────────────────────────────────────────────────

MOVED = no(
    400, "Bad Request: group chat was upgraded to a supergroup chat",
    migrate_to_chat_id=-1004242000000,
)  # fmt: skip


def test_a_group_that_has_become_a_supergroup() -> None:
    """The message goes to the new chat at once; the receipt has its name and its address."""
    outgoing = out("hello", OLD_GROUP, reply_to="5:-4242", buttons=YES_NO)
    receipt, (first, second) = drive(
        telegram().send(outgoing), [MOVED, ok(sent(77, -1004242000000))]
    )
    assert params(first)["chat_id"] == -4242
    assert params(second)["chat_id"] == -1004242000000
    assert "reply_parameters" not in params(second)
    assert params(second)["reply_markup"] == params(first)["reply_markup"]
    assert (receipt.external_id, receipt.address) == ("77:-1004242000000", "-1004242000000")


def test_the_rest_of_a_message_goes_to_the_new_chat_too() -> None:
    """After the first call has moved, the others follow."""
    outgoing = out("words", OLD_GROUP, location=Location(52.5, 13.4))
    answer = [MOVED, ok(sent(77, -1004242000000)), ok(sent(78, -1004242000000))]
    receipt, made = drive(telegram().send(outgoing), answer)
    assert [params(call)["chat_id"] for call in made] == [-4242, -1004242000000, -1004242000000]
    assert (receipt.external_id, receipt.aliases) == ("77:-1004242000000", ("78:-1004242000000",))


def test_a_group_that_moves_on_and_on_is_refused() -> None:
    """There is an end to it, too."""
    with pytest.raises(Rejected):
        drive(telegram().send(out(to=OLD_GROUP)), [MOVED, MOVED])


# ── what cannot be said ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "outgoing",
    [
        out(""), out("  \n"), out("", template=Template("hello")),
        out("", location=Location(91, 0)), out("", location=Location(0, float("nan"))),
    ],
)  # fmt: skip
def test_nothing_to_say(outgoing: Outgoing) -> None:
    """What Telegram has no form for is refused before any request."""
    with pytest.raises(Rejected):
        drive(telegram().send(outgoing), [])


def test_words_that_are_too_long_with_their_header() -> None:
    """Header and footer that do not fit beside a full text are messages of their own."""
    made = calls(out("x" * 4090, header="News", footer="Bye"))
    assert [params(call)["text"] for call in made] == ["<b>News</b>", "x" * 4090, "<i>Bye</i>"]


def test_cards() -> None:
    """A card has number and names; what more it says is a vCard with everything escaped."""
    card = Contact("Hopper; Grace, Dr.", ["+441632960000", "+441632960001"], ["g@example.org"])
    (call,) = calls(out("", contacts=(card,)))
    assert params(call)["phone_number"] == "+441632960000"
    assert params(call)["vcard"].splitlines()[2:] == [
        r"FN:Hopper\; Grace\, Dr.", r"N:Hopper\; Grace\, Dr.;;;;", "TEL:+441632960000",
        "TEL:+441632960001", "EMAIL:g@example.org", "END:VCARD",
    ]  # fmt: skip
    many = Contact("Ada", ["+441632960000"], [f"ada{n}@example.org" for n in range(200)])
    (call,) = calls(out("", contacts=(many,)))
    assert "vcard" not in params(call)


# ── halves ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(429, "Too Many Requests", retry_after=5), Ambiguous),
        (no(500, "Internal Server Error"), Ambiguous),
        (no(400, "Bad Request: message is too long"), Rejected),
        (reply({"ok": True, "result": {}}), Ambiguous),
    ],
)
def test_half_a_message_is_never_repeated(answer: Any, error: type[Exception]) -> None:
    """After the first of several messages nothing asks for another attempt at all of them."""
    with pytest.raises(error, match=r"first of several|without telling") as caught:
        drive(telegram().send(out("x", files=(file("sticker"),))), [ok(sent()), answer])
    assert not isinstance(caught.value, Throttled | Transient)


def test_every_attempt_is_the_same() -> None:
    """Another attempt makes the same calls."""
    for outgoing in EVERY.values():
        assert calls(outgoing) == calls(outgoing)


def test_an_album_has_a_receipt_for_each() -> None:
    """An album is answered with as many messages as it has, or receipts would be missing."""
    receipt, (call,) = drive(telegram().send(EVERY["an album"]), answers)
    assert len((receipt.external_id, *receipt.aliases)) == len(params(call)["media"])
