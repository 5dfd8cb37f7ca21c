"""Who is who on WhatsApp: phone numbers, business-scoped user ids, groups, and how they change.

Knows: E.164, BSUIDs, what a change of identity relinks.
Does not know: what was said, envelopes, which contact belongs to which item (`contacts.py`).

Since 2026 a person with a username may come without any phone number: then only the BSUID
(`user_id`) names them. Whoever has both is met by the number and found by either.
"""

from __future__ import annotations

import re
from typing import Any

from outeract_core.events import Party, Relink
from outeract_core.model import Alias

from ..meta import Object, text

__all__ = ["BOT", "BSUID", "group", "moved", "person", "phone"]

BOT = Party("system", "system")
BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""Meta: country, a dot, `ENT.` for a parent id, then up to 128 letters and digits."""

_NUMBER = re.compile(r"\+?([0-9]{5,20})")
_SPACING = str.maketrans("", "", " -().\u200e\u202a\u202c")


def phone(value: Any) -> str | None:
    """`value` as E.164 (`+16505551234`), or None when it is no number. Meta writes it bare."""
    if type(value) is int and value > 0:
        value = str(value)
    if not isinstance(value, str):
        return None
    found = _NUMBER.fullmatch(value.translate(_SPACING))
    return f"+{found[1]}" if found else None


def person(number: Any, user_id: Any, parent: Any, contact: Object) -> Party | None:
    """The party behind a message or a status, or None when nothing names one.

    `number`, `user_id`, `parent`: what the item says; `contact` fills in what it leaves out.
    """
    first = phone(number) or (number if isinstance(number, str) and number else None)
    told = phone(contact.get("wa_id"))
    names = {
        "bsuid": _id(user_id) or text(contact, "user_id"),
        "parent_bsuid": _id(parent) or text(contact, "parent_user_id"),
        "wa_id": told if first is not None and told != first else None,
    }
    external = first or told
    aliases = tuple(Alias(name, value) for name, value in names.items() if value)
    if external is None and not aliases:
        return None
    shown = text(contact, "profile", "name") or text(contact, "profile", "username")
    picture = text(contact, "profile", "picture")
    return Party(external, "person", shown, picture, aliases, "bsuid" if names["bsuid"] else None)


def group(group_id: Any, subject: str | None = None) -> Party | None:
    """The group, or None when there is none."""
    known = _id(group_id)
    return None if known is None else Party(known, "group", subject)


def moved(
    old_number: Any, new_number: Any, old_id: str | None, new_id: str | None
) -> tuple[Relink, ...]:
    """How the names of one person change. The number comes last: it is what sends prefer.

    A BSUID changes whenever the number does; each side may be missing from the notification.
    """
    before, after = phone(old_number), phone(new_number) or phone(old_number)
    steps: list[Relink] = []
    known = old_id or before
    if known and new_id and new_id != old_id:
        steps.append(Relink(known, new_id, "bsuid"))
    if after and (steps or after != before):
        previous = before if before not in (None, after) else (new_id if steps else old_id)
        if previous:
            steps.append(Relink(previous, after))
    return tuple(steps)


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
