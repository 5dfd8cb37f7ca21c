"""How Slack writes a name: `U…`, `C…`, `G…`, `B…` in capitals; `D…` is an alias of who is behind it.

Knows: what may be given to `send`. Does not know: who is in a workspace.
"""

from __future__ import annotations

import re

from outeract_core.errors import BadInput
from outeract_core.model import Alias

__all__ = ["normalise"]

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}")
_MENTION = re.compile(r"<[@#]([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL = re.compile(r"#[^\s#@,]{1,80}")


def normalise(external_id: str, kind: str) -> str | Alias:
    """The id in its one form. Raises BadInput.

    Slack docs, chat.postMessage: `channel` is an id of a channel or user, or `#name` of a channel.
    """
    text = external_id.strip()
    mention = _MENTION.fullmatch(text)
    text = mention[1] if mention else text
    if _CHANNEL.fullmatch(text):
        return text.lower()
    if not _ID.fullmatch(text):
        raise BadInput(
            f"slack: {external_id!r:.60} is no user or channel; give an id like U0123456789 or "
            "C0123456789 (a name or an address is none), or #name of a channel"
        )
    text = text.upper()
    if text.startswith("D") and kind == "person":
        return Alias("dm_channel", text)
    return text
