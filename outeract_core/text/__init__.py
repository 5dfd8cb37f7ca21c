"""Formatted text as a tree that every platform can render and core can split.

    Document = tuple of blocks
    Block    = Paragraph | Heading | CodeBlock (Table) | Quote | Bullets | Rule
    Inline   = Str | Span | Code | Link | Break

This room knows text and its structure; it does not know platforms, manifests or messages. Read
`document` (the tree), `commonmark` (text to tree), `tables`, `flatten` (tree to text), then `runs`,
`split` and `graphemes`, which cut a tree at a limit. It is a public module besides, so that its
public names stand here.
"""

from .commonmark import markdown, plain
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
    Picture,
    Quote,
    Rule,
    Span,
    Str,
    Table,
)
from .flatten import flatten as to_plain

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
    "markdown",
    "plain",
    "to_plain",
]
