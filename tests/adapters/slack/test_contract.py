"""Slack keeps the contract of all adapters, and gets on with a fake Slack that others wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from outeract_core.adapter import (
    Call,
    Inbound,
    MessageRef,
    Outgoing,
    OutgoingFile,
    Recipient,
    Reply,
)
from outeract_core.errors import Ambiguous
from outeract_core.events import Fact
from outeract_core.testing import AdapterContract, FakePlatform, Sample, post, reply, sign_slack
from tests.support.over_http import over_http, run
from tests.support.slack.samples import CONFIG, NOW, body_of, request, samples, slack


class TestSlack(AdapterContract):
    """What core relies on."""

    platform = "slack"
    config = CONFIG

    def samples(self) -> Iterable[Sample]:
        """Every sample of the repository, direct messages first."""
        found = samples()
        order = sorted(found, key=lambda name: (name != "message_files", name))
        secret = self.config["signing_secret"]
        for name in order:
            sample = found[name]
            if name == "ssl_check":
                continue
            form = sample["kind"] != "event"
            inbound = post(sign_slack(body_of(sample), secret, NOW, form=form), NOW)
            yield Sample(name, inbound, tuple(fact["kind"] for fact in sample["facts"]))

    def tampered(self) -> Iterable[Inbound]:
        """Signed with another secret; signed long ago."""
        sample = samples()["message_direct"]
        yield request(sample, secret="another-secret")
        yield post(sign_slack(body_of(sample), CONFIG["signing_secret"], 1_600_000_000), NOW)

    def replies(self, call: Call) -> Reply:
        """Slack when all goes well."""
        name = call.url.rpartition("/")[2]
        channel = (call.json or {}).get("channel", "C0GENERAL1")
        channel = "D0ANNA0001" if channel.startswith("U") else channel
        if name == "conversations.open":
            return reply({"ok": True, "channel": {"id": "D0ANNA0001"}})
        if name == "files.getUploadURLExternal":
            return reply({"ok": True, "upload_url": "https://files.slack.com/u/1", "file_id": "F1"})
        if name == "auth.test":
            return reply({"ok": True, "team_id": "T0TEAM0001", "user_id": "U0BOT00001"})
        if name == "users.info":
            profile = {"display_name": "Anna", "image_192": "https://avatars.slack-edge.com/a.png"}
            return reply({"ok": True, "user": {"id": "U0ANNA", "profile": profile}})
        if name == "conversations.info":
            return reply({"ok": True, "channel": {"id": "C0GENERAL1", "name": "general"}})
        if name == "conversations.history":
            return reply({"ok": True, "messages": [], "has_more": False})
        return reply({"ok": True, "channel": channel, "ts": "1764000099.000100", "files": []})


# ── the whole way, over HTTP ──────────────────────────────────────────────────────────────────


@pytest.fixture
def fake():
    """A Slack on a loopback port that knows the test's token."""
    with FakePlatform(clock=lambda: NOW, slack_token=CONFIG["bot_token"]) as platform:
        yield platform


def heard(adapter: Any, payload: Any) -> Fact:
    """The one fact of a payload, verified and parsed."""
    inbound = post(sign_slack(payload, CONFIG["signing_secret"], NOW), NOW)
    adapter.verify(inbound)
    (fact,) = adapter.parse(inbound)
    assert isinstance(fact, Fact)
    return fact


def answer_to(fact: Fact, text: str, **more: Any) -> Outgoing:
    """What the bot says to the sender of `fact`."""
    assert fact.sender is not None
    aliases = {alias.type: alias.value for alias in fact.sender.aliases}
    to = Recipient(str(fact.sender.external_id), str(fact.sender.external_id), aliases=aliases)
    return Outgoing("0199b0c0de0070008000000000000001.0", "0199b0c0de0070008000000000000001",
                    0, 1, to, text, text, **more)  # fmt: skip


def test_hear_answer_react_edit_delete(fake):
    """A person writes, is answered in the direct channel; the answer is changed and taken back."""
    adapter = slack(base_url=fake.url)
    fact = heard(adapter, fake.slack.say("U0ANNA0001", "1 < 2 & so on"))
    assert fact.payload["message"]["text"] == "1 < 2 & so on"
    receipt = run(adapter.send(answer_to(fact, "2 &gt; 1")))
    (sent,) = fake.sent("slack")
    assert (sent.text, sent.chat) == ("2 > 1", "D0ANNA0001")
    assert receipt.external_id == f"{sent.id}:D0ANNA0001"
    ref = MessageRef(receipt.external_id, Recipient("U0ANNA0001", "U0ANNA0001"), True)
    for _ in range(2):
        run(adapter.react(ref, "👍", False))
    for _ in range(2):
        run(adapter.react(ref, "👍", True))
    run(adapter.edit(ref, answer_to(fact, "better")))
    for _ in range(2):
        run(adapter.delete(ref))
    run(adapter.mark_read(ref))
    assert run(adapter.check()).account == "U0FAKEBOT"


def test_an_echo_is_ours(fake):
    """What the bot has said comes back as an echo of that very message, with its token."""
    adapter = slack(base_url=fake.url)
    fact = heard(adapter, fake.slack.say("U0ANNA0001", "hi"))
    receipt = run(adapter.send(answer_to(fact, "hello")))
    ts, channel = receipt.external_id.split(":")
    metadata = fake.sent("slack")[0].params["metadata"]
    said = fake.slack.say(
        "U0FAKEBOT", "hello", channel, ts=ts, bot_id="B0FAKE001", metadata=metadata
    )
    echo = heard(adapter, said)
    assert (echo.key, echo.echo) == (receipt.external_id, True)
    assert echo.correlation == answer_to(fact, "").token


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_looked_up(fake, done: bool):
    """After a connection that broke off, find() tells whether the message is there."""
    adapter = slack(base_url=fake.url)
    fact = heard(adapter, fake.slack.say("U0ANNA0001", "hi"))
    outgoing = answer_to(fact, "hello")
    fake.drop(1, "chat.postMessage", done=done)
    with pytest.raises(Ambiguous):
        run(adapter.send(outgoing))
    found = run(adapter.find(outgoing))
    assert (found is not None) is done
    assert len(fake.sent("slack")) == int(done)


def test_files_go_and_come(fake):
    """A file is uploaded whole; a file that a person sent is downloaded with the token."""
    adapter = slack(base_url=fake.url)
    shared_file = fake.slack.add_file(b"%PDF-1.7", "plan.pdf", "application/pdf")
    fact = heard(
        adapter, fake.slack.say("U0ANNA0001", "see", files=[shared_file], subtype="file_share")
    )
    download = run(adapter.fetch(fact.files[0].handle))
    answer = over_http(download.call)
    assert (answer.body, answer.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    stranger = over_http(
        slack(base_url=fake.url, bot_token="xoxb-wrong")._api.download(download.call.url)
    )
    assert stranger.headers["content-type"].startswith(download.refuse[0])
    data = OutgoingFile("cat.txt", "text/plain", "document", 4, data=b"meow")
    receipt = run(adapter.send(answer_to(fact, "a cat", files=(data,))))
    sent = fake.sent("slack")[-1]
    assert (sent.text, [file.data for file in sent.files]) == ("a cat", [b"meow"])
    echo = heard(adapter, fake.slack.echo(sent))
    assert (receipt.external_id, receipt.aliases) == (None, (echo.correlation,))
    assert (echo.echo, echo.key) == (True, f"{sent.id}:D0ANNA0001")
