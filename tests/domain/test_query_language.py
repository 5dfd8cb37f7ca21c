"""The query language and the snippet, without a store: whatever is typed, whatever was written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.rules.query_language import MOST, Term, Terms, parse, spans
from outeract_core.errors import BadInput
from outeract_core.search import snippet

TYPED = st.text(alphabet=st.sampled_from('ab"“ -*OR\0\ud800東'), max_size=20) | st.text(max_size=40)


@pytest.mark.parametrize(
    ("line", "terms"),
    [
        ("", [Terms()]),
        ("one two", [Terms((Term("one"), Term("two")))]),
        ('"one two"three', [Terms((Term("one two"), Term("three")))]),
        ("pre* -not", [Terms((Term("pre", prefix=True),), (Term("not"),))]),
        ('-"a b"*', [Terms((), (Term("a b", prefix=True),))]),
        ("a OR b c", [Terms((Term("a"),)), Terms((Term("b"), Term("c")))]),
        ("-OR or", [Terms((Term("or"),), (Term("OR"),))]),
        ("e-mail --x", [Terms((Term("e-mail"),), (Term("-x"),))]),
    ],
)
def test_a_line_becomes_terms(line: str, terms: list[Terms]) -> None:
    """Quotes, stars, a leading minus and OR mean something; everything else is part of a word."""
    assert parse(line) == tuple(terms)


@given(TYPED)
def test_any_line_is_understood(line: str) -> None:
    """No line is refused except for its length, and no term holds what SQLite cannot."""
    if len(line.split()) > MOST:
        return
    for each in parse(line):
        for term in (*each.wanted, *each.unwanted):
            assert "\0" not in term.text
            assert term.text.encode().decode() == term.text


def test_too_many_words_are_refused() -> None:
    """64 words are understood, one more is not."""
    assert len(parse(" ".join("x" * MOST))[0].wanted) == MOST
    with pytest.raises(BadInput, match="64"):
        parse(" ".join("x" * (MOST + 1)))


def _tokens(text: str) -> list[tuple[int, int, str]]:
    found, at = [], 0
    for word in text.split(" "):
        found.append((at, at + len(word), word))
        at += len(word) + 1
    return found


@given(
    st.text(alphabet="ab ", max_size=30),
    st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=3),
)
def test_marks_are_where_the_words_are(text: str, words: list[str]) -> None:
    """A phrase is marked from its first word to its last, a prefix the whole word; marks do not touch."""
    tokens = _tokens(text)
    for prefix in (False, True):
        found = spans(tokens, [Term(" ".join(words), prefix, tuple(words))])
        covered = {n for start, end in found for n in range(start, end)}
        expected = set()
        for at in range(len(tokens) - len(words) + 1):
            here = [token[2] for token in tokens[at : at + len(words)]]
            last = here[-1].startswith(words[-1]) if prefix else here[-1] == words[-1]
            if here[:-1] == words[:-1] and last:
                expected |= set(range(tokens[at][0], tokens[at + len(words) - 1][1]))
        assert covered == expected
        assert all(a[1] < b[0] for a, b in pairwise(found))


@given(st.text(alphabet="ab \n東e\u0301", max_size=600), st.data())
def test_a_snippet_shows_marks_where_they_were(text: str, data: st.DataObject) -> None:
    """A snippet is one short line of the text in which the first mark of the best place is marked."""
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    marks = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    piece, inside = snippet(text, marks)
    assert len(piece) <= 162
    assert "\n" not in piece
    body = piece.removeprefix("…").removesuffix("…")
    flat = text.replace("\n", " ")
    assert body in flat
    assert bool(inside) == bool(marks)
    wanted = {flat[a:b] for a, b in marks}
    for start, end in inside:
        assert any(whole.startswith(piece[start:end]) for whole in wanted)
    if len(text) <= 160:
        assert (piece, list(inside)) == (flat, marks)


def test_a_snippet_is_cut_between_words() -> None:
    """It begins shortly before the place with the most marks, at a word, and shows what was left out."""
    text = "lone word " + "filler " * 60 + "some word and word again " + "filler " * 60
    marks = [(at, at + 4) for at in range(len(text)) if text.startswith("word", at)]
    piece, inside = snippet(text, marks)
    assert piece.startswith("…filler filler")
    assert piece.endswith(" filler…")
    assert [piece[a:b] for a, b in inside] == ["word", "word"]


def test_a_snippet_does_not_cut_through_a_letter() -> None:
    """Without spaces it is cut between letters as people see them."""
    piece, inside = snippet("e\u0301" * 300, [(400, 402)])
    assert piece.startswith("…e\u0301")
    assert piece.endswith("e\u0301…")
    assert [piece[a:b] for a, b in inside] == ["e\u0301"]
