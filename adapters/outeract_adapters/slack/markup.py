"""Slack's mrkdwn, out: a document as `*bold* _italic_ ~strike~`, links as `<url|label>`.

Knows: how mrkdwn shows code and links, what must be escaped.
Does not know: messages, blocks, limits, where marks stand (`..marks`).

Slack docs, "Formatting text": only `&`, `<` and `>` are escaped, and there is no way to escape
`*`, `_`, `~` or a backtick: text that looks like mrkdwn is shown as mrkdwn. Underline and spoiler
do not exist; their text is shown plainly.
"""

from __future__ import annotations

import re

from outeract_core.text import Break, Code, Document, Inline, Link, Span, Str

from ..marks import Marks

__all__ = ["escape", "render"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_IN_URL = str.maketrans({"&": "&amp;", "<": "%3C", ">": "%3E", "|": "%7C"})


def escape(text: str) -> str:
    """`text` so that Slack shows it as it stands: no mention, no link can come of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(document: Document) -> str:
    """The document as mrkdwn; blocks are parted by an empty line."""
    return _MARKS.render(document)


def _code(text: str) -> str:
    return escape(text) if "`" in text or not text.strip() else f"`{escape(text)}`"


def _block(code: str) -> str:
    return f"```\n{escape(code)}\n```"


def _labelled(url: str, children: tuple[Inline, ...], _written: str) -> str:
    return _link(url, _label(children))


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


_MARKS = Marks(escape=escape, code=_code, block=_block, link=_labelled, bullet="• ")
