"""Isolation: no id of another application opens anything, in any public call."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen

from outeract_core import App, Content, Outeract
from outeract_core import query as q
from outeract_core._api import later
from outeract_core.content import Attachment
from outeract_core.errors import BadInput, ForeignCode, LinkCodeError, NotFound
from outeract_core.retention import RetentionRule
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import (
    START,
    Loft,
    arrive,
    connect,
    event,
    everything,
    person,
    said,
)

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]


@frozen
class Side:
    """One application with one of everything in it."""

    app: App
    conn: Any
    message: Any
    answer: Any
    own: Any
    ann: Any
    group: Any
    user: Any
    file: Any
    merged: Any
    code: str
    rule: RetentionRule

    @property
    def nodes(self) -> list[Any]:
        """Everything that has an id."""
        return [self.message, self.answer, self.own, self.ann, self.group, self.user, self.file]


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A store whose requests all go to a loft."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(Loft()), durability="normal",
    ) as core:  # fmt: skip
        yield core


async def furnished(core: Outeract, app: App) -> Side:
    """People, messages, a file, an event of its own, a link code: the same names in every application."""
    conn = connect(core, app)
    await arrive(
        core, conn, said("m1", f"hello {app.name}", "ann"), said("m2", "all", "ann", group="g1"),
        said("m3", "me too", "old ann"),
    )  # fmt: skip
    message, ann = await event(app, conn, "m1"), await person(app, conn, "ann")
    merged = await app.people.user(await person(app, conn, "old ann"))
    await app.people.merge(merged, ann)
    file = await app.files.add(f"bytes of {app.organisation}/{app.name}".encode(), filename="f.txt")
    own = await app.events.get(await app.emit("order.created", {"n": 1}, edges={"placed_by": ann}))
    delivery = await app.send(message, Content("answer", files=[Attachment(file)]), sandbox=True)
    await core.pump()
    return Side(
        app, conn, message, await app.events.get(delivery.id), own, ann,
        await person(app, conn, "g1"), await app.people.user(ann), file, merged,
        await app.people.link_code(ann), await app.retention.keep("order.*", timedelta(days=90)),
    )  # fmt: skip


@pytest.fixture(params=["another application", "another organisation"])
async def sides(request: pytest.FixtureRequest, core: Outeract, app: App) -> tuple[Side, Side]:
    """Mine, and one of somebody else in the same file."""
    other = (
        core.app("other") if request.param == "another application"
        else core.organisation("acme").app("support")
    )  # fmt: skip
    return await furnished(core, app), await furnished(core, other)


# ── every public call ─────────────────────────────────────────────────────────────────────────

Call = Callable[[Side, Any], Awaitable[Any]]
"""call(mine, theirs): a call on my application with something of theirs."""


async def collect(items: Any) -> list[Any]:
    """Everything that an async iterator gives."""
    return [item async for item in items]


def with_event(*calls: Call) -> list[tuple[str, Call]]:
    """Calls that take an event."""
    return [(which, call) for call in calls for which in ("message", "answer", "own")]


def with_node(*calls: Call) -> list[tuple[str, Call]]:
    """Calls that take a node of any type."""
    names = ("message", "own", "ann", "group", "user", "file")
    return [(which, call) for call in calls for which in names]


def with_person(*calls: Call) -> list[tuple[str, Call]]:
    """Calls that take a platform user or a user."""
    return [(which, call) for call in calls for which in ("ann", "group", "user", "merged")]


def with_connection(*calls: Call) -> list[tuple[str, Call]]:
    """Calls that take a connection."""
    return [("conn", call) for call in calls]


async def not_resent(me: Side, it: Any) -> None:
    """At home a message that has not failed is found, and refused for that reason."""
    with pytest.raises(BadInput, match="only a "):
        await me.app.resend(it)


async def enabled(me: Side, it: Any) -> None:
    """A connection is confirmed."""
    me.app.enable(it)


async def handled(me: Side, it: Any) -> None:
    """The handle on something sent."""
    await me.app.delivery(it).state()


async def rotated(me: Side, it: Any) -> None:
    """Its webhook has another address."""
    me.app.rotate(it)


CASES: dict[str, list[tuple[str, Call]]] = {
    "App.resend": with_event(not_resent),
    "App.delivery": with_event(handled),
    "App.rotate": with_connection(rotated),
    "App.cancel": with_event(lambda me, it: me.app.cancel(it)),
    "App.deliveries": [
        *with_event(lambda me, it: me.app.deliveries(before=it)),
        *with_connection(lambda me, it: me.app.deliveries(connection=it)),
    ],
    "App.delivery_counts": with_connection(
        lambda me, it: me.app.delivery_counts(connection=it)
    ),
    "App.turns": with_connection(lambda me, it: me.app.turns(connection=it)),
    "App.turn_counts": with_connection(lambda me, it: me.app.turn_counts(connection=it)),
    "App.check": with_connection(lambda me, it: me.app.check(it)),
    "App.send": [
        *with_event(
            lambda me, it: me.app.send(it, "x"),
            lambda me, it: me.app.send(me.ann, "x", reply_to=it),
            lambda me, it: me.app.send(me.ann, "x", thread=it),
            lambda me, it: me.app.send(me.ann, "x", cause=it),
        ),
        *with_person(lambda me, it: me.app.send(it, "x", sandbox=True)),
        *with_connection(lambda me, it: me.app.send((it, "ann"), "x"),
                         lambda me, it: me.app.send((it, "ann", "group"), "x")),
        ("file", lambda me, it: me.app.send(me.ann, Content("x", files=[Attachment(it)]))),
    ],
    "App.reply": with_event(lambda me, it: me.app.reply(it, "x")),
    "App.can": [*with_event(lambda me, it: me.app.can(it, "x")),
                *with_person(lambda me, it: me.app.can(it, "x")),
                *with_connection(lambda me, it: me.app.can((it, "ann"), "x"))],
    "App.emit": [
        *with_node(lambda me, it: me.app.emit("note", 1, edges={"about": it}),
                   lambda me, it: me.app.emit("note", 1, edges={"about": [me.ann, it]})),
        *with_event(lambda me, it: me.app.emit("note", 1, origin=it)),
    ],
    "App.edge": with_node(lambda me, it: me.app.edge(me.own, "about", it),
                          lambda me, it: me.app.edge(it, "about", me.own),
                          lambda me, it: me.app.edge(it, "about", it)),
    "App.search": [*with_event(lambda me, it: me.app.search("hello", within=it)),
                   *with_person(lambda me, it: me.app.search("hello", within=it, order="rank"),
                                lambda me, it: me.app.search("hello", person=it))],
    "App.explain": with_event(lambda me, it: me.app.explain(it)),
    "App.retry": with_event(lambda me, it: me.app.retry(it)),
    "App.react": with_event(lambda me, it: me.app.react(it, "👍")),
    "App.edit": with_event(lambda me, it: me.app.edit(it, "x")),
    "App.can_react": with_event(lambda me, it: me.app.can_react(it, "👍")),
    "App.can_edit": with_event(lambda me, it: me.app.can_edit(it, "x")),
    "App.can_delete": with_event(lambda me, it: me.app.can_delete(it)),
    "App.delete": with_event(lambda me, it: me.app.delete(it)),
    "App.mark_read": with_event(lambda me, it: me.app.mark_read(it)),
    "App.typing": with_event(lambda me, it: me.app.typing(it)),
    "Events.get": with_event(lambda me, it: me.app.events.get(it)),
    "Events.by_external_id": with_connection(lambda me, it: me.app.events.by_external_id(it, "m1")),
    "Events.page": with_node(lambda me, it: me.app.events.page(q.has_edge("sent_by", it)),
                             lambda me, it: me.app.events.page(~q.has_edge("sent_by", it))),
    "Events.all": with_node(lambda me, it: collect(me.app.events.all(q.has_edge("x", it)))),
    "Events.count": with_node(lambda me, it: me.app.events.count(q.has_edge("sent_by", it))),
    "Conversations.recent": with_connection(
        lambda me, it: me.app.conversations.recent(connection_of=it)),
    "Conversations.of": [*with_event(lambda me, it: me.app.conversations.of(it)),
                         *with_person(lambda me, it: me.app.conversations.of(it))],
    "Conversations.with_user": with_person(lambda me, it: me.app.conversations.with_user(it)),
    "Conversations.thread": with_event(lambda me, it: me.app.conversations.thread(it)),
    "Graph.neighbours": with_node(lambda me, it: me.app.graph.neighbours(it)),
    "Graph.walk": with_node(lambda me, it: me.app.graph.walk(it),
                            lambda me, it: me.app.graph.walk(it, types=["sent_by"], direction="in")),
    "Graph.ancestors": with_event(lambda me, it: me.app.graph.ancestors(it)),
    "Graph.descendants": with_event(lambda me, it: me.app.graph.descendants(it)),
    "Graph.component": with_node(lambda me, it: me.app.graph.component(it)),
    "Graph.path": with_node(lambda me, it: me.app.graph.path(me.own, it),
                            lambda me, it: me.app.graph.path(it, me.own),
                            lambda me, it: me.app.graph.path(it, it)),
    "Graph.explain": with_event(lambda me, it: me.app.graph.explain(it)),
    "People.user": with_person(lambda me, it: me.app.people.user(it)),
    "People.platform_user": with_person(lambda me, it: me.app.people.platform_user(it)),
    "People.by_external_id": with_connection(
        lambda me, it: me.app.people.by_external_id(it, "ann")),
    "People.platform_users": with_person(lambda me, it: me.app.people.platform_users(it)),
    "People.user_of": with_person(lambda me, it: me.app.people.user_of(it),
                                  lambda me, it: me.app.people.user_of(it, at=START)),
    "People.merge": with_person(lambda me, it: me.app.people.merge(me.ann, it),
                                lambda me, it: me.app.people.merge(it, me.ann)),
    "People.unmerge": with_person(lambda me, it: me.app.people.unmerge(it)),
    "People.link_code": with_person(lambda me, it: me.app.people.link_code(it)),
    "People.activate_link_code": [
        *with_person(lambda me, it: me.app.people.activate_link_code(me.code, it)),
        *with_event(lambda me, it: me.app.people.activate_link_code(me.code, me.group, event=it)),
    ],
    "People.erase": with_person(lambda me, it: me.app.people.erase(it)),
    "App.enable": with_connection(enabled),
    "Retention.keep": with_connection(
        lambda me, it: me.app.retention.keep("*", timedelta(days=90), connection_of=it)),
    "Retention.remove": [("rule", lambda me, it: me.app.retention.remove(it))],
    "Files.get": with_node(lambda me, it: me.app.files.get(it)),
    "Files.of": with_event(lambda me, it: me.app.files.of(it)),
    "Files.picture_of": with_person(lambda me, it: me.app.files.picture_of(it)),
    "Files.path": with_node(lambda me, it: me.app.files.path(it)),
    "Files.read": with_node(lambda me, it: me.app.files.read(it)),
}  # fmt: skip

HARMLESS = {
    "App.connect", "App.connections", "App.on", "App.event_schema", "App.new_id", "App.commit",
    "App.typing_now", "App.reaction", "App.mark_events", "App.on_processed", "Events.cursor",
    "Files.add", "App.export", "Retention.rules", "Retention.apply",
}  # fmt: skip
"""Public calls that take nothing which belongs to anybody, or that the library makes itself."""

PARTS = ("events", "conversations", "graph", "people", "files", "retention")
ALL = [(name, which, call) for name, cases in CASES.items() for which, call in cases]


async def test_every_public_call_has_a_case(app: App) -> None:
    """A new public method of an application or its parts must be added to the cases above."""
    found = set()
    for part in (app, *(getattr(later, name)()(app) for name in PARTS)):
        kind = type(part)
        for name, member in inspect.getmembers(kind, callable):
            if not name.startswith("_"):
                found.add(f"{kind.__name__}.{name}")
                assert inspect.getdoc(member)
    assert {
        name
        for name, value in vars(App).items()
        if isinstance(value, property) and hasattr(later, name)
    } == set(PARTS)
    missing = found - set(CASES) - HARMLESS
    internal = {"App.events_at", "App.sender_of", "App.standing_of"}
    assert missing == internal, "give each new call a case, or say why it needs none"
    assert set(CASES) | HARMLESS <= found


async def state(core: Outeract, *sides: Side) -> list[Any]:
    """What could change: all events of both, what is to be sent, and the edges."""
    events = [[(e.id, e.status, e.payload_json) for e in await everything(s.app)] for s in sides]
    rest = core.runtime.database.read(
        lambda tx: [
            tx.script("SELECT count(*) FROM edge"), tx.script("SELECT count(*) FROM outbox"),
            tx.script("SELECT * FROM conversation"), tx.script("SELECT * FROM person"),
        ]
    )  # fmt: skip
    return [events, rest]


async def test_no_foreign_id_opens_anything(core: Outeract, sides: tuple[Side, Side]) -> None:
    """As entity, as id or as text of an id: NotFound or BadInput, and nothing has changed."""
    me, they = sides
    before = await state(core, me, they)
    open_: list[str] = []
    for name, which, call in ALL:
        thing = getattr(they, which)
        for it in (thing, thing.id, str(thing.id)):
            try:
                await call(me, it)
            except (NotFound, BadInput) as error:
                told = str(error)
                if "hello" not in told and they.conn.webhook_secret not in told:
                    continue
            open_.append(f"{name} with {type(it).__name__} of {which}")
    assert open_ == []
    assert await state(core, me, they) == before


GIVEN_UP = {"App.retry"}
"""What works only on an event that a handler has given up; `tests/handlers` has that."""


async def test_the_same_calls_work_at_home(core: Outeract) -> None:
    """The cases above do not fail for another reason: each call works with something of one's own."""
    never = {(name, call) for name, _which, call in ALL if name not in GIVEN_UP}
    for number, (name, which, call) in enumerate(ALL):
        me = await furnished(core, core.app(f"home{number}")) if (name, call) in never else None
        if me is not None:
            try:
                await call(me, getattr(me, which))
            except (BadInput, NotFound, LinkCodeError):
                continue
            never.discard((name, call))
    assert [(name, inspect.getsource(call)) for name, call in never] == []


# ── what is not a call with an id ─────────────────────────────────────────────────────────────


async def test_a_foreign_code_is_refused_as_such(sides: tuple[Side, Side]) -> None:
    """A link code of another application is no code here, and stays good there."""
    me, they = sides
    with pytest.raises(ForeignCode):
        await me.app.people.activate_link_code(they.code, me.group)
    assert (await they.app.people.user(they.ann)).id == they.user.id


async def test_a_foreign_cursor_gives_nothing_foreign(sides: tuple[Side, Side]) -> None:
    """With a cursor of another application a page has only one's own, whichever way it is turned."""
    for me, they in (sides, sides[::-1]):
        for e in await everything(they.app):
            cursor = they.app.events.cursor(e)
            for order in ("newest", "oldest"):
                page = await me.app.events.page(order=order, after=cursor, first=1000)
                assert {x.app_id for x in page} <= {me.app.id}
                conversation = await me.app.conversations.of(me.ann)
                said_ = await conversation.page(order=order, after=cursor)
                assert {x.app_id for x in said_} <= {me.app.id}
            for one in await me.app.conversations.recent(after=cursor):
                assert one.last_message.app_id == one.peer.app_id == me.app.id
            for session in await conversation.sessions(after=cursor, gap=timedelta(days=1)):
                assert {x.app_id for x in session.messages} == {me.app.id}


async def test_lists_hold_only_ones_own(core: Outeract, sides: tuple[Side, Side]) -> None:
    """Events, conversations, totals, connections and people are those of one application."""
    for me, they in (sides, sides[::-1]):
        events = await everything(me.app)
        assert {e.app_id for e in events} == {me.app.id}
        assert await me.app.events.count() == len(events)
        page = await me.app.conversations.recent(total=True)
        assert page.total_count == len(page) == 3
        assert {one.peer.app_id for one in page} == {me.app.id}
        assert [c.id for c in me.app.connections()] == [me.conn.id]
        for foreign in (they.conn, they.conn.id):
            with pytest.raises(NotFound):
                await me.app.events.count(q.on_connection(foreign))
        assert await me.app.events.count(q.text_contains("hello")) == 1
        assert {hit.event.app_id for hit in await me.app.search("hello OR answer")} == {me.app.id}
        assert await me.app.events.count(q.on_platform("pigeon")) < len(events)


async def test_walks_never_cross(sides: tuple[Side, Side]) -> None:
    """Whatever is reached from one's own nodes, in any direction, is one's own."""
    me, they = sides
    for start in me.nodes:
        for found in (await me.app.graph.component(start), await me.app.graph.walk(start, depth=9)):
            assert {node.app_id for node in found.nodes} == {me.app.id}
            assert {edge.app_id for edge in found.edges} <= {me.app.id}
            assert not {node.id for node in found.nodes} & {node.id for node in they.nodes}


async def test_the_same_webhook_to_two_tenants_is_two_events(
    core: Outeract, sides: tuple[Side, Side]
) -> None:
    """External ids are per connection: one tenant's message never counts as another's duplicate."""
    for side in sides:
        assert len(await arrive(core, side.conn, said("m9", "again", "ann"))) == 1
        assert len(await arrive(core, side.conn, said("m9", "again", "ann"))) == 0


async def test_handlers_hear_only_their_own(core: Outeract, sides: tuple[Side, Side]) -> None:
    """A handler of one application is given no event of another."""
    me, they = sides
    heard: list[Any] = []
    me.app.on("*", name="all", since="beginning", overlap="queue")(
        lambda message: heard.append(message.event.app_id)
    )
    await arrive(core, they.conn, said("m9", "psst", "ann"))
    await arrive(core, me.conn, said("m9", "hey", "ann"))
    await core.pump()
    assert set(heard) == {me.app.id}


async def test_a_handler_cannot_reach_out(core: Outeract, sides: tuple[Side, Side]) -> None:
    """What a handler says to a foreign conversation fails its turn; nothing of the turn is left."""
    me, they = sides
    before = [e.id for e in await everything(they.app)]

    @me.app.on("message.inbound", name="spy", since="beginning", attempts=1)
    async def spy(message: Any) -> str:
        await me.app.emit("note", "half")
        message.send(they.message, "boo")
        return "never"

    await core.pump()
    assert [e.id for e in await everything(they.app)] == before
    kinds = [e.event_type for e in await everything(me.app)]
    assert "note" not in kinds
    assert "system.handler_failed" in kinds


async def test_an_erasure_stays_at_home(core: Outeract, sides: tuple[Side, Side]) -> None:
    """Erasing somebody here leaves their namesake elsewhere as they were."""
    me, they = sides
    before = await state(core, they)
    await me.app.people.erase(me.ann)
    assert (await state(core, they))[0] == before[0]
    assert (await they.app.events.get(they.message)).text.startswith("hello")
    assert await they.app.files.read(they.file)
