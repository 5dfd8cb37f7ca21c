"""A verified webhook, or the answer to a poll, as facts: one update holds one thing.

Knows: every kind of update, what reads it, that anything else is kept as a notice.
Does not know: signatures, requests, what an update means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from outeract_core.adapter import Inbound
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Unparsed

from ..fields import Object, number
from .happenings import on_callback, on_deleted, on_inline, on_member, on_other, on_vote
from .messages import on_edited, on_message
from .people import Us
from .reactions import on_reaction, on_reaction_count
from .scope import Scope

__all__ = ["UPDATES", "facts", "update_facts"]

_WRONG = (
    ParseError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip

Reader = Callable[[Scope, Object], Iterable[Fact]]

_READERS: dict[str, Reader] = {
    "message": on_message,
    "edited_message": on_edited,
    "channel_post": on_message,
    "edited_channel_post": on_edited,
    "business_message": on_message,
    "edited_business_message": on_edited,
    "deleted_business_messages": on_deleted,
    "message_reaction": on_reaction,
    "message_reaction_count": on_reaction_count,
    "callback_query": on_callback,
    "chosen_inline_result": on_inline,
    "poll_answer": on_vote,
    "my_chat_member": lambda scope, item: on_member(scope, "my_chat_member", item),
    "chat_member": lambda scope, item: on_member(scope, "chat_member", item),
}
_TOLD = (
    "business_connection", "guest_message", "inline_query", "shipping_query",
    "pre_checkout_query", "purchased_paid_media", "poll", "chat_join_request", "chat_boost",
    "removed_chat_boost", "managed_bot", "subscription", "stopped_message_generation",
)  # fmt: skip

UPDATES: tuple[str, ...] = (*_READERS, *_TOLD)
"""Bot API 10.3, Update: all kinds. `allowed_updates` must name them: left out, Telegram keeps what
it was told last, and by default it leaves out reactions and `chat_member`."""


def facts(inbound: Inbound, us: Us) -> list[Fact | Unparsed]:
    """Everything that a verified request says. Raises ParseError when it is no update."""
    try:
        update = inbound.json()
    except (ValueError, RecursionError) as error:
        raise ParseError(f"not JSON: {type(error).__name__}") from error
    found = update_facts(update, us, inbound.received_at)
    if not found:
        raise ParseError("an update in which nothing has happened")
    return found


def update_facts(update: Any, us: Us, at: datetime | None = None) -> list[Fact | Unparsed]:
    """The facts of one update; one that cannot be read becomes Unparsed, alone."""
    if not isinstance(update, dict):
        return [Unparsed(update, f"an update is an object, not {type(update).__name__}")]
    if number(update, "update_id") is None:
        return [Unparsed(update, "an update without update_id")]
    scope = Scope(update, us, at)
    found: list[Fact | Unparsed] = []
    for name, item in sorted(update.items()):
        if name != "update_id":
            found += _read(scope, name, item)
    return found


def _read(scope: Scope, name: str, item: Any) -> list[Fact | Unparsed]:
    reader = _READERS.get(name)
    try:
        if reader is None:
            return list(on_other(scope, name, item))
        if isinstance(item, dict):
            return list(reader(scope, item))
        raise ParseError(f"{name} is not an object")
    except _WRONG as error:
        return [Unparsed(scope.raw, f"{name}: {type(error).__name__}: {error}")]
