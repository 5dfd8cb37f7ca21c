"""The short way for what comes most: a text from a person in a private chat, and nothing else with it.

Knows: which messages these are.
Does not know: any other. What it cannot tell at a glance it leaves to the long way (`messages.py`), which
would say the same of every message that this one takes; a test holds them to it.
"""

from __future__ import annotations

from outeract_core.events import Fact, message

from ..fields import Object, said, time_of, whole
from .people import person
from .scope import PLATFORM, Scope

__all__ = ["everyday"]

_MEMBERS = frozenset({"message_id", "from", "chat", "date", "text"})


def everyday(scope: Scope, body: Object) -> Fact | None:
    """The fact of a message that is nothing but a text; None when it may be anything else."""
    if body.keys() != _MEMBERS:
        return None
    user, chat, words = body["from"], body["chat"], body["text"]
    if type(user) is not dict or type(chat) is not dict or type(words) is not str:
        return None
    known, place, at = whole(body["message_id"]), whole(chat.get("id")), time_of(body["date"])
    if chat.get("type") != "private" or user.get("is_bot") is not False or scope.us.is_(user):
        return None
    sender, named = person(user), f"{known}:{place}"
    if at is None or (known or 0) <= 0 or (place or 0) <= 0 or sender is None:
        return None
    username, language = said(user.get("username")), said(user.get("language_code"))
    payload = message(PLATFORM, named, "text", words, username=username, language=language)
    return Fact(
        "message.inbound", named, payload, raw=scope.raw, occurred_at=at, sender=sender
    )  # fmt: skip
