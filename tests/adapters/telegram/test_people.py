"""Who is who in Telegram: people, other bots, chats that speak for themselves.

Knows: what updates name. Does not know: how core finds a platform user.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.telegram.samples import one, read, samples

BOTS = {"text_other_bot": True, "text_anonymous_admin": False, "text_via_bot": False}


@pytest.mark.parametrize("name", BOTS)
def test_a_party_is_a_bot_exactly_when_a_program_wrote(name: str) -> None:
    """Another bot is one; an anonymous admin is not, nor a person who wrote with a bot's help."""
    (fact,) = read(samples()[name]["body"])
    assert fact.sender is not None
    assert fact.sender.bot is BOTS[name]


ADA = {"id": 42, "is_bot": False, "first_name": "Ada"}
PLACES: dict[str, dict[str, Any]] = {
    "private": {"chat": {"id": 42, "type": "private", "first_name": "Ada"}},
    "group": {"chat": {"id": -5, "type": "group", "title": "G"}},
    "topic": {"chat": {"id": -1005, "type": "supergroup", "title": "G"}, "message_thread_id": 7, "is_topic_message": True},
    "business": {"chat": {"id": 42, "type": "private", "first_name": "Ada"}, "business_connection_id": "BC1"},
    "owner of a business": {"chat": {"id": 43, "type": "private", "first_name": "Bob"}, "business_connection_id": "BC1"},
    "channel's messages": {"chat": {"id": -1006, "type": "supergroup", "title": "N"}, "direct_messages_topic": {"topic_id": 9}},
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_who_writes_and_presses_in_one_place_is_one_person(place: str) -> None:
    """A message and a press of one person have one sender and one conversation, wherever they are."""
    message = {"message_id": 9, "date": 1_784_000_000, "text": "x", **PLACES[place]}
    kind = "business_message" if "business_connection_id" in message else "message"
    query = {"id": "1", "from": ADA, "data": "x", "chat_instance": "1"}
    bot = {"id": 777000111, "is_bot": True, "first_name": "Fake bot"}
    said = one({"update_id": 1, kind: {**message, "from": ADA}})
    pressed = one(
        {"update_id": 2, "callback_query": {**query, "message": {**message, "from": bot}}}
    )
    assert said.sender is not None
    assert pressed.sender is not None
    if place == "owner of a business":  # what they write there is said for the business
        assert said.echo
        assert pressed.sender.external_id == "42"
    else:
        assert pressed.sender.external_id == said.sender.external_id
    where = (said.chat or said.sender).external_id
    assert (pressed.chat or pressed.sender).external_id == where
