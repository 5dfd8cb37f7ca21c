"""Patterns of event types: `message.inbound`, `message.*` or `*`.

Knows: when a pattern is one, and what it fits.
Does not know: which event types there are, who asks (handlers, rules of retention).
"""

from __future__ import annotations

from ...errors import BadInput
from ...events import NAME


def checked(pattern: str) -> str:
    """The pattern. Raises BadInput when it is none."""
    if pattern != "*" and not NAME.fullmatch(pattern.removesuffix(".*")):
        raise BadInput(f"pattern {pattern!r}: an event type, 'prefix.*' or '*'")
    return pattern


def fits(pattern: str, event_type: str) -> bool:
    """Whether a pattern fits: equal, `*`, or a trailing `.*` for any deeper name."""
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern in ("*", event_type)
