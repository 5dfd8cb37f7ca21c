"""Reads members of JSON that anybody may have shaped, and the ids in it.

Knows: Telegram's numbers and times, and how a message and a place to send to are named.
Does not know: events, people, HTTP.

A message is named `"<message_id>:<chat_id>"`: `message_id` is unique per chat only. In the chats of
a business account it counts for that account, so its connection is part of the name:
`"<message_id>:<chat_id>:<business_connection_id>"`, and of the address: `"<chat_id>:<…>"`.

An ephemeral message has a number that is used again when it is gone, and is seen by one person:
`"<ephemeral_message_id>.<date>:<chat_id>:~<user_id>"`, in the place `"<chat_id>:~<user_id>"`.

Who writes to a channel has a topic of their own in its direct messages: the place `"<chat_id>:@<topic_id>"`.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from outeract_core.errors import ParseError, Rejected

from ..members import Object, many, number, obj, said, text, whole

__all__ = [
    "Object",
    "Place",
    "address",
    "clean",
    "digest",
    "ephemeral_id",
    "external_id",
    "many",
    "need",
    "number",
    "obj",
    "said",
    "split_id",
    "text",
    "time_of",
    "utf16",
    "whole",
]

_BUSINESS = r"[A-Za-z0-9_+/=.-]{1,256}"
_MESSAGE = re.compile(rf"([0-9]{{1,18}}):(-?[0-9]{{1,18}})(?::({_BUSINESS}))?")
_ADDRESS = re.compile(rf"(-?[0-9]{{1,18}}|@[A-Za-z0-9_]{{4,32}})(?::({_BUSINESS}))?")
_EPHEMERAL = re.compile(r"([0-9]{1,18})\.([0-9]{1,12}):(-?[0-9]{1,18}):~([0-9]{1,18})")
_ASIDE = re.compile(r"(-?[0-9]{1,18}):~([0-9]{1,18})")
_DIRECT = re.compile(r"(-?[0-9]{1,18}):@([0-9]{1,18})")
_UNSAYABLE = re.compile("[\ud800-\udfff\0]")


@frozen
class Place:
    """Where to send: a chat's number, or `@name` of a public one, and the business account's connection.

    `user`: the only person in that chat who is to see it. `topic`: of a channel's direct messages, one person's.
    """

    chat: int | str
    business: str | None = None
    user: int | None = None
    topic: int | None = None


def need(item: Any, *path: str) -> int:
    """The integer at `path`. Raises ParseError."""
    value = number(item, *path)
    if value is None:
        raise ParseError(f"{'.'.join(path)!r} is not a number")
    return value


def time_of(value: Any) -> datetime | None:
    """Unix seconds as a datetime in UTC; None for anything else, and for the 0 of what is unknown."""
    if type(value) is not int or not 0 < value < 2**37:
        return None
    return datetime.fromtimestamp(value, UTC)


def external_id(message_id: int, chat_id: int, business: str | None = None) -> str:
    """The name of a message; the part that grows stands first. Raises ParseError."""
    named = f"{message_id}:{chat_id}" + (f":{business}" if business else "")
    if not _MESSAGE.fullmatch(named):
        raise ParseError(f"{named!r:.80} names no message")
    return named


def ephemeral_id(shown: int, date: int, chat_id: int, user: int) -> str:
    """The name of an ephemeral message, which only `user` and the bot can see. Raises ParseError."""
    named = f"{shown}.{date}:{chat_id}:~{user}"
    if not _EPHEMERAL.fullmatch(named):
        raise ParseError(f"{named!r:.80} names no message")
    return named


def split_id(external_id: str) -> tuple[int, Place]:
    """`(message_id, place)` of a message's name. Raises Rejected when it is not one of ours.

    Of an ephemeral message it is the `ephemeral_message_id`, and the place has a `user`.
    """
    aside = _EPHEMERAL.fullmatch(external_id)
    if aside is not None:
        return int(aside[1]), Place(int(aside[3]), None, int(aside[4]))
    found = _MESSAGE.fullmatch(external_id)
    if found is None:
        raise Rejected(
            f"{external_id!r:.80} is not a Telegram message; its id is '<message_id>:<chat_id>'"
        )
    return int(found[1]), Place(int(found[2]), found[3])


def address(value: str) -> Place:
    """The place behind a recipient's address. Raises Rejected."""
    aside = _ASIDE.fullmatch(value)
    if aside is not None:
        return Place(int(aside[1]), None, int(aside[2]))
    direct = _DIRECT.fullmatch(value)
    if direct is not None:
        return Place(int(direct[1]), topic=int(direct[2]))
    found = _ADDRESS.fullmatch(value)
    if found is None:
        raise Rejected(
            f"{value!r:.80} is not a Telegram chat: give its number, or @name of a public group or channel"
        )
    chat = found[1]
    return Place(chat if chat.startswith("@") else int(chat), found[2])


def digest(value: Any) -> str:
    """A short name for something that has no id of its own: equal content, equal name."""
    whole = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def utf16(text: str) -> int:
    """Length in UTF-16 code units, in which the Bot API counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(value: Any) -> Any:
    """`value` with every text in it made sayable: a lone surrogate or NUL becomes U+FFFD."""
    if isinstance(value, str):
        return _UNSAYABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean(name): clean(inner) for name, inner in value.items()}
    return [clean(inner) for inner in value] if isinstance(value, list | tuple) else value
