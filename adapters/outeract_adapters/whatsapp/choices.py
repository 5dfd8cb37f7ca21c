"""Buttons and menus as interactive messages, or as lines of text where they do not fit.

Knows: the limits of buttons, lists, headers and footers.
Does not know: files, recipients, requests.

Business messaging API v23.0: 3 reply buttons (id 256, title 20, titles unique); a list of 10
rows in 10 sections (id 200, title 24, description 72, section 24, button 20); header 60, body
1024, footer 60. Groups take no interactive messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from outeract_core.adapter import Outgoing
from outeract_core.content import Button, Menu, MenuRow
from outeract_core.errors import Rejected

from ..meta import Object
from .markup import bold

__all__ = ["BODY", "interactive", "lines", "wanted"]

BODY = 1024
_HEADER = _FOOTER = 60
_BUTTONS, _TITLE, _BUTTON_ID = 3, 20, 256
_ROWS, _ROW_TITLE, _ROW_TEXT, _ROW_ID = 10, 24, 72, 200
_OPEN = "Choose"


@frozen
class Frame:
    """What stands around the choices: a header of text or of media, the body, a footer."""

    header: Object | None
    body: str
    footer: str | None

    def around(self, type: str, action: Object) -> Object:
        """The interactive object."""
        whole: Object = {"type": type, "body": {"text": self.body}, "action": action}
        if self.header is not None:
            whole["header"] = self.header
        if self.footer:
            whole["footer"] = {"text": self.footer}
        return whole


def wanted(outgoing: Outgoing) -> bool:
    """Whether there is anything to choose."""
    return bool(outgoing.buttons or outgoing.quick_replies or outgoing.menu)


def interactive(outgoing: Outgoing, media: Object | None = None) -> Object | None:
    """The interactive object, or None when WhatsApp has none that holds all of it.

    `media`: a header `{"type": "image", "image": {"id": …}}` for buttons; a list has none.
    Raises Rejected for an id that is too long: shortened, a tap would come back unknown.
    """
    buttons = (*outgoing.buttons, *outgoing.quick_replies)
    replies = [button for button in buttons if not button.url]
    links = [button for button in buttons if button.url]
    frame = _frame(outgoing, links if replies or outgoing.menu or len(links) > 1 else [], media)
    if outgoing.to.kind == "group" or frame is None or not (replies or links or outgoing.menu):
        return None
    if outgoing.menu is not None or len(replies) > _BUTTONS:
        rows = (*_rows(replies), *(outgoing.menu.rows if outgoing.menu else ()))
        opener = outgoing.menu.button if outgoing.menu else _OPEN
        return _listed(frame, Menu(opener, rows)) if media is None else None
    if replies:
        return frame.around("button", {"buttons": list(_replies(replies))})
    return frame.around("cta_url", _link(links[0])) if len(links) == 1 else None


def _frame(outgoing: Outgoing, links: list[Button], media: Object | None) -> Frame | None:
    """None when the body would be longer than WhatsApp takes."""
    header, footer = outgoing.header, outgoing.footer
    above = header if header and (media is not None or len(header) > _HEADER) else None
    below = footer if footer and len(footer) > _FOOTER else None
    said = outgoing.text or (footer or header or "").strip() or _titles(outgoing)
    parts = [bold(above) if above else "", said, "\n".join(map(_line, links)), below or ""]
    body = "\n\n".join(part for part in parts if part)
    if len(body) > BODY:
        return None
    title = {"type": "text", "text": header} if header and not above else None
    return Frame(media or title, body, None if below else footer)


def _titles(outgoing: Outgoing) -> str:
    """A body for what has no words of its own; WhatsApp wants one."""
    menu = outgoing.menu.button if outgoing.menu else ""
    named = " · ".join(button.title for button in (*outgoing.buttons, *outgoing.quick_replies))
    return (menu or named)[:BODY]


# ── buttons ───────────────────────────────────────────────────────────────────────────────────


def _replies(buttons: list[Button]) -> Iterator[Object]:
    titles = _unique(button.title for button in buttons)
    for button, title in zip(buttons, titles, strict=True):
        reply = {"id": _id(button.id, _BUTTON_ID), "title": title}
        yield {"type": "reply", "reply": reply}


def _link(button: Button) -> Object:
    shown = _fit(button.title, _TITLE)
    return {"name": "cta_url", "parameters": {"display_text": shown, "url": button.url}}


def _unique(titles: Iterable[str]) -> list[str]:
    """Titles that fit and differ: equal ones are numbered."""
    found: list[str] = []
    for title in titles:
        short, number = _fit(title, _TITLE), 2
        while short in found:
            short = f"{_fit(title, _TITLE - 2)} {number}"
            number += 1
        found.append(short)
    return found


# ── lists ─────────────────────────────────────────────────────────────────────────────────────


def _listed(frame: Frame, menu: Menu) -> Object | None:
    if not 0 < len(menu.rows) <= _ROWS:
        return None
    named: dict[str | None, list[Object]] = {}
    for row in menu.rows:
        named.setdefault(row.section or None, []).append(_row(row))
    opener = _fit(menu.button or _OPEN, _TITLE)
    sections: list[Object] = []
    for section, rows in named.items():
        title = section or (opener if len(named) > 1 else None)
        shown = {"title": _fit(title, _ROW_TITLE)} if title else {}
        sections.append({**shown, "rows": rows})
    return frame.around("list", {"button": opener, "sections": sections})


def _rows(buttons: list[Button]) -> tuple[MenuRow, ...]:
    """Buttons that are too many for buttons."""
    return tuple(MenuRow(button.id, button.title) for button in buttons)


def _row(row: MenuRow) -> Object:
    """A row; a title that does not fit goes on in the description."""
    title, more = _fit(row.title, _ROW_TITLE), row.description
    if title != row.title.strip():
        more = f"{row.title}: {more}" if more else row.title
    told: Object = {"id": _id(row.id, _ROW_ID), "title": title}
    if more:
        told["description"] = _fit(more, _ROW_TEXT)
    return told


# ── as text ───────────────────────────────────────────────────────────────────────────────────


def lines(outgoing: Outgoing) -> str:
    """The choices as lines of a text: links with their address, the rest by its title."""
    buttons = [*outgoing.buttons, *outgoing.quick_replies]
    rows = outgoing.menu.rows if outgoing.menu else ()
    return "\n".join([*map(_line, buttons), *map(_told, rows)])


def _line(button: Button) -> str:
    return f"{button.title}: {button.url}" if button.url else f"- {button.title}"


def _told(row: MenuRow) -> str:
    return f"- {row.title}: {row.description}" if row.description else f"- {row.title}"


def _fit(title: str, limit: int) -> str:
    """`title` within `limit` code points; what does not fit ends in an ellipsis."""
    title = title.strip() or "…"
    return title if len(title) <= limit else f"{title[: limit - 1].rstrip()}…"


def _id(id: str, limit: int) -> str:
    if not 0 < len(id) <= limit:
        raise Rejected(f"the id {id!r:.60} has {len(id)} characters; WhatsApp takes 1 to {limit}")
    return id
