"""Who is who in an update: ourselves, the author, the place.

Knows: users, chats, channels and anonymous admins that speak as a chat, business accounts.
Does not know: what was said.

A `@username` may pass to somebody else, so it is never an alias; it is only told in the payload.
"""

from __future__ import annotations

from attrs import frozen

from outeract_core.adapter import Settings
from outeract_core.events import Party

from ..fields import Object, need, number, obj, said, text, whole

__all__ = ["BOT", "Us", "author", "chat_of", "person"]

BOT = Party("system", "system")


@frozen
class Us:
    """Our own bot, as far as the connection's config tells: its id, its name without `@`."""

    id: int | None = None
    username: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Us:
        """From `bot_id` (or the connection's account) and `username`."""
        told = str(settings.get("bot_id") or settings.account or "")
        name = str(settings.get("username") or "").lstrip("@").lower()
        known = int(told) if told.isascii() and told.isdigit() and len(told) < 19 else None
        return cls(known, name or None)

    def is_(self, user: Object) -> bool:
        """Whether a user is our own bot."""
        return self.id is not None and user.get("id") == self.id

    def named(self, name: str) -> bool:
        """Whether `name` (with or without `@`) is ours, or we do not know our own."""
        return self.username is None or name.lstrip("@").lower() == self.username


def person(user: Object) -> Party | None:
    """A user, bots included; None when there is none."""
    known = whole(user.get("id"))
    if known is None:
        return None
    first, last = said(user.get("first_name")), said(user.get("last_name"))
    shown = f"{first} {last}" if first and last else first or last
    shown = shown or said(user.get("username"))
    return Party(str(known), "person", shown, bot=user.get("is_bot") is True)


def chat_of(chat: Object, business: str | None = None) -> Party:
    """Any chat as a party. Raises ParseError when it has no id."""
    known, kind = need(chat, "id"), text(chat, "type")
    if kind == "private" or (kind is None and known > 0):
        name = person(chat)
        address = f"{known}:{business}" if business else str(known)
        return Party(address, "person", name.name if name else None)
    title = text(chat, "title") or text(chat, "username")
    return Party(str(known), "channel" if kind == "channel" else "group", title)


def author(message: Object) -> Party:
    """Who wrote a message. Raises ParseError.

    Bot API, Message: what was sent as a chat has `sender_chat`, and then `from` is a stand-in. A
    private chat without `from` is its only other side; a channel speaks for itself.
    """
    voice = obj(message, "sender_chat")
    if number(voice, "id") is not None:
        return chat_of(voice)
    return person(obj(message, "from")) or chat_of(obj(message, "chat"))
