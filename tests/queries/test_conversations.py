"""Conversations: every way to read one against a plain list of what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._api.queries.conversations import Conversation
from outeract_core.errors import BadInput, NotFound
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.story import (
    STORY,
    Line,
    World,
    counted,
    filled,
    pages,
    same,
    shown,
    vars_of,
)
from tests.support.reading.world import START, about, arrive, connect, event, person, said

pytestmark = pytest.mark.anyio
PROPERTY = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture
async def quick(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A store that does not wait for the disk."""
    async with Outeract(
        tmp_path / "quick.db", clock=clock, ids=SequentialIds(), durability="normal"
    ) as core:
        yield core


@PROPERTY
@given(story=STORY, first=st.integers(1, 4))
async def test_a_conversation_is_what_was_said_in_it(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int
) -> None:
    """Direct, group and channel: the messages in log order both ways, the counts, the unread ones."""
    world = await World(quick, clock).happen(story)
    for peer in {line.peer for line in world.lines}:
        lines = [line for line in world.lines if line.peer == peer]
        conversation = await world.peer(peer)
        await same(conversation, lines, first)
        unread = sum(line.inbound and line.position > world.marks.get(peer, 0) for line in lines)
        summary = await conversation.summary()
        assert summary is not None
        assert (summary.inbound, summary.unread) == (sum(x.inbound for x in lines), unread)
        assert (summary.messages, summary.last_message.id) == (len(lines), lines[-1].id)
        assert await conversation.unread() == unread
        speakers = {line.sender for line in lines if line.sender}
        assert {who.external_id for who in await conversation.participants()} == speakers
        assert {who.external_id for who in summary.participants} == speakers
        assert vars_of(await conversation.analytics()) == counted(lines)
        by_event = await world.app.conversations.of(lines[0].id)
        await same(by_event, lines, first)


@PROPERTY
@given(story=STORY, first=st.integers(1, 4))
async def test_a_thread_is_its_root_and_what_was_said_below(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int
) -> None:
    """The thread of a message is its root, or it, and the messages that name that, also in its figures."""
    world = await World(quick, clock).happen(story)
    for asked in world.lines:
        root = asked.root or asked.id
        lines = [line for line in world.lines if root in (line.id, line.root)]
        thread = await world.app.conversations.thread(asked.id)
        await same(thread, lines, first)
        assert vars_of(await thread.analytics()) == counted(lines)
        speakers = {line.sender for line in lines if line.sender}
        assert {who.external_id for who in await thread.participants()} == speakers


@PROPERTY
@given(story=STORY, first=st.integers(1, 3), connected=st.booleans())
async def test_the_recent_list_is_led_by_the_newest_message(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int, connected: bool
) -> None:
    """Each conversation once, by its last message, with counts; of all connections or of one."""
    world = await World(quick, clock).happen(story)
    last = {line.peer: line for line in world.lines if not connected or line.peer[0] == 1}
    wanted = sorted(last.values(), key=lambda line: line.position, reverse=True)
    which = world.conns[1] if connected else None
    found = await pages(world.app.conversations.recent, first, connection_of=which)
    assert [one.last_message.id for one in found] == [line.id for line in wanted]
    assert [one.peer.external_id for one in found] == [line.peer[1] for line in wanted]
    for one, line in zip(found, wanted, strict=True):
        lines = [x for x in world.lines if x.peer == line.peer]
        unread = sum(x.inbound and x.position > world.marks.get(line.peer, 0) for x in lines)
        assert (one.messages, one.inbound, one.unread) == (
            len(lines), sum(x.inbound for x in lines), unread,
        )  # fmt: skip
    page = await world.app.conversations.recent(first=1, connection_of=which, total=True)
    assert page.total_count == len(wanted)
    assert (await world.app.conversations.recent(first=1)).total_count is None


@PROPERTY
@given(story=STORY, first=st.integers(1, 4), merged=st.booleans())
async def test_a_person_is_one_conversation_on_all_platforms(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int, merged: bool
) -> None:
    """With a user: their direct messages on every platform in log order, groups left out."""
    world = await World(quick, clock).happen([
        ("say", "ann", None, 0, None, 0), ("say", "ann", None, 1, None, 0), *story,
    ])  # fmt: skip
    one, two = [await person(world.app, conn, "ann") for conn in world.conns]
    if merged:
        await world.app.people.merge(two, one)
    user = await world.app.people.user(one)
    conns = (0, 1) if merged else (0,)
    lines = [line for line in world.lines if line.peer in [(conn, "ann") for conn in conns]]
    conversation = await world.app.conversations.with_user(user)
    await same(conversation, lines, first)
    assert vars_of(await conversation.analytics()) == counted(lines)
    assert len(await conversation.participants()) == len(conns)
    unread = [
        line for line in lines if line.inbound and line.position > world.marks.get(line.peer, 0)
    ]
    assert await conversation.unread() == len(unread)


@PROPERTY
@given(
    story=STORY, first=st.integers(1, 4), bounds=st.tuples(*[st.none() | st.integers(0, 90_000)] * 2)
)  # fmt: skip
async def test_a_time_window_is_by_the_time_it_was_said(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int, bounds: tuple[Any, Any]
) -> None:
    """`between` keeps what occurred from `since` to before `until`, in the same order."""
    world = await World(quick, clock).happen(story)
    begin, end = bounds if None in bounds else sorted(bounds)
    since, until = (None if b is None else START + timedelta(seconds=b) for b in (begin, end))

    def within(line: Line) -> bool:
        return (since is None or line.at >= since) and (until is None or line.at < until)

    for peer in {line.peer for line in world.lines}:
        lines = [line for line in world.lines if line.peer == peer and within(line)]
        conversation = (await world.peer(peer)).between(since, until)
        await same(conversation, lines, first)
        assert vars_of(await conversation.analytics()) == counted(lines)
    if not world.lines:
        return
    root = world.lines[0]
    lines = [x for x in world.lines if (x is root or x.root == root.id) and within(x)]
    await same((await world.app.conversations.thread(root.id)).between(since, until), lines, first)


@PROPERTY
@given(story=STORY, first=st.integers(1, 3), minutes=st.integers(1, 9))
async def test_sessions_are_cut_where_nobody_spoke(
    quick: Outeract, clock: ManualClock, story: list[Any], first: int, minutes: int
) -> None:
    """Sessions, newest first, hold every message once and are cut at each longer pause, and only there."""
    world = await World(quick, clock).happen(story)
    gap = timedelta(minutes=minutes * 10)
    for peer in {line.peer for line in world.lines}:
        lines = [line for line in world.lines if line.peer == peer]
        wanted: list[list[Any]] = []
        for before, line in zip([None, *lines], lines, strict=False):
            if before is None or line.at - before.at > gap:
                wanted.append([])
            wanted[-1].append(line.id)
        found = await pages((await world.peer(peer)).sessions, first, gap=gap)
        assert [[e.id for e in one.messages] for one in found] == wanted[::-1]
        assert all(one.started_at == one.messages[0].occurred_at for one in found)
        assert all(one.ended_at == one.messages[-1].occurred_at for one in found)


# ── single rules ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_are_stable_while_messages_arrive(core: Outeract, app: App, order: Any) -> None:
    """Whoever turns pages sees each message once, whatever arrives meanwhile."""
    conn, conversation = await filled(core, app, 20)
    found: list[str] = []
    after: str | None = None
    for turn in range(50):
        page = await conversation.page(order=order, first=3, after=after)
        found += [e.text for e in page]
        after = page.end_cursor
        if not page.has_next:
            break
        if turn < 4:
            await arrive(core, conn, said(f"late{turn}", f"late {turn}", "ann"))
    before = [f"text {n}" for n in range(20)]
    assert found[:20] == (before if order == "oldest" else before[::-1])
    assert found[20:] == ([f"late {n}" for n in range(4)] if order == "oldest" else [])


async def test_a_long_session_is_read_whole(core: Outeract, app: App) -> None:
    """A session longer than a page of messages is not cut at the page's edge."""
    conn, conversation = await filled(core, app, 450)
    await arrive(core, conn, said("new", "new", "ann", at=10**6))
    page = await conversation.sessions(first=1)
    assert [len(one.messages) for one in page] == [1]
    assert page.has_next
    page = await conversation.sessions(first=1, after=page.end_cursor)
    assert [len(one.messages) for one in page] == [450]
    assert not page.has_next


async def test_marking_read_counts_what_is_behind_the_mark(core: Outeract, app: App) -> None:
    """`mark_read` reads everything up to a message, never goes back, and is an event."""
    conn, conversation = await filled(core, app, 5)
    messages = [e async for e in conversation.all()]
    assert await conversation.unread() == 5
    await app.mark_read(messages[2])
    assert await conversation.unread() == 2
    await app.mark_read(messages[0])
    assert await conversation.unread() == 2
    await arrive(core, conn, said("new", "new", "ann"))
    assert await conversation.unread() == 3
    marks = [e async for e in app.events.all() if e.event_type == "system.conversation_read"]
    assert [e.payload["up_to_event_id"] for e in marks] == [str(messages[2].id)]
    assert [e.origin_event_id for e in marks] == [messages[2].id]


async def test_a_silent_conversation_is_empty(core: Outeract, app: App) -> None:
    """Somebody who never wrote has an empty conversation, no summary and no figures."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann", group="g1"))
    conversation = await app.conversations.of(await person(app, conn, "ann"))
    assert (await conversation.page()).nodes == ()
    assert await conversation.summary() is None
    assert await conversation.unread() == 0
    assert await conversation.context() == []
    assert (await conversation.sessions()).nodes == ()
    assert vars_of(await conversation.analytics()) == counted([])


async def test_the_peer_is_where_an_answer_goes(core: Outeract, app: App) -> None:
    """A conversation can be sent to; a view over several people cannot, and says so."""
    conn, conversation = await filled(core, app, 1)
    assert conversation.peer.external_id == "ann"
    delivery = await app.send(conversation, "hello", sandbox=True)
    assert [e.id for e in await conversation.page(first=1)] == [delivery.id]
    raven = connect(core, app, "raven")
    await arrive(core, raven, said("r1", "hi", "ann"))
    await app.people.merge(await person(app, raven, "ann"), await person(app, conn, "ann"))
    both = await app.conversations.with_user(await app.people.user(conversation.peer))
    with pytest.raises(BadInput):
        _ = both.peer
    with pytest.raises(BadInput):
        await both.summary()


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.page(order="sideways"),
        lambda c: c.page(first=0),
        lambda c: c.page(after="nonsense"),
        lambda c: c.sessions(gap=timedelta()),
        lambda c: c.sessions(gap=timedelta(seconds=-1)),
        lambda c: c.sessions(first=0),
        lambda c: c.sessions(after="nonsense"),
        lambda c: c.context(first=0),
        lambda c: c.participants(first=0),
    ],
)
async def test_a_wrong_question_is_refused(
    core: Outeract, app: App, ask: Callable[[Conversation], Any]
) -> None:
    """Sizes, orders, gaps and cursors that make no sense are BadInput."""
    _, conversation = await filled(core, app, 2)
    for wrong in (ask, lambda c: c.between(START.replace(tzinfo=None))):
        with pytest.raises(BadInput):
            await wrong(conversation)


async def test_what_is_no_conversation_is_refused(core: Outeract, app: App) -> None:
    """An event without a conversation is BadInput, an unknown id NotFound."""
    note = await app.emit("note", 1)
    with pytest.raises(BadInput):
        await app.conversations.of(note)
    with pytest.raises(NotFound):
        await app.conversations.of(app.id)
    with pytest.raises(NotFound):
        await app.conversations.thread(app.id)
    with pytest.raises(BadInput):
        await app.conversations.of("ann")


async def test_a_status_leads_to_the_conversation_of_its_message(core: Outeract, app: App) -> None:
    """`of` an event that is about a message is the message's conversation."""
    conn, _ = await filled(core, app, 2)
    key = (
        await arrive(core, conn, about("message.edited", "e1", "m0", {"message": {"text": "x"}}))
    )[0]
    edit = app.events_at([key])[0]
    conversation = await app.conversations.of(edit)
    assert [e.text async for e in conversation.all()] == ["x", "text 1"]


async def test_a_root_that_names_itself_is_shown_once(core: Outeract, app: App) -> None:
    """A platform that puts a thread's root into its own thread does not double it."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "root", "ann", group="g1", thread="m1"))
    await arrive(core, conn, said("m2", "reply", "bob", group="g1", thread="m1"))
    thread = await app.conversations.thread(await event(app, conn, "m1"))
    for first in (1, 2, 3):
        for order in ("newest", "oldest"):
            texts = [e.text for e in await pages(thread.page, first, order=order)]
            assert texts == (["root", "reply"] if order == "oldest" else ["reply", "root"])
    assert (await thread.analytics()).inbound == 2


async def test_a_reply_that_comes_before_its_root_joins_later(core: Outeract, app: App) -> None:
    """A thread's message that arrives before the root is in the thread once the root is here."""
    conn = connect(core, app)
    await arrive(core, conn, said("m2", "reply", "bob", group="g1", thread="m1"))
    await arrive(core, conn, said("m1", "root", "ann", group="g1"))
    thread = await app.conversations.thread(await event(app, conn, "m1"))
    for first in (1, 2, 5):
        assert [e.text for e in await pages(thread.page, first, order="oldest")] == [
            "reply",
            "root",
        ]
        assert [e.text for e in await pages(thread.page, first, order="newest")] == [
            "root",
            "reply",
        ]


# ── what a language model is shown ────────────────────────────────────────────────────────────


async def test_the_context_is_what_holds_now(core: Outeract, app: App) -> None:
    """Edits are applied (the last one), what was deleted or emptied is out, voice has its words."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", "helo", "ann"), said("m2", "secret", "ann"),
        said("m3", "", "ann", type="voice"), said("m4", "look", "ann", type="image"),
        about("message.edited", "e1", "m1", {"message": {"text": "hello"}}),
        about("message.edited", "e2", "m1", {"message": {"text": "hello!"}}),
        about("message.deleted", "d1", "m2", {}),
        about("message.edited", "e3", "m2", {"message": {"text": "still secret"}}),
        about("message.transcribed", "t1", "m3", {"text": "call me"}),
        about("message.reaction_added", "r1", "m4", {"emoji": "👍"}), said("m5", "oops", "ann"),
        about("message.edited", "e4", "m5", {"message": {"text": ""}}),
    )  # fmt: skip
    conversation = await app.conversations.of(await person(app, conn, "ann"))
    await app.send(conversation, "will do", sandbox=True)
    assert await shown(conversation) == [
        ("user", "hello!"), ("user", "[voice] call me"), ("user", "[image] look"),
        ("assistant", "will do"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "payload", [{}, {"message": None}, {"message": {"text": None}}, {"message": {}}]
)
async def test_an_edit_without_a_text_changes_nothing(
    core: Outeract, app: App, payload: dict[str, Any]
) -> None:
    """An edit that says nothing about the text leaves the words as they were."""
    conn, conversation = await filled(core, app, 1)
    await arrive(core, conn, about("message.edited", "e1", "m0", payload))
    assert await shown(conversation) == [("user", "text 0")]


async def test_in_groups_each_text_begins_with_its_speaker(core: Outeract, app: App) -> None:
    """Group and thread in a group: who speaks is named, the bot is not; a direct one names nobody."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", "hi", "ann", group="g1", name="Ann"),
        said("m2", "ho", "bob", group="g1", thread="m1"), said("m3", "psst", "ann"),
        said("m4", "what?", "ann", thread="m3"),
    )  # fmt: skip
    group = await app.conversations.of(await event(app, conn, "m1"))
    await app.send(group, "hello all", sandbox=True)
    wanted = [("user", "Ann: hi"), ("user", "bob: ho")]
    assert await shown(group) == [*wanted, ("assistant", "hello all")]
    assert await shown(await app.conversations.thread(await event(app, conn, "m1"))) == wanted
    direct = [("user", "psst"), ("user", "what?")]
    assert await shown(await app.conversations.of(await person(app, conn, "ann"))) == direct
    assert await shown(await app.conversations.thread(await event(app, conn, "m3"))) == direct
    user = await app.people.user(await person(app, conn, "ann"))
    assert await shown(await app.conversations.with_user(user)) == direct


async def test_the_context_has_a_size(core: Outeract, app: App) -> None:
    """`first` counts messages, `characters` text; the newest are kept, at least one."""
    _, conversation = await filled(core, app, 10)
    last = [("user", f"text {n}") for n in range(10)]
    assert await shown(conversation) == last
    assert await shown(conversation, first=3) == last[7:]
    assert await shown(conversation, characters=12) == last[8:]
    assert await shown(conversation, characters=17) == last[8:]
    assert await shown(conversation, characters=18) == last[7:]
    assert await shown(conversation, characters=1) == last[9:]
    assert await shown(conversation, characters=10**9) == last
    assert await shown(conversation.between(until=START + timedelta(seconds=61))) == last[:2]


async def test_where_threads_nest_each_is_reached_by_what_is_in_it(
    core: Outeract, app: App
) -> None:
    """A message that is in a thread and opens another shows the one that it is in; its answers show its own."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("root", "a", "ann"), said("answer", "b", "bob", thread="root"),
        said("deeper", "c", "cem", thread="answer"),
    )  # fmt: skip
    shown = {}
    for name in ("root", "answer", "deeper"):
        thread = await app.conversations.thread(await event(app, conn, name))
        shown[name] = [one.text for one in await thread.page(order="oldest")]
    assert shown == {"root": ["a", "b"], "answer": ["a", "b"], "deeper": ["b", "c"]}
