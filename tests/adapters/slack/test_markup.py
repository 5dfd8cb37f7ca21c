"""Slack's mrkdwn: what is rendered shows what was meant, what came in reads as a person reads it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.slack import emoji
from outeract_adapters.slack.blocks import pieces
from outeract_adapters.slack.markup import render
from outeract_adapters.slack.plain import plain
from outeract_core.errors import Rejected
from outeract_core.text import (
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
)
from outeract_core.text import plain as as_document


def inline(*children: Inline) -> str:
    """The mrkdwn of one paragraph."""
    return render((Paragraph(children),))


@pytest.mark.parametrize(
    ("node", "mrkdwn"),
    [
        (Str("a < b & c > d"), "a &lt; b &amp; c &gt; d"),
        (Span("bold", (Str("b"),)), "*b*"),
        (Span("italic", (Str("i"),)), "_i_"),
        (Span("strike", (Str("s"),)), "~s~"),
        (Span("underline", (Str("u"),)), "u"),
        (Span("spoiler", (Str("p"),)), "p"),
        (Span("bold", (Str("a "), Span("italic", (Str("b"),)))), "*a _b_*"),
        (Span("bold", (Str("a "), Span("bold", (Str("b"),)))), "*a b*"),
        (Span("bold", (Str(" spaced "),)), " *spaced* "),
        (Span("bold", (Str("two"), Break(), Str("lines"))), "*two*\n*lines*"),
        (Span("bold", (Str(" "),)), " "),
        (Code("x < y"), "`x &lt; y`"),
        (Code("a`b"), "a`b"),
        (Link("https://e.org/?a=1&b=2", (Str("e & f"),)), "<https://e.org/?a=1&amp;b=2|e &amp; f>"),
        (Link("https://e.org/a|b>c", (Str("x"),)), "<https://e.org/a%7Cb%3Ec|x>"),
        (Link("https://e.org", (Str("https://e.org"),)), "<https://e.org>"),
        (Link("https://e.org", ()), "<https://e.org>"),
        (Link("https://e.org", (Span("bold", (Str("b"),)), Break(), Code("c"))), "<https://e.org|b c>"),
        (Link("!channel", (Str("all"),)), "all (!channel)"),
        (Link("@U0ANNA0001", ()), "@U0ANNA0001"),
        (Link("#C0GENERAL1", (Str("<x>"),)), "&lt;x&gt; (#C0GENERAL1)"),
    ],
)  # fmt: skip
def test_inline(node: Inline, mrkdwn: str):
    """Each inline node has one form; links cannot become mentions."""
    assert inline(node) == mrkdwn


def test_blocks():
    """Headings are bold, lists have marks, quotes and code keep every line."""
    document = (
        Heading(2, (Str("Plan & "), Span("bold", (Str("more"),)))),
        Bullets(((Paragraph((Str("one"),)), Bullets(((Paragraph((Str("in"),)),),))),)),
        Bullets(((Paragraph((Str("x"),)),), (Paragraph((Str("y"),)),)), start=3),
        Quote((Paragraph((Str("a"), Break(), Str("b"))), Paragraph((Str("c"),)))),
        CodeBlock("if a < b:\n    ```pass```\n", "python"),
        Rule(),
    )
    assert render(document) == (
        "*Plan &amp; more*\n\n• one\n    • in\n\n3. x\n4. y\n\n> a\n> b\n> \n> c\n\n"
        "```\nif a &lt; b:\n    ``\u200b`pass``\u200b`\n```\n\n──────────"
    )


@given(st.text())
def test_plain_text_survives_the_round_trip(text: str):
    """What a bot sends as plain text reads the same when Slack shows it back."""
    assert plain(render(as_document(text))) == text


@given(st.text(alphabet="<>&|!@#a;ltgmp "))
def test_text_can_name_nobody(text: str):
    """No text becomes a mention or a link: every raw angle bracket is escaped."""
    assert not re.search("[<>]", inline(Str(text)))


@pytest.mark.parametrize(
    ("mrkdwn", "text"),
    [
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt; once only", "&lt; once only"),
        ("hi <@U0ANNA0001>", "hi @U0ANNA0001"),
        ("hi <@U0ANNA0001|anna>", "hi @anna"),
        ("in <#C0GENERAL1|general> or <#C0GENERAL1>", "in #general or #C0GENERAL1"),
        ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S0TEAM0001|@night-shift> <!subteam^S0TEAM0001>", "@night-shift @S0TEAM0001"),
        ("<!date^1392734382^{date_num}|2014-02-18>", "2014-02-18"),
        ("<!date^1392734382^{date_num}^https://e.org/|a &amp; b>", "a & b"),
        ("<https://e.org/?a=1&amp;b=2>", "https://e.org/?a=1&b=2"),
        ("<https://e.org|the site>", "the site (https://e.org)"),
        ("<http://e.org|e.org>", "http://e.org"),
        ("<mailto:a@e.org|a@e.org> <tel:+4930|+4930>", "a@e.org +4930"),
        ("a < b <@> <> <!> <|>", "a < b @  @ "),
        ("*bold* stays", "*bold* stays"),
    ],
)
def test_inbound(mrkdwn: str, text: str):
    """Mentions, channels, dates, links and entities read as a person would read them."""
    assert plain(mrkdwn) == text


def test_inbound_is_linear():
    """Unclosed brackets in bulk cost no more than their length."""
    assert plain("<" * 200_000) == "<" * 200_000
    assert len(plain("<a" * 100_000 + "&lt;")) == 200_001


# ── sections ──────────────────────────────────────────────────────────────────────────────────


words = st.lists(
    st.text(alphabet="abc *_~", max_size=40) | st.sampled_from(["\n", " ", "&amp;", "\n\n", "```\n"])
    | st.builds("<https://e.org/{}|{}>".format, st.text("ab", max_size=9), st.text("c ", max_size=9)),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(words, st.integers(60, 200))
def test_pieces_hold_everything(text: str, limit: int):
    """Pieces are short enough, lose nothing but white space, and cut no link and no entity."""
    found = pieces(text, limit)
    assert all(0 < len(piece) <= limit for piece in found)
    bare = re.compile(r"[\s`]")
    assert bare.sub("", "".join(found)) == bare.sub("", text)
    for piece in found:
        assert piece.count("<") == piece.count(">")
        assert piece.count("&") == piece.count("&amp;")


def test_a_cut_fence_is_closed_and_opened_again():
    """Code that is cut stays code on both sides, line by line."""
    code = "\n".join(f"line {n}" for n in range(500))
    found = pieces(f"```\n{code}\n```", 1000)
    assert len(found) > 3
    for piece in found:
        assert piece.startswith("```\n")
        assert piece.endswith("\n```")
    kept = [line for piece in found for line in piece.split("\n") if line != "```"]
    assert kept == code.split("\n")


# ── emoji ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shown", "name"),
    [("👍", "+1"), ("❤️", "heart"), ("❤", "heart"), ("🎉", "tada"), ("🚀", "rocket"), ("👀", "eyes"),
     ("👍🏽", "+1::skin-tone-4"), (":party-parrot:", "party-parrot"), ("party-parrot", "party-parrot"),
     (":日本:", "日本"), ("thumbsup::skin-tone-2", "thumbsup::skin-tone-2"), ("+1", "+1")],
)  # fmt: skip
def test_emoji_have_names(shown: str, name: str):
    """An emoji, a short code and a bare name each lead to Slack's name."""
    assert emoji.to_slack(shown) == name


@pytest.mark.parametrize("shown", ["", "two words", "👨‍👩‍👧", ":a:b:c", "日本", "\U0010ffff"])
def test_what_has_no_name_is_rejected(shown: str):
    """Without a name there is no reaction; the error says how to give one."""
    with pytest.raises(Rejected, match=":name:"):
        emoji.to_slack(shown)


@pytest.mark.parametrize("shown", ["👍", "❤️", "🎉", "🚀", "👀", "💯", "✅", "👋🏿", "🔥", "🐛"])
def test_emoji_round_trip(shown: str):
    """What we set as a reaction comes back as the same emoji."""
    assert emoji.from_slack(emoji.to_slack(shown)) == shown


@given(st.text())
def test_any_name_can_be_shown(name: str):
    """A name that is unknown stays readable as `:name:`."""
    assert emoji.from_slack(name)
