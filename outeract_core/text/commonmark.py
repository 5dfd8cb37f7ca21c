"""Text to tree: CommonMark, read by markdown-it-py.

Knows: CommonMark with strikethrough and tables, what of it would be lost to a reader.
Does not know: platforms, limits, how a tree is written again (`flatten.py`).

Nothing visible is lost: HTML stays the text that it is, images become links, and link
definitions that nothing refers to (invisible in CommonMark) stay where a reader can see them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import Any

from attrs import field, mutable

from .._domain.values.interrupt import go_on
from ..errors import MissingExtra
from .document import (
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
)
from .flatten import flatten
from .tables import table

__all__ = ["markdown", "plain", "unpaired"]

_NESTING = 40
"""Deeper than this nobody writes; the parser would drop what is below, so it stays plain text."""

_STYLES = {"strong_open": "bold", "em_open": "italic", "s_open": "strike"}


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def plain(text: str) -> Document:
    """`text` as it stands, one paragraph, no markup read."""
    return (Paragraph((Str(text),)),)


def markdown(text: str) -> Document:
    """`text` read as CommonMark with strikethrough; every line break of a paragraph is kept.

    What nests too deep, or shows nothing at all (`#` alone), is taken as plain text.
    Raises MissingExtra without markdown-it-py.
    """
    text = unpaired(text)
    environment: dict[str, Any] = {}
    tokens = _reader().parse(text, environment)
    if any(map(_too_deep, tokens)):
        return _verbatim(text)
    builder = _Builder()
    for token in tokens:
        builder.take(token)
    whole = (*builder.close(), *_unused(text, environment, builder.labels))
    return whole if flatten(whole).strip() or not text.strip() else _verbatim(text)


def unpaired(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates, which no platform takes, as U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@cache
def _reader() -> Any:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        raise MissingExtra(
            "markdown needs markdown-it-py: pip install 'outeract-core[markdown]'"
        ) from None
    options = {"html": False, "store_labels": True, "maxNesting": _NESTING}
    reader = MarkdownIt("commonmark", options).enable(["strikethrough", "table"])
    reader.block.ruler.before("table", "go_on", _go_on)
    reader.inline.ruler.before("text", "go_on", _go_on)
    return reader


def _go_on(*_state: Any) -> bool:
    """A rule that never applies: long text is given up, block by block and mark by mark, when it must."""
    go_on()
    return False


def _too_deep(token: Any) -> bool:
    """Whether a block, or a style or picture within it, stands deeper than anybody writes."""
    return token.level >= _NESTING - 1 or any(map(_too_deep, token.children or ()))


def _verbatim(text: str) -> Document:
    return (Paragraph((Str(text),)),)


def _unused(text: str, environment: dict[str, Any], used: set[str]) -> Document:
    """Link definitions that no link uses, as they were written."""
    given = environment.get("references", {})
    spare = [ref["map"] for label, ref in given.items() if label not in used]
    spare += [ref["map"] for ref in environment.get("duplicate_refs", ())]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return tuple(
        Paragraph((Str("\n".join(lines[first:last]).strip()),)) for first, last in sorted(spare)
    )


@mutable
class _Open:
    """A container whose end has not come yet; `make` gives the nodes that stand for it."""

    make: Callable[[tuple[Any, ...]], list[Any]]
    children: list[Any] = field(factory=list)


class _Builder:
    """Makes a tree of markdown-it's tokens: an opening one pushes, a closing one pops."""

    def __init__(self) -> None:
        self._stack = [_Open(list)]
        self.labels: set[str] = set()

    def close(self) -> tuple[Any, ...]:
        """The finished nodes."""
        return _merged(self._stack[0].children)

    def take(self, token: Any) -> None:
        """Add one token."""
        self._note(token)
        if token.nesting == 1:
            self._stack.append(_Open(_container(token)))
        elif token.nesting == -1:
            done = self._stack.pop()
            self._add(done.make(_merged(done.children)))
        elif token.type in ("inline", "image"):
            self._nested(token)
        else:
            self._add(_leaf(token))

    def _nested(self, token: Any) -> None:
        """The content of a paragraph, or a picture: a link to it, labelled with its text."""
        if token.type == "inline":
            for child in token.children or ():
                self.take(child)
            return
        inner = _Builder()
        for child in token.children or ():
            inner.take(child)
        self.labels |= inner.labels
        label = _unlinked(inner.close())
        self._add(_link(str(token.attrs.get("src") or ""), label, Picture))

    def _note(self, token: Any) -> None:
        label = token.meta.get("label")
        if label:
            self.labels.add(label)

    def _add(self, nodes: list[Any]) -> None:
        self._stack[-1].children += nodes


def _merged(nodes: list[Any]) -> tuple[Any, ...]:
    """The nodes with texts that touch each other as one."""
    merged: list[Any] = []
    for are_text, group in groupby(nodes, _is_text):
        some = list(group)
        merged += [Str("".join(one.text for one in some))] if are_text else some
    return tuple(merged)


def _is_text(node: Any) -> bool:
    return isinstance(node, Str)


def _leaf(token: Any) -> list[Any]:
    match token.type:
        case "code_inline":
            return [Code(token.content)]
        case "softbreak" | "hardbreak":
            return [Break()]
        case "hr":
            return [Rule()]
        case "fence" | "code_block":
            return _code(token)
    return [Str(token.content)] if token.content else []


def _code(token: Any) -> list[Any]:
    """A block of code; what looks like one and has no line of code is the text that it is."""
    if token.content.strip():
        language = (token.info.split() or [""])[0]
        return [CodeBlock(token.content.removesuffix("\n"), language)]
    return [Paragraph((Str(f"{token.markup}{token.info}"),))] if token.info.strip() else []


def _container(token: Any) -> Callable[[tuple[Any, ...]], list[Any]]:
    """What the children of an opening token become."""
    kind: str = token.type
    if kind in _STYLES:
        style: Any = _STYLES[kind]
        return lambda inner: [Span(style, inner)]
    if kind == "link_open":
        url = str(token.attrs.get("href") or "")
        return lambda inner: _link(url, inner)
    if kind == "heading_open":
        level = int(token.tag[1:])
        return lambda inner: [Heading(level, inner)]
    if kind == "ordered_list_open":
        start = int(token.attrs.get("start", 1))
        return lambda items: [Bullets(items, start)]
    return _BLOCKS[kind]


_BLOCKS: dict[str, Callable[[tuple[Any, ...]], list[Any]]] = {
    "paragraph_open": lambda inner: [Paragraph(inner)],
    "blockquote_open": lambda blocks: [Quote(blocks)],
    "bullet_list_open": lambda items: [Bullets(items)],
    "list_item_open": lambda blocks: [blocks],
    "table_open": lambda parts: [table([row for part in parts for row in part])],
    "thead_open": lambda rows: [rows],
    "tbody_open": lambda rows: [rows],
    "tr_open": lambda cells: [cells],
    "th_open": lambda inner: [flatten((Paragraph(inner),))],
    "td_open": lambda inner: [flatten((Paragraph(inner),))],
}


def _unlinked(nodes: tuple[Any, ...]) -> tuple[Inline, ...]:
    """The nodes without links: there is no link inside of a link."""
    found: list[Inline] = []
    for node in nodes:
        found += _unlinked(node.children) if isinstance(node, Link) else [node]
    return tuple(found)


def _link(url: str, label: tuple[Inline, ...], kind: type[Link] = Link) -> list[Inline]:
    """A link that can be seen: one without a label shows its address, one without that is text."""
    if not url:
        return list(label)
    return [kind(url, label if flatten((Paragraph(label),)).strip() else (Str(url),))]
