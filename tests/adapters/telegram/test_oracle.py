"""python-telegram-bot reads every sample as we do: an independent reader of the same Bot API."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Message, Update

from outeract_adapters.telegram.inbound.entities import read as entities_of
from outeract_core.events import Fact
from outeract_core.testing.fakes.telegram_html import parse_html
from tests.support.telegram.samples import read, samples

FOREIGN = {"broken", "unknown_update", "rich_message", "service_unknown"}
"""What that library does not know (yet), or refuses."""

STYLES = {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote",
          "text_link"}  # fmt: skip


def theirs(name: str) -> Update:
    """The sample as the other library reads it."""
    return Update.de_json(samples()[name]["body"], None)


def ours(name: str) -> Fact:
    """The last fact of the sample: the thing itself, after the topic it may open."""
    fact = read(samples()[name]["body"])[-1]
    assert isinstance(fact, Fact)
    return fact


def message_of(update: Update) -> Message | None:
    """The message of an update that is one."""
    return (
        update.message or update.edited_message or update.channel_post
        or update.edited_channel_post or update.business_message or update.edited_business_message
    )  # fmt: skip


KINDS = {
    "message", "edited_message", "channel_post", "edited_channel_post", "business_message",
    "edited_business_message",
}  # fmt: skip
MESSAGES = sorted(name for name in set(samples()) - FOREIGN if KINDS & set(samples()[name]["body"]))


@pytest.mark.parametrize("name", sorted(set(samples()) - FOREIGN))
def test_it_is_an_update(name: str) -> None:
    """The other library finds an update of the same number in each sample."""
    assert theirs(name).update_id == samples()[name]["body"]["update_id"]


@pytest.mark.parametrize("name", MESSAGES)
def test_ids_and_times(name: str) -> None:
    """Message, chat, time, topic and answered message are the same."""
    message, fact = message_of(theirs(name)), ours(name)
    assert message is not None
    tail = f":{message.business_connection_id}" if message.business_connection_id else ""
    named = f"{message.message_id}:{message.chat.id}{tail}"
    assert named in (fact.key, fact.target)
    assert fact.occurred_at == (message.edit_date or message.date)
    topic = f"{message.message_thread_id}:{message.chat.id}"
    assert fact.thread == (topic if message.is_topic_message else None)
    answered = message.reply_to_message
    if answered is not None and answered.forum_topic_created is None:
        assert fact.reply_to == f"{answered.message_id}:{answered.chat.id}{tail}"


@pytest.mark.parametrize("name", MESSAGES)
def test_words(name: str) -> None:
    """Text and caption are the same."""
    message, fact = message_of(theirs(name)), ours(name)
    assert message is not None
    words = message.text or message.caption
    if words is not None:
        assert fact.payload["message"]["text"] == words


@pytest.mark.parametrize("name", MESSAGES)
def test_entities(name: str) -> None:
    """Every entity covers the same words, emoji before it or not."""
    message, body = message_of(theirs(name)), ours(name).raw
    assert message is not None
    item = next(value for key, value in body.items() if key != "update_id")
    for words, member, found in (
        (message.text, "entities", message.parse_entities() if message.text else {}),
        (message.caption, "caption_entities", message.parse_caption_entities() if message.caption else {}),
    ):  # fmt: skip
        told = [(one.type, one.text) for one in entities_of(words or "", item, member)]
        assert sorted(told) == sorted((str(one.type), covered) for one, covered in found.items())


@pytest.mark.parametrize("name", MESSAGES)
def test_html(name: str) -> None:
    """Our HTML of what came in says the same as theirs."""
    message, fact = message_of(theirs(name)), ours(name)
    assert message is not None
    html = fact.payload.get("message", {}).get("html")
    if html is None:
        return
    their_html = message.text_html if message.text else message.caption_html
    assert _formatted(html) == _formatted(their_html)


def _formatted(html: str) -> tuple[str, list[Any]]:
    """Text and formatting, without what any client finds by itself (addresses, mentions)."""
    text, entities = parse_html(html)
    kept = [one for one in entities if one["type"] in STYLES]
    return text, sorted(map(repr, kept))


@pytest.mark.parametrize("name", [n for n in MESSAGES if samples()[n]["facts"][-1].get("files")])
def test_files(name: str) -> None:
    """The file is the one that the other library would download."""
    message, fact = message_of(theirs(name)), ours(name)
    assert message is not None
    ids = {ref.handle["file_id"] for ref in fact.files}
    attached: Any = message.effective_attachment
    if isinstance(attached, tuple):
        biggest = max(attached, key=lambda size: getattr(size, "width", 0))
        assert biggest.file_id in ids
    elif hasattr(attached, "file_id"):
        assert attached.file_id in ids


@pytest.mark.parametrize("name", sorted(n for n in samples() if n.startswith("callback")))
def test_presses(name: str) -> None:
    """Who pressed what below which message is the same."""
    query, fact = theirs(name).callback_query, ours(name)
    assert query is not None
    assert fact.key == query.id
    assert fact.payload["id"] == (query.data or query.game_short_name)
    assert fact.sender is not None
    assert str(fact.sender.external_id).partition(":")[0] == str(query.from_user.id)
    if query.message is not None:
        assert str(fact.target).startswith(f"{query.message.message_id}:{query.message.chat.id}")


@pytest.mark.parametrize("name", ["reaction_added", "reaction_removed", "reaction_changed"])
def test_reactions(name: str) -> None:
    """What was added and taken back follows from the two lists as the other library reads them."""
    update: Any = theirs(name).message_reaction
    assert update is not None
    before = {one.emoji for one in update.old_reaction}
    after = {one.emoji for one in update.new_reaction}
    facts = [fact for fact in read(samples()[name]["body"]) if isinstance(fact, Fact)]
    found = {(fact.kind.rpartition("_")[2], fact.payload["emoji"]) for fact in facts}
    assert found == {("added", e) for e in after - before} | {
        ("removed", e) for e in before - after
    }
