"""Slack's mrkdwn, out: a document as `*bold* _italic_ ~strike~`, links as `<url|label>`.

Knows: what mrkdwn can say, what must be escaped.
Does not know: messages, blocks, limits.

Slack docs, "Formatting text": only `&`, `<` and `>` are escaped, and there is no way to escape
`*`, `_`, `~` or a backtick: text that looks like mrkdwn is shown as mrkdwn. Underline and spoiler
do not exist; their text is shown plainly.
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

__all__ = ["escape", "render"]

_MARKS = {"bold": "*", "italic": "_", "strike": "~"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_IN_URL = str.maketrans({"&": "&amp;", "<": "%3C", ">": "%3E", "|": "%7C"})
_ZERO_WIDTH = "\u200b"


def escape(text: str) -> str:
    """`text` so that Slack shows it as it stands: no mention, no link can come of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(document: Document) -> str:
    """The document as mrkdwn; blocks are parted by an empty line."""
    return "\n\n".join(_block(block) for block in document)


def _block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return _inlines(children, frozenset())
        case Heading(_, children):
            return _styled("bold", _inlines(children, frozenset({"bold"})))
        case CodeBlock(code):
            return f"```\n{_fenced(code)}\n```"
        case Quote(blocks):
            return _quoted(render(blocks))
        case Bullets(items, start):
            return "\n".join(_item(n, item, start) for n, item in enumerate(items))
        case Rule():
            return "─" * 10


def _fenced(code: str) -> str:
    return escape(code.strip("\n")).replace("```", f"``{_ZERO_WIDTH}`")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _item(number: int, item: tuple[Block, ...], start: int | None) -> str:
    mark = "• " if start is None else f"{start + number}. "
    first, *rest = "\n".join(_block(block) for block in item).split("\n")
    return "\n".join([mark + first, *(f"    {line}" for line in rest)])


def _inlines(children: tuple[Inline, ...], active: frozenset[str]) -> str:
    return "".join(_inline(child, active) for child in children)


def _inline(node: Inline, active: frozenset[str]) -> str:
    match node:
        case Str(text):
            return escape(text)
        case Break():
            return "\n"
        case Code(text):
            return escape(text) if "`" in text or not text.strip() else f"`{escape(text)}`"
        case Link(url, children):
            return _link(url, _label(children))
        case Span(style, children):
            inner = _inlines(children, active | {style})
            return inner if style in active else _styled(style, inner)


def _styled(style: str, text: str) -> str:
    """Marks around every line, inside its outer spaces: Slack reads them nowhere else."""
    mark = _MARKS.get(style, "")
    return "\n".join(_marked(line, mark) for line in text.split("\n"))


def _marked(line: str, mark: str) -> str:
    bare = line.strip()
    if not bare:
        return line
    before = line[: len(line) - len(line.lstrip())]
    return f"{before}{mark}{bare}{mark}{line[len(before) + len(bare) :]}"


def _link(url: str, label: str) -> str:
    """`<url|label>`; what is no URL stays text, or `<!channel>` would call everybody."""
    if not _URL.fullmatch(url):
        return escape(f"{label} ({url})" if label and label != url else url)
    target = url.translate(_IN_URL)
    return f"<{target}>" if label in ("", url) else f"<{target}|{escape(label)}>"


def _label(children: tuple[Inline, ...]) -> str:
    """The visible text of a link: labels hold no markup and no line break."""
    parts: list[str] = []
    for child in children:
        match child:
            case Str(text) | Code(text):
                parts.append(text)
            case Break():
                parts.append(" ")
            case Span(_, inner) | Link(_, inner):
                parts.append(_label(inner))
    return " ".join("".join(parts).split("\n"))
