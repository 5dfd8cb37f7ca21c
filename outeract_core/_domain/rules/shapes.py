"""What readers take the library's own payloads to be: the members that they look at, and their types.

Knows: which member of which payload is a text, a number, an object. Does not know: where payloads come
from, what a platform adds to them (that is free), events of the host's own (those are free altogether).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...events import RESERVED

_TEXT, _NUMBER = "a text", "a whole number"
_TYPES: Mapping[str, type] = {_TEXT: str, _NUMBER: int}
_MEMBERS = {
    **dict.fromkeys(
        (
            "external_message_id",
            "reason",
            "emoji",
            "handler",
            "traceback",
            "class",
            "platform",
            "participant",
        ),
        _TEXT,
    ),
    **dict.fromkeys(("part", "parts", "attempts"), _NUMBER),
}
_SAID = dict.fromkeys(("text", "type", "role", "header", "footer"), _TEXT)
_TOLD = {"message.transcribed": {**_MEMBERS, "text": _TEXT}}
"""Types of events with members of their own."""


def fault(event_type: str, payload: Any) -> str | None:
    """What is wrong with the payload of an event, or None. A member may be absent or null."""
    if not event_type.startswith(RESERVED):
        return None
    if not isinstance(payload, dict):
        return f"the payload of {event_type} is no JSON object"
    found = _first(payload, _TOLD.get(event_type, _MEMBERS), "")
    message = payload.get("message")
    if found is None and message is not None and event_type.startswith("message."):
        if not isinstance(message, dict):
            return f"the payload of {event_type}: message is an object, not {message!r:.80}"
        found = _first(message, _SAID, "message.")
    return None if found is None else f"the payload of {event_type}: {found}"


def _first(members: Mapping[str, Any], wanted: Mapping[str, str], within: str) -> str | None:
    for name, value in members.items():
        if name in wanted and value is not None and type(value) is not _TYPES[wanted[name]]:
            return f"{within}{name} is {wanted[name]}, not {value!r:.80}"
    return None
