"""Formatted text as a tree that every platform can render and core can split.

Knows: the node types, and how to make a tree from plain text or CommonMark, and plain text from a tree.
Does not know: any platform's markup (each adapter renders the tree) or limits (`_split.py` cuts it).

    Document = tuple of blocks
    Block    = Paragraph | Heading | CodeBlock | Quote | Bullets | Rule
    Inline   = Str | Span | Code | Link | Break
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

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
    "Quote",
    "Rule",
    "Span",
    "Str",
    "markdown",
    "plain",
    "to_plain",
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


def plain(text: str) -> Document:
    """`text` as it stands, one paragraph, no markup read."""
    return (Paragraph((Str(text),)),)


def markdown(text: str) -> Document:
    """`text` read as CommonMark. Raises MissingExtra without the extra `markdown`."""
    from ._markdown import parse

    return parse(text)


def to_plain(document: Document) -> str:
    """What a reader sees of `document` where nothing can be formatted."""
    from ._markdown import flatten

    return flatten(document)
