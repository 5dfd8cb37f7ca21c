"""Buttons, menus and quick replies as keyboards.

Knows: inline keyboards and reply keyboards, their limits, how labels are laid out.
Does not know: texts, recipients, requests.

Bot API: `callback_data` has 1 to 64 *bytes*; a reply keyboard exists in private chats and groups
only, and a press on it comes back as an ordinary message with the label as its text.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from outeract_core.adapter import Outgoing
from outeract_core.content import Button
from outeract_core.errors import Rejected

from ..fields import Object

__all__ = ["BUTTONS", "inline", "listing", "markup", "titles"]

BUTTONS = 100
_DATA = 64
_WIDE, _MEDIUM = 12, 20


@frozen
class Choice:
    """One button: its label, and what a press sends or opens."""

    title: str
    id: str
    url: str | None = None


def markup(outgoing: Outgoing) -> Object | None:
    """The `reply_markup` of a message, or None. Raises Rejected.

    Quick replies become a reply keyboard, which goes away after use, wherever there is one and
    nothing else wants the place. `metadata["remove_keyboard"]` takes an earlier one away.
    """
    wanted = outgoing.quick_replies
    if wanted and not (outgoing.buttons or outgoing.menu) and _has_keyboard(outgoing):
        return _keyboard(outgoing)
    keyboard = inline(outgoing)
    if keyboard is None and outgoing.metadata.get("remove_keyboard") is True:
        return {"remove_keyboard": True}
    return keyboard


def _has_keyboard(outgoing: Outgoing) -> bool:
    """Bot API: not in channels, not for a business account; and a label opens no address."""
    private = ":" not in outgoing.to.address and not outgoing.to.address.startswith("@")
    return (
        private
        and outgoing.to.kind != "channel"
        and not any(reply.url for reply in outgoing.quick_replies)
    )


def _keyboard(outgoing: Outgoing) -> Object:
    labels = [Choice(_label(reply.title or reply.id), reply.id) for reply in outgoing.quick_replies]
    keyboard: Object = {
        "keyboard": [[{"text": one.title} for one in row] for row in _rows(labels)],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }
    if outgoing.to.kind == "group" and outgoing.reply_to:
        keyboard["selective"] = True
    return keyboard


def inline(outgoing: Outgoing) -> Object | None:
    """The buttons below the message, menus one to a line, or None. Raises Rejected."""
    buttons = _choices((*outgoing.buttons, *outgoing.quick_replies))
    rows = (
        _choices(Button(row.id, row.title) for row in outgoing.menu.rows) if outgoing.menu else []
    )
    lines = [*_rows(buttons), *([row] for row in rows)]
    if len(buttons) + len(rows) > BUTTONS:
        raise Rejected(f"{len(buttons) + len(rows)} buttons; Telegram shows up to {BUTTONS}")
    return (
        {"inline_keyboard": [[_button(one) for one in line] for line in lines]} if lines else None
    )


def _choices(buttons: Iterable[Button]) -> list[Choice]:
    return [Choice(_label(one.title or one.id), one.id, one.url) for one in buttons]


def _button(choice: Choice) -> Object:
    if choice.url:
        return {"text": choice.title, "url": choice.url}
    size = len(choice.id.encode("utf-8", "surrogatepass"))
    if not 0 < size <= _DATA:
        raise Rejected(
            f"the id {choice.id!r:.80} has {size} bytes; Telegram carries 1 to {_DATA} in a button: "
            "give a short id and keep what it stands for on your side"
        )
    return {"text": choice.title, "callback_data": choice.id}


def _rows(choices: list[Choice]) -> list[list[Choice]]:
    """Short labels side by side, long ones one to a line."""
    longest = max((len(choice.title) for choice in choices), default=0)
    wide = 3 if longest <= _WIDE else 2 if longest <= _MEDIUM else 1
    return [choices[at : at + wide] for at in range(0, len(choices), wide)]


def _label(title: str) -> str:
    return " ".join(title.split()) or "…"


# ── as text ───────────────────────────────────────────────────────────────────────────────────


def listing(outgoing: Outgoing) -> str:
    """What a button cannot show: the rows of a menu that have a description."""
    rows = outgoing.menu.rows if outgoing.menu else ()
    return "\n".join(f"• {row.title}: {row.description}" for row in rows if row.description)


def titles(outgoing: Outgoing) -> str:
    """Words for what has none of its own: no message can have a keyboard alone."""
    menu = outgoing.menu.button if outgoing.menu else ""
    named = " · ".join(one.title for one in (*outgoing.buttons, *outgoing.quick_replies))
    return menu or named
