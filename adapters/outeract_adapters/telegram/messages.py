"""Messages of every update kind as facts: said, edited, sent by a Web App, or a service message.

Knows: envelopes of messages: replies, topics, albums, forwards, echoes, groups that moved.
Does not know: what a message holds (`content.py`), updates that are no messages (`happenings.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, Relink, message

from .content import Said, read
from .entities import command, html, mentions
from .fields import Object, digest, external_id, number, obj, text, time_of
from .people import BOT, author, chat_of, person, where
from .scope import PLATFORM, Scope

__all__ = ["on_edited", "on_message", "thread_of"]

_AROUND = frozenset({
    "message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat",
    "sender_boost_count", "sender_business_bot", "sender_tag", "date", "guest_query_id",
    "business_connection_id", "chat", "forward_origin", "is_topic_message",
    "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
    "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot",
    "guest_bot_caller_user", "guest_bot_caller_chat", "edit_date", "has_protected_content",
    "is_from_offline", "is_paid_post", "media_group_id", "author_signature", "paid_star_count",
    "link_preview_options", "suggested_post_info", "effect_id", "caption", "caption_entities",
    "entities", "show_caption_above_media", "has_media_spoiler", "reply_markup",
})  # fmt: skip
"""Members of Message that say something about it, not what it is."""


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
        place = where(body)
        known = number(body, "message_id")
        if known is None or known <= 0:
            raise ParseError("a message without message_id")
        sender, chat, echo = _parties(scope, body, place.business)
        named = external_id(known, int(place.chat), place.business)
        return cls(named, body, scope, sender, chat, echo)

    def fact(self, kind: str, key: str, payload: dict[str, Any], **more: Any) -> Fact:
        """A fact about this message."""
        at = more.pop("at", None) or time_of(self.body.get("date")) or self.scope.at
        return Fact(
            kind=kind, key=key, payload=payload, raw=self.scope.raw, occurred_at=at,
            sender=self.sender, chat=self.chat, echo=self.echo, thread=thread_of(self.body), **more,
        )  # fmt: skip


def _parties(scope: Scope, body: Object, business: str | None) -> tuple[Party, Party | None, bool]:
    """Sender, chat, and whether our side said it.

    In the chat of a business account the other party is the customer, whose id the chat has; what
    anybody else writes there is said for the business: by its owner or by us.
    """
    chat, user = obj(body, "chat"), obj(body, "from")
    party = chat_of(chat, business)
    ours = scope.us.is_(user) and not obj(body, "sender_chat")
    if business and party.kind == "person":
        ours = bool(user) and user.get("id") != chat.get("id")
        return (BOT, party, True) if ours else (party, None, False)
    if ours:
        return BOT, party, True
    return author(body), None if party.kind == "person" else party, False


def on_message(scope: Scope, body: Object) -> Iterable[Fact]:
    """The fact of a new message or channel post, and that of its topic's opening. Raises ParseError."""
    item = Item.of(scope, body)
    said = read(body)
    if said is not None:
        return [*_opening(item), _said(item, said)]
    service = [name for name in body if name not in _AROUND]
    if "migrate_to_chat_id" in service or "migrate_from_chat_id" in service:
        return [_moved(item)]
    if "web_app_data" in service:
        return [_web_app(item)]
    if service:
        return [_service(item, service)]
    return [_said(item, Said("unsupported"))]


def on_edited(scope: Scope, body: Object) -> Iterable[Fact]:
    """The fact of an edit. It may come without any visible change. Raises ParseError.

    The key holds the time of the edit, and what the message is now: two edits may share a second.
    """
    item = Item.of(scope, body)
    said = read(body) or Said("unsupported")
    edited = number(body, "edit_date") or number(body, "date") or 0
    key = f"{edited}:{item.id}:{digest(body)}"
    return [
        item.fact("message.edited", key, _payload(item, said), target=item.id, files=said.files,
                  at=time_of(edited))
    ]  # fmt: skip


# ── said ──────────────────────────────────────────────────────────────────────────────────────


def _said(item: Item, said: Said) -> Fact:
    return item.fact(
        "message.inbound", item.id, _payload(item, said), reply_to=_reply_to(item), files=said.files
    )


def _payload(item: Item, said: Said) -> dict[str, Any]:
    body, us = item.body, item.scope.us
    spoken = list(said.entities)
    told = message(
        PLATFORM, item.id, said.type, said.text, **said.more, **_about(body),
        entities=[one.item for one in spoken] or None,
        html=html(said.text, spoken),
        command=_command(item, said),
        mentioned=True if mentions(spoken, us.id, us.username) and not item.echo else None,
        bot=True if obj(body, "from").get("is_bot") is True and _speaks_itself(item) else None,
        anonymous=True if item.chat is not None and _is_chat(item) else None,
    )  # fmt: skip
    if item.echo:
        told["message"]["role"] = "assistant"
    return told


def _command(item: Item, said: Said) -> Object | None:
    """The command in front; not when another bot is meant, as far as we know our own name."""
    found = command(said.text, list(said.entities))
    if found is None or "bot" not in found or item.scope.us.named(found["bot"]):
        return found
    return None


def _speaks_itself(item: Item) -> bool:
    """Whether `from` is the author: behind a `sender_chat` stands a bot that is only a stand-in."""
    return not item.echo and not obj(item.body, "sender_chat")


def _is_chat(item: Item) -> bool:
    """An anonymous admin speaks as the group itself."""
    same = item.chat is not None and item.sender.external_id == item.chat.external_id
    return same and item.sender.kind == "group"


def _about(body: Object) -> dict[str, Any]:
    """What the envelope adds to the payload; None is left out."""
    origin, topic = obj(body, "forward_origin"), body.get("is_topic_message") is True
    return {
        "username": text(body, "from", "username"),
        "language": text(body, "from", "language_code"),
        "author_signature": text(body, "author_signature"),
        "media_group_id": text(body, "media_group_id"),
        "message_thread_id": number(body, "message_thread_id") if topic else None,
        "direct_messages_topic_id": number(body, "direct_messages_topic", "topic_id"),
        "forwarded": True if origin else None,
        "forward": _origin(origin) if origin else None,
        "via_bot": text(body, "via_bot", "username"),
        "quote": text(body, "quote", "text"),
        "external_reply": _external(body),
        "protected": True if body.get("has_protected_content") is True else None,
        "offline": True if body.get("is_from_offline") is True else None,
        "effect_id": text(body, "effect_id"),
        "business_connection_id": text(body, "business_connection_id"),
    }


def _origin(origin: Object) -> Object:
    """Who said it first; somebody who hides their account is only a name."""
    user, chat = obj(origin, "sender_user"), obj(origin, "sender_chat") or obj(origin, "chat")
    party = person(user) or (chat_of(chat) if number(chat, "id") is not None else None)
    told = {
        "type": text(origin, "type"),
        "from": party.external_id if party else None,
        "name": (party.name if party else None) or text(origin, "sender_user_name"),
        "message_id": number(origin, "message_id"),
    }
    return {name: value for name, value in told.items() if value is not None}


def _external(body: Object) -> Object | None:
    """A reply to a message of another chat or topic: whose it was, as far as Telegram tells."""
    reply = obj(body, "external_reply")
    return _origin(obj(reply, "origin")) if reply else None


# ── references ────────────────────────────────────────────────────────────────────────────────


def thread_of(body: Object) -> str | None:
    """The message that opened the forum topic, or None.

    A chain of replies in an ordinary group has a `message_thread_id` too, but cannot be sent to;
    only `is_topic_message` makes it a topic.
    """
    known, chat = number(body, "message_thread_id"), number(body, "chat", "id")
    if body.get("is_topic_message") is not True or known is None or chat is None or known <= 0:
        return None
    return external_id(known, chat, text(body, "business_connection_id"))


def _reply_to(item: Item) -> str | None:
    """The message that this one answers; what is merely said in a topic "replies" to its opening."""
    body, business = item.body, text(item.body, "business_connection_id")
    answered, other = obj(body, "reply_to_message"), obj(body, "external_reply")
    known, chat = number(answered, "message_id"), number(answered, "chat", "id")
    if _opens(body, answered):
        return None
    if known is not None and known > 0:
        return external_id(known, chat if chat is not None else _chat_id(body), business)
    known, chat = number(other, "message_id"), number(other, "chat", "id")
    return external_id(known, chat) if known and known > 0 and chat is not None else None


def _opens(body: Object, answered: Object) -> bool:
    """Whether `answered` is the service message that opened the topic of `body`."""
    same = number(answered, "message_id") == number(body, "message_thread_id")
    return body.get("is_topic_message") is True and same and "forum_topic_created" in answered


def _chat_id(body: Object) -> int:
    """The chat's number; `Item.of` has made sure of it."""
    return int(where(body).chat)


def _opening(item: Item) -> list[Fact]:
    """The message that opened the topic, when this one shows it: the bot may have come later.

    Without it core does not know the topic, and answers would go to "General". Its key is its
    message's, so that it counts once.
    """
    answered = obj(item.body, "reply_to_message")
    if not _opens(item.body, answered):
        return []
    try:
        return [_service(Item.of(item.scope, answered), ["forum_topic_created"])]
    except ParseError:
        return []


# ── service messages ──────────────────────────────────────────────────────────────────────────


def _service(item: Item, names: list[str]) -> Fact:
    """Joined, left, pinned, renamed, paid, a topic opened or closed: told, not said."""
    first, body = names[0], item.body
    told: Object = {
        "platform": PLATFORM,
        "notice": first,
        "external_message_id": item.id,
        "content": body[first],
    }
    members = body.get("new_chat_members") or body.get("left_chat_member")
    listed = members if isinstance(members, list) else [members] if members else []
    people = [found for one in listed if isinstance(one, dict) and (found := person(one))]
    if people:
        told["members"] = [{"id": one.external_id, "name": one.name} for one in people]
    pinned = obj(body, "pinned_message")
    known, chat = number(pinned, "message_id"), number(pinned, "chat", "id")
    target = external_id(known, chat) if known and known > 0 and chat is not None else None
    if target is not None:
        told["target_message_id"] = target
    return item.fact("system.notice", item.id, told, target=target)


def _web_app(item: Item) -> Fact:
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


def _moved(item: Item) -> Fact:
    """A group has become a supergroup and has a new id. Both sides tell; the first one counts."""
    here = _chat_id(item.body)
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
