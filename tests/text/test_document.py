"""Text as a tree: CommonMark in, the plain reading out.

Knows: `markdown`, `plain`, `to_plain`. Does not know: platforms, limits.
"""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outeract_core.errors import MissingExtra
from outeract_core.testing.contract.hostile import DOCUMENT, TEXTS
from outeract_core.text import (
    Break,
    Bullets,
    Code,
    CodeBlock,
    Heading,
    Link,
    Paragraph,
    Picture,
    Quote,
    Rule,
    Span,
    Str,
    Table,
    commonmark,
    markdown,
    plain,
    to_plain,
)
from outeract_core.text.flatten import visible


def _p(*children: Any) -> Paragraph:
    return Paragraph(tuple(Str(child) if isinstance(child, str) else child for child in children))


READ = {
    "**a** *b* ~~c~~ `d`": _p(
        Span("bold", (Str("a"),)), " ", Span("italic", (Str("b"),)), " ",
        Span("strike", (Str("c"),)), " ", Code("d"),
    ),
    "**a *b***": _p(Span("bold", (Str("a "), Span("italic", (Str("b"),))))),
    "## Title": Heading(2, (Str("Title"),)),
    "one\ntwo  \nthree": _p("one", Break(), "two", Break(), "three"),
    "[a *b*](https://e.org)": _p(
        Link("https://e.org", (Str("a "), Span("italic", (Str("b"),))))
    ),
    "[x][r]\n\n[r]: https://e.org": _p(Link("https://e.org", (Str("x"),))),
    "[](https://e.org)": _p(Link("https://e.org", (Str("https://e.org"),))),
    "[label]()": _p("label"),
    "<https://e.org>": _p(Link("https://e.org", (Str("https://e.org"),))),
    "<me@e.org>": _p(Link("mailto:me@e.org", (Str("me@e.org"),))),
    "![a [b](u) c](pic.png)": _p(Picture("pic.png", (Str("a "), Str("b"), Str(" c")))),
    "![](pic.png)": _p(Picture("pic.png", (Str("pic.png"),))),
    "a <b>bold</b> & &amp; \\*": _p("a <b>bold</b> & & *"),
    "| a | b |\n|---|---|": Table("a │ b\n──┼──", "", (("a", "b"),)),
    "```py x\na\n\n  b\n```": CodeBlock("a\n\n  b", "py"),
    "    a\n    b": CodeBlock("a\nb"),
    "---": Rule(),
    "> a\n>\n> > b": Quote((_p("a"), Quote((_p("b"),)))),
    "- a\n  - b\n- c": Bullets(((_p("a"), Bullets(((_p("b"),),))), (_p("c"),))),
    "7. a\n8. b": Bullets(((_p("a"),), (_p("b"),)), 7),
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_commonmark_is_read(text: str) -> None:
    """Each construct of CommonMark becomes its node."""
    assert markdown(text) == (READ[text],)


KEPT = {
    "#": "#",
    "[note]: see": "[note]: see",
    "a\n\n[note]: see 'this'": "a\n\n[note]: see 'this'",
    "[x][r]\n\n[r]: /one\n[r]: /two": "x (/one)\n\n[r]: /two",
    "a\n\n```python": "a\n\n```python",
    "<script>a</script>\n\n<!-- b -->": "<script>a</script>\n\n<!-- b -->",
    "a\0b": "a\ufffdb",
    "lone \ud83d and \ud83d\ude00 pair": "lone \ufffd and 😀 pair",
    "> " * 60 + "x": "> " * 60 + "x",
    "- " * 60 + "x": "- " * 60 + "x",
}


@pytest.mark.parametrize("text", KEPT)
def test_what_commonmark_would_hide_stays(text: str) -> None:
    """Text that CommonMark or the parser would swallow is still there to read."""
    assert to_plain(markdown(text)) == KEPT[text]


def test_a_tree_reads_plainly() -> None:
    """Every node has a plain reading: marks for lists and quotes, addresses behind labels."""
    assert to_plain(DOCUMENT) == (
        "Heading & <more>\n\n"
        "bold both\ngoneundersecreta < b `c`a ]( link (https://example.org/?a=1&b=(2))\n\n"
        "> quoted\n> \n> > twice\n\n"
        "• one\n    • deeper\n\n"
        "3. first\n4. second\n\n"
        "print('```')\n<tag>\n\n"
        "──────────"
    )


@pytest.mark.parametrize(
    ("text", "flat", "seen"),
    [
        ("<https://e.org>", "https://e.org", "https://e.org"),
        ("<me@e.org>", "me@e.org", "me@e.org"),
        ("[a](https://e.org)", "a (https://e.org)", "a"),
        ("[a](tg://x)", "a (tg://x)", "a (tg://x)"),
    ],
)
def test_an_address_is_written_once(text: str, flat: str, seen: str) -> None:
    """An address that is its own label is not repeated; `visible` hides those of web pages."""
    assert (to_plain(markdown(text)), visible(markdown(text))) == (flat, seen)


def test_plain_text_is_not_read() -> None:
    """Plain text comes out exactly as it went in, whatever it looks like."""
    for text in TEXTS:
        assert to_plain(plain(text)) == text


def test_without_markdown_it_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where markdown-it-py is not installed, the error says how to install it."""
    real = builtins.__import__

    def refuse(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("markdown_it"):
            raise ImportError(name)
        return real(name, *args, **more)

    commonmark._reader.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"pip install 'outeract-core\[markdown\]'"):
        markdown("a")


MARKS = "*_~`[]()<>!#>+-=|.:\"'\\/&;0123 \n\t\0ab\u00e9\u65e5😀\u200d\u0301\ud83d\udc00"


@settings(max_examples=100, deadline=None)
@given(st.text(MARKS, max_size=80) | st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    """Whatever is written becomes a tree that shows something, if there was something to see."""
    assert bool(to_plain(markdown(text)).strip()) or not text.strip()


TOKENS = st.sampled_from(
    ["**", "*", "_", "~~", "`x`", "# ", "> ", "- ", "1. ", "\n", "\n\n", " ", "[", "](http://e.org)",
     "![", "<", ">", "| ", "\n---\n", "\\", "<b>", "\n\n[wa]: http://u.org/x\n\n", "[wa]", "\n    "],
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TOKENS, st.sampled_from(["", "qa", "qb", "qc"])), max_size=30))
def test_no_word_is_lost(pieces: list[tuple[str, str]]) -> None:
    """Every word that is written can be read, in its order, whatever markup stands around it."""
    text = "".join(mark + word for mark, word in pieces)
    assume("~~~" not in text)  # the first word behind a fence is the language, not text
    words = [word for _, word in pieces if word]
    read = to_plain(markdown(text))
    assert [read[at : at + 2] for at in range(len(read)) if read[at] == "q"] == words
