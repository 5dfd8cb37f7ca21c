"""What does not fit its message is refused by the fakes of Slack and WhatsApp as the platforms do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio.to_thread
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from outeract_core.testing import FakePlatform
from tests.testing.test_fake_platform import ask

pytestmark = pytest.mark.anyio

NUMBER, ANN, BOB = "106540352242922", "491700000001", "491700000002"
DAY = timedelta(days=1)


class Desk:
    """A fake, its clock, and what each platform tells of a try."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
        self.fake = FakePlatform(clock=lambda: self.now)

    def slack(self, method: str, **body: Any) -> str:
        """Slack's word for it: `ok` or the error."""
        client = WebClient("x", base_url=f"{self.fake.url}/api/", retry_handlers=[])
        try:
            client.api_call(method, json=body)
        except SlackApiError as no:
            return str(no.response["error"])
        return "ok"

    def whatsapp(self, kind: str, part: Any, to: str | None = ANN, **more: Any) -> list[Any]:
        """The status code, the statuses that follow and the codes of those that failed."""
        body = {"messaging_product": "whatsapp", "to": to, "type": kind, kind: part, **more}
        url = f"{self.fake.url}/v23.0/{NUMBER}/messages"
        code = ask(url, body, authorization="Bearer x")[0]
        wanted = ("sent", "delivered", "read")
        message = self.fake.sent("whatsapp")[-1]
        told = self.fake.whatsapp.told(message, wanted)
        payloads = [self.fake.whatsapp.status(message, one) for one in told]
        seen = [one["entry"][0]["changes"][0]["value"]["statuses"][0] for one in payloads]
        return [code, *(one.get("errors", [{}])[0].get("code", one["status"]) for one in seen)]

    def hears(self, who: str = ANN, **more: Any) -> str:
        """A person writes on WhatsApp; the id."""
        payload = self.fake.whatsapp.say(who, "hi", phone_number_id=NUMBER, **more)
        return str(payload["entry"][0]["changes"][0]["value"]["messages"][0]["id"])


@pytest.fixture
def desk():
    """A fake platform whose clock the test sets."""
    desk = Desk()
    with desk.fake:
        yield desk


# ── Slack ──

_SLACK = [
    ("chat.update", "mine", {"text": "new"}, "ok"),
    ("chat.update", "mine", {"text": ""}, "no_text"),
    ("chat.update", "theirs", {"text": "new"}, "cant_update_message"),
    ("chat.update", "nobody's", {"text": "new"}, "message_not_found"),
    ("chat.update", "gone", {"text": "new"}, "message_not_found"),
    ("chat.update", "elsewhere", {"text": "new"}, "message_not_found"),
    ("chat.delete", "mine", {}, "ok"),
    ("chat.delete", "theirs", {}, "cant_delete_message"),
    ("chat.delete", "nobody's", {}, "message_not_found"),
    ("chat.delete", "gone", {}, "message_not_found"),
    ("reactions.add", "mine", {"name": "tada"}, "ok"),
    ("reactions.add", "theirs", {"name": "+1::skin-tone-3"}, "ok"),
    ("reactions.add", "marked", {"name": "+1"}, "already_reacted"),
    ("reactions.add", "marked", {"name": "tada"}, "ok"),
    ("reactions.add", "mine", {"name": "👍"}, "invalid_name"),
    ("reactions.add", "mine", {"name": ":tada:"}, "invalid_name"),
    ("reactions.add", "mine", {"name": ""}, "invalid_name"),
    ("reactions.add", "mine", {"name": "nonesuch"}, "invalid_name"),
    ("reactions.add", "nobody's", {"name": "tada"}, "message_not_found"),
    ("reactions.add", "gone", {"name": "tada"}, "message_not_found"),
    ("reactions.remove", "marked", {"name": "+1"}, "ok"),
    ("reactions.remove", "mine", {"name": "+1"}, "no_reaction"),
    ("reactions.remove", "nobody's", {"name": "+1"}, "message_not_found"),
    ("chat.postMessage", "nobody's", {"text": "x", "thread_ts": "1.000001"}, "ok"),
    ("chat.postMessage", "nobody's", {"text": "x", "channel": "no channel"}, "channel_not_found"),
]


@pytest.mark.parametrize(("method", "which", "more", "told"), _SLACK)
async def test_slack(desk: Desk, method: str, which: str, more: dict[str, Any], told: str) -> None:
    """A method on the bot's, a person's, a deleted or no message is answered in Slack's words."""
    assert await anyio.to_thread.run_sync(tried, desk, method, which, more) == told


def tried(desk: Desk, method: str, which: str, more: dict[str, Any]) -> str:
    """What Slack says of a method on that message."""
    slack = desk.fake.slack
    slack.emoji = {"+1", "tada"}
    posts = {"mine": "C1", "gone": "C1", "marked": "C1", "elsewhere": "C2"}
    for text, channel in posts.items():
        assert desk.slack("chat.postMessage", channel=channel, text=text) == "ok"
    ts = {message.text: message.id for message in desk.fake.sent("slack")}
    ts |= {"theirs": slack.say("U1", "x", "C1")["event"]["ts"], "nobody's": "1.000001"}
    assert desk.slack("chat.delete", channel="C1", ts=ts["gone"]) == "ok"
    assert desk.slack("reactions.add", channel="C1", timestamp=ts["marked"], name="+1") == "ok"
    at = {"timestamp" if method.startswith("reactions") else "ts": ts[which]}
    return desk.slack(method, **{"channel": "C1", **at, **more})


async def test_a_message_told_with_its_own_ts_is_there(desk: Desk) -> None:
    """A payload that was made elsewhere can be made known, and is a person's."""
    desk.fake.slack.say("U1", "x", "C1", ts="1700000000.000100")
    where = {"channel": "C1", "ts": "1700000000.000100", "text": "new"}
    told = await anyio.to_thread.run_sync(lambda: desk.slack("chat.update", **where))
    assert told == "cant_update_message"


# ── WhatsApp ──

HI = ("text", {"body": "hi"})
ALL = [200, "sent", "delivered", "read"]


def react(wamid: str) -> tuple[str, Any]:
    """A reaction to this message."""
    return "reaction", {"message_id": wamid, "emoji": "👍"}


def later(desk: Desk, by: timedelta, what: tuple[str, Any], **more: Any) -> list[Any]:
    """What is told of it after a while."""
    desk.now += by
    return desk.whatsapp(*what, **more)


def answered(desk: Desk) -> str:
    """The id of what the bot has answered to Ann."""
    desk.hears()
    desk.whatsapp(*HI)
    return desk.fake.sent("whatsapp")[-1].id


def reacted(desk: Desk) -> str:
    """The id of the bot's reaction to Ann."""
    desk.whatsapp(*react(desk.hears()))
    return desk.fake.sent("whatsapp")[-1].id


def strange(desk: Desk, kind: str, part: Any) -> list[Any]:
    """What is told of the first word to somebody, where the fake is as Meta."""
    desk.fake.whatsapp.strangers = False
    return desk.whatsapp(kind, part)


TEMPLATE = ("template", {"name": "hello", "language": {"code": "en"}})
_WHATSAPP = {
    "answer": (lambda d: (d.hears(), later(d, DAY, HI))[1], ALL),
    "too late": (lambda d: (d.hears(), later(d, DAY * 1.01, HI))[1], [200, 131047]),
    "too late for a file": (
        lambda d: (d.hears(), later(d, DAY * 2, ("image", {"link": "https://x.example/a"})))[1],
        [200, 131047],
    ),
    "a template is never late": (lambda d: (d.hears(), later(d, DAY * 2, TEMPLATE))[1], ALL),
    "wrote again": (
        lambda d: (d.hears(), setattr(d, "now", d.now + DAY * 2), d.hears(), d.whatsapp(*HI))[3],
        ALL,
    ),
    "another's window": (lambda d: (d.hears(), later(d, DAY * 2, HI), d.hears(BOB))[1], [200, 131047]),
    "a user id is the same person": (
        lambda d: (d.hears(from_user_id="US.1"), later(d, DAY * 2, HI, to=None, recipient="US.1"))[1],
        [200, 131047],
    ),
    "a group's window is not its sender's": (
        lambda d: (d.hears(group_id="G1"), strange(d, *HI))[1],
        [200, 131047],
    ),
    "stranger": (lambda d: strange(d, *HI), [200, 131047]),
    "a template for a stranger": (lambda d: strange(d, *TEMPLATE), ALL),
    "reaction": (lambda d: d.whatsapp(*react(d.hears())), [200, "sent"]),
    "reaction to its own": (lambda d: d.whatsapp(*react(answered(d))), [200, "sent"]),
    "reaction to nothing": (
        lambda d: (d.hears(), d.whatsapp(*react("wamid.none")))[1],
        [200, 131009],
    ),
    "reaction to a reaction": (lambda d: d.whatsapp(*react(reacted(d))), [200, 131009]),
    "reaction in another's thread": (
        lambda d: (d.hears(), d.whatsapp(*react(d.hears(BOB))))[1],
        [200, 131009],
    ),
    "reaction to what is too old": (
        lambda d: (old := d.hears(), setattr(d, "now", d.now + 31 * DAY), d.hears(),
                   d.whatsapp(*react(old)))[3],
        [200, 131009],
    ),
    "an unknown context is no fault": (
        lambda d: (d.hears(), d.whatsapp(*HI, context={"message_id": "wamid.none"}))[1],
        ALL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _WHATSAPP)
async def test_whatsapp(desk: Desk, case: str) -> None:
    """Meta accepts it all; what does not fit is told as failed, with Meta's code and nothing else."""
    does, told = _WHATSAPP[case]
    assert await anyio.to_thread.run_sync(does, desk) == told


async def test_the_webhooks_tell_the_same(desk: Desk) -> None:
    """The fake's own deliveries and its signed statuses name the failure and no delivery."""
    heard: list[bytes] = []
    desk.fake.webhook("whatsapp", lambda headers, body: heard.append(body), "secret")
    desk.hears()
    await anyio.to_thread.run_sync(later, desk, DAY * 2, HI)
    assert await anyio.to_thread.run_sync(desk.fake.settled)
    by_hand = [body for _, body in desk.fake.statuses("secret")]
    assert [b"131047" in body and b"failed" in body for body in (*heard, *by_hand)] == [True] * 2
