"""Business cards as vCard 3.0 text.

Knows: RFC 2426, and how much of it Telegram carries.
Does not know: messages.
"""

from __future__ import annotations

from outeract_core.content import Contact

__all__ = ["card"]

_MOST = 2048
"""Bot API, sendContact: bytes of a vCard."""


def card(contact: Contact) -> str | None:
    """The card, when it says more than a name and one number and is not too long; else None."""
    if len(contact.phones) < 2 and not contact.emails:
        return None
    lines = [
        "BEGIN:VCARD", "VERSION:3.0", f"FN:{_said(contact.name)}", f"N:{_said(contact.name)};;;;",
        *(f"TEL:{_said(phone)}" for phone in contact.phones),
        *(f"EMAIL:{_said(email)}" for email in contact.emails), "END:VCARD",
    ]  # fmt: skip
    whole = "\r\n".join(lines)
    return whole if len(whole.encode("utf-8", "replace")) <= _MOST else None


def _said(value: str) -> str:
    r"""RFC 2426, section 5: backslash, comma and semicolon are escaped, a line break is `\n`."""
    for char in "\\,;":
        value = value.replace(char, f"\\{char}")
    return "\\n".join(value.splitlines())
