"""What stands in a request to the Bot API, read: chats by their id, text with entities, nested JSON.

Knows: `parse_mode=HTML` and its limits, keyboards, topics. Does not know: methods, which messages there are.
"""

from __future__ import annotations

import json
from typing import Any

from .telegram_chats import RefusedError
from .telegram_html import parse_html, utf16

__all__ = ["chat_of", "decoded", "extras", "formatted"]


def chat_of(chat: str) -> dict[str, Any]:
    """Bot API, Chat: negative ids are groups, -100… supergroups and channels."""
    if chat.startswith("@"):
        return {"id": -1009999999999, "type": "channel", "username": chat[1:], "title": chat[1:]}
    number = int(chat)
    if number > 0:
        return {"id": number, "type": "private", "first_name": f"Person {number}"}
    kind = "supergroup" if chat.startswith("-100") else "group"
    return {"id": number, "type": kind, "title": f"Group {-number}"}


def formatted(params: dict[str, Any], field: str, limit: int) -> tuple[str, list[Any]]:
    """A text with its entities. Raises RefusedError for bad markup and for what is too long."""
    text, mode = str(params.get(field) or ""), str(params.get("parse_mode") or "")
    entities: list[Any] = decoded(params.get("entities")) or []
    if mode.lower() == "html":
        try:
            text, entities = parse_html(text)
        except ValueError as wrong:
            raise RefusedError(400, f"Bad Request: can't parse entities: {wrong}") from None
    elif mode:
        raise RefusedError(400, "Bad Request: unsupported parse_mode")
    if utf16(text) > limit:
        raise RefusedError(
            400, f"Bad Request: {'message' if field == 'text' else field} is too long"
        )
    return text, entities


def extras(params: dict[str, Any]) -> dict[str, Any]:
    """What a message has besides: its keyboard, its topic."""
    found: dict[str, Any] = {}
    markup = decoded(params.get("reply_markup"))
    if isinstance(markup, dict) and "inline_keyboard" in markup:
        found["reply_markup"] = markup
    if params.get("direct_messages_topic_id"):
        found["direct_messages_topic"] = {"topic_id": int(params["direct_messages_topic_id"])}
    if params.get("message_thread_id"):
        found |= {"message_thread_id": int(params["message_thread_id"]), "is_topic_message": True}
    return found


def decoded(value: Any) -> Any:
    """Bot API, making requests: nested values in forms are JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value
