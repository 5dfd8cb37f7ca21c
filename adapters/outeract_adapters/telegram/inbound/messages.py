"""Messages of every kind of update as facts: said, edited, or a service message.

Knows: what stands around the content: replies, quotes, albums, forwards, who speaks for whom.
Does not know: what a message holds (`content.py`), service messages (`service.py`), updates that are
no messages (`happenings.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outeract_core.events import Fact, message

from ..fields import Object, digest, external_id, number, obj, text, time_of
from .content import Said, read
from .entities import command, html, mentions
from .everyday import everyday
from .item import Item, chat_id, named, opens
from .members import happened
from .people import chat_of, person
from .scope import PLATFORM, Scope
from .service import moved, opening, service, web_app

__all__ = ["in_full", "on_edited", "on_message"]

_PLAIN = frozenset({"message_id", "from", "chat", "date", "text", "entities", "reply_to_message"})
"""Members of an everyday message: none of them adds to the payload by itself."""


_MEANINGFUL = {"migrate_to_chat_id": moved, "migrate_from_chat_id": moved, "web_app_data": web_app}


def on_message(scope: Scope, body: Object) -> Iterable[Fact]:
    """The fact of a new message or channel post, and that of its topic's opening. Raises ParseError."""
    simple = everyday(scope, body)
    return in_full(scope, body) if simple is None else [simple]


def in_full(scope: Scope, body: Object) -> Iterable[Fact]:
    """The same by looking at everything that a message may have. Raises ParseError."""
    item = Item.of(scope, body)
    said = read(body)
    if said is not None:
        return [*opening(item), _said(item, said)]
    told = happened(body)
    if told is None:
        return [_said(item, Said("unsupported"))]
    reader = _MEANINGFUL.get(told[0])
    return [service(item, *told) if reader is None else reader(item)]


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
    spoken = _spoken(item, said) if said.entities else {}
    told = message(
        PLATFORM, item.id, said.type, said.text, **said.more, **_about(item.body), **spoken,
        bot=True if obj(item.body, "from").get("is_bot") is True and _speaks_itself(item) else None,
        anonymous=True if item.chat is not None and _is_chat(item) else None,
    )  # fmt: skip
    if item.echo:
        told["message"]["role"] = "assistant"
    return told


def _spoken(item: Item, said: Said) -> dict[str, Any]:
    """What the entities of a text add to the payload."""
    spoken, us = list(said.entities), item.scope.us
    return {
        "entities": [one.item for one in spoken],
        "html": html(said.text, spoken),
        "command": _command(item, said),
        "mentioned": True if mentions(spoken, us.id, us.username) and not item.echo else None,
    }


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
    user = obj(body, "from")
    told = {"username": text(user, "username"), "language": text(user, "language_code")}
    return told if body.keys() <= _PLAIN else told | _unusual(body)


def _unusual(body: Object) -> dict[str, Any]:
    """The same of members that most messages do not have."""
    origin, topic = obj(body, "forward_origin"), body.get("is_topic_message") is True
    return {
        "author_signature": text(body, "author_signature"),
        "media_group_id": text(body, "media_group_id"),
        "message_thread_id": number(body, "message_thread_id") if topic else None,
        "direct_messages_topic_id": number(body, "direct_messages_topic", "topic_id"),
        "forwarded": True if origin or number(body, "forward_date") else None,
        "forward": _origin(origin) if origin else None,
        "via_bot": text(body, "via_bot", "username"),
        "quote": text(body, "quote", "text"),
        "external_reply": _external(body),
        "protected": True if body.get("has_protected_content") is True else None,
        "offline": True if body.get("is_from_offline") is True else None,
        "effect_id": text(body, "effect_id"),
        "business_connection_id": text(body, "business_connection_id"),
        "ephemeral": True if number(body, "ephemeral_message_id") else None,
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


def _reply_to(item: Item) -> str | None:
    """The message that this one answers; what is merely said in a topic "replies" to its opening."""
    body, business = item.body, text(item.body, "business_connection_id")
    if "reply_to_message" not in body and "external_reply" not in body:
        return None
    answered, other = obj(body, "reply_to_message"), obj(body, "external_reply")
    if opens(body, answered):
        return None
    if (name := named(answered, business, chat_id(body))) is not None:
        return name
    known, chat = number(other, "message_id"), number(other, "chat", "id")
    return external_id(known, chat) if known and known > 0 and chat is not None else None
