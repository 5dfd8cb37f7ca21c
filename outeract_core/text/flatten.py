"""Tree to text: what a reader sees of a document where nothing can be formatted.

Knows: how lists, quotes, links and lines are written without markup.
Does not know: CommonMark (`commonmark.py`), platforms, limits.
"""

from __future__ import annotations

from .document import (
    Block,
    Break,
    Bullets,
    Code,
    CodeBlock,
    Document,
    Heading,
    Inline,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
)

__all__ = ["flatten", "label_is_url", "visible"]

_WEB = ("http://", "https://")


def flatten(document: Document) -> str:
    """What a reader sees where nothing can be formatted: marks of lists and quotes, links spelt out."""
    return _blocks(document, True)


def visible(document: Document) -> str:
    """What a reader sees where links hide behind their labels (Telegram): `flatten` without those."""
    return _blocks(document, False)


def label_is_url(link: Link) -> bool:
    """Whether the label is the address itself, so that it need not be written twice."""
    label = _inlines(link.children, True)
    return link.url in (label, f"mailto:{label}")


def _blocks(blocks: tuple[Block, ...], spelt: bool, between: str = "\n\n") -> str:
    return between.join(_block(block, spelt) for block in blocks)


def _block(block: Block, spelt: bool) -> str:
    match block:
        case Paragraph(children) | Heading(_, children):
            return _inlines(children, spelt)
        case CodeBlock(code):
            return code.strip("\n")
        case Quote(blocks):
            return "\n".join(f"> {line}" for line in _blocks(blocks, spelt).split("\n"))
        case Bullets(items, start):
            return "\n".join(_item(n, item, start, spelt) for n, item in enumerate(items))
        case Rule():
            return "─" * 10


def _item(number: int, item: tuple[Block, ...], start: int | None, spelt: bool) -> str:
    mark = "• " if start is None else f"{start + number}. "
    first, *rest = _blocks(item, spelt, "\n").split("\n")
    return "\n".join([mark + first, *(f"    {line}" for line in rest)])


def _inlines(nodes: tuple[Inline, ...], spelt: bool) -> str:
    return "".join(_inline(node, spelt) for node in nodes)


def _inline(node: Inline, spelt: bool) -> str:
    match node:
        case Str(text) | Code(text):
            return text
        case Break():
            return "\n"
        case Span(_, children):
            return _inlines(children, spelt)
        case Link(url, children):
            label = _inlines(children, spelt)
            hidden = (not spelt and url.startswith(_WEB)) or label_is_url(node)
            return (label or url) if hidden else f"{label} ({url})" if label else url
