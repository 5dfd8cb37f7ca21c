"""Documents for the Telegram tests, and a reader of HTML that knows nothing of ours.

Knows: every kind of node, any text in it; the tags that Telegram lists.
Does not know: the adapter, what is tested.
"""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import strategies as st

from outeract_core.text import (
    Break,
    Bullets,
    Code,
    CodeBlock,
    Heading,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
)

__all__ = ["Reader", "documents", "texts", "visible_of"]

TAGS = {"b", "i", "u", "s", "tg-spoiler", "a", "code", "pre", "blockquote"}
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
    | st.sampled_from("<>&\"'😀\n*_`"),
    max_size=12,
)
words = texts.filter(lambda text: bool(text.strip()))
urls = st.sampled_from([
    "https://e.org/?a=1&b=(2)", "http://e.org/\"><b>", "mailto:a@e.org", "tg://user?id=42", "ftp://e.org",
    "javascript:alert(1)", "/relative", "", "https://e.org/a b\nc", "HTTPS://E.ORG",
])  # fmt: skip
styles = st.sampled_from(["bold", "italic", "strike", "underline", "spoiler"])
leaves = st.one_of(st.builds(Str, texts), st.builds(Code, texts), st.just(Break()))
inlines = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Span, styles, st.tuples(inner, inner)) | st.builds(Link, urls, st.tuples(inner))
    ),
    max_leaves=6,
)
paragraphs = st.builds(Paragraph, st.lists(inlines, min_size=1, max_size=3).map(tuple))
flat = st.one_of(
    paragraphs,
    st.builds(Heading, st.integers(1, 6), st.tuples(inlines)),
    st.builds(CodeBlock, texts, st.sampled_from(["", "python", "c++", '"><b>', "x" * 40])),
    st.just(Rule()),
)
blocks = st.recursive(
    flat,
    lambda inner: (
        st.builds(Quote, st.lists(inner, min_size=1, max_size=2).map(tuple))
        | st.builds(
            Bullets,
            st.lists(
                st.lists(inner, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3
            ).map(tuple),
            st.none() | st.integers(0, 9),
        )
    ),
    max_leaves=6,
)
documents = st.lists(blocks, min_size=1, max_size=3).map(tuple)
"""Any document, of any nesting."""


class Reader(HTMLParser):
    """The visible text of Telegram HTML, and every rule of its that is broken.

    Bot API, HTML style: the tags above; each closed in order; quotes and links not within
    themselves; nothing within code; no character that should have been escaped.
    """

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.faults = "", list[str]()
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        inside = set(self._open)
        named = tag == "code" and list(given) == ["class"] and self._open[-1:] == ["pre"]
        if tag not in TAGS:
            self.faults.append(f"unknown tag {tag}")
        if tag in ("a", "blockquote") and tag in inside:
            self.faults.append(f"{tag} within {tag}")
        if inside & {"code", "pre"} and not named:
            self.faults.append(f"{tag} within code")
        if set(given) != ({"href"} if tag == "a" else {"class"} if named else set()):
            self.faults.append(f"{tag} with {given}")
        if tag == "a":
            self.links.append(given.get("href", ""))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} is closed out of order")

    def handle_data(self, data: str) -> None:
        self.text += data


def visible_of(markup: str) -> str:
    """What a reader of the markup sees."""
    return Reader(markup).text
