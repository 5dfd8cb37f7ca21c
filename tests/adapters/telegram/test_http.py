"""Telegram works over HTTP, against a fake Bot API: messages, edits, files and polls go the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from outeract_core.adapter import MessageRef, OutgoingFile
from outeract_core.content import Button, Location
from outeract_core.errors import Ambiguous, Rejected, Throttled, Transient
from outeract_core.events import Fact
from outeract_core.testing import FakePlatform, post, sign_telegram
from outeract_core.testing.contract.hostile import DOCUMENT
from tests.support.over_http import over_http, run
from tests.support.telegram.calls import ADA, GROUP, file, out
from tests.support.telegram.samples import CONFIG, NOW, telegram

BIG = b"\x00\xff" * 40_000


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    """A Bot API on a loopback port that knows the test's token."""
    with FakePlatform(clock=lambda: NOW, telegram_token=CONFIG["token"]) as platform:
        yield platform


def heard(adapter: Any, update: Any) -> Fact:
    """The one fact of an update that is delivered to the webhook."""
    inbound = post(sign_telegram(update, CONFIG["webhook_secret_token"]), NOW)
    adapter.verify(inbound)
    (fact,) = adapter.parse(inbound)
    assert isinstance(fact, Fact)
    return fact


def test_hear_answer_change_react(fake: FakePlatform) -> None:
    """A person writes; the bot answers, edits, deletes, reacts, and is well."""
    adapter = telegram(base_url=fake.url)
    fact = heard(adapter, fake.telegram.say(42, "1 < 2 & so on 😀"))
    assert fact.payload["message"]["text"] == "1 < 2 & so on 😀"
    asked = MessageRef(str(fact.key), ADA)
    run(adapter.typing(ADA, asked))
    receipt = run(
        adapter.send(out("<b>yes</b>", reply_to=str(fact.key), buttons=(Button("a", "A"),)))
    )
    own = MessageRef(receipt.external_id, ADA, outbound=True)
    run(adapter.edit(own, out("no")))
    run(adapter.edit(own, out("no")))
    run(adapter.react(asked, "👍", False))
    run(adapter.react(asked, "👍", True))
    run(adapter.delete(own))
    run(adapter.delete(own))
    (answer,) = fake.sent("telegram")
    assert (answer.chat, answer.text) == ("42", "<b>yes</b>")
    assert answer.params["reply_parameters"]["message_id"] == int(str(fact.key).split(":")[0])
    assert f"{answer.id}:42" == receipt.external_id
    assert run(adapter.check()).name == "@fake_bot"


def test_every_form_is_read(fake: FakePlatform) -> None:
    """The fake reads the markup of every kind of node; nothing falls back to plain text."""
    run(telegram(base_url=fake.url).send(out(DOCUMENT)))
    (call,) = fake.requests
    assert call.json["parse_mode"] == "HTML"
    (found,) = fake.sent("telegram")
    assert "Heading & <more>" in found.text
    assert "<b>" not in found.text


def test_files_go_and_come(fake: FakePlatform) -> None:
    """A file goes out whole; a file that a person sent is downloaded, both with the token in the URL."""
    adapter = telegram(base_url=fake.url)
    file_id = fake.telegram.add_file(b"%PDF-1.7", "plan.pdf")
    document = {"file_id": file_id, "file_unique_id": "u", "file_name": "plan.pdf"}
    fact = heard(adapter, fake.telegram.say(42, "", document=document, caption="see"))
    download = run(adapter.fetch(fact.files[0].handle))
    assert over_http(download.call).body == b"%PDF-1.7"
    data = OutgoingFile('a "cat" é.png', "image/png", "image", len(BIG), data=BIG)
    run(adapter.send(out("a <cat>", files=(data,))))
    (sent,) = fake.sent("telegram")
    assert (sent.text, [(one.data, one.mime_type) for one in sent.files]) == (
        "a <cat>",
        [(BIG, "image/png")],
    )


def test_an_album_over_http(fake: FakePlatform) -> None:
    """Each file of an album arrives, and each has its receipt."""
    adapter = telegram(base_url=fake.url)
    receipt = run(adapter.send(out("see", GROUP, files=(file("image"), file("video")))))
    first, second = fake.sent("telegram")
    assert (first.text, second.text) == ("see", "")
    assert (receipt.external_id, *receipt.aliases) == (
        f"{first.id}:{GROUP.address}",
        f"{second.id}:{GROUP.address}",
    )


def test_places_over_http(fake: FakePlatform) -> None:
    """A place with a name is a venue."""
    run(telegram(base_url=fake.url).send(out("", location=Location(52.5, 13.4, "Berlin", "Mitte"))))
    (found,) = fake.sent("telegram")
    assert (found.method, found.params["title"]) == ("sendVenue", "Berlin")


def test_polling(fake: FakePlatform) -> None:
    """What was polled is forgotten by Telegram only with the next poll; nothing comes twice."""
    adapter = telegram(base_url=fake.url)
    for text in ("one", "two"):
        fake.telegram.say(42, text)
    first = run(adapter.poll(None, 0))
    again = run(adapter.poll(None, 0))
    assert [fact.key for fact in first.facts] == [fact.key for fact in again.facts]
    assert [fact.payload["message"]["text"] for fact in first.facts] == ["one", "two"]
    fake.telegram.say(42, "three")
    after = run(adapter.poll(first.cursor, 0))
    assert [fact.payload["message"]["text"] for fact in after.facts] == ["three"]


def test_polling_beside_a_webhook(fake: FakePlatform) -> None:
    """While a webhook is set a poll is refused, with what to do about it."""
    fake.telegram.webhook = {"url": "https://h.example/"}
    with pytest.raises(Transient, match="deleteWebhook"):
        run(telegram(base_url=fake.url).poll(None, 0))


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_ambiguous(fake: FakePlatform, done: bool) -> None:
    """Whether it arrived cannot be told."""
    fake.drop(1, "/sendMessage", done=done)
    with pytest.raises(Ambiguous):
        run(telegram(base_url=fake.url).send(out("hello")))
    assert len(fake.sent("telegram")) == int(done)


def test_refusals_come_through(fake: FakePlatform) -> None:
    """Too fast, blocked, and a wrong token are what they are."""
    adapter = telegram(base_url=fake.url)
    fake.throttle(1, "/sendMessage", after=3)
    with pytest.raises(Throttled) as slow:
        run(adapter.send(out("hello")))
    assert slow.value.after == 3.0
    fake.refuse(1, "/sendMessage")
    with pytest.raises(Rejected, match="blocked"):
        run(adapter.send(out("hello")))
    assert run(telegram(base_url=fake.url, token="1:wrong-token").check()).ok is False
    assert fake.sent("telegram") == []
