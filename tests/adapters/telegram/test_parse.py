"""What Telegram's updates say: every kind, every content, none of them lost."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.telegram.inbound.content import _READERS
from outeract_adapters.telegram.inbound.members import AROUND, SERVICE
from outeract_adapters.telegram.inbound.parse import UPDATES
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Unparsed
from outeract_core.testing.contract.hostile import WRONG
from tests.support.shared import shared
from tests.support.telegram.samples import NOW, one, read, request, samples, telegram, told, within
from tests.support.telegram.schema import message_members, type_faults, updates

ADA = {"id": 42, "is_bot": False, "first_name": "Ada"}
DM = {"id": 42, "type": "private", "first_name": "Ada"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Engines"}
NOT_OF_THE_API = {"broken", "unknown_update", "service_unknown"}


def said(number: int = 5, update: int = 1000, **more: Any) -> dict[str, Any]:
    """An update with a text message."""
    message = {"message_id": number, "date": 1_767_322_800, "chat": DM, "from": ADA, "text": "hi"}
    return {"update_id": update, "message": {**message, **more}}


@pytest.mark.parametrize("name", samples())
def test_samples(name: str) -> None:
    """Each sample yields the facts that it names, in every member that it names."""
    sample = samples()[name]
    found = [told(fact) for fact in read(sample["body"])]
    assert len(found) == len(sample["facts"])
    for expected, fact in zip(sample["facts"], found, strict=True):
        assert expected == within(expected, fact)


@pytest.mark.parametrize("name", sorted(set(samples()) - NOT_OF_THE_API))
def test_samples_are_updates(name: str) -> None:
    """Each sample is an update as the machine-readable Bot API describes it."""
    assert type_faults("Update", samples()[name]["body"]) == []


@pytest.mark.parametrize("name", sorted(NOT_OF_THE_API))
def test_what_the_judge_refuses(name: str) -> None:
    """The description refuses what is of no version of the API, so it can tell."""
    assert type_faults("Update", samples()[name]["body"])


def test_every_kind_has_a_sample() -> None:
    """The samples hold every kind of fact that the adapter can make."""
    kinds = {fact["kind"] for sample in samples().values() for fact in sample["facts"]}
    assert kinds == {
        "message.inbound", "message.edited", "message.deleted", "message.reaction_added",
        "message.reaction_removed", "message.action", "system.identity_changed", "system.notice",
        "unparsed",
    }  # fmt: skip


def test_every_kind_of_update_is_asked_for() -> None:
    """`allowed_updates` names all kinds that there are, and no others."""
    newest = pytest.importorskip("aiogram.types").Update.model_fields
    assert set(UPDATES) == set(newest) - {"update_id"}
    assert set(updates()) <= set(UPDATES)


FORMER = {
    "forward_from", "forward_from_chat", "forward_from_message_id", "forward_signature",
    "forward_sender_name", "forward_date", "user_shared",
}  # fmt: skip
"""Members of former versions, which are still sent beside those in their place."""


def test_every_member_of_a_message_is_placed() -> None:
    """A member of Message is content, says something about it, or makes it a service message."""
    newest = set(pytest.importorskip("aiogram.types").Message.model_fields)
    newest = {{"from_user": "from"}.get(name, name) for name in newest} - FORMER
    assert message_members() <= newest
    placed = (AROUND - FORMER) | set(_READERS) | set(SERVICE)
    assert placed == newest
    assert len(placed) == len(AROUND - FORMER) + len(_READERS) + len(SERVICE)


@pytest.mark.parametrize("member", sorted(_READERS))
def test_every_content_has_a_sample(member: str) -> None:
    """Each kind of content is in some sample, but for giveaways, which are only kept."""
    held = [s["body"].get("message") or {} for s in samples().values()]
    assert member.startswith("giveaway") or any(member in message for message in held)


# ── payloads that others have recorded ────────────────────────────────────────────────────────


def test_recorded_dialogue() -> None:
    """The recorded conversation: a mention of the bot by name, then a follow-up of the same person."""
    recorded = json.loads(shared("recorded/telegram.json").read_text())
    us = {"bot_id": recorded["botUserId"], "username": recorded["botName"]}
    first, second = one(recorded["mention"], **us), one(recorded["followUp"], **us)
    assert first.payload["message"]["text"] == "@vercelchatsdkbot hi"
    assert first.payload["message"]["mentioned"] is True
    assert second.payload["message"]["text"] == "how are you"
    assert "mentioned" not in second.payload["message"]
    assert first.sender == second.sender
    assert first.sender is not None
    assert (first.sender.external_id, first.key, second.key) == (
        "7527593",
        "133:7527593",
        "134:7527593",
    )
    assert first.chat is None
    assert not first.echo


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


def test_a_delivery_that_comes_twice_has_the_same_keys() -> None:
    """Telegram repeats what was not acknowledged: the keys are those of the first time, in every sample."""
    for name, sample in samples().items():
        first = [fact.key for fact in read(sample["body"]) if isinstance(fact, Fact)]
        body = json.loads(json.dumps(sample["body"]))
        again = [fact.key for fact in read(body) if isinstance(fact, Fact)]
        assert first == again, name
        assert None not in first, name


def test_webhook_and_poll_give_the_same_keys() -> None:
    """A host may change from one to the other: what it has is recognised."""
    for name, sample in samples().items():
        polled = telegram().poll(None, 0)
        next(polled)
        answer = json.dumps({"ok": True, "result": [sample["body"]]}).encode()
        with pytest.raises(StopIteration) as stop:
            polled.send(_reply(answer))
        keys = [fact.key for fact in stop.value.value.facts if isinstance(fact, Fact)]
        assert keys == [f.key for f in read(sample["body"]) if isinstance(f, Fact)], name


def _reply(body: bytes) -> Any:
    from outeract_core.adapter import Reply

    return Reply(200, {}, body)


def test_all_keys_differ() -> None:
    """No two things that happened share a key, but for the opening of a topic, which is told often."""
    keys = [
        fact.key for s in samples().values() for fact in read(s["body"]) if isinstance(fact, Fact)
    ]
    twice = {key for key in keys if keys.count(key) > 1}
    assert twice == set()


def test_a_number_that_starts_anew_hides_nothing() -> None:
    """After a quiet week update numbers repeat: what they name then is something else."""
    bodies = [
        said(5, 7), said(6, 7), {"update_id": 7, "inline_query": {"id": "1", "from": ADA, "query": "a"}},
        {"update_id": 7, "inline_query": {"id": "2", "from": ADA, "query": "a"}},
        {"update_id": 7, "poll_answer": {"poll_id": "1", "user": ADA, "option_ids": [0]}},
        {"update_id": 7, "poll_answer": {"poll_id": "1", "user": ADA, "option_ids": [1]}},
    ]  # fmt: skip
    assert len({one(body).key for body in bodies}) == len(bodies)


def test_message_ids_belong_to_their_chat() -> None:
    """The same number in another chat, or in a business account's chat, is another message."""
    chats = [said(5), said(5, chat=GROUP), said(5, business_connection_id="BC1")]
    assert [one(body).key for body in chats] == ["5:42", "5:-1001234567890", "5:42:BC1"]


def test_edits_within_one_second() -> None:
    """Two edits of one second are two facts, one edit told twice is one; both name their time."""
    edits = [
        {
            "update_id": n,
            "edited_message": {**said()["message"], "text": text, "edit_date": 1_767_322_830},
        }
        for n, text in ((1, "a"), (2, "b"), (3, "b"))
    ]
    first, second, again = (str(one(body).key) for body in edits)
    assert first != second == again
    assert "1767322830" in first


def test_reactions_within_one_second() -> None:
    """Somebody who changes their mind within a second leaves every step."""
    plus, none = [{"type": "emoji", "emoji": "👍"}], list[Any]()
    around = {"chat": GROUP, "message_id": 5, "date": 1_767_322_800, "user": ADA}
    keys = [
        one({"update_id": n, "message_reaction": {**around, "old_reaction": old, "new_reaction": new}}).key
        for n, (old, new) in enumerate([(none, plus), (plus, none), (none, plus)])
    ]  # fmt: skip
    assert len(set(keys)) == 3
    assert all(str(key).startswith("1767322800:5:-1001234567890:42:") for key in keys)


# ── times, people, places ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("date", [None, 0, -5, "soon", True, 10**30, 1.5])
def test_times(date: Any) -> None:
    """What is no time is the time of arrival."""
    assert one(said(date=date)).occurred_at == NOW


def test_a_username_is_no_alias() -> None:
    """A name that may pass to somebody else finds nobody; it is only told."""
    fact = one({**said(), "message": {**said()["message"], "from": {**ADA, "username": "ada"}}})
    assert fact.sender is not None
    assert fact.sender.aliases == ()
    assert fact.payload["message"]["username"] == "ada"


def test_own_messages_are_echoes_only_when_the_bot_is_known() -> None:
    """Without `bot_id` (or an account) nothing is taken for our own."""
    body = samples()["text_echo"]["body"]
    assert one(body).echo
    assert one(body).payload["message"]["role"] == "assistant"
    stranger = one(body, bot_id="", username="")
    assert not stranger.echo
    assert stranger.payload["message"]["bot"] is True


def test_commands_of_others_without_our_name() -> None:
    """When our own name is not known every command counts, and says whom it names."""
    fact = one(samples()["command_of_another_bot"]["body"], username="")
    assert fact.payload["message"]["command"] == {"name": "help", "args": "", "bot": "other_bot"}


def test_a_topic_is_told_once_and_lost_never() -> None:
    """The opening of a topic that a message shows has the key of the service message itself."""
    opening, message = read(samples()["text_topic"]["body"])
    assert isinstance(opening, Fact)
    assert isinstance(message, Fact)
    root = samples()["text_topic"]["body"]["message"]["reply_to_message"]
    alone = one({"update_id": 1, "message": root})
    assert opening.key == alone.key == message.thread
    assert opening.payload == alone.payload
    broken = copy.deepcopy(samples()["text_topic"]["body"])
    del broken["message"]["reply_to_message"]["chat"]
    assert one(broken).payload["message"]["text"] == "in the topic"


def test_parse_asks_for_no_secret() -> None:
    """Kept deliveries can be replayed by a connection whose secrets are gone."""
    adapter = telegram(token="", webhook_secret_token="")
    assert list(adapter.parse(request(said())))


# ── whatever may come ─────────────────────────────────────────────────────────────────────────

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "type", "chat", "from", "date", "message_id", "text", "entities", "photo", "reply_to_message", "emoji", "x"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(item=junk, name=st.sampled_from([*UPDATES, "telepathy"]))
def test_any_update_is_kept(item: Any, name: str) -> None:
    """An update of any kind and shape becomes facts or Unparsed with the whole update in it."""
    body = {"update_id": 1, name: item}
    found = read(body)
    assert found
    for fact in found:
        assert fact.raw == json.loads(json.dumps(body))


@settings(max_examples=200, deadline=None)
@given(
    member=st.sampled_from(sorted((AROUND | set(_READERS)) - {"message_id", "chat"})),
    item=junk | st.sampled_from(WRONG),
)
def test_any_member_of_a_message(member: str, item: Any) -> None:
    """Whatever a member of a message holds, the message is understood or kept."""
    body = said()
    body["message"][member] = item
    assert read(body)


@pytest.mark.parametrize("body", [[], {}, [said()], "x", 5, None, {"update_id": 5}])
def test_nothing_of_ours(body: Any) -> None:
    """A body that is no update, or tells nothing, is refused or unparsed, so that it is kept."""
    try:
        found = read(body)
    except ParseError:
        return
    assert all(isinstance(fact, Unparsed) for fact in found)
    assert found


def test_one_bad_update_never_loses_the_others() -> None:
    """In the answer to a poll each update stands for itself."""
    polled = telegram().poll(None, 0)
    next(polled)
    batch = [said(1, 1), {"update_id": 2, "message": 5}, "nonsense", said(3, 3), {"message": {}}]
    with pytest.raises(StopIteration) as stop:
        polled.send(_reply(json.dumps({"ok": True, "result": batch}).encode()))
    found = stop.value.value
    assert [type(fact).__name__ for fact in found.facts] == [
        "Fact", "Unparsed", "Unparsed", "Fact", "Unparsed",
    ]  # fmt: skip
    assert found.cursor == 4
