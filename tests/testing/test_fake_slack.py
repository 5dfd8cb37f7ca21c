"""The fake Slack, judged by slack_sdk's own client and by answers that Slack's SDKs recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from outeract_core.testing import FakePlatform
from tests.support.shared import shared

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def fake():
    """A Slack on a loopback port whose clock stands still."""
    with FakePlatform(clock=lambda: NOW, slack_token="xoxb-good") as platform:
        yield platform


@pytest.fixture
def client(fake):
    """Slack's own client, which retries nothing."""
    return WebClient("xoxb-good", base_url=f"{fake.url}/api/", retry_handlers=[])


def refused(call: Any, **given: Any) -> str:
    """The error that a call ends with."""
    with pytest.raises(SlackApiError) as raised:
        call(**given)
    return str(raised.value.response["error"])


def test_the_client_says_and_changes(fake, client):
    """Posting, threads, editing and deleting, in a channel and to a person."""
    said = client.chat_postMessage(channel="C1", text="1 &lt; 2", blocks=[{"type": "divider"}])
    assert said["channel"] == "C1"
    assert said["message"]["bot_id"]
    reply = client.chat_postMessage(channel="C1", text="below", thread_ts=said["ts"])
    assert reply["message"]["thread_ts"] == said["ts"]
    assert client.chat_postMessage(channel="U0ANNA", text="you")["channel"].startswith("D")
    changed = client.chat_update(channel="C1", ts=said["ts"], text="new")
    assert changed["message"]["edited"]["user"] == said["message"]["user"]
    assert [one.text for one in fake.sent("slack")] == ["1 < 2", "below", "you"]
    replies = client.conversations_replies(channel="C1", ts=said["ts"])["messages"]
    assert [one["text"] for one in replies] == ["new", "below"]
    assert client.chat_delete(channel="C1", ts=said["ts"])["ts"] == said["ts"]
    assert refused(client.chat_delete, channel="C1", ts=said["ts"]) == "message_not_found"


def test_the_client_reads_history(client):
    """Newest first, in pages, with metadata only when it is asked for."""
    metadata = {"event_type": "e", "event_payload": {"token": "t.0"}}
    for number in range(3):
        client.chat_postMessage(channel="C1", text=str(number), metadata=metadata)
    page = client.conversations_history(channel="C1", limit=2)
    assert [one["text"] for one in page["messages"]] == ["2", "1"]
    assert page["has_more"] is True
    assert "metadata" not in page["messages"][0]
    whole = client.conversations_history(channel="C1", include_all_metadata=True)
    assert whole["messages"][0]["metadata"] == metadata


def test_the_client_reacts(client):
    """A reaction is set once and taken back once."""
    ts = client.chat_postMessage(channel="C1", text="hi")["ts"]
    which = {"channel": "C1", "timestamp": ts, "name": "+1"}
    assert client.reactions_add(**which)["ok"]
    assert refused(client.reactions_add, **which) == "already_reacted"
    assert client.reactions_remove(**which)["ok"]
    assert refused(client.reactions_remove, **which) == "no_reaction"


def test_the_client_uploads(fake, client):
    """Its three steps work, the bytes arrive, and the file is one message with its comment."""
    told = client.files_upload_v2(
        channel="C1", content="meow", filename="cat.txt", initial_comment="a cat"
    )
    (sent,) = fake.sent("slack")
    assert (sent.text, sent.files[0].data) == ("a cat", b"meow")
    info = client.files_info(file=told["files"][0]["id"])["file"]
    assert info["size"] == 4
    assert refused(client.files_info, file="F9") == "file_not_found"


def test_the_client_knows_itself_and_others(client):
    """auth.test, people and conversations are what the client expects."""
    me = client.auth_test()
    assert (me["user_id"][0], me["bot_id"][0], me["team_id"][0]) == ("U", "B", "T")
    assert refused(client.users_info, user="U0ANNA") == "user_not_found"
    channel = client.conversations_open(users=["U0ANNA"])["channel"]["id"]
    assert client.users_info(user="U0ANNA")["user"]["id"] == "U0ANNA"
    assert client.bots_info(bot=me["bot_id"])["bot"]["app_id"][0] == "A"
    assert refused(client.conversations_info, channel="C1") == "channel_not_found"
    assert client.conversations_info(channel=channel)["channel"]["is_im"] is True
    assert client.conversations_mark(channel="C1", ts="1.000001")["ok"]


def test_the_client_is_refused(fake, client):
    """A bad token, nothing to say, nowhere to say it, an unknown method, and too many requests."""
    stranger = WebClient("xoxb-bad", base_url=f"{fake.url}/api/")
    assert refused(stranger.auth_test) == "invalid_auth"
    empty = {"api_method": "chat.postMessage", "json": {"channel": "C1", "text": ""}}
    assert refused(client.api_call, **empty) == "no_text"
    assert refused(client.chat_postMessage, channel="", text="x") == "channel_not_found"
    assert refused(client.chat_postMessage, channel="C1", text="x" * 40_001) == "msg_too_long"
    assert refused(client.api_call, api_method="no.such") == "unknown_method"
    fake.throttle(1, "auth.test", after=9)
    with pytest.raises(SlackApiError) as slow:
        client.auth_test()
    assert slow.value.response.status_code == 429
    assert slow.value.response.headers["retry-after"] == "9"


@pytest.mark.parametrize(
    ("method", "body"),
    [("auth.test", {}), ("chat.delete", {"channel": "C1", "ts": "?"}),
     ("reactions.add", {"channel": "C1", "timestamp": "?", "name": "+1"}),
     ("users.info", {"user": "U0FAKEBOT"}), ("conversations.info", {"channel": "C1"}),
     ("files.getUploadURLExternal", {"filename": "a", "length": 1}),
     ("files.completeUploadExternal", {"files": "?"})],
)  # fmt: skip
def test_answers_have_no_member_that_slack_has_not(client, method: str, body: dict[str, Any]):
    """Each member of an answer stands in the answer that java-slack-sdk recorded."""
    recorded = json.loads(shared(f"slack/java-slack-sdk-samples/api/{method}.json").read_text())
    ts = client.chat_postMessage(channel="C1", text="hi")["ts"]
    file = client.files_getUploadURLExternal(filename="a.txt", length=1)["file_id"]
    fills = {"ts": ts, "timestamp": ts, "files": [{"id": file}]}
    given = {name: fills[name] if value == "?" else value for name, value in body.items()}
    reads = method in ("users.info", "conversations.info", "files.getUploadURLExternal")
    answer = client.api_call(method, **{"params" if reads else "json": given}).data  # no JSON there
    assert list(unknown(answer, recorded)) == []


def unknown(answer: Any, recorded: Any, path: str = "") -> Any:
    """The members of `answer` that `recorded` has not; where a list is recorded, by its first."""
    if isinstance(answer, dict) and isinstance(recorded, dict):
        for name, value in answer.items():
            if name in recorded:
                yield from unknown(value, recorded[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(answer, list) and isinstance(recorded, list) and recorded:
        for one in answer:
            yield from unknown(one, recorded[0], path)
