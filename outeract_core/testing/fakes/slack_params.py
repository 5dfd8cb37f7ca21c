"""What stands in a request to Slack's Web API, read: channels, text, nested JSON; held against what Slack takes.

Knows: ids of channels, which methods take a user's instead. Does not know: methods, which messages there are.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .limits.rules import Limit, broken
from .limits.slack import LIMITS, blocks_too_long
from .slack_directory import RefusedError

__all__ = [
    "channel_of", "correlation_of", "decoded", "direct", "escaped", "held", "kind_of", "place_of",
    "reaction_of", "worded",
]  # fmt: skip

_CHANNEL = re.compile(r"[CDGUW][A-Za-z0-9]+")
_NESTED = ("blocks", "attachments", "metadata")


def channel_of(params: dict[str, Any]) -> str:
    """The channel that is meant; a user id stands for the direct conversation with that user."""
    channel = str(params.get("channel") or "")
    if not _CHANNEL.fullmatch(channel):
        raise RefusedError("channel_not_found")
    return direct(channel) if channel[0] in "UW" else channel


def place_of(params: dict[str, Any]) -> str:
    """The channel whose messages are meant: a user id is none here, though one can be written to by it."""
    if str(params.get("channel") or "")[:1] in ("U", "W"):
        raise RefusedError("channel_not_found")
    return channel_of(params)


def worded(params: dict[str, Any]) -> str:
    """The text of a message, which blocks or attachments can stand for."""
    text = str(params.get("text") or params.get("markdown_text") or "")
    if not (text or params.get("blocks") or params.get("attachments")):
        raise RefusedError("no_text")
    held(params, LIMITS)
    return text


def held(params: dict[str, Any], limits: tuple[Limit, ...]) -> None:
    """Against what Slack documents of messages."""
    nested = {name: decoded(params[name]) for name in _NESTED if params.get(name)}
    limit = broken(limits, {**params, **nested})
    if limit is not None:
        raise RefusedError(str(limit.error))
    if blocks_too_long(nested.get("blocks")):
        raise RefusedError("msg_blocks_too_long")


def reaction_of(params: dict[str, Any]) -> tuple[str, str, str]:
    """Channel, ts and name of the emoji."""
    if not params.get("timestamp"):
        raise RefusedError("no_item_specified")
    return place_of(params), str(params["timestamp"]), str(params.get("name") or "")


def correlation_of(metadata: Any) -> Any:
    """The token of the message, or whatever its metadata hold."""
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("token", payload) if isinstance(payload, dict) else payload


def kind_of(channel: str) -> str:
    """The type of a channel, by its letter."""
    return "im" if channel.startswith("D") else "channel"


def direct(user: str) -> str:
    """The direct conversation with a user."""
    return f"D{user[1:]}"


def escaped(text: str) -> str:
    """Slack, formatting: `&`, `<` and `>` are escaped, nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def decoded(value: Any) -> Any:
    """Nested values in forms are JSON text."""
    return json.loads(value) if isinstance(value, str) and value else value
