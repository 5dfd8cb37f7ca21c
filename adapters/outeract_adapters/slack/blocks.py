"""What one part of a message is as Block Kit: header, sections, buttons, menu, footer.

Knows: Block Kit's shapes and limits, and how to cut mrkdwn into sections.
Does not know: HTTP, where the blocks are sent.

Slack docs, "Block Kit reference": section text 3000, header 150, context text 2000 (kept below its
3000), 25 elements per actions block, button text 75 and value 2000, option text 75 and value 150,
100 options, placeholder 150, 10 elements per context block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from outeract_core.adapter import Outgoing
from outeract_core.content import Button, Menu, MenuRow
from outeract_core.errors import Rejected

from .fields import Object
from .markup import escape

__all__ = ["blocks", "pieces"]

SECTION, HEADER, CONTEXT, ELEMENTS = 3000, 150, 2000, 25
BUTTON_VALUE, OPTION_VALUE, OPTION_TEXT, PLACEHOLDER = 2000, 150, 75, 150
_FENCE = "```"
_MARKS = re.compile(r"[*_~`:]|^\s*>", re.MULTILINE)
"""Slack docs, "Formatting text": what mrkdwn may take for marks, or for the name of an emoji."""


def blocks(outgoing: Outgoing, *, marks: bool = False) -> list[Object]:
    """The blocks of one part; empty when its text alone says it all. Raises Rejected.

    `metadata["blocks"]` are Block Kit of the host's own: they stand in the text's place. `marks`: the
    method reads marks in its text whatever it is told, so text that is to stand as it is has a block.
    """
    buttons, own = (*outgoing.buttons, *outgoing.quick_replies), _own(outgoing)
    bare = not (marks and outgoing.literal and _MARKS.search(outgoing.plain))
    if bare and not (buttons or outgoing.menu or outgoing.header or outgoing.footer or own):
        return []
    said = own or (_literal(outgoing.plain) if outgoing.literal else _sections(outgoing.text))
    built = [*_header(outgoing.header), *said, *_actions(buttons)]
    if outgoing.menu is not None:
        built.append({"type": "actions", "elements": [_menu(outgoing.menu)]})
    return [*built, *_footer(outgoing.footer)]


def _own(outgoing: Outgoing) -> list[Object]:
    """The host's own blocks; with text in several parts they go with the first."""
    given = outgoing.metadata.get("blocks") if outgoing.part == 0 else None
    if given is None:
        return []
    if not isinstance(given, list | tuple) or not all(isinstance(one, dict) for one in given):
        raise Rejected('metadata["blocks"] must be a list of Block Kit blocks')
    return list(given)


def _plain(text: str) -> Object:
    return {"type": "plain_text", "text": text, "emoji": True}


def _header(header: str | None) -> list[Object]:
    if not header:
        return []
    if len(header) <= HEADER:
        return [{"type": "header", "text": _plain(header)}]
    return _sections(escape(header))


def _literal(text: str) -> list[Object]:
    """Text that is shown as it stands: what looks like marks in it is none."""
    return [
        {"type": "section", "text": {"type": "plain_text", "text": piece, "emoji": False}}
        for piece in pieces(text, SECTION)
    ]


def _sections(text: str) -> list[Object]:
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": piece}}
        for piece in pieces(text, SECTION)
    ]


def _footer(footer: str | None) -> list[Object]:
    cut = pieces(escape(footer or ""), CONTEXT)
    elements = [{"type": "mrkdwn", "text": piece} for piece in cut]
    return [{"type": "context", "elements": elements[:10]}] if elements else []


def _actions(buttons: Sequence[Button]) -> Iterator[Object]:
    elements = [_button(number, button) for number, button in enumerate(buttons)]
    for start in range(0, len(elements), ELEMENTS):
        yield {"type": "actions", "elements": elements[start : start + ELEMENTS]}


def _button(number: int, button: Button) -> Object:
    """`value` carries the id: `action_id` must differ within a message, ids need not."""
    _fits("button", button.id, BUTTON_VALUE)
    body = {
        "type": "button",
        "action_id": f"outeract.button.{number}",
        "text": _plain(button.title),
        "value": button.id,
    }
    return body if button.url is None else {**body, "url": button.url}


def _menu(menu: Menu) -> Object:
    sections = {row.section for row in menu.rows}
    body: Object = {
        "type": "static_select",
        "action_id": "outeract.menu",
        "placeholder": _plain(menu.button[:PLACEHOLDER]),
    }
    if sections == {None}:
        return {**body, "options": [_option(row) for row in menu.rows]}
    groups: dict[str, list[Object]] = {}
    for row in menu.rows:
        groups.setdefault(row.section or menu.button, []).append(_option(row))
    return {
        **body,
        "option_groups": [
            {"label": _plain(label[:OPTION_TEXT]), "options": options}
            for label, options in groups.items()
        ],
    }


def _option(row: MenuRow) -> Object:
    _fits("menu row", row.id, OPTION_VALUE)
    body = {"text": _plain(row.title), "value": row.id}
    return {**body, "description": _plain(row.description)} if row.description else body


def _fits(what: str, id: str, limit: int) -> None:
    if not 0 < len(id) <= limit:
        raise Rejected(f"the id of a {what} must have 1 to {limit} characters on Slack")


# ── cutting ───────────────────────────────────────────────────────────────────────────────────


def pieces(text: str, limit: int) -> list[str]:
    """`text` in pieces of at most `limit` characters, cut at line ends, else at spaces.

    No link or entity is cut while it fits; a code fence that is cut is closed and opened again.
    """
    found: list[str] = []
    while len(text) > limit:
        cut = _cut(text, limit - len(_FENCE) - 1)
        head, text = text[:cut], text[cut:]
        if text[0] in "\n ":
            text = text[1:]
        if head.count(_FENCE) % 2:
            head, text = f"{head}\n{_FENCE}", f"{_FENCE}\n{text}"
        found.append(head)
    return [piece for piece in (*found, text) if piece.strip()]


def _cut(text: str, room: int) -> int:
    for mark in ("\n", " "):
        at = text.rfind(mark, room // 2, room)
        if at != -1:
            return _beside_token(text, at, room)
    return _beside_token(text, room, room)


def _beside_token(text: str, at: int, room: int) -> int:
    """`at`, moved before (or, at the very start, behind) a link or entity that it would cut."""
    least = 2 * len(_FENCE)
    opened = text.rfind("<", 0, at)
    if opened > text.rfind(">", 0, at):
        closed = text.find(">", at, room)
        return opened if opened >= least else (closed + 1 or at)
    entity = text.rfind("&", max(least, at - 4), at)
    return entity if entity != -1 and ";" not in text[entity:at] else at
