"""What a Slack message says is the sum of its parts, each of them once, whatever part holds the words."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_adapters.slack.once import added
from outeract_adapters.slack.readable import readable
from outeract_core.events import Fact
from tests.support.slack.samples import event, samples, slack

Json = dict[str, Any]


def message(**parts: Any) -> Fact:
    """The fact of a message in a channel that has these members."""
    body = json.loads(json.dumps(samples()["message_channel"]["body"]))
    for name in ("text", "blocks"):
        del body["event"][name]
    body["event"] |= parts
    (fact,) = slack().parse(event(body))
    assert isinstance(fact, Fact)
    return fact


def text(**parts: Any) -> str:
    """What it says."""
    said: str = message(**parts).payload["message"]["text"]
    return said


def rich(*elements: Json) -> Json:
    """A `rich_text` block of one line."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [*elements]}],
    }


def words(said: str, **style: bool) -> Json:
    """Words within rich text."""
    return {"type": "text", "text": said, **({"style": style} if style else {})}


def mrkdwn(said: str) -> Json:
    """A text object."""
    return {"type": "mrkdwn", "text": said}


def plain(said: str) -> Json:
    """A text object without marks."""
    return {"type": "plain_text", "text": said}


TABLE = {
    "type": "table",
    "rows": [
        [{"type": "raw_text", "text": "Name"}, {"type": "raw_text", "text": "Amount"}],
        [rich(words("Item A", bold=True)), {"type": "raw_number", "value": 1200, "text": "1,200"}],
    ],
}
ROWS = "Name | Amount\n*Item A* | 1,200"

FORWARD = {
    "ts": "1763990000.000200", "author_id": "U0BERT0001", "author_name": "Bert",
    "channel_id": "C0OTHER001", "channel_team": "T0OUTERACT", "is_msg_unfurl": True, "is_share": True,
    "from_url": "https://example.slack.com/archives/C0OTHER001/p1763990000000200",
    "text": "the disk is full", "fallback": "[November 24th] bert: the disk is full",
    "message_blocks": [
        {"team": "T0OUTERACT", "channel": "C0OTHER001", "ts": "1763990000.000200",
         "message": {"blocks": [rich(words("the disk is full"))]}}
    ],
    "files": [{"id": "F0FORWARD1", "name": "df.png", "mimetype": "image/png", "size": 7,
               "url_private_download": "https://files.slack.com/files-pri/T0-F0FORWARD1/df.png"}],
}  # fmt: skip


# ── blocks ────────────────────────────────────────────────────────────────────────────────────

BLOCKS: dict[str, tuple[Json, str]] = {
    "rich_text": (rich(words("a "), words("b", bold=True), words("c", code=True)), "a *b*`c`"),
    "link": (rich({"type": "link", "url": "https://a.example/?x=1&y=2", "text": "there"}),
             "there (https://a.example/?x=1&y=2)"),
    "names": (rich({"type": "user", "user_id": "U1"}, {"type": "channel", "channel_id": "C1"},
                   {"type": "broadcast", "range": "here"}, {"type": "usergroup", "usergroup_id": "S1"}),
              "@U1#C1@here@S1"),
    "emoji": (rich({"type": "emoji", "name": "wave", "skin_tone": 2}), ":wave::skin-tone-2:"),
    "date": (rich({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "then"}), "then"),
    "of a later kind": (rich({"type": "hologram", "text": "3D"}), "3D"),
    "list": ({"type": "rich_text", "elements": [
        {"type": "rich_text_section", "elements": [words("buy\n")]},
        {"type": "rich_text_list", "style": "bullet", "elements": [
            {"type": "rich_text_section", "elements": [words("milk")]}]},
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 2, "elements": [
            {"type": "rich_text_section", "elements": [words("tea")]}]}]},
        "buy\n• milk\n    3. tea"),
    "code and quote": ({"type": "rich_text", "elements": [
        {"type": "rich_text_preformatted", "elements": [words("1 < 2")]},
        {"type": "rich_text_quote", "elements": [words("so\nit is")]}]}, "```1 < 2```\n> so\n> it is"),
    "section": ({"type": "section", "text": mrkdwn("*Build* &lt;3"),
                 "accessory": {"type": "button", "action_id": "a", "text": plain("Open")}}, "*Build* <3"),
    "fields": ({"type": "section", "fields": [mrkdwn("*Who*\nAnn"), plain("a & b")]}, "*Who*\nAnn\na & b"),
    "header": ({"type": "header", "text": plain("Deploy <1>")}, "Deploy <1>"),
    "context": ({"type": "context", "elements": [
        mrkdwn("by <@U1|ann>"), {"type": "image", "image_url": "https://a.example/i", "alt_text": "icon"}]},
        "by @ann icon"),
    "markdown": ({"type": "markdown", "text": "**b** <not a link>"}, "**b** <not a link>"),
    "image": ({"type": "image", "title": plain("Chart"), "alt_text": "a chart"}, "Chart"),
    "image without title": ({"type": "image", "alt_text": "a chart"}, "a chart"),
    "video": ({"type": "video", "title": plain("Talk"), "description": plain("of May")}, "Talk\nof May"),
    "table": (TABLE, ROWS),
    "alert": ({"type": "alert", "level": "error", "text": mrkdwn("on fire")}, "on fire"),
    "card": ({"type": "card", "title": plain("T"), "subtitle": plain("S"), "body": mrkdwn("B"),
              "actions": [{"type": "button", "action_id": "x", "text": plain("Go")}]}, "T\nS\nB"),
    "plan": ({"type": "plan", "title": "Steps", "tasks": [
        {"type": "task_card", "task_id": "1", "title": "First", "details": rich(words("soon"))}]},
        "Steps\nFirst\nsoon"),
    "container": ({"type": "container", "rich_text_title": rich(words("Top")), "child_blocks": [
        {"type": "header", "text": plain("Within")}]}, "Top\nWithin"),
    "buttons say nothing": ({"type": "actions", "elements": [
        {"type": "button", "action_id": "x", "text": plain("Go")}]}, ""),
    "a kind to come": ({"type": "hologram", "text": plain("3D"), "depth": 3}, "3D"),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_a_message_of_blocks_only(name: str) -> None:
    """What a block shows is the text of a message that has nothing else."""
    block, said = BLOCKS[name]
    assert text(blocks=[block]) == said
    assert text(text="", blocks=[block]) == said


@pytest.mark.parametrize("name", sorted(set(BLOCKS) - {"buttons say nothing"}))
def test_text_that_is_the_fallback_of_blocks_is_said_once(name: str) -> None:
    """A text that says what the blocks say adds nothing, and is kept as it stands."""
    block, _ = BLOCKS[name]
    (source,) = readable([block])
    assert text(text=source, blocks=[block]) == text(text=source)
    assert text(text="This content can't be displayed.", blocks=[block]) == text(blocks=[block])


def test_a_summary_gives_way_to_what_it_sums_up() -> None:
    """A notification text that stands within the blocks is told once, where the blocks have it."""
    blocks = [{"type": "header", "text": plain("Deploy done")},
              {"type": "section", "text": mrkdwn("*Build 7* is out")}]  # fmt: skip
    assert text(text="Deploy done", blocks=blocks) == "Deploy done\n*Build 7* is out"


def test_what_only_the_text_or_only_a_block_says_is_kept() -> None:
    """A text and blocks of different words are both told, and what they share once."""
    blocks = [
        {"type": "section", "text": mrkdwn("Status")},
        {"type": "section", "text": mrkdwn("all *green*")},
    ]
    assert text(text="Status of today", blocks=blocks) == "Status of today\nall *green*"


def test_a_user_composed_text_keeps_its_marks() -> None:
    """A person's own message is its `text`: the rich text beside it says the same in other words."""
    said = "see <https://a.example|this>, <@U1|ann> *now* :wave:\n• one"
    blocks = [{"type": "rich_text", "elements": [
        {"type": "rich_text_section", "elements": [
            words("see "), {"type": "link", "url": "https://a.example", "text": "this"}, words(", "),
            {"type": "user", "user_id": "U1"}, words(" "), words("now", bold=True), words(" "),
            {"type": "emoji", "name": "wave", "unicode": "1f44b"}]},
        {"type": "rich_text_list", "style": "bullet", "elements": [
            {"type": "rich_text_section", "elements": [words("one")]}]}]}]  # fmt: skip
    assert message(text=said, blocks=blocks).payload == message(text=said).payload


# ── attachments ───────────────────────────────────────────────────────────────────────────────


def test_forwarded_words_stand_beside_the_comment() -> None:
    """A forward is told with its comment, is marked, names its author and place, brings its files."""
    fact = message(text="what now?", blocks=[rich(words("what now?"))], attachments=[FORWARD])
    said = fact.payload["message"]
    assert said["text"] == "what now?\n\nthe disk is full"
    assert said["forwarded"] is True
    assert said["forward"] == {
        "from": "U0BERT0001", "name": "Bert", "chat": "C0OTHER001", "text": "the disk is full",
        "message_id": "1763990000.000200:C0OTHER001", "url": FORWARD["from_url"],
    }  # fmt: skip
    assert "forwards" not in said
    assert [ref.handle["id"] for ref in fact.files] == ["F0FORWARD1"]
    assert fact.payload["type"] == "image"


HOLDERS: dict[str, Json] = {
    "text": {"text": "over there"}, "fallback": {"fallback": "over there"},
    "blocks": {"blocks": [rich(words("over there"))]},
    "message_blocks": {"message_blocks": [{"message": {"blocks": [rich(words("over there"))]}}]},
}  # fmt: skip
SIGNS = ("is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl", "is_app_unfurl")


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("signs", [one for n in (1, 2) for one in combinations(SIGNS, n)])
def test_only_a_share_is_a_forward(signs: tuple[str, ...], holder: str) -> None:
    """Its words are the message's, wherever they stand; what Slack shows of a pasted link stands beside them."""
    told = {**dict.fromkeys(signs, True), **HOLDERS[holder], "from_url": "https://a.example/p1"}
    said = message(text="here", attachments=[told]).payload["message"]
    shared = "is_share" in signs
    assert said["text"] == ("here\n\nover there" if shared else "here")
    assert (said.get("forwarded"), "forward" in said) == (shared or None, shared)
    (shown,) = [said["forward"]] if shared else said["previews"]
    assert (shown["text"], shown["url"]) == ("over there", "https://a.example/p1")


def test_a_pasted_link_shows_a_message_that_its_sender_has_not_said() -> None:
    """Whose message it is and what stands in it is told apart; its files and names are not the sender's."""
    pasted = {**FORWARD, "is_share": False, "text": "<@U0BOT00001> look", "message_blocks": []}
    fact = message(
        text="see <https://example.slack.com/archives/C0OTHER001/p1763990000000200>",
        attachments=[pasted],
    )
    said = fact.payload["message"]
    assert said["text"] == f"see {FORWARD['from_url']}"
    assert said["previews"] == [{
        "from": "U0BERT0001", "name": "Bert", "chat": "C0OTHER001", "text": "@U0BOT00001 look",
        "message_id": "1763990000.000200:C0OTHER001", "url": FORWARD["from_url"], "files": ["df.png"],
    }]  # fmt: skip
    assert {"forwarded", "forward", "mentioned"}.isdisjoint(said)
    assert (fact.files, fact.payload["type"]) == ((), "text")


def test_what_a_forwarded_message_shows_of_a_link_was_not_said_there_either() -> None:
    """A preview within a forward is left out of its words; one without any words of its own is all there is."""
    pasted = {**FORWARD, "is_share": False}
    share = {"is_share": True, "text": "that one", "attachments": [pasted]}
    assert text(text="", attachments=[share]) == "that one"
    alone = message(text="", attachments=[pasted]).payload["message"]
    assert (alone["text"], alone["forwarded"]) == ("the disk is full", True)


def test_a_comment_that_the_forward_repeats_is_kept() -> None:
    """One's own words are never taken for a copy of somebody else's."""
    assert text(text="disk", attachments=[FORWARD]) == "disk\n\nthe disk is full"


def test_several_forwards_are_told_apart() -> None:
    """Each forward has its author; a forward within a forward is read too."""
    inner = {"is_share": True, "text": "deep", "author_id": "U3"}
    second = {"is_share": True, "text": "second", "author_id": "U2", "attachments": [inner]}
    said = message(text="", attachments=[FORWARD, second]).payload["message"]
    assert said["text"] == "the disk is full\n\nsecond\n\ndeep"
    assert [one["from"] for one in said["forwards"]] == ["U0BERT0001", "U2"]
    assert [one["text"] for one in said["forwards"]] == ["the disk is full", "second\n\ndeep"]


def test_who_is_named_in_a_forward_was_not_called() -> None:
    """A mention of our bot counts in the author's own words only."""
    ours = "<@U0BOT00001>"
    forward = {**FORWARD, "text": f"{ours} help", "message_blocks": []}
    assert "mentioned" not in message(text="see", attachments=[forward]).payload["message"]
    assert message(text=ours, attachments=[forward]).payload["message"]["mentioned"] is True
    block = rich({"type": "user", "user_id": "U0BOT00001"}, words(" help"))
    assert message(blocks=[block]).payload["message"]["mentioned"] is True


def test_a_pasted_table_is_read_where_clients_put_it() -> None:
    """A pasted table comes as a block of an attachment, with a placeholder for its words."""
    pasted = {"id": 1, "blocks": [TABLE], "fallback": "[no preview available]"}
    assert text(text="which is it?", attachments=[pasted]) == f"which is it?\n\n{ROWS}"
    assert text(text="", attachments=[pasted]) == ROWS
    assert text(attachments=[{"fallback": "[no preview available]"}]) == ""


def test_what_older_apps_post_is_read() -> None:
    """Pretext, title, text and fields of an attachment are told; its fallback only without them."""
    whole = {"pretext": "New", "title": "Bug 7", "title_link": "https://a.example/7", "text": "It *fails*",
             "fields": [{"title": "Priority", "value": "High"}], "fallback": "New: Bug 7"}  # fmt: skip
    said = "New\nBug 7 (https://a.example/7)\nIt *fails*\nPriority: High"
    assert text(text="", attachments=[whole]) == said
    assert text(text="see", attachments=[whole]) == f"see\n\n{said}"
    assert text(text="see", attachments=[{"fallback": "Bug 7"}]) == "see\n\nBug 7"


@pytest.mark.parametrize("sign", ["from_url", "original_url", "app_unfurl_url"])
def test_previews_of_links_were_said_by_nobody(sign: str) -> None:
    """What Slack shows of a linked page is not what the person wrote, unless there is nothing else."""
    preview = {sign: "https://a.example", "title": "A page", "text": "about it"}
    said = message(text="see <https://a.example>", attachments=[preview]).payload["message"]
    assert said["text"] == "see https://a.example"
    assert said["previews"] == [{"url": "https://a.example", "title": "A page", "text": "about it"}]
    assert text(text="", attachments=[preview]) == "A page\nabout it"


def test_a_file_is_attached_once() -> None:
    """A file that stands in the message and in its forward, or twice in a forward, is one file."""
    twice = {**FORWARD, "message_blocks": [{"message": {"files": FORWARD["files"]}}]}
    fact = message(text="x", files=FORWARD["files"], attachments=[twice])
    assert [ref.handle["id"] for ref in fact.files] == ["F0FORWARD1"]


def test_an_edit_is_read_in_the_same_way() -> None:
    """An edited message is the sum of its parts too."""
    body = json.loads(json.dumps(samples()["edited"]["body"]))
    body["event"]["message"] |= {"text": "now", "blocks": [], "attachments": [FORWARD]}
    (fact,) = slack().parse(event(body))
    assert isinstance(fact, Fact)
    assert fact.kind == "message.edited"
    assert fact.payload["message"]["text"] == "now\n\nthe disk is full"


# ── properties ────────────────────────────────────────────────────────────────────────────────

WORD = st.text("abcdefghijklmnop", min_size=3, max_size=8)
KIND = st.sampled_from(["section", "header", "hologram", "card", "alert", "carousel"])
MEMBER = st.sampled_from(["text", "title", "subtitle", "body", "description", "details"])


@st.composite
def blocks_of(draw: st.DrawFn) -> tuple[Json, list[str]]:
    """A block of any kind, with words wherever words may be, and those words."""
    said = draw(st.lists(WORD, min_size=1, max_size=4, unique=True))
    parts = [draw(st.sampled_from([mrkdwn, plain]))(one) for one in said]
    if draw(st.booleans()):
        return {"type": draw(KIND), "elements": [{"type": "x", "blocks": parts}]}, said
    return {"type": draw(KIND), "fields": parts[1:], draw(MEMBER): parts[0]}, said


@settings(max_examples=200, deadline=None)
@given(st.lists(blocks_of(), min_size=1, max_size=4), st.lists(WORD, max_size=3))
def test_no_word_is_lost_and_none_is_doubled(
    found: list[tuple[Json, list[str]]], own: list[str]
) -> None:
    """Every word of text and blocks, of known and unknown kinds, is in the payload; a repeated text not twice."""
    blocks = [block for block, _ in found]
    said = text(text=" ".join(own), blocks=blocks)
    for word in [*own, *(word for _, some in found for word in some)]:
        assert word in said
    source = "\n".join(readable(blocks))
    assert text(text=source, blocks=blocks) == text(text=source)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORD, min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 5))
def test_a_sum_holds_both_sides(parts: list[str], start: int, end: int) -> None:
    """A sum says all that its summary and its parts say, and the sum of a part of it is itself."""
    summary = " ".join(parts[start:end])
    whole = added(summary, parts)
    assert all(part in whole for part in parts)
    assert added(whole, parts) == whole
