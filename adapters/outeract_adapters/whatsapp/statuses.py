"""`statuses[]` as facts: what became of what we sent.

Knows: the five states, errors of failed ones, groups with a status for each participant.
Does not know: the order of states (core folds them), messages, envelopes.

They come late, early, twice and out of order, and `delivered` may be skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party

from ..meta import Object, text
from .codes import CODES
from .people import BOT, group, person
from .scope import PLATFORM, Scope, fault

__all__ = ["on_status"]

_KINDS = {
    "sent": "message.sent",
    "delivered": "message.delivered",
    "read": "message.read",
    "played": "message.read",
    "failed": "message.failed",
}
"""Who has listened to a voice message (`played`) has read it."""


def on_status(scope: Scope, item: Any) -> Iterable[Fact]:
    """The fact of an element of `statuses[]`. Raises ParseError.

    Sent twice, it has the same key: the message, the state, the time and, in a group, the person.
    """
    target, status = text(item, "id"), text(item, "status")
    if target is None or status is None:
        raise ParseError("a status without id and status")
    contact = scope.contacts.describing(item.get("recipient_id"), item.get("recipient_user_id"))
    raw = scope.raw("statuses", item, contact)
    chat = _chat(item, contact)
    if status not in _KINDS:
        more: Object = {"status": status, "external_message_id": target}
        return [scope.notice("status", raw, item, chat=chat, **more)]
    code, reason = fault(item.get("errors"))
    told = {
        "platform": PLATFORM, "external_message_id": target, "status": status,
        "reason": _reason(code, reason) if status == "failed" else None, "code": code,
        "class": _class(code) if status == "failed" else None,
        "participant": _participant(item),
    }  # fmt: skip
    fact = Fact(
        kind=_KINDS[status],
        key=_key(item, target, status),
        payload={name: value for name, value in told.items() if value is not None},
        raw=raw,
        occurred_at=scope.at(item),
        sender=BOT,
        chat=chat,
        target=target,
        correlation=text(item, "biz_opaque_callback_data"),
        account=scope.account,
    )
    return [fact]


def _key(item: Object, target: str, status: str) -> str:
    parts = [str(item.get("timestamp")), target, status, _participant(item)]
    return ":".join(part for part in parts if part)


def _participant(item: Object) -> str | None:
    return text(item, "recipient_participant_id") or text(item, "recipient_participant_user_id")


def _reason(code: str | None, reason: str | None) -> str:
    said = reason or "WhatsApp gave no reason"
    return said if code is None else f"(#{code}) {said}"


def _class(code: str | None) -> str:
    return CODES.failures.get(int(code), "rejected") if code and code.isdecimal() else "rejected"


def _chat(item: Object, contact: Object) -> Party | None:
    """Whom the message went to; None when the status does not say."""
    number = item.get("recipient_id")
    if item.get("recipient_type") == "group":
        return group(number)
    if text(item, "group_id") is not None:
        return group(item["group_id"])
    user_id, parent = item.get("recipient_user_id"), item.get("recipient_parent_user_id")
    return person(number, user_id, parent, contact)
