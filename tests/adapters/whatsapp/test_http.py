"""WhatsApp works over HTTP, against a fake Cloud API: messages, statuses and files go the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from outeract_core.adapter import Call, MessageRef, OutgoingFile, Recipient
from outeract_core.content import Button
from outeract_core.errors import Ambiguous, Rejected
from outeract_core.events import Fact
from outeract_core.testing import FakePlatform, post, sign_whatsapp
from tests.support.over_http import over_http, run
from tests.support.whatsapp.calls import TOKEN, out
from tests.support.whatsapp.samples import CONFIG, NOW, NUMBER, whatsapp

ADA = Recipient("+491700000001", "+491700000001")
BIG = b"\x00\xff" * 40_000


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Cloud API on a loopback port that knows the test's token."""
    with FakePlatform(clock=lambda: NOW, whatsapp_token=CONFIG["access_token"]) as platform:
        yield platform


def heard(adapter: Any, signed: Any) -> Fact:
    """The one fact of a signed webhook, verified and parsed."""
    inbound = post(signed, NOW)
    adapter.verify(inbound)
    (fact,) = adapter.parse(inbound)
    assert isinstance(fact, Fact)
    return fact


def said(fake: FakePlatform, text: str, **more: Any) -> Any:
    """A webhook in which Ada writes."""
    payload = fake.whatsapp.say("491700000001", text, phone_number_id=NUMBER, **more)
    return sign_whatsapp(payload, CONFIG["app_secret"])


def test_hear_answer_react(fake: FakePlatform) -> None:
    """A person writes, the bot shows that it is writing, answers, reacts, and is well."""
    adapter = whatsapp(base_url=fake.url)
    fact = heard(adapter, said(fake, "1 < 2 & so on 😀"))
    assert fact.payload["message"]["text"] == "1 < 2 & so on 😀"
    ref = MessageRef(str(fact.key), ADA)
    run(adapter.typing(ADA, ref))
    run(adapter.mark_read(ref))
    receipt = run(
        adapter.send(out("*yes*", ADA, reply_to=str(fact.key), buttons=(Button("a", "A"),)))
    )
    run(adapter.react(ref, "👍", False))
    run(adapter.react(ref, "👍", True))
    answer, reaction, gone = fake.sent("whatsapp")
    assert (answer.chat, answer.text, answer.correlation) == ("491700000001", "*yes*", TOKEN)
    assert answer.id == receipt.external_id
    assert answer.params["context"] == {"message_id": fact.key}
    assert (reaction.text, gone.text) == ("👍", "")
    assert run(adapter.check()).ok


def test_statuses_lead_to_what_was_sent(fake: FakePlatform) -> None:
    """Sent, delivered and read name the receipt's id and bring our token back."""
    adapter = whatsapp(base_url=fake.url)
    receipt = run(adapter.send(out("hello", ADA)))
    facts = [heard(adapter, signed) for signed in fake.statuses(CONFIG["app_secret"])]
    assert [fact.kind for fact in facts] == ["message.sent", "message.delivered", "message.read"]
    assert {(fact.target, fact.correlation, fact.account) for fact in facts} == {
        (receipt.external_id, TOKEN, NUMBER)
    }


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_ambiguous(fake: FakePlatform, done: bool) -> None:
    """Whether it arrived cannot be told; if it did, its status names our token."""
    adapter = whatsapp(base_url=fake.url)
    fake.drop(1, "/messages", done=done)
    with pytest.raises(Ambiguous):
        run(adapter.send(out("hello", ADA)))
    facts = [heard(adapter, signed) for signed in fake.statuses(CONFIG["app_secret"])]
    assert [fact.correlation for fact in facts] == [TOKEN] * (3 if done else 0)


def test_files_go_and_come(fake: FakePlatform) -> None:
    """A file is uploaded whole; a file that a person sent is downloaded with the token."""
    adapter = whatsapp(base_url=fake.url)
    media_id = fake.whatsapp.add_media(b"%PDF-1.7", "application/pdf")
    document = {"id": media_id, "mime_type": "application/pdf", "filename": "plan.pdf"}
    fact = heard(adapter, said(fake, "", type="document", document=document))
    download = run(adapter.fetch(fact.files[0].handle))
    assert over_http(download.call).body == b"%PDF-1.7"
    assert fake.url in download.call.url
    data = OutgoingFile("cat.png", "image/png", "image", len(BIG), data=BIG)
    run(adapter.send(out("a cat", ADA, files=(data,))))
    (sent,) = fake.sent("whatsapp")
    assert (sent.text, [(one.data, one.mime_type) for one in sent.files]) == (
        "a cat",
        [(BIG, "image/png")],
    )


def test_the_download_needs_the_token(fake: FakePlatform) -> None:
    """The same address without our token is refused."""
    adapter = whatsapp(base_url=fake.url)
    handle = {"id": fake.whatsapp.add_media(b"data", "image/png")}
    download = run(adapter.fetch(handle))
    assert over_http(Call("GET", download.call.url)).status == 401


def test_refusals_come_through(fake: FakePlatform) -> None:
    """A closed window and a wrong token are what they are."""
    closed = {"error": {"message": "(#131047) Re-engagement message", "code": 131047}}
    fake.fail(1, "/messages", 400, closed)
    with pytest.raises(Rejected, match="template"):
        run(whatsapp(base_url=fake.url).send(out("hello", ADA)))
    assert run(whatsapp(base_url=fake.url, access_token="EAAG-wrong-token").check()).ok is False
    assert fake.sent("whatsapp") == []
