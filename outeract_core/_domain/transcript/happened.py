"""What people do instead of writing, in words: a press, a command, a form, a reaction; and the host's events.

Knows: the payload of an action. Does not know: messages' contents (`words.py`), turns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...model import Event
from ...standing import Reacted, Standing
from .shown import inline, mark
from .words import Words, glimpse


def words_of_action(event: Event, about: Standing | None) -> Words:
    """A press, a command, a form: what somebody did instead of writing."""
    told: Mapping[str, Any] = event.payload if isinstance(event.payload, dict) else {}
    title = inline(told.get("title") or _offered(event, about) or told.get("id") or "")
    kind, text = told.get("type"), told.get("text")
    where = "" if about is None else f"on: {glimpse(about)}"
    if kind == "command":
        return Words((mark("command", title),), text if isinstance(text, str) else "")
    if kind == "form":
        values = inline(json.dumps(told.get("values"), ensure_ascii=False), 2000)
        return Words((mark("filled in", f"{title}:", values),))
    if kind in ("button", "list", None):
        return Words((mark(f"pressed “{title}”", where),))
    return Words((mark(inline(kind, 40), title, where),))


def _offered(event: Event, about: Standing | None) -> str | None:
    """What stood on what was pressed, where the platform does not tell it."""
    presses = () if about is None else about.presses
    return next((one.title for one in presses if one.position == event.position), None)


def words_of_reaction(reacted: Reacted, about: Standing) -> Words:
    """A reaction upon what the bot has said: an answer."""
    return Words((mark("reacted", inline(reacted.emoji, 40), f"to: {glimpse(about)}"),))


def words_of_own(event: Event) -> str:
    """An event of the host's own: its text, or the JSON of it."""
    payload = event.payload
    if isinstance(payload, dict):
        said = payload.get("content", payload.get("text"))
        payload = said if isinstance(said, str) else payload
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
