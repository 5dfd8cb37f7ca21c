"""How documents look on Telegram: HTML that an independent reader takes apart again."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outeract_core.testing.contract.hostile import DOCUMENT, TEXTS
from outeract_core.testing.fakes.telegram_html import parse_html, utf16
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
    plain,
    to_plain,
)
from tests.support.telegram.documents import Reader, documents, visible_of
from tests.support.telegram.samples import telegram


def words(text: str) -> Paragraph:
    """A paragraph of plain words."""
    return Paragraph((Str(text),))


def render(document: Document) -> str:
    """The document as the adapter renders it."""
    return telegram().render(document)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Span("bold", (Str("b"),)), "<b>b</b>"), (Span("italic", (Str("i"),)), "<i>i</i>"),
        (Span("strike", (Str("s"),)), "<s>s</s>"), (Span("underline", (Str("u"),)), "<u>u</u>"),
        (Span("spoiler", (Str("s"),)), "<tg-spoiler>s</tg-spoiler>"),
        (Span("bold", (Str(""),)), ""), (Break(), "\n"),
        (Span("bold", (Str("a "), Span("italic", (Str("b"),)))), "<b>a <i>b</i></b>"),
        (Code("a < `b`"), "<code>a &lt; `b`</code>"), (Code(""), ""),
        (Str("<b> & \"q\" '"), "&lt;b&gt; &amp; \"q\" '"),
        (Str("a\0b \ud83d"), "a\ufffdb \ufffd"),
        (Link("https://e.org/?a=1&b=2", (Str("here"),)), '<a href="https://e.org/?a=1&amp;b=2">here</a>'),
        (Link("https://e.org", ()), '<a href="https://e.org">https://e.org</a>'),
        (Link('http://e.org/"><b>', (Str("x"),)), '<a href="http://e.org/%22%3E%3Cb%3E">x</a>'),
        (Link("mailto:a@e.org", (Str("write"),)), '<a href="mailto:a@e.org">write</a>'),
        (Link("ftp://e.org", (Str("here"),)), "here (ftp://e.org)"),
        (Link("/there", (Str("/there"),)), "/there"), (Link("", (Str("here"),)), "here"),
        (Link("https://e.org", (Link("https://f.org", (Str("x"),)),)), '<a href="https://e.org">x</a>'),
    ],
)  # fmt: skip
def test_inline(node: Inline, expected: str) -> None:
    """Each inline node has Telegram's tag, or is written out where it has none."""
    assert render((Paragraph((node,)),)) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Heading(1, (Str("T & T"),)), "<b>T &amp; T</b>"),
        (CodeBlock("a < b\n", "python"), '<pre><code class="language-python">a &lt; b</code></pre>'),
        (CodeBlock("a", ""), "<pre>a</pre>"), (CodeBlock("a", '"x'), "<pre>a</pre>"), (CodeBlock(""), ""),
        (Quote((words("one"), words("two"))), "<blockquote>one\n\ntwo</blockquote>"),
        (Quote((Quote((words("twice"),)),)), "<blockquote>&gt; twice</blockquote>"),
        (Bullets(((words("a"),), (words("b"),))), "• a\n• b"),
        (Bullets(((words("a"),), (words("b"),)), start=3), "3. a\n4. b"),
        (Bullets(((words("a"), Bullets(((words("b"),),))),)), "• a\n    • b"),
        (Bullets(((words("a"), Quote((words("q"),))),)), "• a\n    &gt; q"), (Rule(), "─" * 10),
    ],
)  # fmt: skip
def test_blocks(block: Block, expected: str) -> None:
    """Each block has Telegram's form."""
    assert render((block,)) == expected


def test_blocks_are_parted() -> None:
    """An empty line stands between blocks."""
    assert render((words("a"), words("b"))) == "a\n\nb"


# ── read again by an independent parser ───────────────────────────────────────────────────────


@settings(max_examples=400, deadline=None)
@given(documents)
@example(DOCUMENT)
def test_any_document_is_sound(document: Document) -> None:
    """Whatever is said in whatever form, the HTML keeps every rule of the Bot API."""
    assert Reader(render(document)).faults == []


@settings(max_examples=400, deadline=None)
@given(documents)
@example(DOCUMENT)
def test_the_fake_platform_takes_it(document: Document) -> None:
    """The fake Bot API, written apart from the adapter, takes it and sees the same text."""
    markup = render(document)
    text, entities = parse_html(markup)
    assert text == visible_of(markup)
    assert all(one["offset"] + one["length"] <= utf16(text) for one in entities)


@settings(max_examples=400, deadline=None)
@given(documents)
@example(DOCUMENT)
def test_nobody_sees_more_than_was_counted(document: Document) -> None:
    """What a reader sees is never longer, in UTF-16 units, than the plain form of the document."""
    assert utf16(visible_of(render(document))) <= utf16(to_plain(document))


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
@example("😀<b>&amp;</b>")
def test_plain_text_is_seen_as_it_stands(text: str) -> None:
    """Plain text is read back letter by letter, with the same length in UTF-16 units."""
    seen = visible_of(render(plain(text)))
    assert seen == text
    assert utf16(seen) == len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", TEXTS[:14])
def test_hostile_text(text: str) -> None:
    """What breaks careless code is text like any other."""
    markup = render(plain(text))
    assert Reader(markup).faults == []
    assert parse_html(markup)[1] == []


def test_no_link_runs_code() -> None:
    """Only addresses that Telegram opens become links."""
    found = Reader(render((Paragraph((Link("javascript:alert(1)", (Str("x"),)),)),)))
    assert found.links == []
    assert found.text == "x (javascript:alert(1))"


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<b>x", "not closed"), ("<b><i>x</b></i>", "out of order"), ("<h1>x</h1>", "unknown"),
        ("<code><b>x</b></code>", "within code"), ("<b class='y'>x</b>", "with"),
        ("<blockquote><blockquote>x</blockquote></blockquote>", "within"),
    ],
)  # fmt: skip
def test_the_reader_finds_faults(markup: str, fault: str) -> None:
    """The independent reader does see what is wrong."""
    assert any(fault in found for found in Reader(markup).faults)
