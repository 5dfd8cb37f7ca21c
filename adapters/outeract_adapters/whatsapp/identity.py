"""People who change number or id: `system` messages and the field `user_id_update`.

Knows: which notifications say so, and which names belong to one person before and after.
Does not know: messages, statuses, what core does with a relink.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party, Relink
from outeract_core.model import Alias

from ..meta import Object, digest, obj, text
from .people import moved, person, phone
from .scope import PLATFORM, Scope

__all__ = ["on_system", "on_user_id_update"]

_CHANGES = frozenset({
    "user_changed_number", "customer_changed_number", "user_changed_user_id",
    "customer_identity_changed",
})  # fmt: skip


def on_system(scope: Scope, item: Object, id: str, contact: Object) -> Fact:
    """The fact of a message of type `system`: somebody's identity, or any other notice.

    `from` names the person as they were; `system.wa_id` and `.user_id` what they are now.
    """
    system, old_id = obj(item, "system"), text(item, "from_user_id")
    what, new_id = text(system, "type") or "system", text(system, "user_id")
    new = system.get("wa_id") or system.get("new_wa_id")
    contact = contact or scope.contacts.describing(new, new_id)
    payload: Object = {
        "platform": PLATFORM, "notice": what, "text": text(system, "body"),
        "external_message_id": id,
    }  # fmt: skip
    relinks: tuple[Relink, ...] = ()
    if what in _CHANGES:
        relinks = moved(item.get("from"), new, old_id, new_id)
        change = _named(what, (phone(item.get("from")), phone(new)), (old_id, new_id))
        payload |= {"change": what, **change}
    return Fact(
        kind="system.identity_changed" if what in _CHANGES else "system.notice",
        key=id,
        payload={name: value for name, value in payload.items() if value is not None},
        raw=scope.raw("messages", item, contact),
        occurred_at=scope.at(item),
        sender=person(item.get("from"), old_id, item.get("from_parent_user_id"), _profile(contact)),
        account=scope.account,
        relinks=relinks,
    )


def on_user_id_update(scope: Scope, item: Any) -> Iterable[Fact]:
    """A person's BSUID has changed, as it does with every change of number. Raises ParseError."""
    previous, current = text(item, "user_id", "previous"), text(item, "user_id", "current")
    if previous is None or current is None:
        raise ParseError("a user_id_update without user_id.previous and user_id.current")
    number = phone(item.get("wa_id"))
    contact = scope.contacts.describing(number, current)
    relinks = moved(None, number, previous, current)
    relinks += _parent(item)
    raw = scope.raw("user_id_update", item, contact)
    change = _named("user_id_update", (None, number), (previous, current))
    fact = Fact(
        kind="system.identity_changed",
        key=f"identity:{digest(scope.entry_time, scope.raw('user_id_update', item))}",
        payload={"platform": PLATFORM, "change": "user_id_update", **change},
        raw=raw,
        occurred_at=scope.at(item),
        sender=Party(
            None, "person", text(contact, "profile", "name"),
            aliases=(Alias("bsuid", previous),),
        ),
        account=scope.account,
        relinks=relinks,
    )  # fmt: skip
    return [fact]


def _profile(contact: Object) -> Object:
    """How a contact shows itself, without its names: they may be those after the change."""
    return {"profile": contact["profile"]} if "profile" in contact else {}


_Pair: TypeAlias = tuple[str | None, str | None]


def _named(what: str, numbers: _Pair, ids: _Pair) -> dict[str, str]:
    """Who it was and who it is, for people to read: a number beside a number, an id beside an id.

    `previous` and `current` are what has changed; `number` and `user_id` what the person has now.
    """
    pairs = (ids, numbers) if "user_id" in what else (numbers, ids)
    whole = [pair for pair in pairs if None not in pair and pair[0] != pair[1]]
    before, after = whole[0] if whole else (None, None)
    told = {
        "previous": before, "current": after, "number": numbers[1] or numbers[0],
        "user_id": ids[1] or ids[0],
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _parent(item: Object) -> tuple[Relink, ...]:
    """The parent id moves along; the way back leads sends to the name that they use."""
    previous = text(item, "parent_user_id", "previous")
    current = text(item, "parent_user_id", "current")
    if previous is None or current is None or previous == current:
        return ()
    back = phone(item.get("wa_id")) or text(item, "user_id", "current") or current
    kind = "bsuid" if back == text(item, "user_id", "current") else "external_id"
    return (Relink(previous, current, "parent_bsuid"), Relink(current, back, kind))
