"""A message with what its surroundings say of it: its name, its parties, its topic.

Knows: echoes, business accounts, ephemeral messages, direct messages of channels, which message opened a topic.
Does not know: what a message holds or means (`messages.py`, `service.py`).
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party

from ..fields import Object, ephemeral_id, external_id, need, number, obj, text, time_of
from .people import BOT, author, chat_of, person
from .scope import Scope

__all__ = ["Item", "aside", "chat_id", "named", "opens", "thread_of"]


@frozen
class Item:
    """A message with what its surroundings say of it."""

    id: str
    body: Object
    scope: Scope
    sender: Party
    chat: Party | None
    echo: bool

    @classmethod
    def of(cls, scope: Scope, body: Object) -> Item:
        """Raises ParseError when the message does not say which one it is, or where."""
        need(body, "chat", "id")
        business = text(body, "business_connection_id")
        known = named(body, business)
        if known is None:
            raise ParseError("a message without message_id")
        sender, chat, echo = parties(scope, body, business)
        return cls(known, body, scope, sender, chat, echo)

    def fact(self, kind: str, key: str, payload: dict[str, Any], **more: Any) -> Fact:
        """A fact about this message."""
        at = more.pop("at", None) or time_of(self.body.get("date")) or self.scope.at
        return Fact(
            kind=kind, key=key, payload=payload, raw=self.scope.raw, occurred_at=at,
            sender=self.sender, chat=self.chat, echo=self.echo, thread=thread_of(self.body), **more,
        )  # fmt: skip


def parties(scope: Scope, body: Object, business: str | None) -> tuple[Party, Party | None, bool]:
    """Sender, chat, and whether our side said it.

    In the chat of a business account the other party is the customer, whose id the chat has; what
    anybody else writes there is said for the business: by its owner or by us.
    """
    chat, user = obj(body, "chat"), obj(body, "from")
    ours = scope.us.is_(user) and not obj(body, "sender_chat")
    if not ours and not business and chat.get("type") == "private":
        return author(body), None, False
    party = aside(chat_of(chat, business), body)
    if business and party.kind == "person":
        ours = bool(user) and user.get("id") != chat.get("id")
        return (BOT, party, True) if ours else (party, None, False)
    if ours:
        return BOT, party, True
    return author(body), None if party.kind == "person" else party, False


def named(body: Object, business: str | None, place: int | None = None) -> str | None:
    """The name of the message; None when it says none. `place`: its chat, where it says none itself."""
    chat = number(body, "chat", "id")
    where, known = place if chat is None else chat, number(body, "message_id")
    if where is None:
        return None
    if known is not None and known > 0:
        return external_id(known, where, business)
    shown, user = number(body, "ephemeral_message_id"), witness(body)
    at = number(body, "date")
    if not shown or shown < 0 or user is None or not at or at < 0:
        return None
    return ephemeral_id(shown, at, where, user)


def witness(body: Object) -> int | None:
    """Who else sees an ephemeral message: of its two sides the one that is no bot.

    Bot API, Message: `receiver_user` is the person for what a bot has sent, the bot for a command.
    """
    sides = (obj(body, "from"), obj(body, "receiver_user"))
    return next((number(one, "id") for one in sides if one and one.get("is_bot") is not True), None)


def aside(chat: Party, body: Object) -> Party:
    """The chat; for an ephemeral message a place of its own, in which nobody else hears an answer, and so for
    each person who writes to a channel.
    """
    topic = number(body, "direct_messages_topic", "topic_id")
    if topic is not None and topic > 0 and chat.external_id is not None:
        who = person(obj(obj(body, "direct_messages_topic"), "user"))
        name = chat.name if who is None else who.name
        return evolve(chat, external_id=f"{chat.external_id}:@{topic}", name=name)
    user = witness(body) if number(body, "ephemeral_message_id") else None
    if user is None or chat.kind == "person" or chat.external_id is None:
        return chat
    return evolve(chat, external_id=f"{chat.external_id}:~{user}")


def chat_id(body: Object) -> int:
    """The chat's number; `Item.of` has made sure of it."""
    return need(body, "chat", "id")


def thread_of(body: Object) -> str | None:
    """The message that opened the forum topic, or None.

    A chain of replies in an ordinary group has a `message_thread_id` too, but cannot be sent to;
    only `is_topic_message` makes it a topic.
    """
    if body.get("is_topic_message") is not True:
        return None
    known, chat = number(body, "message_thread_id"), number(body, "chat", "id")
    if known is None or chat is None or known <= 0:
        return None
    return external_id(known, chat, text(body, "business_connection_id"))


def opens(body: Object, answered: Object) -> bool:
    """Whether `answered` is the service message that opened the topic of `body`."""
    if body.get("is_topic_message") is not True or "forum_topic_created" not in answered:
        return False
    return number(answered, "message_id") == number(body, "message_thread_id")
