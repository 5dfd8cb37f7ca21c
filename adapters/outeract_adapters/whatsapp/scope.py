"""What every item of one change shares: the account, the contacts, the time of arrival.

Knows: how to name and keep an item, and what a notice is.
Does not know: what any item means.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from outeract_core.adapter import Inbound
from outeract_core.errors import ParseError
from outeract_core.events import Fact, Party

from ..meta import Object, digest, text, time_of
from .contacts import Contacts

__all__ = ["PLATFORM", "Scope", "fault"]

PLATFORM = "whatsapp"
_KEPT = ("messaging_product", "metadata")


@frozen
class Scope:
    """One element of `changes[]`: its `field` and `value`, and the entry around it."""

    name: str
    value: Object = field(repr=False)
    received_at: datetime
    entry_id: Any = None
    entry_time: Any = None
    contacts: Contacts = field(factory=Contacts, repr=False)

    @classmethod
    def of(cls, inbound: Inbound, entry: Object, change: Any) -> Scope:
        """The scope of a change. Raises ParseError when it holds nothing."""
        value = change.get("value") if isinstance(change, dict) else None
        if not isinstance(value, dict) or not value:
            raise ParseError("a change without a value")
        name = text(change, "field") or "unknown"
        at = inbound.received_at.astimezone(UTC)
        around = Contacts.of(value)
        return cls(name, value, at, entry.get("id"), entry.get("time"), around)

    @property
    def account(self) -> str | None:
        """The number of ours that this is about: `metadata.phone_number_id`."""
        found = self.value.get("metadata")
        number = found.get("phone_number_id") if isinstance(found, dict) else None
        if type(number) is int:
            return str(number)
        return number if isinstance(number, str) and number else None

    def raw(self, member: str, item: Any, contact: Object | None = None) -> Object:
        """The change cut down to one item: what a better parser can be run over later."""
        cut = {name: self.value[name] for name in _KEPT if name in self.value}
        if contact:
            cut["contacts"] = [contact]
        return {"field": self.name, "value": {**cut, member: [item]}}

    def at(self, item: Any) -> datetime:
        """When it happened: the item's own `timestamp`, else the entry's, else the arrival's."""
        own = time_of(item.get("timestamp")) if isinstance(item, dict) else None
        return own or time_of(self.entry_time) or self.received_at

    def notice(
        self, what: str, raw: Any, item: Any, sender: Party | None = None,
        chat: Party | None = None, **more: Any,
    ) -> Fact:  # fmt: skip
        """A fact without a meaning of its own: kept with its raw form, never refused."""
        told = {"platform": PLATFORM, "notice": what, "field": self.name, **more}
        return Fact(
            kind="system.notice",
            key=f"notice:{digest(self.entry_id, self.entry_time, raw)}",
            payload={name: value for name, value in told.items() if value is not None},
            raw=raw,
            occurred_at=self.at(item),
            sender=sender,
            chat=chat,
            account=self.account,
        )


def fault(errors: Any) -> tuple[str | None, str | None]:
    """`(code, reason)` of the first of `errors[]`; None for what it does not tell."""
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return None, None
    code = first.get("code")
    named = str(code) if type(code) is int or isinstance(code, str) else None
    words = [text(first, "title"), text(first, "message"), text(first, "error_data", "details")]
    said = "; ".join(dict.fromkeys(word for word in words if word))
    return named, said or None
