"""Full-text search as a bot's author sees it: what is found, in which order, where, and by whom.

Knows: messages on a platform of the tests. Does not know: how the index comes to be.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from outeract_core import App, Hit, Outeract, blocking
from outeract_core._store.reading import finding
from outeract_core._store.records.log import append, link
from outeract_core.errors import BadInput, InvalidCursor, NotFound
from outeract_core.events import Fact, Party, message
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.bots import talk
from tests.support.reading.world import START, about, arrive, connect, event, person, raw_conn, said

pytestmark = pytest.mark.anyio
Core = Outeract


@pytest.fixture
def pigeon(core: Outeract, app: App) -> PlatformConnection:
    """A connection of the test platform."""
    return connect(core, app)


async def found(app: App, words: str, **options: Any) -> list[str]:
    """External ids of the messages that a search finds, and every page of it."""
    hits: list[Hit] = []
    after = None
    while True:
        page = await app.search(words, after=after, **options)
        hits += page.nodes
        after = page.end_cursor
        if not page.has_next:
            return [str(hit.message.external_message_id) for hit in hits]


async def tell(core: Core, conn: PlatformConnection, *texts: str, who: str = "ann") -> None:
    """Messages m0, m1, … of one person, a minute apart."""
    facts = [said(f"m{n}", text, who, at=n * 60) for n, text in enumerate(texts)]
    await arrive(core, conn, *facts)


# ── words ────────────────────────────────────────────────────────────────────────────────────

TEXTS = (
    "The invoice is overdue", "Invoice paid, thank you", "a reminder", "invoices of last month",
    "last week, and a month ago", "Crème brûlée", "İstanbul'da ΣΊΣΥΦΟΣ", "don't e-mail me",
)  # fmt: skip
ASKED = {
    "invoice": [1, 0],
    "INVOICE overdue": [0],
    "invoice -paid": [0],
    "-paid invoice -overdue": [],
    "invo*": [3, 1, 0],
    '"last month"': [3],
    "last month": [4, 3],
    '"last mon"*': [3],
    "overdue OR reminder": [2, 0],
    "invoice overdue OR reminder": [2, 0],
    "invoice overdue OR invoice paid": [1, 0],
    "invoice OR": [1, 0],
    "OR OR invoice": [1, 0],
    "creme brulee": [5],
    "CRÈME": [5],
    "σίσυφος": [6],
    "e-mail": [7],
    "“last month”": [3],
    '"last month': [3],
    '-"last month" last': [4],
    "invoice 🎉 ...": [1, 0],
    "invoice AND paid": [],
    "invoice NEAR paid": [],
    "text : invoice": [],
    "invoice)": [1, 0],
    "(invoice": [1, 0],
    "invoice*": [3, 1, 0],
    "^invoice": [1, 0],
    "nothing": [],
}


async def test_the_query_language(core: Core, app: App, pigeon: PlatformConnection) -> None:
    """Words are and-ed, phrases and prefixes kept, `-` excludes, OR separates; FTS5's syntax means nothing."""
    await tell(core, pigeon, *TEXTS)
    for words, numbers in ASKED.items():
        assert (words, await found(app, words)) == (words, [f"m{n}" for n in numbers])


async def test_by_trigram_any_three_characters_are_found(tmp_path: Path) -> None:
    """`search="trigram"` finds parts of words and of texts without spaces, from three characters on."""
    async with Outeract(tmp_path / "a.db", search="trigram") as core:
        app = core.app("support")
        conn = connect(core, app)
        await tell(
            core, conn, "東京都庁の近くで会いましょう", "Rechnungsnummer", "numbers", "Émile"
        )
        assert await found(app, "京都庁") == ["m0"]
        assert await found(app, "nummer") == ["m1"]
        assert await found(app, "NUM") == ["m2", "m1"]
        assert await found(app, "num -numb") == ["m1"]
        assert await found(app, "emile") == ["m3"]
        assert await found(app, "num*") == ["m2", "m1"]
        assert (await app.search("都庁の")).nodes[0].marked(
            "[", "]"
        ) == "東京[都庁の]近くで会いましょう"
        with pytest.raises(BadInput, match="3 characters"):
            await app.search("num 京都")


@pytest.mark.parametrize(
    "words", ["", "  ", '""', "🎉", "-", "*", "OR", "\0", "\ud800", "-paid", "a OR -b"]
)
async def test_a_search_needs_a_word(app: App, words: str) -> None:
    """Nothing to look for is said to be so, and makes no index."""
    with pytest.raises(BadInput, match="word"):
        await app.search(words)
    assert (
        app.runtime.database.read(lambda tx: tx.script("SELECT * FROM meta WHERE name = 'search'"))
        == []
    )


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (None, {}), (b"a", {}), ("a " * 65, {}), ("a", {"order": "best"}), ("a", {"first": 0}),
        ("a", {"since": START.replace(tzinfo=None)}), ("a", {"after": "x"}), ("a", {"person": 3}),
        ("a", {"within": object()}),
    ],
)  # fmt: skip
async def test_wrong_arguments_are_refused(app: App, words: Any, options: Any) -> None:
    """Each argument that makes no sense is BadInput."""
    with pytest.raises(BadInput):
        await app.search(words, **options)


async def test_search_can_be_off(tmp_path: Path) -> None:
    """With `search=None` a search says how to turn it on; an unknown way of cutting is refused at once."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        with pytest.raises(BadInput, match="search='unicode61'"):
            await core.app("support").search("word")
    with pytest.raises(BadInput, match="trigram"):
        Outeract(tmp_path / "b.db", search="porter")


# ── pages ────────────────────────────────────────────────────────────────────────────────────


async def test_pages_of_the_newest(core: Core, app: App, pigeon: PlatformConnection) -> None:
    """Page by page everything is found once, newest first; a cursor of each hit reads on behind it."""
    await tell(core, pigeon, *["a word"] * 25)
    assert await found(app, "word", first=7) == [f"m{n}" for n in reversed(range(25))]
    page = await app.search("word", first=10)
    assert page.has_next
    behind = await app.search("word", first=2, after=page.cursors[3])
    assert [hit.event.external_message_id for hit in behind] == ["m20", "m19"]
    assert not (await app.search("word", first=25)).has_next


async def test_pages_by_rank(core: Core, app: App, pigeon: PlatformConnection) -> None:
    """The best come first; what comes in between two pages does not shift the second."""
    texts = ["word " * n + "other " * (12 - n) for n in range(1, 12)]
    await tell(core, pigeon, *texts)
    best = [f"m{n}" for n in reversed(range(11))]
    assert await found(app, "word", order="rank", first=4) == best
    page = await app.search("word", order="rank", first=4)
    await arrive(core, pigeon, said("late", "word word word word word word", "ann"))
    behind = await app.search("word", order="rank", first=4, after=page.end_cursor)
    assert [str(hit.message.external_message_id) for hit in behind] == best[4:8]
    assert "late" in await found(app, "word", order="rank", first=4)


async def test_a_cursor_is_for_its_order_and_application(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """A cursor of the other order or of another application is refused."""
    await tell(core, pigeon, "word", "word")
    newest, ranked = await app.search("word"), await app.search("word", order="rank")
    other = core.app("other")
    await tell(core, connect(core, other, "raven"), "word")
    elsewhere = await other.search("word")
    for order, cursor in (
        ("rank", newest.end_cursor), ("newest", ranked.end_cursor), ("newest", elsewhere.end_cursor),
    ):  # fmt: skip
        with pytest.raises(InvalidCursor):
            await app.search("word", order=order, after=cursor)


async def test_applications_do_not_see_each_other(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """The same words in two applications: each finds its own, and another's conversation is not found."""
    other = core.app("other")
    raven = connect(core, other, "raven")
    await tell(core, pigeon, "word of ours")
    await tell(core, raven, "word of theirs", "word")
    for order in ("newest", "rank"):
        assert [hit.snippet for hit in await app.search("word", order=order)] == ["word of ours"]
    theirs = await person(other, raven, "ann")
    conversation = await other.conversations.of(theirs)
    for thing in (theirs, conversation, await event(other, raven, "m0")):
        with pytest.raises(NotFound):
            await app.search("word", within=thing)
    with pytest.raises(NotFound):
        await app.search("word", person=theirs)


# ── where, who, when ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def town(core: Core, app: App, pigeon: PlatformConnection) -> PlatformConnection:
    """Ann and bob speak alone and in a group with the bot, which answers; ann also elsewhere."""
    await arrive(
        core, pigeon,
        said("a1", "word from ann", "ann", at=0),
        said("b1", "word from bob", "bob", at=60),
        said("g1", "word in the group", "ann", group="g", at=120),
        said("g2", "group word of bob", "bob", group="g", at=180, thread="g1"),
        said("a2", "something else", "ann", at=240),
        said("a3", "word, late", "ann", at=-3600),
    )  # fmt: skip
    await app.send(await person(app, pigeon, "ann"), "word of the bot")
    await arrive(core, connect(core, app, "owl"), said("o1", "word on the owl", "ann", at=300))
    return pigeon


async def test_within(core: Core, app: App, town: PlatformConnection) -> None:
    """A conversation by person, group, event or object; a user's is that of all platforms; a thread."""
    ann, bob, group = [await person(app, town, name) for name in ("ann", "bob", "g")]
    owl = app.connections()[1]
    mine = ["None", "a3", "a1"]
    assert await found(app, "word", within=ann) == mine
    assert await found(app, "word", within=ann.id) == mine
    assert await found(app, "word", within=await event(app, town, "a2")) == mine
    assert await found(app, "word", within=await app.conversations.of(ann)) == mine
    assert await found(app, "word", within=bob) == ["b1"]
    assert await found(app, "word", within=group) == ["g2", "g1"]
    await app.people.merge(await person(app, owl, "ann"), ann)
    user = await app.people.user(ann)
    assert await found(app, "word", within=user) == ["o1", *mine]
    assert await found(app, "word", within=user, order="rank", first=1) != []
    thread = await app.conversations.thread(await event(app, town, "g1"))
    assert await found(app, "word", within=thread) == ["g2", "g1"]
    alone = await app.conversations.thread(await event(app, town, "b1"))
    assert await found(app, "word", within=alone) == ["b1"]


async def test_a_thread_is_searched_alike_however_long_it_is(
    core: Core, app: App, town: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a short thread is looked at, of a long one the matches: both find the same, edits too, page by page."""
    replies = [
        said(f"r{n}", f"word {n}", "bob", group="g", at=400 + n, thread="g1") for n in range(9)
    ]
    group = Party("g", "group", "Group g")
    anew = {"message": {"text": "word anew"}}
    edits = [
        evolve(about("message.edited", f"e{n}", f"r{n}", anew, "bob"), chat=group) for n in range(3)
    ]
    await arrive(core, town, *replies, *edits, said("g3", "word outside", "ann", group="g", at=500))
    thread = await app.conversations.thread(await event(app, town, "g1"))
    alone = await app.conversations.thread(await event(app, town, "g3"))
    asked: list[dict[str, Any]] = [
        {"within": thread}, {"within": thread, "first": 2}, {"within": thread, "order": "rank", "first": 3},
        {"within": thread, "since": START + timedelta(seconds=404)}, {"within": alone},
    ]  # fmt: skip
    told = []
    for short in (0, 5, 300):
        monkeypatch.setattr(finding, "_SHORT", short)
        told.append(
            [
                await found(app, words, **how)
                for how in asked
                for words in ("word", "anew", "word -anew")
            ]
        )
    assert told[0] == told[1] == told[2]
    assert told[0][0] == ["r2", "r1", "r0", *(f"r{n}" for n in range(8, -1, -1)), "g2", "g1"]
    assert told[0][1] == ["r2", "r1", "r0"]
    assert (await app.search("word", within=thread, total=True)).total_count == 14


async def test_person(core: Core, app: App, town: PlatformConnection) -> None:
    """Who said it, wherever: a platform user, a user on all platforms, the bot itself; with `within` too."""
    ann, bob, group = [await person(app, town, name) for name in ("ann", "bob", "g")]
    owl = app.connections()[1]
    assert await found(app, "word", person=ann) == ["a3", "g1", "a1"]
    assert await found(app, "word", person=ann, within=group) == ["g1"]
    assert await found(app, "word", person=bob, within=ann) == []
    await app.people.merge(await person(app, owl, "ann"), ann)
    assert await found(app, "word", person=await app.people.user(bob)) == ["g2", "b1"]
    assert await found(app, "word", person=await app.people.user(ann)) == ["o1", "a3", "g1", "a1"]
    (reply,) = (await app.search("word of bot", within=ann)).nodes
    bot = app.sender_of(reply.event)
    assert bot is not None
    assert await found(app, "word", person=bot) == ["None"]
    assert await found(app, "word", person=bot.user_id) == ["None"]


async def test_a_user_who_never_spoke_has_said_nothing(
    core: Core, app: App, town: PlatformConnection
) -> None:
    """A user whose platform users are now another's finds nothing, as conversation and as person."""
    ann, bob = [await person(app, town, name) for name in ("ann", "bob")]
    await app.people.merge(bob, ann)
    assert await found(app, "word", within=bob.user_id) == []
    assert await found(app, "word", person=bob.user_id) == []


async def test_since_and_until(core: Core, app: App, town: PlatformConnection) -> None:
    """Times are when it happened, the first included and the last not; a conversation's window counts."""
    ann = await person(app, town, "ann")
    minute = timedelta(minutes=1)
    until = START + 6 * minute
    assert await found(app, "word", since=START, until=until) == [
        "o1",
        "None",
        "g2",
        "g1",
        "b1",
        "a1",
    ]
    assert await found(app, "word", since=START + minute, until=START + 3 * minute) == ["g1", "b1"]
    assert await found(app, "word", until=START) == ["a3"]
    assert await found(app, "word", since=START + minute, until=START + minute) == []
    assert await found(app, "word", since=START + timedelta(days=9999)) == []
    conversation = (await app.conversations.of(ann)).between(START, START + minute)
    assert await found(app, "word", within=conversation) == ["None", "a1"]
    assert await found(app, "word", within=conversation, since=START - minute) == ["None", "a1"]
    assert await found(app, "word", within=conversation, since=START + minute) == []


# ── what is searched ─────────────────────────────────────────────────────────────────────────


async def test_edits_and_transcripts_lead_to_their_message(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """The hit is what has the words; the message is what was edited or spoken, if it is known."""
    await arrive(
        core, pigeon,
        about("message.edited", "e0", "m9", {"message": {"text": "too early"}}),
        said("m1", "teh typo", "ann", group="g"), said("m2", "", "ann", type="voice"),
        about("message.edited", "e1", "m1", {"message": {"text": "the typo"}}),
        Fact("message.transcribed", "t1", {"text": "spoken words"}, target="m2"),
    )  # fmt: skip
    (edit,) = (await app.search("the typo")).nodes
    assert (edit.event.event_type, edit.message.text) == ("message.edited", "the typo")
    (spoken,) = (await app.search("spoken")).nodes
    assert (spoken.event.event_type, spoken.snippet) == ("message.transcribed", "spoken words")
    assert spoken.message.external_message_id == "m2"
    (orphan,) = (await app.search("early")).nodes
    assert orphan.message == orphan.event
    await arrive(core, pigeon, said("m9", "what it was", "ann"))
    (early,) = (await app.search("early")).nodes
    assert (early.message.text, early.current) == ("too early", True)
    assert (edit.current, spoken.current) == (True, True)
    (was,) = (await app.search("teh")).nodes
    assert (was.event.text, was.message.text, was.current) == ("teh typo", "the typo", False)
    assert (was.snippet, was.marks) == ("the typo", ())
    ann = await person(app, pigeon, "ann")
    assert await found(app, "spoken OR early", person=ann, within=ann) == ["m2", "m9"]


async def test_the_bots_own_edits_stand_in_their_conversation(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """What the bot has edited is found in the conversation of the message, and as said by the bot."""
    await arrive(core, pigeon, said("m1", "hello", "ann"))
    ann = await person(app, pigeon, "ann")
    sent = await app.send(ann, "first")
    await app.edit(sent.id, "second thoughts")
    (hit,) = (await app.search("thoughts", within=ann)).nodes
    assert hit.message.text == "first"
    bot = app.sender_of(hit.message)
    assert bot is not None
    assert len(await app.search("thoughts", person=bot)) == 1


async def test_captions_places_headers_and_footers_are_found(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """Every text that a reader of the message sees is searched, and nothing else of its payload."""
    place = {"latitude": 1.0, "longitude": 2.0, "name": "Harbour", "address": "Quay 7"}
    whole = message(
        "pigeon", "m1", "location", "meet here", location=place, header="Notice", footer="Regards"
    )
    whole["secret"] = "unseen"
    await arrive(
        core, pigeon, Fact("message.inbound", "m1", whole, sender=said("x", "", "ann").sender)
    )
    for words in ("harbour", "quay", "meet", "notice", "regards", '"regards harbour"'):
        assert await found(app, words) == ["m1"]
    assert await found(app, "unseen OR pigeon OR location") == []
    (hit,) = (await app.search("quay")).nodes
    assert hit.snippet == "Notice meet here Regards Harbour Quay 7"
    await app.emit("order.created", {"message": {"text": "unseen"}})
    assert await found(app, "unseen") == []


async def test_a_transcript_without_a_message_is_found(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """A transcript whose message is not in the log is a hit by itself."""
    conn = raw_conn(core, pigeon)

    def unit(tx: Any) -> None:
        key = append(tx, conn.app, "message.transcribed", '{"text":"adrift"}', conn=conn.id)
        link(tx, key or 0, "sent_by", conn.system_puser)

    await core.runtime.database.write(unit)
    (hit,) = (await app.search("adrift")).nodes
    assert hit.message == hit.event


# ── reads its own writes ─────────────────────────────────────────────────────────────────────


async def test_a_search_finds_what_was_just_written(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """Every message is found right after its commit, whether the index existed before or not."""
    for n in range(5):
        await arrive(core, pigeon, said(f"m{n}", f"word number{n}", "ann"))
        assert await found(app, f"number{n}") == [f"m{n}"]
        assert len(await found(app, "word")) == n + 1


async def test_a_search_in_a_handler_is_a_plain_read(tmp_path: Path, clock: ManualClock) -> None:
    """Inside a turn a search finds what is committed, this message too, and not what the turn will say."""
    bot = talk(tmp_path / "a.db", clock)
    seen: list[Sequence[str]] = []

    @bot.app.on("message.inbound")
    async def handler(message: Any) -> str:
        await bot.app.send(message.event, "word to come")
        seen.append([hit.snippet for hit in await bot.app.search("word", within=message.event)])
        return "word of answer"

    async with bot.core:
        await bot.says("a word")
        await bot.core.pump()
        assert seen == [["a word"]]
        assert len(await found(bot.app, "word")) == 3


async def test_marked_escapes_the_text_only(
    core: Core, app: App, pigeon: PlatformConnection
) -> None:
    """`marked` puts its own markup round the words and escapes what was written."""
    await tell(core, pigeon, "a <b> & word")
    (hit,) = (await app.search("word OR b")).nodes
    assert hit.marked("<i>", "</i>", html.escape) == "a &lt;<i>b</i>&gt; &amp; <i>word</i>"
    assert hit.marked() == "a <**b**> & **word**"


async def test_a_hit_outlives_the_file(tmp_path: Path) -> None:
    """Snippet and marks can be read after the store was closed."""
    async with Outeract(tmp_path / "a.db", ids=SequentialIds()) as core:
        app = core.app("support")
        await tell(core, connect(core, app), "Grüße, dear word")
        (hit,) = (await app.search("word OR grusse OR gruße")).nodes
    del core, app
    assert hit.marked("[", "]") == "[Grüße], dear [word]"
    assert hit.marks == ((0, 5), (12, 16))


def test_without_a_loop(tmp_path: Path) -> None:
    """The blocking façade searches too, and takes its own conversations."""
    with blocking.Outeract(tmp_path / "a.db", console=lambda _line: {}) as core:
        app = core.app("script")
        app.connect("console")
        app.send(("console", "ann"), "a word")
        app.send(("console", "bob"), "another word")
        conversation = app.conversations.of(app.people.by_external_id("console", "ann"))
        page = app.search("word", within=conversation)
        assert [hit.snippet for hit in page] == ["a word"]
        assert len(app.search("word", first=1)) == 1
