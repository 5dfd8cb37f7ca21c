"""Reactions as facts: what was added and what was taken back.

Knows: that an update tells the whole list before and after, how a reaction is named.
Does not know: messages, which reactions a bot may set (`emoji.py`).

Bot API, Update: both kinds come only to admins, and only when `allowed_updates` names them.
"""

from __future__ import annotations

from collections.abc import Iterable

from outeract_core.errors import ParseError
from outeract_core.events import Fact

from ..fields import Object, external_id, many, need, number, obj, text, time_of
from .people import chat_of, person
from .scope import PLATFORM, Scope

__all__ = ["on_reaction", "on_reaction_count"]

_CUSTOM = "custom_emoji:"


def on_reaction(scope: Scope, item: Object) -> Iterable[Fact]:
    """One fact for each reaction that is in only one of the lists. Raises ParseError."""
    before, after = _named(item, "old_reaction"), _named(item, "new_reaction")
    gone = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    if not gone and not new:
        return [scope.notice("message_reaction", item, external_message_id=_target(item))]
    return [
        *(_fact(scope, item, name, removed=True) for name in gone),
        *(_fact(scope, item, name, removed=False) for name in new),
    ]


def _fact(scope: Scope, item: Object, name: str, *, removed: bool) -> Fact:
    """The key: when, what, who, and the update, since one may change one's mind within a second."""
    target, actor = _target(item), obj(item, "actor_chat")
    sender = chat_of(actor) if number(actor, "id") is not None else person(obj(item, "user"))
    chat = chat_of(obj(item, "chat"))
    direct = chat.kind == "person"
    who = sender or (chat if direct else None)
    sign, update = "-" if removed else "+", number(scope.raw, "update_id")
    known = who.external_id if who else "?"
    return Fact(
        kind="message.reaction_removed" if removed else "message.reaction_added",
        key=f"{number(item, 'date') or 0}:{target}:{known}:{sign}{name}:{update}",
        payload={"platform": PLATFORM, "external_message_id": target, "emoji": name},
        raw=scope.raw,
        occurred_at=time_of(item.get("date")) or scope.at,
        sender=who,
        chat=None if direct else chat,
        target=target,
    )


def on_reaction_count(scope: Scope, item: Object) -> Iterable[Fact]:
    """How many reactions there are where nobody tells whose they are. Raises ParseError."""
    counts = {
        name: number(one, "total_count") or 0
        for one in many(item, "reactions")
        if (name := _name(obj(one, "type"))) is not None
    }
    target = _target(item)
    return [
        scope.notice("message_reaction_count", item, external_message_id=target, reactions=counts)
    ]


def _target(item: Object) -> str:
    return external_id(need(item, "message_id"), need(item, "chat", "id"))


def _named(item: Object, member: str) -> list[str]:
    if not isinstance(item.get(member), list):
        raise ParseError(f"a reaction without the list {member}")
    names = (_name(reaction) for reaction in many(item, member))
    return list(dict.fromkeys(name for name in names if name is not None))


def _name(reaction: Object) -> str | None:
    """The emoji; `custom_emoji:<id>` for one that is a picture; a star for a paid one."""
    custom = text(reaction, "custom_emoji_id")
    if reaction.get("type") == "custom_emoji" and custom is not None:
        return f"{_CUSTOM}{custom}"
    return "⭐" if reaction.get("type") == "paid" else text(reaction, "emoji")
