"""WhatsApp's markup, out: a document as `*bold* _italic_ ~strike~`, code, quotes and lists.

Knows: what the marks are and where WhatsApp reads them.
Does not know: messages, limits.

WhatsApp has no escape character: text that looks like markup is shown as markup. Links have no
label, so the address follows it; headings are bold; underline and spoiler show their text plainly.
"""

from __future__ import annotations

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

__all__ = ["bold", "render"]

_MARKS = {"bold": "*", "italic": "_", "strike": "~"}
_ZERO_WIDTH = "\u200b"


def render(document: Document) -> str:
    """The document as WhatsApp text; blocks are parted by an empty line."""
    return "\n\n".join(_block(block) for block in document)


def bold(text: str) -> str:
    """`text` in bold, line by line."""
    return _styled("bold", text)


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return _inlines(children, frozenset())
        case Heading(_, children):
            return _styled("bold", _inlines(children, frozenset({"bold"})))
        case CodeBlock(code):
            return f"```{_fenced(code)}```"
        case Quote(blocks):
            return "\n".join(f"> {line}" for line in render(blocks).split("\n"))
        case Bullets(items, start):
            return "\n".join(_item(n, item, start) for n, item in enumerate(items))
        case Rule():
            return "─" * 10


def _fenced(code: str) -> str:
    return code.strip("\n").replace("```", f"``{_ZERO_WIDTH}`")


def _item(number: int, item: tuple[Block, ...], start: int | None) -> str:
    mark = "- " if start is None else f"{start + number}. "
    first, *rest = "\n".join(_block(block) for block in item).split("\n")
    return "\n".join([mark + first, *(f"    {line}" for line in rest)])


def _inlines(children: tuple[Inline, ...], active: frozenset[str]) -> str:
    return "".join(_inline(child, active) for child in children)


def _inline(node: Inline, active: frozenset[str]) -> str:
    match node:
        case Str(text):
            return text
        case Break():
            return "\n"
        case Code(text):
            return text if "`" in text or "\n" in text or not text.strip() else f"`{text}`"
        case Link(url, children):
            return _link(url, _inlines(children, active))
        case Span(style, children):
            inner = _inlines(children, active | {style})
            return inner if style in active else _styled(style, inner)


def _link(url: str, label: str) -> str:
    return url if label in ("", url) else f"{label} ({url})"


def _styled(style: str, text: str) -> str:
    """Marks around every line, inside its outer spaces: WhatsApp reads them nowhere else."""
    mark = _MARKS.get(style, "")
    return "\n".join(_marked(line, mark) for line in text.split("\n"))


def _marked(line: str, mark: str) -> str:
    bare = line.strip()
    if not bare:
        return line
    before = line[: len(line) - len(line.lstrip())]
    return f"{before}{mark}{bare}{mark}{line[len(before) + len(bare) :]}"
