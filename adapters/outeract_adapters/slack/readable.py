"""Blocks in, as mrkdwn: what a reader sees of them as words.

Knows: where blocks of any kind keep their words, tables.
Does not know: messages, attachments; rich text (`rich.py`); the blocks that we send (`blocks.py`).

There are two dozen kinds of blocks, and every year brings more. So no kind is named where it can be
avoided: words stand in members that mean words, and controls (`action_id`) say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .fields import Object, many, text
from .markup import escape
from .rich import rich_text

__all__ = ["readable"]

_MEMBERS = (
    "title", "rich_text_title", "subtitle", "label", "header", "text", "body", "fields", "details", "output",
    "description", "elements", "tasks", "blocks", "child_blocks", "sources",
)  # fmt: skip
"""Members of a block that hold words, or objects that do, in the order in which they are shown."""
_DEEPEST = 12
_MUTE = frozenset({"actions", "context_actions", "input", "divider", "file", "call"})
"""Kinds that only take something in, or stand for a thing that the message names elsewhere."""


def readable(items: list[Object]) -> list[str]:
    """The words of each block in mrkdwn; those that say nothing are left out."""
    return [said for said in (_block(one, 0) for one in items) if said.strip()]


def _block(block: Object, depth: int) -> str:
    kind = text(block, "type") or ""
    if kind in _MUTE or "action_id" in block or depth > _DEEPEST:
        return ""
    reader = _KINDS.get(kind)
    if reader is not None:
        return reader(block)
    between = " " if kind == "context" else "\n"
    return between.join(_parts(block, depth))


def _parts(block: Object, depth: int) -> Iterator[str]:
    for member in _MEMBERS:
        for one in _listed(block.get(member)):
            said = _said(one, block, depth)
            if said:
                yield said


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _said(value: Any, holder: Object, depth: int) -> str:
    """A text, a text object, or a block within."""
    if isinstance(value, str):
        return value if holder.get("type") == "mrkdwn" else escape(value)
    return _block(value, depth + 1) if isinstance(value, dict) else ""


# ── kinds that keep their words elsewhere ─────────────────────────────────────────────────────


def _image(block: Object) -> str:
    title = text(block, "title", "text") or text(block, "title") or text(block, "alt_text")
    return escape(title or "")


def _table(block: Object) -> str:
    """Rows as lines, cells parted by a bar; what the cells hold in one line each."""
    rows = block.get("rows")
    lines = [_row(row) for row in rows] if isinstance(rows, list) else []
    return "\n".join(line for line in lines if line.strip(" |"))


def _row(row: Any) -> str:
    cells = row if isinstance(row, list) else many(row, "cells") if isinstance(row, dict) else []
    return " | ".join(_cell(cell) for cell in cells)


def _cell(cell: Any) -> str:
    """Slack docs, "table block": a cell is `rich_text`, `raw_text` or `raw_number`."""
    if not isinstance(cell, dict):
        return escape(cell) if isinstance(cell, str) else ""
    number = cell.get("value")
    told = text(cell, "text") or (str(number) if type(number) in (int, float) else None)
    said = _block(cell, 1) if told is None or cell.get("type") == "mrkdwn" else escape(told)
    return " ".join(said.split())


_KINDS: dict[str, Callable[[Object], str]] = {
    "rich_text": rich_text,
    "table": _table,
    "data_table": _table,
    "image": _image,
}
