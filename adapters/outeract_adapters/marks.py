"""A document in marks that stand around words, as several platforms have it: `*bold* _italic_ ~strike~`.

Knows: how blocks follow each other, that marks hold within one line and inside its outer spaces.
Does not know: what a platform escapes, how it shows links and code.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from outeract_core.text import (
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

__all__ = ["Marks", "bold", "unfenced"]

_MARKS = {"bold": "*", "italic": "_", "strike": "~"}
_ZERO_WIDTH = "\u200b"


@frozen
class Marks:
    """One platform's way to write a document; what it has no mark for shows its text plainly.

    escape   text as it stands; `code`: inline code; `block`: lines of code.
    link     (url, children, the children as written) → the link.
    bullet   what begins an item of a list without numbers.
    """

    escape: Callable[[str], str]
    code: Callable[[str], str]
    block: Callable[[str], str]
    link: Callable[[str, tuple[Inline, ...], str], str]
    bullet: str

    def render(self, document: Document) -> str:
        """The document; blocks are parted by an empty line."""
        return "\n\n".join(map(self._block, document))

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(children):
                return self._inlines(children, frozenset())
            case Heading(_, children):
                return bold(self._inlines(children, frozenset({"bold"})))
            case CodeBlock(code):
                return self.block(unfenced(code))
            case Quote(blocks):
                return "\n".join(f"> {line}" for line in self.render(blocks).split("\n"))
            case Bullets(items, start):
                return "\n".join(self._item(n, item, start) for n, item in enumerate(items))
            case Rule():
                return "─" * 10

    def _item(self, number: int, item: tuple[Block, ...], start: int | None) -> str:
        mark = self.bullet if start is None else f"{start + number}. "
        first, *rest = "\n".join(map(self._block, item)).split("\n")
        return "\n".join([mark + first, *(f"    {line}" for line in rest)])

    def _inlines(self, children: tuple[Inline, ...], active: frozenset[str]) -> str:
        return "".join(self._inline(child, active) for child in children)

    def _inline(self, node: Inline, active: frozenset[str]) -> str:
        match node:
            case Str(text):
                return self.escape(text)
            case Break():
                return "\n"
            case Code(text):
                return self.code(text)
            case Link(url, children):
                return self.link(url, children, self._inlines(children, active))
            case Span(style, children):
                inner = self._inlines(children, active | {style})
                return inner if style in active else _styled(style, inner)


def bold(text: str) -> str:
    """`text` in bold, line by line."""
    return _styled("bold", text)


def unfenced(code: str) -> str:
    """Code that cannot end its own fence."""
    return code.strip("\n").replace("```", f"``{_ZERO_WIDTH}`")


def _styled(style: str, text: str) -> str:
    """Marks around every line, inside its outer spaces: they are read nowhere else."""
    mark = _MARKS.get(style, "")
    return "\n".join(_marked(line, mark) for line in text.split("\n"))


def _marked(line: str, mark: str) -> str:
    bare = line.strip()
    if not bare:
        return line
    before = line[: len(line) - len(line.lstrip())]
    return f"{before}{mark}{bare}{mark}{line[len(before) + len(bare) :]}"
