"""How Telegram writes a chat's name: a number as text, `@name` of a public one, or one of a business.

Knows: what the Bot API takes as `chat_id`. Does not know: which chats there are.
"""

from __future__ import annotations

import re

from outeract_core.errors import BadInput

__all__ = ["normalise"]

_PERSON = re.compile(r"[1-9][0-9]{0,17}")
"""What nearly every id is, in its one form already."""
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_PUBLIC = re.compile(r"@[A-Za-z][A-Za-z0-9_]{2,31}")
_BUSINESS = re.compile(r"(-?[0-9]{1,19}):([!-~]{1,200})")


def normalise(external_id: str) -> str:
    """The id in its one form. Raises BadInput.

    Bot API, sendMessage: `chat_id` is a number or the `@username` of a channel or supergroup, whose
    case does not matter. A person's @username cannot be written to.
    """
    if _PERSON.fullmatch(external_id):
        return external_id
    text = external_id.strip()
    if _NUMBER.fullmatch(text) and int(text):
        return str(int(text))
    if _PUBLIC.fullmatch(text):
        return text.lower()
    business = _BUSINESS.fullmatch(text)
    if business is not None:
        return f"{int(business[1])}:{business[2]}"
    raise BadInput(
        f"telegram: {external_id!r:.60} is no chat; give its number as a text, like '123456789', or "
        "'@name' of a public channel or group"
    )
