"""How documents look on WhatsApp: its own marks, which know no escape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core.text import (
    Block,
    Break,
    Bullets,
    Code,
    CodeBlock,
    Heading,
    Inline,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
    plain,
)
from tests.support.whatsapp.samples import whatsapp


def words(text: str) -> Paragraph:
    """A paragraph of plain words."""
    return Paragraph((Str(text),))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Span("bold", (Str("b"),)), "*b*"), (Span("italic", (Str("i"),)), "_i_"),
        (Span("strike", (Str("s"),)), "~s~"), (Span("underline", (Str("u"),)), "u"),
        (Span("spoiler", (Str("s"),)), "s"), (Code("x = 1"), "`x = 1`"), (Code("a`b"), "a`b"),
        (Span("bold", (Span("italic", (Str("both"),)),)), "*_both_*"),
        (Span("bold", (Str("a "), Span("bold", (Str("b"),)))), "*a b*"),
        (Span("bold", (Str(" spaced "),)), " *spaced* "), (Span("bold", (Str("  "),)), "  "),
        (Span("bold", (Str("one\ntwo"),)), "*one*\n*two*"), (Break(), "\n"),
        (Link("https://e.org", (Str("here"),)), "here (https://e.org)"),
        (Link("https://e.org", (Str("https://e.org"),)), "https://e.org"),
        (Link("https://e.org", ()), "https://e.org"),
    ],
)  # fmt: skip
def test_inline(node: Inline, expected: str) -> None:
    """Each inline node has WhatsApp's marks, or stands plainly where it has none."""
    assert whatsapp().render((Paragraph((node,)),)) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Heading(1, (Str("Title"),)), "*Title*"),
        (Heading(2, (Span("bold", (Str("Title"),)),)), "*Title*"),
        (CodeBlock("a\nb\n", "python"), "```a\nb```"), (CodeBlock("```"), "`````\u200b````"),
        (Quote((words("one"), words("two"))), "> one\n> \n> two"),
        (Bullets(((words("a"),), (words("b"),))), "- a\n- b"),
        (Bullets(((words("a"),), (words("b"),)), start=3), "3. a\n4. b"),
        (Bullets(((words("a"), Bullets(((words("b"),),))),)), "- a\n    - b"), (Rule(), "─" * 10),
    ],
)  # fmt: skip
def test_blocks(block: Block, expected: str) -> None:
    """Each block has WhatsApp's form."""
    assert whatsapp().render((block,)) == expected


def test_blocks_are_parted() -> None:
    """An empty line stands between blocks."""
    assert whatsapp().render((words("a"), words("b"))) == "a\n\nb"


@given(st.text())
def test_plain_text_is_left_alone(text: str) -> None:
    """There is no escape character, so plain text is sent as it stands."""
    assert whatsapp().render(plain(text)) == text
