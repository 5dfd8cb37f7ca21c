"""Messages that nobody has said: joined, pinned, renamed, moved, topics, the data of a Web App.

Knows: which of them have a meaning of their own; the others are told as a notice.
Does not know: content; which messages are service messages (`messages.py`).
"""

from __future__ import annotations

from typing import Any

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, Relink

from ..fields import Object, external_id, number, obj, text, time_of
from .item import Item, chat_id, opens
from .people import person
from .scope import PLATFORM

__all__ = ["moved", "opening", "service", "web_app"]


def service(item: Item, kind: str, content: Any) -> Fact:
    """Joined, left, pinned, renamed, paid, a topic opened or closed: told, not said."""
    body = item.body
    told: Object = {
        "platform": PLATFORM,
        "notice": kind,
        "external_message_id": item.id,
        "content": content,
    }
    words = next((one for name in _WORDS.get(kind, ()) if (one := text(content, name))), None)
    if words is not None:
        told["text"] = words
    members = content if kind in ("new_chat_members", "left_chat_member") else None
    listed = members if isinstance(members, list) else [members] if members else []
    people = [found for one in listed if isinstance(one, dict) and (found := person(one))]
    if people:
        told["members"] = [{"id": one.external_id, "name": one.name} for one in people]
    pinned = obj(body, "pinned_message") or _about(content)
    known, chat = number(pinned, "message_id"), number(pinned, "chat", "id")
    target = external_id(known, chat) if known and known > 0 and chat is not None else None
    if target is not None:
        told["target_message_id"] = target
    return item.fact("system.notice", item.id, told, target=target)


_WORDS = {"gift": ("text",), "unique_gift": ("text",), "suggested_post_declined": ("comment",)}
"""Where the sender's own words stand; those of a pinned message are another's."""


def _about(content: Any) -> Object:
    """The message that it is about: a checklist of which tasks were done, a post that was suggested."""
    named = (obj(content, f"{what}_message") for what in ("checklist", "suggested_post", "poll"))
    return next((one for one in named if one), {})


def web_app(item: Item) -> Fact:
    """Data from a Web App that a keyboard button had opened."""
    data = obj(item.body, "web_app_data")
    title = text(data, "button_text")
    told = {
        "platform": PLATFORM, "type": "form", "id": title or "web_app", "title": title,
        "values": data.get("data"), "external_message_id": item.id,
    }  # fmt: skip
    return item.fact(
        "message.action", item.id, {name: one for name, one in told.items() if one is not None}
    )


def moved(item: Item) -> Fact:
    """A group has become a supergroup and has a new id. Both sides tell; the first one counts."""
    here = chat_id(item.body)
    to, came = number(item.body, "migrate_to_chat_id"), number(item.body, "migrate_from_chat_id")
    if to is None and came is None:
        raise ParseError("a migration without an id")
    before, after = (here, to) if to is not None else (came, here)
    told: Object = {
        "platform": PLATFORM, "change": "migrate_to_chat_id", "previous": str(before),
        "current": str(after), "external_message_id": item.id,
    }  # fmt: skip
    title = None if item.chat is None else item.chat.name
    return Fact(
        kind="system.identity_changed", key=item.id, payload=told, raw=item.scope.raw,
        occurred_at=time_of(item.body.get("date")) or item.scope.at,
        chat=Party(str(before), "group", title), relinks=(Relink(str(before), str(after)),),
    )  # fmt: skip


def opening(item: Item) -> list[Fact]:
    """The message that opened the topic, when this one shows it: the bot may have come later.

    Without it core does not know the topic, and answers would go to "General". Its key is its
    message's, so that it counts once.
    """
    answered = obj(item.body, "reply_to_message")
    if not opens(item.body, answered):
        return []
    try:
        created = answered["forum_topic_created"]
        return [service(Item.of(item.scope, answered), "forum_topic_created", created)]
    except ParseError:
        return []
