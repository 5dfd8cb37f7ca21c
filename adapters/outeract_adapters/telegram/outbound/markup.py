"""Telegram's HTML, out: a document as the tags of the Bot API.

Knows: the tags, what must be escaped, what may not lie within what.
Does not know: messages, limits; entities that come in (`inbound/entities.py`).

Bot API, HTML style: `<`, `>` and `&` are escaped everywhere; quotes do not nest; code holds nothing
else. Headings are bold, lists and lines are characters, an address that is none is written out.
"""

from __future__ import annotations

import re

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

from ..fields import clean

__all__ = ["escape", "render", "styled"]

_TAGS = {"bold": "b", "italic": "i", "underline": "u", "strike": "s", "spoiler": "tg-spoiler"}
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}")
_LINKED = re.compile(r"(?:https?://|tg://|ton://|mailto:|tel:).", re.IGNORECASE | re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>\"]")


def render(document: Document) -> str:
    """The document as Telegram HTML; blocks are parted by an empty line."""
    return _blocks(document, quoted=False)


def escape(text: str) -> str:
    """`text` as it will be read, whatever it looks like."""
    said: str = clean(text)
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def styled(style: str, html: str) -> str:
    """`html` in one style; nothing around nothing, since an empty tag is no entity."""
    tag = _TAGS[style]
    return f"<{tag}>{html}</{tag}>" if html else ""


def _blocks(blocks: tuple[Block, ...], *, quoted: bool) -> str:
    return "\n\n".join(_block(block, quoted=quoted) for block in blocks)


def _block(block: Block, *, quoted: bool) -> str:
    match block:
        case Paragraph(children):
            return _inlines(children)
        case Heading(_, children):
            return styled("bold", _inlines(children))
        case CodeBlock(code, language):
            return _code_block(code.strip("\n"), language)
        case Quote(blocks):
            inner = _blocks(blocks, quoted=True)
            return _indented("&gt; ", inner) if quoted else _wrapped("blockquote", inner)
        case Bullets(items, start):
            listed = (_item(n, item, start, quoted=quoted) for n, item in enumerate(items))
            return "\n".join(listed)
        case Rule():
            return "─" * 10


def _wrapped(tag: str, html: str) -> str:
    return f"<{tag}>{html}</{tag}>" if html else ""


def _code_block(code: str, language: str) -> str:
    said = escape(code)
    if said and _LANGUAGE.fullmatch(language):
        return f'<pre><code class="language-{language}">{said}</code></pre>'
    return _wrapped("pre", said)


def _item(number: int, item: tuple[Block, ...], start: int | None, *, quoted: bool) -> str:
    mark = "• " if start is None else f"{start + number}. "
    inner = "\n".join(_block(block, quoted=quoted or _nests(block)) for block in item)
    first, _, rest = inner.partition("\n")
    return mark + first + ("\n" + _indented("    ", rest) if rest else "")


def _nests(block: Block) -> bool:
    """A quote inside a list is told by its mark: as a tag it would swallow the indentation."""
    return isinstance(block, Quote)


def _indented(mark: str, html: str) -> str:
    """`mark` before every line; no tag holds a line break, so lines may be taken apart."""
    return "\n".join(mark + line if line else line for line in html.split("\n"))


def _inlines(children: tuple[Inline, ...], *, linked: bool = False) -> str:
    return "".join(_inline(child, linked=linked) for child in children)


def _inline(node: Inline, *, linked: bool) -> str:
    match node:
        case Str(text):
            return escape(text)
        case Break():
            return "\n"
        case Code(text):
            return _wrapped("code", escape(text))
        case Link(url, children):
            return _link(url, children, linked=linked)
        case Span(style, children):
            return styled(style, _inlines(children, linked=linked))


def _link(url: str, children: tuple[Inline, ...], *, linked: bool) -> str:
    """A link with its label; inside another link, only the label."""
    label = _inlines(children, linked=True)
    if linked or not url:
        return label
    if _LINKED.match(url):
        target = escape(_UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", url))
        return f'<a href="{target}">{label or escape(url)}</a>'
    return f"{label} ({escape(url)})" if label and label != escape(url) else escape(url)
