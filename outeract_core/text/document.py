"""Formatted text as a tree that every platform can render and core can split.

Knows: the node types.
Does not know: how a tree is read from text (`commonmark.py`) or written again (`flatten.py`, an
adapter's own rendering), limits (`split.py` cuts it).

    Document = tuple of blocks
    Block    = Paragraph | Heading | CodeBlock | Quote | Bullets | Rule
    Inline   = Str | Span | Code | Link | Break
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .._domain.values.classes import frozen

__all__ = [
    "Block",
    "Break",
    "Bullets",
    "Code",
    "CodeBlock",
    "Document",
    "Heading",
    "Inline",
    "Link",
    "Paragraph",
    "Picture",
    "Quote",
    "Rule",
    "Span",
    "Str",
    "Table",
]


@frozen
class Str:
    """Text without markup; newlines inside are kept as they are."""

    text: str


@frozen
class Span:
    """Inline children in one style."""

    style: Literal["bold", "italic", "strike", "underline", "spoiler"]
    children: tuple[Inline, ...]


@frozen
class Code:
    """Inline code, verbatim."""

    text: str


@frozen
class Link:
    """A link with its label."""

    url: str
    children: tuple[Inline, ...]


@frozen
class Picture(Link):
    """A picture inside a text, which is shown as a link to it."""


@frozen
class Break:
    """A line break inside a paragraph."""


@frozen
class Paragraph:
    """A run of inline nodes."""

    children: tuple[Inline, ...]


@frozen
class Heading:
    """A heading of level 1 to 6."""

    level: int
    children: tuple[Inline, ...]


@frozen
class CodeBlock:
    """Lines of code, verbatim, with the language when it is known."""

    text: str
    language: str = ""


@frozen
class Table(CodeBlock):
    """A table with its columns aligned; where there are no tables it is shown as the code that it is.

    `rows`: the cells as text, the header first.
    """

    rows: tuple[tuple[str, ...], ...] = ()


@frozen
class Quote:
    """Quoted blocks."""

    blocks: tuple[Block, ...]


@frozen
class Bullets:
    """A list; `start` is the first number of an ordered one, None for bullets."""

    items: tuple[tuple[Block, ...], ...]
    start: int | None = None


@frozen
class Rule:
    """A horizontal line."""


Inline: TypeAlias = Str | Span | Code | Link | Break
Block: TypeAlias = Paragraph | Heading | CodeBlock | Quote | Bullets | Rule
Document: TypeAlias = tuple[Block, ...]
