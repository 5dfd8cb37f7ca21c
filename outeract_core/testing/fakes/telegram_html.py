"""Telegram's HTML parse mode: markup to text and entities.

Knows: the tags of the Bot API ("HTML style"), nesting, UTF-16 offsets.
Does not know: messages, limits.
"""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

__all__ = ["parse_html", "utf16"]

_TYPES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre",
    "blockquote": "blockquote", "tg-emoji": "custom_emoji", "tg-time": "date_time",
}  # fmt: skip
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
"""Bot API, HTML style: only these named entities are known."""


def utf16(text: str) -> int:
    """Length in UTF-16 code units, the unit of the Bot API."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """The visible text and its entities. Raises ValueError with Telegram's words for bad markup."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    if reader.open:
        raise ValueError(f'Can\'t find end tag corresponding to start tag "{reader.open[-1][0]}"')
    entities = sorted(reader.entities, key=lambda e: (e["offset"], -e["length"]))
    return reader.text, entities


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.text = ""
        self.open: list[tuple[str, int, dict[str, Any]]] = []
        self.entities: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TYPES:
            raise ValueError(f'Unsupported start tag "{tag}"')
        given = dict(attrs)
        if tag == "span" and given.get("class") != "tg-spoiler":
            raise ValueError('Tag "span" must have class "tg-spoiler"')
        more = {"url": given["href"]} if tag == "a" and given.get("href") else {}
        self.open.append((tag, utf16(self.text), more))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise ValueError(f'Unexpected end tag "{tag}"')
        tag, offset, more = self.open.pop()
        length = utf16(self.text) - offset
        if length and (tag != "a" or more):
            found = {"type": _TYPES[tag], "offset": offset, "length": length, **more}
            self.entities.append(found)

    def handle_data(self, data: str) -> None:
        if "<" in data:
            raise ValueError("Unsupported start tag")
        self.text += data

    def handle_entityref(self, name: str) -> None:
        self.text += _NAMED.get(name, f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.text += unescape(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        raise ValueError(f'Unsupported start tag "!--{data}"')

    def handle_decl(self, decl: str) -> None:
        raise ValueError(f'Unsupported start tag "!{decl}"')

    def handle_pi(self, data: str) -> None:
        raise ValueError(f'Unsupported start tag "?{data}"')
