"""Reads members of JSON that anybody may have shaped, and the ids in it.

Knows: what a Slack id and a Slack time (`ts`) look like, and how the two name a message.
Does not know: events, people, HTTP.

A message is named `"<ts>:<channel>"`: `ts` is unique per channel only, and it is a *string*
(as a float "1355517523.000005" loses digits). The name of an action upon a message ends with that
message's name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from outeract_core.errors import ParseError, Rejected

from ..members import Object, many, obj, text

__all__ = [
    "Object",
    "external_id",
    "many",
    "name",
    "need_id",
    "need_ts",
    "obj",
    "split_id",
    "text",
    "time_of",
]

_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FILE = re.compile(r"F[A-Z0-9]{5,20}")
_TS = re.compile(r"([0-9]{1,11})\.([0-9]{1,6})")


def name(item: Any, *path: str) -> str | None:
    """The Slack id (`C…`, `U…`, `Ev…`) at `path`, or None."""
    value = text(item, *path)
    return value if value and _ID.fullmatch(value) else None


def need_id(item: Any, member: str) -> str:
    """The Slack id in `member`. Raises ParseError."""
    value = name(item, member)
    if value is None:
        raise ParseError(f"{member!r} is not a Slack id")
    return value


def need_ts(item: Any, member: str) -> str:
    """The message time in `member`, as the string that it is. Raises ParseError."""
    value = text(item, member)
    if value is None or not _TS.fullmatch(value):
        raise ParseError(f"{member!r} is not a Slack time like '1355517523.000005'")
    return value


def time_of(ts: str | None) -> datetime | None:
    """A Slack time as a datetime in UTC, or None when it is none."""
    match = _TS.fullmatch(ts or "")
    if match is None:
        return None
    fraction = timedelta(microseconds=int(match[2].ljust(6, "0")))
    return datetime.fromtimestamp(int(match[1]), UTC) + fraction


def external_id(ts: str, channel: str) -> str:
    """The name of a message; the part that grows stands first."""
    return f"{ts}:{channel}"


def split_id(external_id: str) -> tuple[str, str]:
    """`(ts, channel)` of a message's name, or of the one that an action's name ends with.

    Raises Rejected when it is not one of ours.
    """
    if _FILE.fullmatch(external_id):
        raise Rejected(
            "Slack has not told yet what it calls the message with this file; it can be done once the "
            "event of that message has come"
        )
    ts, channel = ("", *external_id.rsplit(":", 2))[-2:]
    if not _TS.fullmatch(ts) or not _ID.fullmatch(channel):
        raise Rejected(f"{external_id!r} is not a Slack message; its id is '<ts>:<channel>'")
    return ts, channel
