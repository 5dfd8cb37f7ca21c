"""Patterns of event types: `message.inbound`, `message.*` or `*`.

Knows: when a pattern is one, what it fits, that one which fits none of the library's types is a mistake.
Does not know: which types a host has of its own, who asks (handlers, rules of retention).
"""

from __future__ import annotations

from ...errors import BadInput
from ...events import EVENT_TYPES, NAME, RESERVED
from .near import near


def checked(pattern: str) -> str:
    """The pattern. Raises BadInput when it is none, or can fit no event."""
    if pattern != "*" and not NAME.fullmatch(pattern.removesuffix(".*")):
        raise BadInput(f"pattern {pattern!r}: an event type, 'prefix.*' or '*'")
    if pattern.startswith(RESERVED) and not any(fits(pattern, name) for name in EVENT_TYPES):
        hint = near(pattern, EVENT_TYPES)
        raise BadInput(f"pattern {pattern!r} fits no event type of the library's{hint}")
    return pattern


def doubt(pattern: str) -> str | None:
    """What to warn of: it fits nothing of the library's, but is spelt nearly like something."""
    if any(fits(pattern, name) for name in EVENT_TYPES):
        return None
    hint = near(pattern, [*EVENT_TYPES, *(f"{prefix}*" for prefix in RESERVED)], 1)
    return f"pattern {pattern!r} fits only events of your own{hint}" if hint else None


def fits(pattern: str, event_type: str) -> bool:
    """Whether a pattern fits: equal, `*`, or a trailing `.*` for any deeper name."""
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern in ("*", event_type)
