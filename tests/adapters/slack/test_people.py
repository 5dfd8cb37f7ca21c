"""Who is who in Slack: people, bots in their own name and in people's, Slackbot, direct conversations.

Knows: what Slack's events name. Does not know: how core finds a platform user.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from outeract_core.events import Fact
from outeract_core.model import Alias
from tests.support.slack.samples import event, request, samples, slack

SAMPLES = samples()


def said(**changes: Any) -> Fact:
    """The fact of a direct message with these members; None takes one out."""
    body = json.loads(json.dumps(SAMPLES["message_direct"]["body"]))
    body["event"].update(changes)
    body["event"] = {name: value for name, value in body["event"].items() if value is not None}
    (fact,) = slack().parse(event(body))
    assert isinstance(fact, Fact)
    return fact


def test_slackbot_is_not_the_person_whose_conversation_it_writes_in() -> None:
    """Slackbot in a direct conversation is the sender, and the conversation is the other person's."""
    fact = said(user="USLACKBOT", channel="D0BOB00001")
    assert fact.sender is not None
    assert fact.chat is not None
    assert (fact.sender.external_id, fact.sender.aliases, fact.sender.bot) == (
        "USLACKBOT",
        (),
        True,
    )
    assert (fact.chat.external_id, fact.chat.aliases) == (
        None,
        (Alias("dm_channel", "D0BOB00001"),),
    )


def test_an_app_without_a_user_is_not_the_person_either() -> None:
    """What has only a `bot_id` writes into the person's conversation, and is not that person."""
    fact = said(user=None, bot_id="B0REMINDER", subtype="bot_message", username="Reminder")
    assert fact.sender is not None
    assert fact.chat is not None
    assert (fact.sender.external_id, fact.sender.name) == ("B0REMINDER", "Reminder")
    assert fact.chat.aliases[0].type == "dm_channel"


@pytest.mark.parametrize(
    "app",
    [
        {"username": "Reminder"},
        {"bot_profile": {"id": "B0APP", "name": "Reminder"}},
        {"bot_profile": {"id": "B0APP", "name": "Reminder", "user_id": "U0APP"}},
    ],
)
def test_an_app_that_posts_in_a_persons_name_neither_names_nor_renames_them(
    app: dict[str, Any],
) -> None:
    """With `user` and `bot_id` in one event the user is who they are, under no name of the app's."""
    fact = said(bot_id="B0APP", **app)
    assert fact.sender is not None
    assert [alias.type for alias in fact.sender.aliases] == ["dm_channel"]
    assert (fact.sender.name, fact.sender.bot) == (None, True)


def test_a_bots_own_profile_names_it() -> None:
    """`bot_profile.user_id` says that the profile is that of the user who writes."""
    profile = {"id": "B0APP", "name": "Deploy", "user_id": "U0APP"}
    fact = said(user="U0APP", bot_id="B0APP", bot_profile=profile, channel="C1", channel_type=None)
    assert fact.sender is not None
    assert (fact.sender.name, fact.sender.bot) == ("Deploy", True)


@pytest.mark.parametrize("name", ["button_direct", "slash_command", "shortcut_message"])
def test_a_direct_conversation_of_others_names_nobody(name: str) -> None:
    """A command or shortcut may be used where our bot is not: its `D…` is no name of who used it."""
    body = json.loads(json.dumps(SAMPLES[name]["body"]).replace("C0GENERAL1", "D0OTHERS01"))
    for fact in slack().parse(request({**SAMPLES[name], "body": body})):
        assert isinstance(fact, Fact)
        assert fact.sender is not None
        assert (fact.sender.aliases, fact.chat) == ((), None)


def noticed(**inner: Any) -> Fact:
    """The fact of an event of another kind."""
    body = json.loads(json.dumps(SAMPLES["message_direct"]["body"]))
    (fact,) = slack().parse(event({**body, "event": {"event_ts": "1764000031.002100", **inner}}))
    assert isinstance(fact, Fact)
    return fact


INVOLVED = {
    "file_shared": ({"channel_id": "C0GENERAL1", "file_id": "F0A", "user_id": "U0ANNA0001"}, "C0GENERAL1"),
    "assistant_thread_started": (
        {"assistant_thread": {"user_id": "U0ANNA0001", "channel_id": "C0GENERAL1", "thread_ts": "1764000001.000100"}}, "C0GENERAL1",
    ),
    "pin_added": ({"user": "U0ANNA0001", "channel_id": "C0GENERAL1", "item": {"type": "message"}}, "C0GENERAL1"),
    "star_added": ({"user": "U0ANNA0001", "item": {"type": "message", "channel": "C0GENERAL1"}}, "C0GENERAL1"),
    "team_join": ({"user": {"id": "U0ANNA0001"}}, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", INVOLVED)
def test_every_event_says_who_and_where_wherever_slack_has_put_it(kind: str) -> None:
    """Under names of its own, or within what the event is about."""
    inner, where = INVOLVED[kind]
    fact = noticed(type=kind, **inner)
    assert (fact.kind, fact.payload["notice"]) == ("system.notice", kind)
    assert fact.sender is not None
    assert fact.sender.external_id == "U0ANNA0001"
    assert (fact.chat and fact.chat.external_id) == where


def test_who_comes_from_another_workspace_is_told() -> None:
    """In a channel that several share: the workspace of its author, never our own."""
    ours = SAMPLES["message_direct"]["body"]["team_id"]
    told = said(source_team="T0OTHER001", user_team="T0OTHER001", team="T0OTHER001").payload[
        "message"
    ]
    assert told["team"] == "T0OTHER001"
    for more in ({}, {"team": ours}, {"source_team": ours, "user_team": ours}):
        assert "team" not in said(**more).payload["message"]
