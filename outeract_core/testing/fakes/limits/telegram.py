"""What api.telegram.org takes of a request: keyboards, what must be there, lengths; in Telegram's words.

Knows: the table, by method. Does not know: chats, which messages there are, files. Source: Bot API 10.3, and
what the Bot API server answers to each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .rules import Limit, broken

__all__ = ["ACTIONS", "FETCHED", "LIMITS", "ON_REQUEST", "button_fault", "fault"]

ACTIONS = frozenset({
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
})  # fmt: skip
FETCHED = 20 * 1024 * 1024
"""getFile: bots can download files of up to 20 MB."""
ON_REQUEST = ("message_reaction", "message_reaction_count", "chat_member")
"""Kinds of updates that are brought only to who has asked for them by name."""


def _needed(*names: str) -> tuple[Limit, ...]:
    return tuple(Limit(name, f'parameter "{name}" is required', needed=True) for name in names)


_PLACE = (
    Limit("latitude", "latitude is empty", needed=True),
    Limit("longitude", "longitude is empty", needed=True),
)
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "": (
        Limit("reply_markup.inline_keyboard.*.*.callback_data", "BUTTON_DATA_INVALID", least=1, most=64, unit="utf-8"),
        Limit("reply_markup.inline_keyboard.*.*.copy_text.text", "BUTTON_COPY_TEXT_INVALID", least=1, most=256),
        Limit("reply_markup.inline_keyboard.*", "reply markup is too long", most=100, total=True),
        Limit("reply_markup.input_field_placeholder", "input field placeholder is too long", most=64),
    ),
    "sendchataction": (
        Limit("action", "wrong parameter action in request", needed=True, among=ACTIONS),
    ),
    "answercallbackquery": (
        Limit("text", "MESSAGE_TOO_LONG", most=200, unit="utf-16"),
    ),
    "sendlocation": _PLACE,
    "sendvenue": (*_PLACE, *_needed("title", "address")),
    "sendcontact": _needed("phone_number", "first_name"),
}  # fmt: skip
"""By method in small letters; "" holds for all. Each row: where, Telegram's words behind "Bad Request", what holds."""

_DOES = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text", "pay",
    "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "callback_game",
)  # fmt: skip
_HTTP = re.compile(r"(?:https?|tg|ton|tonsite)://[^\s/]\S*|[\w-]+(?:\.[\w-]+)+\S*")


def fault(method: str, params: Mapping[str, Any]) -> str | None:
    """What is wrong with a request for that method, in Telegram's words. Nested values are decoded already."""
    limit = broken((*LIMITS[""], *LIMITS.get(method, ())), params)
    wrong = button_fault(params.get("reply_markup"))
    return wrong if limit is None else str(limit.error)


def button_fault(markup: Any) -> str | None:
    """What is wrong with a button of an inline keyboard, in Telegram's words."""
    for button in _buttons(markup):
        does = [name for name in _DOES if button.get(name) not in (None, "")]
        if not does:
            return "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        url = button.get("url")
        if url is not None and not _HTTP.fullmatch(str(url)):
            return f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"
        if not str(button.get("text") or "").strip():
            return "can't parse inline keyboard button: Text must be non-empty"
    return None


def _buttons(markup: Any) -> Iterator[dict[str, Any]]:
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    for row in rows if isinstance(rows, list) else []:
        yield from (one for one in row if isinstance(one, dict)) if isinstance(row, list) else ()
