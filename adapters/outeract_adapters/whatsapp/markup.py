"""WhatsApp's markup, out: a document as `*bold* _italic_ ~strike~`, code, quotes and lists.

Knows: how WhatsApp shows code and links.
Does not know: messages, limits, where marks stand (`..marks`).

WhatsApp has no escape character: text that looks like markup is shown as markup. Links have no
label, so the address follows it; headings are bold; underline and spoiler show their text plainly.
"""

from __future__ import annotations

from outeract_core.text import Document, Inline

from ..marks import Marks, bold

__all__ = ["bold", "render"]


def render(document: Document) -> str:
    """The document as WhatsApp text; blocks are parted by an empty line."""
    return _MARKS.render(document)


def _code(text: str) -> str:
    return text if "`" in text or "\n" in text or not text.strip() else f"`{text}`"


def _link(url: str, _children: tuple[Inline, ...], label: str) -> str:
    return url if label in ("", url) else f"{label} ({url})"


_MARKS = Marks(escape=str, code=_code, block="```{}```".format, link=_link, bullet="- ")
