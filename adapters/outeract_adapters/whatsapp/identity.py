"""People who change number or id: `system` messages and the field `user_id_update`.

Knows: which notifications say so, and which names belong to one person before and after.
Does not know: messages, statuses, what core does with a relink.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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


def on_system(scope: Scope, item: Object, id: str, raw: Any) -> Fact:
    """The fact of a message of type `system`: somebody's identity, or any other notice.

    `from` names the person as they were; `system.wa_id` and `.user_id` what they are now.
    """
    system = obj(item, "system")
    what = text(system, "type") or "system"
    old_id = text(item, "from_user_id")
    sender = person(item.get("from"), old_id, item.get("from_parent_user_id"), {})
    relinks: tuple[Relink, ...] = ()
    if what in _CHANGES:
        new = system.get("wa_id") or system.get("new_wa_id")
        relinks = moved(item.get("from"), new, old_id, text(system, "user_id"))
    payload = {
        "platform": PLATFORM, "notice": what, "change": what if what in _CHANGES else None,
        "text": text(system, "body"), "external_message_id": id, **_names(relinks),
    }  # fmt: skip
    return Fact(
        kind="system.identity_changed" if what in _CHANGES else "system.notice",
        key=id,
        payload={name: value for name, value in payload.items() if value is not None},
        raw=raw,
        occurred_at=scope.at(item),
        sender=sender,
        account=scope.account,
        relinks=relinks,
    )


def on_user_id_update(scope: Scope, item: Any) -> Iterable[Fact]:
    """A person's BSUID has changed, as it does with every change of number. Raises ParseError."""
    previous, current = text(item, "user_id", "previous"), text(item, "user_id", "current")
    if previous is None or current is None:
        raise ParseError("a user_id_update without user_id.previous and user_id.current")
    relinks = moved(None, item.get("wa_id"), previous, current)
    relinks += _parent(item)
    raw = scope.raw("user_id_update", item)
    payload = {"platform": PLATFORM, "change": "user_id_update", **_names(relinks)}
    fact = Fact(
        kind="system.identity_changed",
        key=f"identity:{digest(scope.entry_time, raw)}",
        payload=payload,
        raw=raw,
        occurred_at=scope.at(item),
        sender=Party(None, "person", aliases=(Alias("bsuid", previous),)),
        account=scope.account,
        relinks=relinks,
    )
    return [fact]


def _parent(item: Object) -> tuple[Relink, ...]:
    """The parent id moves along; the way back leads sends to the name that they use."""
    previous = text(item, "parent_user_id", "previous")
    current = text(item, "parent_user_id", "current")
    if previous is None or current is None or previous == current:
        return ()
    back = phone(item.get("wa_id")) or text(item, "user_id", "current") or current
    kind = "bsuid" if back == text(item, "user_id", "current") else "external_id"
    return (Relink(previous, current, "parent_bsuid"), Relink(current, back, kind))


def _names(relinks: tuple[Relink, ...]) -> dict[str, str]:
    """Who it was and who it is, for people to read."""
    if not relinks:
        return {}
    return {"previous": relinks[0].previous, "current": relinks[-1].current}
