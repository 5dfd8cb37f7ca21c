"""What WhatsApp is asked to send: every kind of message, judged by Meta's own description."""

from __future__ import annotations

from typing import Any

import pytest

from outeract_core.adapter import Outgoing, Recipient
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient
from outeract_core.testing import drive, reply
from tests.support.whatsapp.bodies import EVERY, HEADER
from tests.support.whatsapp.calls import (
    ADA,
    BSUID,
    GROUP,
    NAMELESS,
    TOKEN,
    accepted,
    answers,
    file,
    no,
    out,
    posted,
)
from tests.support.whatsapp.openapi import faults
from tests.support.whatsapp.samples import CONFIG, NUMBER, whatsapp


@pytest.mark.parametrize("name", EVERY)
def test_bodies_satisfy_the_description(name: str) -> None:
    """Every body that is posted is valid by Meta's OpenAPI description."""
    bodies = posted(EVERY[name])
    assert bodies
    for body in bodies:
        assert faults(body) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"text": {"bodi": "x"}},
        {"text": "x"},
        {"type": "interactive", "interactive": {"type": "button", "action": {"buttons": []}}},
        {"type": "nothing"},
        {"recipient": BSUID},
        {"surprise": 1},
        {"recipient_type": "crowd"},
    ],
)
def test_the_judge_refuses(broken: dict[str, Any]) -> None:
    """The description, corrected as it is, still refuses what is wrong."""
    good = posted(out("x"))[0]
    assert faults(good) == []
    assert faults({**good, **broken})


# ── requests ──────────────────────────────────────────────────────────────────────────────────


def test_text_request() -> None:
    """A text is one POST with the token in the header and ours in the callback data."""
    sent, (call,) = drive(whatsapp().send(out("hello")), [accepted()])
    assert call.method == "POST"
    assert call.url == f"https://graph.facebook.com/v23.0/{NUMBER}/messages"
    assert call.headers["authorization"] == f"Bearer {CONFIG['access_token']}"
    assert call.json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+491700000001",
        "type": "text",
        "text": {"body": "hello", "preview_url": False},
        "biz_opaque_callback_data": TOKEN,
    }
    assert (sent.external_id, sent.aliases, sent.address) == ("wamid.OUT100", (), None)


def test_version_and_base_url_are_configurable() -> None:
    """Another version and another host are used as given."""
    adapter = whatsapp(api_version="v26.0", base_url="http://127.0.0.1:8080/")
    _, (call,) = drive(adapter.send(out()), [accepted()])
    assert call.url == f"http://127.0.0.1:8080/v26.0/{NUMBER}/messages"


@pytest.mark.parametrize("version", ["23.0", "v23", "v23.0/x", "latest"])
def test_a_wrong_version_is_refused(version: str) -> None:
    """A version that is none is refused at once, with what it should look like."""
    with pytest.raises(ValueError, match=r"v23\.0"):
        whatsapp(api_version=version)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (ADA, {"recipient_type": "individual", "to": "+491700000001"}),
        (Recipient("491700000001", "49 (170) 000-0001"), {"recipient_type": "individual", "to": "+491700000001"}),
        (NAMELESS, {"recipient_type": "individual", "recipient": BSUID}),
        (Recipient("x", "US.ENT.abc1"), {"recipient_type": "individual", "recipient": "US.ENT.abc1"}),
        (GROUP, {"recipient_type": "group", "to": "Y2FwaV9ncm91cDox"}),
    ],
)  # fmt: skip
def test_recipients(to: Recipient, expected: dict[str, str]) -> None:
    """Numbers go as E.164, user ids into `recipient`, groups by their id."""
    (body,) = posted(out(to=to))
    assert {name: body.get(name) for name in expected} == expected
    assert len({"to", "recipient"} & set(body)) == 1


@pytest.mark.parametrize("address", ["", "ada", "123", "../../x", "DE.", "DE.a b", "+49170x"])
def test_no_recipient(address: str) -> None:
    """What is neither number nor user id is refused before any request, with the remedy."""
    with pytest.raises(Rejected, match=r"\+16505551234"):
        drive(whatsapp().send(out(to=Recipient(address, address))), [])


def test_another_number_in_the_answer() -> None:
    """When WhatsApp writes the number differently, that becomes the address."""
    sent, _ = drive(whatsapp().send(out()), [accepted(wa_id="4917000000019")])
    assert sent.address == "+4917000000019"


@pytest.mark.parametrize("asked", [True, False])
def test_preview(asked: bool) -> None:
    """A link is previewed unless the host says otherwise."""
    (body,) = posted(out("see https://example.org", metadata={"preview_url": asked}))
    assert body["text"]["preview_url"] is asked
    (body,) = posted(out("see https://example.org"))
    assert body["text"]["preview_url"] is True


def test_reply() -> None:
    """An answer names its message in the context."""
    (body,) = posted(out("sure", reply_to="wamid.IN001"))
    assert body["context"] == {"message_id": "wamid.IN001"}


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_upload_comes_first() -> None:
    """The file goes to /media as multipart; the message then names its id."""
    picture = file("image")
    sent, (upload, message) = drive(whatsapp().send(out("A cat", files=(picture,))), answers)
    assert upload.url == f"https://graph.facebook.com/v23.0/{NUMBER}/media"
    assert upload.form == {"messaging_product": "whatsapp", "type": "image/jpeg"}
    assert [(name, one.read(), one.mime_type) for name, one in upload.files] == [
        ("file", b"data", "image/jpeg")
    ]
    assert message.json["image"] == {"id": "7100", "caption": "A cat"}
    assert sent.external_id == "wamid.OUT100"


def test_voice_is_opus() -> None:
    """A voice message names its codec, without which WhatsApp refuses Ogg."""
    _, (upload, message) = drive(whatsapp().send(out("", files=(file("voice"),))), answers)
    assert dict(upload.form or {})["type"] == "audio/ogg; codecs=opus"
    assert upload.files[0][1].mime_type == "audio/ogg; codecs=opus"
    assert message.json["audio"] == {"id": "7100", "voice": True}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (file("image", "image/gif"), "document"),
        (file("image", "image/jpeg", 6 * 1024**2), "document"),
        (file("video", "video/quicktime"), "document"),
        (file("sticker", "image/png"), "document"),
        (file("voice", "audio/wav"), "document"),
        (file("voice", "audio/mpeg"), "audio"),
        (file("image", "image/PNG; charset=x"), "image"),
    ],
)
def test_what_does_not_fit_its_kind_is_a_document(sent: Any, shown: str) -> None:
    """A file that WhatsApp would refuse as what it is goes as a document, under its name."""
    (body,) = posted(out("", files=(sent,)))
    assert body["type"] == shown
    assert ("filename" in body[shown]) is (shown == "document")


@pytest.mark.parametrize("kind", ["audio", "voice", "sticker"])
def test_text_of_what_has_no_caption(kind: str) -> None:
    """Where there is no caption the text follows as a message of its own."""
    first, second = posted(out("listen", files=(file(kind),), reply_to="wamid.IN001"))
    assert "caption" not in first[first["type"]]
    assert second["text"]["body"] == "listen"
    assert "context" in first
    assert "context" not in second


def test_a_long_caption_is_a_message() -> None:
    """A caption over 1024 characters is not cut: it follows as a text."""
    first, second = posted(out("x" * 1025, files=(file("image"),)))
    assert first["image"] == {"id": "7100"}
    assert second["text"]["body"] == "x" * 1025
    (whole,) = posted(out("x" * 1024, files=(file("image"),)))
    assert whole["image"]["caption"] == "x" * 1024


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (no(131056), Ambiguous),
        (no(190, 401), Ambiguous),
        (no(100), Rejected),
        (reply({}), Ambiguous),
    ],
)
def test_half_a_message_is_never_repeated(answer: Any, error: type[Exception]) -> None:
    """After the first of two messages nothing asks for another attempt at both."""
    replies = [reply({"id": "7100"}), accepted("wamid.OUT1"), answer]
    with pytest.raises(error, match="first of two"):
        drive(whatsapp().send(out("listen", files=(file("voice"),))), replies)


def test_both_halves_have_a_receipt() -> None:
    """The receipt names both messages."""
    replies = [reply({"id": "7100"}), accepted("wamid.OUT1"), accepted("wamid.OUT2")]
    sent, _ = drive(whatsapp().send(out("listen", files=(file("voice"),))), replies)
    assert (sent.external_id, sent.aliases) == ("wamid.OUT1", ("wamid.OUT2",))


@pytest.mark.parametrize(
    "media",
    [
        "x",
        {"type": "image"},
        {"type": "image", "id": "1", "link": "https://e.org"},
        {"type": "image", "link": "file:///etc/passwd"},
        {"type": "poster", "id": "1"},
    ],
)
def test_named_media_must_be_whole(media: Any) -> None:
    """A file named in `metadata` needs a known type and exactly one of id and link."""
    with pytest.raises(Rejected, match="metadata"):
        drive(whatsapp().send(out("x", metadata={"media": media})), [])


def test_named_media_goes_once() -> None:
    """Only the first part of a message carries the file that `metadata` names."""
    named = {"media": {"type": "image", "id": "7"}}
    second = Outgoing(TOKEN, TOKEN, 1, 2, ADA, "more", "more", metadata=named)
    assert [body["type"] for body in posted(second)] == ["text"]


# ── the rest ──────────────────────────────────────────────────────────────────────────────────


def test_contacts() -> None:
    """A card has its names and, for a number, the WhatsApp id that makes it reachable."""
    (body,) = posted(EVERY["contacts"])
    assert body["contacts"][0] == {
        "name": {
            "formatted_name": "Ada King Lovelace",
            "first_name": "Ada",
            "last_name": "King Lovelace",
        },
        "phones": [{"phone": "+441632960000", "wa_id": "441632960000"}],
        "emails": [{"email": "ada@example.org"}],
    }
    assert body["contacts"][1] == {"name": {"formatted_name": "Grace", "first_name": "Grace"}}


def test_template() -> None:
    """A template has name, language and its components as they were given."""
    (body,) = posted(EVERY["template with parameters"])
    assert body["template"] == {"name": "order", "language": {"code": "de"}, "components": [HEADER]}


def test_nothing_to_say() -> None:
    """An empty text is refused before any request."""
    with pytest.raises(Rejected, match="empty"):
        drive(whatsapp().send(out("")), [])


@pytest.mark.parametrize(
    "answer", [reply({}), reply({"messages": []}), reply({"messages": [{"id": 1}]})]
)
def test_accepted_without_an_id(answer: Any) -> None:
    """An answer without a message id may have been done: it is never simply repeated."""
    with pytest.raises(Ambiguous):
        drive(whatsapp().send(out()), [answer])


def test_uploads_may_be_repeated() -> None:
    """A failed upload shows nothing to anybody, so it is tried again."""
    flow = whatsapp().send(out("", files=(file("image"),)))
    with pytest.raises(Transient):
        drive(flow, [reply(b"<html>", 502)])
    flow = whatsapp().send(out("", files=(file("image"),)))
    next(flow)
    with pytest.raises(Transient):
        flow.throw(Ambiguous("broke off"))


def test_pair_rate_waits_longer_each_time() -> None:
    """Too many messages to one person: only this chat waits, 4, 16, 64 … seconds."""
    for attempt, seconds in ((1, 4), (2, 16), (3, 64), (99, 4096)):
        with pytest.raises(Throttled) as caught:
            drive(whatsapp().send(out(attempt=attempt)), [no(131056)])
        assert (caught.value.after, caught.value.scope) == (seconds, "chat")
