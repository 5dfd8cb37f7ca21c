"""What an organisation, an application and a connection may be called.

Knows: that a name is shown on one line and stands between slashes (`ORGANISATION/NAME`).
Does not know: which names are taken; that files hold names from before this rule, and keep them.
"""

from __future__ import annotations

from typing import Any

from ...errors import BadInput

LONGEST = 200
"""Characters."""


def check_text(what: str, name: Any) -> str:
    """The name, perhaps of something old: text that a file can hold. Raises BadInput."""
    try:
        if isinstance(name, str) and name.encode():
            return name
    except UnicodeEncodeError:
        pass
    raise BadInput(f"{what} needs a name that is text, not {name!a:.80}")


def check_name(what: str, name: Any) -> str:
    """The name, for something new. Raises BadInput, saying what is wrong with it."""
    text = check_text(what, name)
    if len(text) > LONGEST:
        raise BadInput(f"the name of {what} has {len(text)} characters; {LONGEST} is the most")
    if "/" in text or not text.isprintable() or text != text.strip():
        raise BadInput(
            f"{text!a:.80} is no name for {what}: use printable characters, no '/', no space at its ends"
        )
    return text
