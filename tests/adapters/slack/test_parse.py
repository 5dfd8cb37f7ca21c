"""Slack in: every shape becomes the fact that it should, and nothing that was verified gets lost."""

from __future__ import annotations

import inspect
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models import attachments, blocks
from slack_sdk.models.basic_objects import JsonObject

from outeract_adapters.slack import Slack, parse
from outeract_core._domain.rules.credentials import strike_body
from outeract_core.adapter import Inbound
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Unparsed
from tests.support.shared import shared
from tests.support.slack.samples import NOW, body_of, event, request, samples, slack, told, within

SAMPLES = samples()
JAVA = "slack/java-slack-sdk-samples"


def facts(inbound: Inbound, adapter: Slack | None = None) -> list[Fact | Unparsed]:
    """All that a request says."""
    return list((adapter or slack()).parse(inbound))


def one(inbound: Inbound, adapter: Slack | None = None) -> Fact:
    """The one fact that a request says."""
    (fact,) = facts(inbound, adapter)
    assert isinstance(fact, Fact)
    return fact


# ── our own samples ───────────────────────────────────────────────────────────────────────────


def test_there_are_samples():
    """The repository carries a sample for every shape that matters."""
    assert len(SAMPLES) >= 40


@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name: str):
    """The request yields exactly the facts that the sample describes."""
    expected = SAMPLES[name]["facts"]
    found = [told(fact) for fact in facts(request(SAMPLES[name]))]
    assert [within(e, f) for e, f in zip(expected, found, strict=True)] == expected


def test_mention_and_message_are_one_message():
    """`app_mention` and `message` of one text have the same key and payload: either may come first."""
    message = one(request(SAMPLES["message_channel"]))
    mention = one(request(SAMPLES["app_mention"]))
    assert (message.key, message.payload, message.sender, message.chat) == (
        mention.key, mention.payload, mention.sender, mention.chat,
    )  # fmt: skip


def test_a_retry_is_parsed_like_the_first_delivery():
    """X-Slack-Retry-Num drops nothing: the retry may be the first that arrived."""
    inbound = request(SAMPLES["message_channel"])
    retry = Inbound(
        "POST",
        {**inbound.headers, "x-slack-retry-num": "2", "x-slack-retry-reason": "http_timeout"},
        {}, inbound.body, inbound.received_at,
    )  # fmt: skip
    assert facts(retry) == facts(inbound) != []


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_stored_holds_a_credential(name: str):
    """What the manifest declares is all that a delivery holds: struck by core, it is in no fact."""
    for fact in facts(struck(request(SAMPLES[name]))):
        text = repr(fact)
        for secret in (
            "legacy-verification-token", "xwfp-secret", "s3cret", "hooks.slack.com", "abcd2358fdea",
        ):  # fmt: skip
            assert secret not in text


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fact_does_not_depend_on_a_credential(name: str):
    """What is struck is needed for nothing: kinds, payloads and parties are those of the whole request."""
    whole, left = facts(request(SAMPLES[name])), facts(struck(request(SAMPLES[name])))
    assert [plain(fact) for fact in left] == [plain(fact) for fact in whole]


def plain(fact: Fact | Unparsed) -> Any:
    """A fact without what is kept of its item, and without the keys that are made of a whole body."""
    if isinstance(fact, Unparsed):
        return fact.error
    by_body = str(fact.key).startswith("body:")
    payload = {k: v for k, v in fact.payload.items() if not (by_body and v == fact.key)}
    return evolve(fact, raw=None, key=None if by_body else fact.key, payload=payload)


def struck(inbound: Inbound) -> Inbound:
    """A request as core gives it to `parse`."""
    return evolve(inbound, body=strike_body(inbound.body, slack().manifest.credentials)[0])


# ── whose message ─────────────────────────────────────────────────────────────────────────────


def without_authorizations(name: str) -> dict[str, Any]:
    """A sample's envelope without any hint at who we are."""
    body = json.loads(json.dumps(SAMPLES[name]["body"]))
    del body["authorizations"], body["api_app_id"]
    return body


def test_settings_recognise_our_own_messages():
    """Without hints in the delivery, bot_user_id, bot_id or app_id of the connection each suffice."""
    body = without_authorizations("echo_channel")
    assert not one(event(body)).echo
    assert one(event(body), slack(bot_user_id="U0BOT00001")).echo
    assert one(event(body), slack(bot_id="B0BOT00001")).echo
    assert one(event(body), slack(app_id="A0OUTERACT")).echo


def test_the_same_app_elsewhere_is_not_us():
    """The bot of the same app in the other workspace of a shared channel is somebody else."""
    body = json.loads(json.dumps(SAMPLES["echo_channel"]["body"]))
    body["event"].update(user="U0BOTELSEW", bot_id="B0BOTELSEW")
    assert not one(event(body)).echo


def test_the_installer_is_a_person():
    """An authorization of a person (`is_bot: false`) makes that person's messages no echoes."""
    body = json.loads(json.dumps(SAMPLES["message_direct"]["body"]))
    body["authorizations"] = [{"user_id": "U0ANNA0001", "is_bot": False}]
    assert not one(event(body)).echo


# ── judged by what others wrote ───────────────────────────────────────────────────────────────


FILL = {
    "ts": "1700000000.000100", "event_ts": "1700000000.000200", "thread_ts": "1690000000.000100",
    "deleted_ts": "1700000000.000100", "message_ts": "1700000000.000100",
    "action_ts": "1700000000.000300", "channel_type": "channel", "event_id": "Ev0SAMPLE01",
    "id": "X0SAMPLE01", "user": "U0SAMPLE01", "channel": "C0SAMPLE01", "user_id": "U0SAMPLE01",
    "channel_id": "C0SAMPLE01", "bot_id": "B0SAMPLE01", "app_id": "A0SAMPLE01",
    "api_app_id": "A0SAMPLE01", "reaction": "wave", "text": "sample text",
}  # fmt: skip


def filled(value: Any, name: str = "") -> Any:
    """The SDK's samples have blank values: ids and times where they belong, no blank subtype."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (k == "subtype" and v == "")}
        return {k: filled(v, k) for k, v in kept.items()}
    if isinstance(value, list):
        return [filled(one, name) for one in value]
    if value in ("", "0000000000.000000"):
        return FILL.get(name, "x")
    return value


def java(folder: str) -> dict[str, Any]:
    """The SDK's samples of a folder by name."""
    found = sorted(shared(f"{JAVA}/{folder}").glob("*.json"))
    return {path.stem.removesuffix("Payload"): json.loads(path.read_text()) for path in found}


def java_event(sample: dict[str, Any]) -> dict[str, Any]:
    """An SDK sample as Slack would send it."""
    body = filled(sample)
    body["type"] = "event_callback"
    return body


def test_every_sdk_event_is_understood():
    """All event samples of java-slack-sdk become facts of the kind that their name says."""
    kinds = {
        "Message": "message.inbound", "AppMention": "message.inbound", "MessageBot": "message.inbound",
        "MessageFileShare": "message.inbound", "MessageMe": "message.inbound",
        "MessageThreadBroadcast": "message.inbound", "MessageDeleted": "message.deleted",
        "ReactionAdded": "message.reaction_added", "ReactionRemoved": "message.reaction_removed",
        "AppUninstalled": "system.connection_changed", "TokensRevoked": "system.connection_changed",
    }  # fmt: skip
    found = {name: one(event(java_event(sample))) for name, sample in java("events").items()}
    assert len(found) >= 28
    assert {name: fact.kind for name, fact in found.items()} == {
        name: kinds.get(name, "system.notice") for name in found
    }


def test_sdk_edit_is_an_edit_when_the_text_differs():
    """The SDK's message_changed has equal halves, which is no edit; with another text it is one."""
    body = java_event(java("events")["MessageChanged"])
    assert one(event(body)).kind == "system.notice"
    body["event"]["message"]["text"] = "another text"
    assert one(event(body)).kind == "message.edited"


def test_every_sdk_interaction_is_understood():
    """All interaction samples of java-slack-sdk become facts, none of them unparsed."""
    for name, sample in java("interactive").items():
        body, kind = filled(sample), "interaction"
        if name == "SlashCommand":
            kind, body = "form", {k: str(v) for k, v in body.items()}
        found = facts(request({"kind": kind, "body": body}))
        assert found, name
        assert all(isinstance(fact, Fact) for fact in found), name
        expected = "system.notice" if name == "DialogSuggestion" else "message.action"
        assert {fact.kind for fact in found if isinstance(fact, Fact)} == {expected}, name


class Spy(dict):
    """A JSON object that remembers which members were asked for."""

    asked: set[str]

    def get(self, key, default=None):
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.asked.add(key)
        return super().__contains__(key)


def spied(value: Any, asked: set[str]) -> Any:
    """`value` with every object as a Spy."""
    if isinstance(value, dict):
        spy = Spy({k: spied(v, asked) for k, v in value.items()})
        spy.asked = asked
        return spy
    return [spied(one, asked) for one in value] if isinstance(value, list) else value


def names_in(value: Any) -> set[str]:
    """All member names in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def sdk_names() -> set[str]:
    """The members of every block and attachment that slack_sdk knows."""
    models = [*vars(blocks).values(), *vars(attachments).values()]
    kinds = [one for one in models if isinstance(one, type) and issubclass(one, JsonObject)]
    return {name for kind in kinds for name in inspect.signature(kind.__init__).parameters}


DOCUMENTED = {
    "ssl_check", "values",  # slash commands; the state of a view
    "assistant_thread",  # assistant_thread_started
    "range", "usergroup_id", "format", "skin_tone", "timestamp",  # elements of rich text
    "bold", "code", "italic", "strike",  # their styles
    "is_share", "is_msg_unfurl", "is_reply_unfurl", "message_blocks", "author_id",  # forwards
    "app_unfurl_url", "original_url", "from_url",  # previews of links
    "header", "cells", "metadata",
}  # fmt: skip


def test_every_member_we_read_exists_at_slack(monkeypatch):
    """Each field name that parsing asks for stands in an SDK sample; the exceptions are listed."""
    known = names_in(java("events")) | names_in(java("interactive")) | names_in(java("api"))
    known |= names_in(json.loads(shared("slack/slack_events_api_async_v1.json").read_text()))
    known |= sdk_names()
    asked: set[str] = set()
    for sample in SAMPLES.values():
        kind, body = parse.decode(request(sample).body)
        monkeypatch.setattr(parse, "decode", lambda _raw, k=kind, b=body: (k, spied(b, asked)))
        facts(request(sample))
        monkeypatch.undo()
    assert len(asked) > 100
    assert asked - known <= DOCUMENTED


@pytest.mark.parametrize("name", ["mention", "dmRequest", "dmMessage"])
def test_recorded_payloads_are_understood(name: str):
    """Payloads recorded in production become messages; the thread and the direct channel are right."""
    recorded = json.loads(shared("recorded/slack_dm.json").read_text())
    fact = one(event(recorded[name]))
    assert (fact.kind, fact.echo) == ("message.inbound", False)
    assert fact.sender is not None
    assert fact.sender.external_id == recorded[name]["event"]["user"]
    if name == "dmMessage":
        assert fact.chat is None
        assert fact.sender.aliases[0].value == recorded["dmChannelId"]
    if name == "dmRequest":
        assert fact.thread == one(event(recorded["mention"])).key
    if name == "mention":
        assert fact.payload["message"]["mentioned"] is True


# ── bad input ─────────────────────────────────────────────────────────────────────────────────


def raw(body: bytes, content_type: str = "application/json") -> Inbound:
    """An unsigned request with this body."""
    return Inbound("POST", {"content-type": content_type}, {}, body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"\0", b"not json", b"{", b"[]", b"[1]", b"null", b"7", b'"x"', b"{}",
        b'{"type": 5}', b'{"type": "event_callback"}', b'{"type":"event_callback","event":[]}',
        b'{"type":"event_callback","event":{"type":7}}', b'{"a": NaN}', b'\xff\xfe{"a":1}',
        b'{"type": "\xff"}', b"[" * 100_000, b'{"a":' * 100_000, b"{" + b" " * 10,
        b"payload=", b"payload=%7B", b"payload=%5B%5D", b"payload=%FF", b"payload={}",
        b"a=b&c=d", b"command=", b"command=%2Fx", b"&".join(b"a=b" for _ in range(2000)),
        b'{"type":"event_callback","event":{"type":"message"}}',
        b'{"type":"event_callback","event":{"type":"message","channel":"C1","ts":1700000000.1}}',
        b'{"type":"event_callback","event":{"type":"message","channel":"C 1","ts":"1.1"}}',
        b'{"type":"event_callback","event":{"type":"message","channel":"C\\ud800","ts":"1.1"}}',
        b'{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1e5"}}',
        b'{"type":"event_callback","event":{"type":"reaction_added","item":{"type":"message"}}}',
        b'{"type":"event_callback","event":{"type":"message","subtype":"message_deleted"}}',
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said_to_be(body: bytes):
    """A body that makes no sense raises ParseError, whatever is wrong with it."""
    with pytest.raises(ParseError):
        facts(raw(body))


def test_hostile_text_is_kept():
    """Lone surrogates and NUL in a text do not cost the message."""
    body = json.loads(json.dumps(SAMPLES["message_direct"]["body"]))
    body["event"]["text"] = "a\ud800b\0c <@"
    assert one(event(body)).payload["message"]["text"] == "a\ud800b\0c <@"


def test_members_of_the_wrong_type_are_ignored():
    """Optional members of any shape never cost the message that carries them."""
    for member in (
        "user", "bot_id", "bot_profile", "app_id", "text", "files", "attachments", "blocks",
        "metadata", "username", "user_profile", "channel_type", "thread_ts", "hidden",
    ):  # fmt: skip
        for wrong in (None, 0, True, 1.5, "", [], {}, [None], [[]], {"x": {}}):
            body = json.loads(json.dumps(SAMPLES["message_files"]["body"]))
            body["event"][member] = wrong
            if (member, wrong) != ("hidden", True):
                assert one(event(body)).kind == "message.inbound", (member, wrong)


MEMBERS = [
    *sorted(FILL), "type", "event", "actions", "message", "item", "view", "container", "files",
    "subtype", "previous_message",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8) | st.sampled_from(["1700000000.000100", "C0AB", "message", "U0AB"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    JSON,
    st.sampled_from(["message", "app_mention", "reaction_added", "tokens_revoked", "other"]),
    st.sampled_from([None, "message_changed", "message_deleted", "file_share", "channel_join"]),
)
def test_any_event_becomes_facts_or_a_parse_error(value: Any, kind: str, subtype: str | None):
    """Whatever an event holds, parsing yields facts or raises ParseError: nothing else."""
    inner = value if isinstance(value, dict) else {"x": value}
    body = {"type": "event_callback", "event": {**inner, "type": kind, "subtype": subtype}}
    try:
        assert facts(event(body))
    except ParseError:
        pass


@settings(max_examples=300, deadline=None)
@given(
    JSON, st.sampled_from(["block_actions", "view_submission", "message_action", "shortcut", "y"])
)
def test_any_interaction_becomes_facts_or_a_parse_error(value: Any, kind: str):
    """Whatever an interaction holds, parsing yields facts or raises ParseError: nothing else."""
    inner = value if isinstance(value, dict) else {"actions": [value, {"action_id": value}]}
    body = urlencode({"payload": json.dumps({**inner, "type": kind})}).encode()
    try:
        assert facts(raw(body, "application/x-www-form-urlencoded"))
    except ParseError:
        pass


@pytest.mark.parametrize("name", SAMPLES)
def test_parsing_is_pure(name: str):
    """Parsing twice gives equal facts, with `raw` that can be stored as JSON."""
    inbound = request(SAMPLES[name])
    first = facts(inbound)
    assert first == facts(inbound)
    assert body_of(SAMPLES[name])
    for fact in first:
        json.dumps(fact.raw)
