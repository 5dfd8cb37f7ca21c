"""What a reader would notice of a text: formatting that is not shown, or shown though nobody asked.

Knows: what a manifest says of marks. Does not know: the marks themselves, how a text is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ...adapter import Manifest
from ...text.document import (
    Block,
    Break,
    Bullets,
    Document,
    Inline,
    Link,
    Paragraph,
    Picture,
    Quote,
    Span,
    Str,
)
from ...text.tables import tables

__all__ = ["losses", "unformatted"]

_BEGUN = re.compile(r"^(?:> |[-*] |\d+[.)] )", re.MULTILINE)
_PAIRS = [
    (re.compile(rf"(?<!\w){mark}(?=\S)"), re.compile(rf"(?<=\S){mark}(?!\w)"))
    for mark in map(re.escape, "*_~`")
]
"""What platforms whose text is always markup take for marks: lists and quotes; pairs around words."""


def losses(document: Document, manifest: Manifest) -> Iterator[str]:
    """In a few words each, what is shown otherwise than it was written."""
    if tables(document):
        yield "table as text"
    if any(
        isinstance(node, Picture) for block in document for line in _lines(block) for node in line
    ):
        yield "picture in the text as a link"
    formatted = not all(map(unformatted, document))
    if formatted and "format" not in manifest.capabilities:
        yield "formatting as plain text"
    elif formatted and not manifest.in_words and any(map(_inside, document)):
        yield "formatting inside a word as plain text"
    if not manifest.literal and any(map(_marked, _texts(document))):
        yield "marks in the text may be shown as formatting"


def _marked(text: str) -> bool:
    """Whether something in it may be taken for a mark. Each line is gone through once for each mark."""
    return bool(_BEGUN.search(text)) or any(map(_paired, text.split("\n")))


def _paired(line: str) -> bool:
    """Whether a mark that opens stands before the same mark that closes."""
    for opens, closes in _PAIRS:
        first = opens.search(line)
        if first and any(last.start() > first.start() for last in closes.finditer(line)):
            return True
    return False


def unformatted(block: Block) -> bool:
    """Whether the block looks the same where nothing can be formatted."""
    return isinstance(block, Paragraph) and all(
        isinstance(node, Str | Break) for node in block.children
    )


def _inside(block: Block) -> bool:
    """Whether a style begins or ends in the middle of a word."""
    return any(_touching(one, other) for line in _lines(block) for one, other in pairwise(line))


def _touching(one: Inline, other: Inline) -> bool:
    if not isinstance(one, Span) and not isinstance(other, Span):
        return False
    before, after = _words(one), _words(other)
    return before[-1:].isalnum() and after[:1].isalnum()


def _words(node: Inline) -> str:
    match node:
        case Str(text):
            return text
        case Span(_, children) | Link(_, children):
            return "".join(map(_words, children))
    return ""


def _lines(block: Block) -> Iterator[tuple[Inline, ...]]:
    """The runs of inline nodes in a block, outermost first."""
    match block:
        case Quote(blocks):
            for one in blocks:
                yield from _lines(one)
        case Bullets(items):
            for one in (one for item in items for one in item):
                yield from _lines(one)
        case _:
            yield from _runs(getattr(block, "children", ()))


def _runs(children: tuple[Inline, ...]) -> Iterator[tuple[Inline, ...]]:
    yield children
    for node in children:
        if isinstance(node, Span | Link):
            yield from _runs(node.children)


def _texts(document: Document) -> Iterator[str]:
    """Text that stands as it is, without a style."""
    for block in document:
        for line in _lines(block):
            yield from (node.text for node in line if isinstance(node, Str))
