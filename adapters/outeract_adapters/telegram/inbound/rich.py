"""Rich messages in: their words, and the files that stand between them.

Knows: blocks and rich text of the Bot API, in the order in which they are shown.
Does not know: messages, formatting; the blocks themselves are in the raw item.

Bot API 10.3, RichMessage: text is a string, a list of texts, or an object around one; a block of a
later kind says what its members of words say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from outeract_core.events import FileRef

from ..fields import many, obj, text
from . import files

__all__ = ["attached", "words"]

_TEXTS = ("text", "expression", "alternative_text", "button")
_PARTS = (
    "label",
    "summary",
    "text",
    "expression",
    "items",
    "cells",
    "blocks",
    "buttons",
    "caption",
)
_DEEPEST = 40


def words(blocks: Any) -> str:
    """What the blocks say, one paragraph for each."""
    listed = blocks if isinstance(blocks, list) else []
    said = (_block(one, 0) for one in listed)
    return "\n\n".join(one for one in said if one)


def _block(block: Any, depth: int) -> str:
    if not isinstance(block, dict) or depth > _DEEPEST:
        return ""
    parts = [_part(name, block[name], depth) for name in _PARTS if name in block]
    credit = _inline(block.get("credit"), depth)
    return "\n".join([*(part for part in parts if part), *([f"— {credit}"] if credit else [])])


def _part(name: str, value: Any, depth: int) -> str:
    reader = _READERS.get(name, _inline)
    return reader(value, depth + 1)


def _inline(value: Any, depth: int) -> str:
    """The words of rich text."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_inline(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return ""
    return next((_inline(value[name], depth + 1) for name in _TEXTS if name in value), "")


def _blocks(value: Any, depth: int) -> str:
    listed = value if isinstance(value, list) else []
    said = (_block(one, depth) for one in listed)
    return "\n".join(one for one in said if one)


def _items(value: Any, depth: int) -> str:
    """The items of a list, each behind its label and its box."""
    lines = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            box = (
                ("[x] " if item.get("is_checked") is True else "[ ] ")
                if item.get("has_checkbox")
                else ""
            )
            said = _blocks(item.get("blocks"), depth) or _inline(item, depth)
            lines.append(f"{text(item, 'label') or '•'} {box}{said}".rstrip())
    return "\n".join(lines)


def _rows(value: Any, depth: int) -> str:
    rows = [row for row in value if isinstance(row, list)] if isinstance(value, list) else []
    return "\n".join(" | ".join(_inline(cell, depth) for cell in row) for row in rows)


def _buttons(value: Any, depth: int) -> str:
    listed = value if isinstance(value, list) else []
    return "\n".join(said for one in listed if (said := _inline(one, depth)))


def _caption(value: Any, depth: int) -> str:
    """Words below a picture, and whose they are."""
    credit = _inline(value.get("credit"), depth) if isinstance(value, dict) else ""
    return " — ".join(one for one in (_inline(value, depth), credit) if one)


_READERS: dict[str, Callable[[Any, int], str]] = {
    "items": _items, "cells": _rows, "blocks": _blocks, "buttons": _buttons, "caption": _caption,
}  # fmt: skip


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def attached(blocks: Any) -> tuple[FileRef, ...]:
    """The files of the blocks, in order. Raises ParseError for one that has no `file_id`."""
    return tuple(_files(blocks, 0))


def _files(value: Any, depth: int) -> Iterator[FileRef]:
    if depth > _DEEPEST:
        return
    for block in value if isinstance(value, list) else []:
        if not isinstance(block, dict):
            continue
        if many(block, "photo"):
            yield files.photo(block)
        for name, mime in (*files.FILES.items(), ("voice_note", "audio/ogg")):
            if obj(block, name):
                yield files.file(obj(block, name), mime)
        for inner in ("blocks", "items"):
            yield from _files(block.get(inner), depth + 1)
