"""`contacts[]` of a change: which of them describes the person that an item names.

Knows: that a number may be written in several ways, and be another number altogether.
Does not know: what the items say, what becomes of a name (`people.py`).

Meta, webhooks: a contact's `wa_id` and a message's `from` may differ, since WhatsApp drops or adds a
digit in some countries (Brazil, Mexico, Argentina); with one contact and one person there is no doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

from ..meta import Object, many, text
from .people import phone

__all__ = ["Contacts"]

_NAMED = {
    "messages": ("from", "from_user_id"),
    "message_echoes": ("to", "to_user_id"),
    "statuses": ("recipient_id", "recipient_user_id"),
}
"""Lists of a change, and the members by which their items name a person."""


@frozen
class Contacts:
    """The contacts of one change, to be found in one step however many there are.

    `only`: the single one of a change that speaks of a single person.
    """

    by_id: dict[str, Object] = field(factory=dict, repr=False)
    by_number: dict[str, Object] = field(factory=dict, repr=False)
    only: Object | None = field(default=None, repr=False)

    @classmethod
    def of(cls, value: Object) -> Contacts:
        """Those of a change's `value`; of several for one person the first."""
        listed = many(value, "contacts")
        ids, numbers = dict[str, Object](), dict[str, Object]()
        for contact in reversed(listed):
            known, number = text(contact, "user_id"), phone(contact.get("wa_id"))
            if known is not None:
                ids[known] = contact
            if number is not None:
                numbers[number] = contact
        alone = len(listed) == 1 and len(set(_people(value))) <= 1
        return cls(ids, numbers, listed[0] if alone else None)

    def describing(self, number: Any, user_id: Any) -> Object:
        """The contact of this person, or an empty object: by id first, since numbers are handed on."""
        known = user_id if isinstance(user_id, str) else ""
        found = self.by_id.get(known) or self.by_number.get(phone(number) or "")
        return found or self._single(known)

    def _single(self, user_id: str) -> Object:
        """The only contact, unless it says that it is somebody else."""
        theirs = text(self.only, "user_id")
        other = theirs is not None and user_id != "" and theirs != user_id
        return {} if self.only is None or other else self.only


def _people(value: Object) -> Iterator[tuple[str, str]]:
    """Whom the items of a change name, each by number and id."""
    for name, (number, user_id) in _NAMED.items():
        for item in many(value, name):
            yield phone(item.get(number)) or "", text(item, user_id) or ""
