"""Splitting: every piece fits, nothing is lost, nothing that belongs together is cut.

Knows: `split`, `unit_length`, the renderers that come with the library.
Does not know: messages, manifests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.slack import markup as slack
from outeract_adapters.telegram.outbound import markup as telegram
from outeract_adapters.whatsapp import markup as whatsapp
from outeract_core.testing.contract.hostile import DOCUMENT, TEXTS
from outeract_core.testing.fakes.telegram_html import parse_html, utf16
from outeract_core.text import (
    Break,
    Bullets,
    Code,
    CodeBlock,
    Document,
    Heading,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
    markdown,
    plain,
    to_plain,
)
from outeract_core.text.flatten import visible
from outeract_core.text.graphemes import boundary, shorten
from outeract_core.text.split import split, unit_length

Render = Callable[[Document], str]
RENDERERS: dict[str, Render] = {
    "plain": to_plain, "whatsapp": whatsapp.render, "slack": slack.render,
}  # fmt: skip

WORDS = st.text("abc é日😀", min_size=1, max_size=30)


def _inlines(links: bool) -> st.SearchStrategy[Any]:
    leaf = st.builds(Str, WORDS) | st.builds(Code, WORDS) | st.just(Break())
    style = st.sampled_from(["bold", "italic", "strike", "underline", "spoiler"])
    spans = st.recursive(
        leaf,
        lambda inner: st.builds(Span, style, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        max_leaves=4,
    )
    urls = st.sampled_from(["https://e.org/a", "https://e.org/b"])
    labels = st.lists(spans, min_size=1, max_size=2).map(tuple)
    return spans | st.builds(Link, urls, labels) if links else spans


def documents(links: bool = True) -> st.SearchStrategy[Document]:
    """Documents of every node, up to a few hundred characters; words hold no markup."""
    text = st.lists(_inlines(links), min_size=1, max_size=4).map(tuple)
    leaf = (
        st.builds(Paragraph, text)
        | st.builds(Heading, st.integers(1, 6), text)
        | st.builds(
            CodeBlock, st.text("ab \n", min_size=1, max_size=60), st.sampled_from(["", "py"])
        )
        | st.just(Rule())
    )
    blocks = st.recursive(
        leaf,
        lambda inner: (
            st.builds(Quote, st.lists(inner, max_size=3).map(tuple))
            | st.builds(
                Bullets,
                st.lists(st.lists(inner, max_size=2).map(tuple), max_size=3).map(tuple),
                st.none() | st.integers(1, 9),
            )
        ),
        max_leaves=5,
    )
    return st.lists(blocks, min_size=1, max_size=4).map(tuple)


def _letters(nodes: Any, around: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every visible character with the containers around it; list items by their number."""
    for node in nodes:
        match node:
            case Str(text) | Code(text) | CodeBlock(text):
                kind = (*around, type(node), getattr(node, "language", None))
                yield from ((char, kind) for char in text if not char.isspace())
            case Rule():
                yield "─", around
            case Bullets(items, start):
                for number, item in enumerate(items, start or 0):
                    mark = "bullet" if start is None else number
                    yield from _letters(item, (*around, mark))
            case Break():
                continue
            case Quote(inner) | Paragraph(inner):
                yield from _letters(inner, (*around, type(node)))
            case Span(kind, inner) | Link(kind, inner) | Heading(kind, inner):
                yield from _letters(inner, (*around, kind))


# ── what always holds ─────────────────────────────────────────────────────────────────────────


@settings(max_examples=80, deadline=None)
@given(
    documents(), st.integers(12, 300), st.sampled_from(["characters", "utf16", "bytes"]),
    st.sampled_from(sorted(RENDERERS)), st.integers(12, 300),
)  # fmt: skip
def test_every_piece_fits(
    document: Document, limit: int, unit: Any, renderer: str, last: int
) -> None:
    """Rendered, no piece is longer than the limit, nor the last one than its own."""
    measure, render = unit_length(unit), RENDERERS[renderer]
    sizes = [measure(render(p)) for p in split(document, limit, measure, render, last)]
    assert all(size <= limit for size in sizes)
    assert not sizes or sizes[-1] <= max(last, 0)


@settings(max_examples=80, deadline=None)
@given(documents(), st.integers(90, 300), st.sampled_from(sorted(RENDERERS)))
def test_nothing_is_lost_and_all_is_reopened(document: Document, limit: int, renderer: str) -> None:
    """Each character is in one piece, in its order, within the styles, links, quotes, lists it had."""
    pieces = split(document, limit, len, RENDERERS[renderer])
    assert [pair for piece in pieces for pair in _letters(piece)] == list(_letters(document))


@settings(max_examples=80, deadline=None)
@given(documents(links=False), st.integers(1, 40), st.sampled_from(sorted(RENDERERS)))
def test_no_character_is_lost_however_small_the_limit(
    document: Document, limit: int, renderer: str
) -> None:
    """Even where markup has to go, every character is in one piece, in its order."""
    pieces = split(document, limit, unit_length("bytes"), RENDERERS[renderer])
    found = [char for piece in pieces for char, _ in _letters(piece)]
    assert found == [char for char, _ in _letters(document)]


@settings(max_examples=80, deadline=None)
@given(documents(), st.integers(20, 200))
def test_telegram_reads_every_piece(document: Document, limit: int) -> None:
    """As HTML each piece is well formed, and what Telegram counts of it is within the limit."""
    for piece in split(document, limit, utf16, visible):
        seen, _ = parse_html(telegram.render(piece))
        assert utf16(seen) <= limit


@settings(max_examples=80, deadline=None)
@given(documents(), st.integers(20, 200), st.sampled_from(["whatsapp", "slack"]))
def test_marks_are_closed_in_every_piece(document: Document, limit: int, renderer: str) -> None:
    """On WhatsApp and Slack every fence, mark and link that a piece opens it also closes."""
    for piece in split(document, limit, len, RENDERERS[renderer]):
        text = RENDERERS[renderer](piece)
        assert text.count("```") % 2 == 0
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        bare = re.sub(r"<[^<>|\s]+(\|[^<>]*)?>", "", text)
        assert not re.search(r"<|>(?! )", bare)
        assert all(line.count(mark) % 2 == 0 for line in bare.split("\n") for mark in "*_~`")


CLUSTERS = [
    "a", "e\u0301", "👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "1️⃣", "क्षि", "กำ", "각", "\u1100\u1161\u11a8", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "❤️‍🔥", "o\u0302\u0323", "ﾊﾞ", "日",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=60), st.integers(30, 60),
    st.booleans(),
)  # fmt: skip
def test_no_character_as_people_see_it_is_cut(
    clusters: list[str], limit: int, styled: bool
) -> None:
    """Accents, families, flags, skin tones, keycaps, conjuncts and syllables stay whole."""
    text = "".join(clusters)
    document = (Paragraph((Span("bold", (Str(text),)),)),) if styled else plain(text)
    pieces = [to_plain(p) for p in split(document, limit, unit_length("bytes"), whatsapp.render)]
    assert "".join(pieces) == text
    starts = {sum(map(len, clusters[:n])) for n in range(len(clusters))}
    assert {sum(map(len, pieces[:n])) for n in range(len(pieces))} <= starts


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_character_has_no_boundary_inside(cluster: str) -> None:
    """What people see as one character may be cut before and behind it, and nowhere else."""
    places = [at for at in range(len(cluster) + 3) if boundary(f"x{cluster}x", at)]
    assert places == [0, 1, len(cluster) + 1, len(cluster) + 2]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("🇩🇪🇫🇷", [0, 2, 4]),
        ("a\r\nb", [0, 1, 3, 4]),
        ("\n\u0301", [0, 1, 2]),
        ("\ud83d\ude00", [0, 2]),
    ],
)
def test_boundaries_between_like_characters(text: str, places: list[int]) -> None:
    """Flags are counted in pairs, line ends are one, surrogates stay together."""
    assert [at for at in range(len(text) + 1) if boundary(text, at)] == places


def test_a_shortened_title_ends_in_an_ellipsis() -> None:
    """A title that is too long is cut between characters and says so."""
    assert [shorten("abcd", n) for n in (4, 3)] == ["abcd", "ab…"]
    assert shorten("a👨‍👩‍👧‍👦b", 6) == "a…"


# ── where it is cut ───────────────────────────────────────────────────────────────────────────


def _cut(text: str, limit: int, render: Render = to_plain) -> list[str]:
    return [render(piece) for piece in split(markdown(text), limit, len, render)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two three. four\n\nfive six seven", ["one two three. four", "five six seven"]),
        ("one two three. four\nfive six seven", ["one two three. four", "five six seven"]),
        ("one two three. Four five six", ["one two three.", "Four five six"]),
        ("one two three four five", ["one two three four", "five"]),
        ("one twothreefourfivesixseven", ["one", "twothreefourfivesixs", "even"]),
        ("# Title\n\nonetwothree four", ["Title\n\nonetwothree", "four"]),
        ("onetwothree\n\n# Title\n\nfour five", ["onetwothree", "Title\n\nfour five"]),
        ("一二三四五六七八九十一二三。四五六七八九十", ["一二三四五六七八九十一二三。", "四五六七八九十"]),
        ("onetwothree four\u00a0five", ["onetwothree", "four\u00a0five"]),
    ],
)  # fmt: skip
def test_the_best_place_is_taken(text: str, pieces: list[str]) -> None:
    """Between blocks before lines, lines before sentences, sentences before words, then characters."""
    assert _cut(text, 20) == pieces


def test_plain_text_is_cut_at_blank_lines_first_and_keeps_indents() -> None:
    """Paragraphs of plain text stay whole where they can, and the next line keeps its indentation."""
    text = "one two\nthree\n\n  four\nfive six seven"
    assert [to_plain(p) for p in split(plain(text), 25, len, to_plain)] == [
        "one two\nthree", "  four\nfive six seven",
    ]  # fmt: skip


def test_code_is_closed_and_reopened_with_language_and_indentation() -> None:
    """A long code block becomes several, cut at lines, each with the language and the indents."""
    code = "def f():\n    if x:\n        return 1\n    return 2"
    pieces = split((CodeBlock(code, "py"),), 30, len, whatsapp.render)
    assert pieces == [
        (CodeBlock("def f():\n    if x:", "py"),),
        (CodeBlock("        return 1", "py"),),
        (CodeBlock("    return 2", "py"),),
    ]


def test_numbering_goes_on() -> None:
    """The items of an ordered list keep their numbers in every piece."""
    text = "8. one two\n9. three four\n10. five six\n11. seven eight"
    assert _cut(text, 26) == ["8. one two\n9. three four", "10. five six", "11. seven eight"]


def test_an_item_is_continued_under_its_number() -> None:
    """An item that is cut goes on under the same number, and the next one has the next."""
    assert _cut("1. one two three four\n2. five", 16) == ["1. one two three", "1. four\n2. five"]


def test_a_link_is_not_cut_while_it_fits() -> None:
    """A label of several words moves to the next piece whole; a bare address is never cut."""
    assert _cut("one two three [four five](https://e.org) six", 50, slack.render) == [
        "one two three <https://e.org|four five> six",
    ]
    assert _cut("one two three [four five](https://e.org) six", 38, slack.render) == [
        "one two three",
        "<https://e.org|four five> six",
    ]
    assert _cut("one two <https://e.org/abcdefgh>", 40, to_plain) == [
        "one two https://e.org/abcdefgh"
    ]
    assert _cut("onetwo threefour five <https://e.org/ab>", 35) == [
        "onetwo threefour five", "https://e.org/ab",
    ]  # fmt: skip


def test_an_address_longer_than_a_piece_is_cut_as_text() -> None:
    """An address that leaves no room for its label is written out, and nothing of it is lost."""
    url = "https://e.org/" + "a" * 100
    pieces = _cut(f"see [this]({url}) now", 50, slack.render)
    assert all(len(piece) <= 50 for piece in pieces)
    assert "".join("".join(pieces).split()) == f"seethis({url})now"


def test_a_smaller_last_piece() -> None:
    """Only the last piece keeps to the smaller limit; those before use what they have."""
    pieces = [to_plain(p) for p in split(plain("word " * 100), 300, len, to_plain, last=50)]
    assert [len(p) <= 300 for p in pieces] == [True] * len(pieces)
    assert len(pieces[-1]) <= 50
    assert len(pieces) == 3
    assert " ".join(pieces).split() == ["word"] * 100


def test_what_fits_is_left_alone() -> None:
    """A document within the limit comes back as it is."""
    assert split(DOCUMENT, 4096, len, slack.render) == [DOCUMENT]


def test_a_limit_smaller_than_a_character_still_ends() -> None:
    """Where not even one character fits, its code points go one by one."""
    family = "👨‍👩‍👧‍👦"
    assert [to_plain(p) for p in split(plain(family), 1, len, to_plain)] == list(family)
    bytewise = split(plain("aé😀"), 1, unit_length("bytes"), to_plain)
    assert [to_plain(p) for p in bytewise] == ["a", "é", "😀"]


def test_units() -> None:
    """A character counts as one, in UTF-16 units or in bytes of UTF-8."""
    counted = [unit_length(unit)("a日😀") for unit in ("characters", "utf16", "bytes")]
    assert counted == [3, 4, 8]


# ── hostile input ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("renderer", sorted(RENDERERS))
def test_hostile_text_is_split(renderer: str) -> None:
    """Text full of marks and broken Unicode is split within the limit, and only spaces go."""
    for text in TEXTS:
        pieces = split(plain(text), 60, len, RENDERERS[renderer])
        assert all(len(RENDERERS[renderer](piece)) <= 60 for piece in pieces)
        assert "".join("".join(map(to_plain, pieces)).split()) == "".join(text.split())


HUGE: dict[str, Document] = {
    "one word": plain("x" * 200_000),
    "words": plain("word " * 40_000),
    "spaces": plain(" " * 200_000 + "x"),
    "lines": plain("x\n" * 100_000),
    "accents": plain("e" + "\u0301" * 200_000),
    "flags": plain("🇩🇪" * 50_000),
    "code": (CodeBlock("a line of code\n" * 13_000, "py"),),
    "paragraphs": (Paragraph((Str("hello "), Span("bold", (Str("world"),)))),) * 15_000,
    "styles": (Paragraph((Str("one "), Span("bold", (Str("two"),)), Code("three")) * 16_000),),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_the_work_grows_with_the_text(name: str) -> None:
    """200 000 characters are split with a few renderings of each piece, not of each character."""
    rendered = []

    def render(document: Document) -> str:
        text = whatsapp.render(document)
        rendered.append(len(text))
        return text

    pieces = split(HUGE[name], 4096, len, render)
    assert all(len(whatsapp.render(piece)) <= 4096 for piece in pieces)
    assert len(rendered) <= 20 * (len(pieces) + 1)
    assert sum(rendered[1:]) <= 20 * max(4096, rendered[0])


def test_deep_nesting_is_given_up_rather_than_the_limit() -> None:
    """Where quotes within quotes leave no room, the text goes without them."""
    deep: Document = plain("word " * 20)
    for _ in range(30):
        deep = (Quote(deep),)
    pieces = split(deep, 40, len, whatsapp.render)
    assert all(len(whatsapp.render(piece)) <= 40 for piece in pieces)
    assert "".join(char for piece in pieces for char, _ in _letters(piece)) == "word" * 20
