"""What every item of one update shares: the update itself, its number, whose bot it came to.

Knows: how an item without an id of its own is named, and what a notice is.
Does not know: what any update means.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import field, frozen

from outeract_core.events import Fact, Party

from ..fields import Object, digest, number, obj, time_of
from .people import Us, chat_of, person

__all__ = ["PLATFORM", "Scope"]

PLATFORM = "telegram"


@frozen
class Scope:
    """One update. `at`: when it arrived, None when that is not known (a poll)."""

    raw: Object = field(repr=False)
    us: Us
    at: datetime | None = None

    def key(self, *parts: Any) -> str:
        """A key for what has no id: the update's number, then what tells it apart.

        The number alone will not do: it starts anew after a week without updates.
        """
        update = number(self.raw, "update_id")
        first = "" if update is None else f"{update}:"
        return first + ":".join(str(part) for part in parts)

    def notice(self, what: str, item: Any, **more: Any) -> Fact:
        """A fact without a meaning of its own: kept with its raw form, never refused."""
        told = {"platform": PLATFORM, "notice": what, **more}
        sender, chat = involved(item)
        return Fact(
            kind="system.notice",
            key=self.key(what, digest(item)),
            payload={name: value for name, value in told.items() if value is not None},
            raw=self.raw,
            occurred_at=time_of(item.get("date") if isinstance(item, dict) else None) or self.at,
            sender=sender,
            chat=chat,
        )


def involved(item: Any) -> tuple[Party | None, Party | None]:
    """`(who, where)` as far as an item of any shape tells; a private chat is its person."""
    user = person(obj(item, "from")) or person(obj(item, "user"))
    chat = obj(item, "chat") or obj(obj(item, "message"), "chat")
    if number(chat, "id") is None:
        return user, None
    party = chat_of(chat)
    return (user or party, None) if party.kind == "person" else (user, party)
