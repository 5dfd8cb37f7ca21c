"""Entities of what comes in are read right: offsets in UTF-16 units, overlaps, hostile ones."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.telegram.inbound.entities import command, html, mentions, read
from outeract_core.testing.fakes.telegram_html import parse_html, utf16

FORMATS = ["bold", "italic", "underline", "strikethrough", "spoiler", "code", "blockquote"]


def entities(said: str, *items: dict[str, Any]) -> Any:
    """The entities of a text."""
    return read(said, {"entities": list(items)}, "entities")


def entity(kind: str, offset: Any, length: Any, **more: Any) -> dict[str, Any]:
    """One entity as Telegram tells it."""
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("hello you", "you"),
        ("😀 you", "you"),
        ("👨‍👩‍👧‍👦 e\u0301 🇩🇪 you 😀", "you"),
        ("a😀b", "😀"),
        ("日本 you", "you"),
    ],
)
def test_emoji_before_an_entity(said: str, word: str) -> None:
    """An emoji counts two units: what is cut out is the word that Telegram meant."""
    offset = utf16(said[: said.index(word)])
    (found,) = entities(said, entity("bold", offset, utf16(word)))
    assert found.text == word
    assert html(said, [found]) == said.replace(word, f"<b>{word}</b>")


@pytest.mark.parametrize(
    "bad",
    [
        entity("bold", -1, 2), entity("bold", 0, 0), entity("bold", 0, 99), entity("bold", 99, 1),
        entity("bold", "0", 2), entity("bold", 0, None), entity("bold", True, 2), entity("", 0, 2),
        {"type": "bold"}, {}, entity("bold", 10**30, 2),
    ],
)  # fmt: skip
def test_entities_that_are_none(bad: dict[str, Any]) -> None:
    """What lies outside of the text, or is no entity, is left alone; the others count."""
    found = entities("hello", bad, entity("italic", 0, 5))
    assert [one.type for one in found] == ["italic"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([entity("bold", 0, 4), entity("italic", 2, 4)], "<b>ab<i>cd</i></b><i>ef</i>"),
        ([entity("bold", 0, 6), entity("italic", 2, 2)], "<b>ab<i>cd</i>ef</b>"),
        ([entity("bold", 0, 3), entity("italic", 3, 3)], "<b>abc</b><i>def</i>"),
        ([entity("italic", 0, 6), entity("bold", 0, 6)], "<i><b>abcdef</b></i>"),
        ([entity("url", 0, 6)], None),
        ([], None),
    ],
)
def test_overlaps(items: list[Any], expected: str | None) -> None:
    """What overlaps is closed and opened again; what formats nothing gives no HTML."""
    assert html("abcdef", entities("abcdef", *items)) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (entity("text_link", 0, 1, url='https://e.org/"x"&y'), '<a href="https://e.org/&quot;x&quot;&amp;y">x</a>'),
        (entity("text_link", 0, 1), None),
        (entity("text_mention", 0, 1, user={"id": 42}), '<a href="tg://user?id=42">x</a>'),
        (entity("custom_emoji", 0, 1, custom_emoji_id="5368"), '<tg-emoji emoji-id="5368">x</tg-emoji>'),
        (entity("pre", 0, 1), "<pre>x</pre>"),
        (entity("pre", 0, 1, language='a"b'), '<pre><code class="language-a&quot;b">x</code></pre>'),
        (entity("expandable_blockquote", 0, 1), "<blockquote expandable>x</blockquote>"),
    ],
)  # fmt: skip
def test_tags(item: Any, expected: str | None) -> None:
    """Links, custom emoji, code and quotes have tags of their own, with everything escaped."""
    assert html("x", entities("x", item)) == expected


class _Text(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data


spans = st.tuples(st.sampled_from(FORMATS), st.integers(0, 14), st.integers(1, 14))
said = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r") | st.sampled_from("😀<&>é"),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(said, st.lists(spans, max_size=6))
def test_any_entities_say_the_same_text(
    words: str, given_spans: list[tuple[str, int, int]]
) -> None:
    """However entities lie across each other, the HTML is well nested and says the text, no more."""
    units = words.encode("utf-16-le")
    whole = [s for s in given_spans if _on_characters(units, s[1], s[2])]
    markup = html(words, entities(words, *(entity(*span) for span in whole)))
    if markup is None:
        return
    assert _Text(markup).text == words
    assert parse_html(markup)[0] == words


def _on_characters(units: bytes, offset: int, length: int) -> bool:
    """Whether a span begins and ends between characters, as Telegram's always do."""
    try:
        units[: offset * 2].decode("utf-16-le")
        units[offset * 2 : (offset + length) * 2].decode("utf-16-le")
    except UnicodeDecodeError:
        return False
    return (offset + length) * 2 <= len(units)


@pytest.mark.parametrize(
    ("words", "length", "expected"),
    [
        ("/start", 6, {"name": "start", "args": ""}),
        ("/start  a b ", 6, {"name": "start", "args": "a b"}),
        ("/help@our_bot me", 13, {"name": "help", "args": "me", "bot": "our_bot"}),
        ("/start\nsecond line", 6, {"name": "start", "args": "second line"}),
        ("/", 1, None),
    ],
)
def test_commands(words: str, length: int, expected: Any) -> None:
    """The command in front is told apart from its arguments and from the bot that it names."""
    assert command(words, entities(words, entity("bot_command", 0, length))) == expected


def test_text_that_only_looks_like_a_command() -> None:
    """Telegram marks commands; without the mark, or further back, there is none."""
    assert command("/start", []) is None
    assert command("a /start", entities("a /start", entity("bot_command", 2, 6))) is None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (entity("mention", 0, 4), True), (entity("mention", 5, 4), False),
        (entity("text_mention", 5, 4, user={"id": 7}), True),
        (entity("text_mention", 5, 4, user={"id": 8}), False), (entity("bold", 0, 4), False),
    ],
)  # fmt: skip
def test_mentions(item: Any, expected: bool) -> None:
    """We are called by our name, in any case, or by a link to our account."""
    assert mentions(entities("@BoT @foo", item), 7, "bot") is expected
    assert mentions(entities("@BoT @foo", item), None, None) is False
