"""A filter that can match nothing is an error or a warning; a user stands for their platform users."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.errors import BadInput, NotFound
from tests.support.reading.world import arrive, connect, person, said

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("where", "error", "hint"),
    [
        (q.on_platform("telegran"), BadInput, "did you mean telegram?"),
        (q.on_platform("pidgeon"), BadInput, "did you mean pigeon?"),
        (q.on_connection("pigeom"), NotFound, "did you mean pigeon?"),
        (q.type_is("message.inbond"), BadInput, "did you mean message.inbound"),
        (q.type_in("message.inbond", "message.outbond"), BadInput, "did you mean message."),
        (
            q.type_in("message.inbound", "message.outbond"),
            BadInput,
            "did you mean message.outbound",
        ),
        (q.type_in("order.created", "system.gab"), BadInput, "did you mean system.gap"),
        (q.type_prefix("message.reactions"), BadInput, "message.reaction_"),
        (q.type_is("note") & ~q.on_platform("slak"), BadInput, "did you mean slack?"),
        (q.type_is("note") | q.type_is("system.gab"), BadInput, "did you mean system.gap"),
    ],
)
async def test_a_misspelt_name_is_an_error_that_says_what_was_meant(
    core: Outeract, app: App, where: q.Filter, error: type[Exception], hint: str
) -> None:
    """Wherever it stands in the filter, for pages and counts alike."""
    connect(core, app)
    for ask in (app.events.page, app.events.count):
        with pytest.raises(error, match=hint.replace("?", r"\?")):
            await ask(where)


@pytest.mark.parametrize(
    "where", [q.type_in("ordr.created"), q.type_is("ordr.created"), q.type_prefix("ordr"), q.type_contains("ordr."), q.has_edge("placed_bye")]
)  # fmt: skip
async def test_a_name_of_the_hosts_own_that_nothing_has_yet_is_warned_of(
    app: App, caplog: pytest.LogCaptureFixture, where: q.Filter
) -> None:
    """An empty page, and a line in the log that names what is like it."""
    await app.emit("order.created", 1, edges={"placed_by": await app.emit("shop.opened", 1)})
    with caplog.at_level(logging.WARNING, "outeract_core"):
        assert await app.events.count(where) == 0
    (told,) = [record.getMessage() for record in caplog.records]
    assert "did you mean" in told


@pytest.mark.parametrize(
    "where", [q.on_platform("slack"), q.type_is("message.read"), q.type_prefix(""), q.type_in(),
              q.type_is("order.created"), q.has_edge("placed_by"), q.has_edge("in_thread")]
)  # fmt: skip
async def test_what_may_still_come_is_an_empty_page(
    app: App, caplog: pytest.LogCaptureFixture, where: q.Filter
) -> None:
    """An installed platform, a built-in type, a type of the host's that was used: no word is said."""
    note = await app.emit("order.created", 1, edges={"placed_by": await app.emit("shop.opened", 1)})
    await app.events.page(where)
    assert [r.getMessage() for r in caplog.records if r.name.startswith("outeract_core")] == []
    assert note is not None


def test_a_filter_is_neither_true_nor_false() -> None:
    """`and`, `or`, `not` and `if` would lose a filter without a word: they raise."""
    one, two = q.type_is("a"), q.type_is("b")
    for wrong in (
        lambda: one and two,
        lambda: one or two,
        lambda: not one,
        lambda: bool(one & two),
    ):
        with pytest.raises(BadInput, match="combine filters with"):
            wrong()


async def test_a_user_stands_for_all_their_platform_users(core: Outeract, app: App) -> None:
    """`has_edge` towards a user finds what each of their platform users did, before a merge and after."""
    pigeon, raven = connect(core, app), connect(core, app, "raven")
    await arrive(core, pigeon, said("m1", "one", "ann"), said("m2", "other", "bob"))
    await arrive(core, raven, said("m1", "two", "ann"))
    ann, also = await person(app, pigeon, "ann"), await person(app, raven, "ann")
    user = await app.people.user(ann)

    async def texts(target: Any, **options: Any) -> list[str]:
        where = q.has_edge("sent_by", target) & q.type_is("message.inbound")
        return [e.text for e in await app.events.page(where, order="oldest", **options)]

    assert await texts(user) == ["one"]
    await app.people.merge(also, ann)
    user = await app.people.user(ann)
    assert await texts(user) == await texts(user.id) == ["one", "two"]
    assert await texts(ann) == ["one"]
    assert await app.events.count(q.has_edge("sent_by", user)) == 2
    assert await app.events.count(~q.has_edge("sent_by", user) & q.type_is("message.inbound")) == 1


@pytest.mark.parametrize(
    ("path", "comparison", "value", "found"),
    [
        ("lines[any].sku", "=", "B", True), ("lines[*].sku", "=", "B", True),
        ("lines[any].sku", "=", "C", False), (("lines", q.ANY, "sku"), "=", "A", True),
        ("lines[any].price", ">", 15, True), ("lines[any].price", ">", 25, False),
        ("lines[any].tags[any]", "=", "new", True), ("lines[any].tags[0]", "=", "new", False),
        ("lines[any].tags[any]", "contains", "ol", True), ("lines[any].none", "exists", None, False),
        ("lines[any]", "exists", None, True), ("empty[any]", "exists", None, False),
        ("order[any].sku", "exists", None, False), ("[any]", "exists", None, False),
        ("lines[any].sku", "!=", "A", True),
    ],
)  # fmt: skip
async def test_a_path_goes_through_lists(
    app: App, path: Any, comparison: Any, value: Any, found: bool
) -> None:
    """`[any]` holds when any place does, at any depth; a member of an object is no place of a list."""
    await app.emit("order.created", {
        "lines": [{"sku": "A", "price": 10, "tags": ["old", "new"]}, {"sku": "B", "price": 20}],
        "empty": [], "order": {"one": {"sku": "A"}},
    })  # fmt: skip
    where = q.payload_path(path, comparison, value) & q.type_is("order.created")
    assert await app.events.count(where) == int(found)


@pytest.mark.parametrize(
    "pattern", ["message.inbond", "message.inbound.*", "system.foo", "file.*.x"]
)
async def test_a_handler_for_what_never_happens_is_refused(app: App, pattern: str) -> None:
    """A pattern within the library's own names that fits none of them is a mistake."""
    with pytest.raises(BadInput):
        app.on(pattern)(lambda _message: None)


async def test_a_handler_spelt_nearly_like_a_known_type_is_warned_of(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be the host's own type, so it is registered; a type unlike all others needs no word."""
    app.on("mesage.inbound", name="a")(lambda _message: None)
    app.on("order.created", name="b")(lambda _message: None)
    (told,) = [r.getMessage() for r in caplog.records if r.name.startswith("outeract_core")]
    assert "did you mean message.inbound?" in told


EARLY, LATE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)
WRONG_WAY = {"since": LATE, "until": EARLY}
ELSEWHERE = UUID("019b76da-a800-7000-8000-0000000000ff")
NAMES: dict[str, Callable[[App], Any]] = {
    "handler of turns": lambda app: app.turns(handler="hander"),
    "connection of turns": lambda app: app.turns(connection="pigeom"),
    "status of turns": lambda app: app.turns("parkd"),
    "times of turns": lambda app: app.turns(**WRONG_WAY),
    "place of turns": lambda app: app.turns(before="nowhere"),
    "connection of counted turns": lambda app: app.turn_counts(connection="pigeom"),
    "times of counted turns": lambda app: app.turn_counts(**WRONG_WAY),
    "connection of deliveries": lambda app: app.deliveries(connection=ELSEWHERE),
    "status of deliveries": lambda app: app.deliveries("lost"),
    "times of deliveries": lambda app: app.deliveries(**WRONG_WAY),
    "place of deliveries": lambda app: app.deliveries(before=ELSEWHERE),
    "connection of counted deliveries": lambda app: app.delivery_counts(connection="pigeom"),
    "times of counted deliveries": lambda app: app.delivery_counts(**WRONG_WAY),
    "connection of the list": lambda app: app.conversations.recent(connection_of="pigeom"),
    "conversation": lambda app: app.conversations.of(ELSEWHERE),
    "thread": lambda app: app.conversations.thread(ELSEWHERE),
    "conversation of a search": lambda app: app.search("x", within=ELSEWHERE),
    "person of a search": lambda app: app.search("x", person=ELSEWHERE),
    "times of a search": lambda app: app.search("x", **WRONG_WAY),
    "order of a search": lambda app: app.search("x", order="best"),
    "message by its id": lambda app: app.events.by_external_id("pigeom", "m1"),
    "person by their id": lambda app: app.people.by_external_id("pigeom", "ann"),
    "node of a walk": lambda app: app.graph.walk(ELSEWHERE),
    "status of events": lambda app: app.events.page(q.status_is("lost")),
    "connection of events": lambda app: app.events.page(q.on_connection(ELSEWHERE)),
    "times of events": lambda app: app.events.page(q.between(LATE, EARLY)),
    "target of edges": lambda app: app.events.page(q.has_edge("sent_by", ELSEWHERE)),
}  # fmt: skip


@pytest.mark.parametrize("which", NAMES)
async def test_what_does_not_exist_is_told_and_no_empty_list(
    core: Outeract, app: App, which: str
) -> None:
    """Every filter that names a thing, a state or a time."""
    connect(core, app)
    app.on("message.inbound", name="handler")(lambda _: None)
    with pytest.raises((BadInput, NotFound)):
        await NAMES[which](app)


async def test_a_time_window_that_ends_before_it_begins_is_told(core: Outeract, app: App) -> None:
    """In a conversation, too; one without length is empty."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    conversation = await app.conversations.of(await person(app, conn, "ann"))
    with pytest.raises(BadInput, match="the wrong way round"):
        conversation.between(LATE, EARLY)
    assert len(await conversation.between(EARLY, EARLY).page()) == 0


async def test_a_handler_that_is_known_may_have_no_turns(core: Outeract, app: App) -> None:
    """One that is registered here, or that the file knows from before."""
    app.on("message.inbound", name="handler")(lambda _: None)
    assert await app.turns(handler="handler") == []
    await core.pump()
    app.handlers.clear()
    assert await app.turns(handler="handler") == []
    with pytest.raises(NotFound, match="did you mean handler"):
        await app.turns(handler="hanler")


@pytest.mark.parametrize("ask", ["walk", "neighbours", "component", "path"])
async def test_an_edge_type_that_nothing_has_is_warned_of_in_walks(
    app: App, caplog: pytest.LogCaptureFixture, ask: str
) -> None:
    """Once, with what is like it; those of the library are known before any edge has them."""
    shop = await app.emit("shop.opened", 1)
    order = await app.emit("order.created", 1, edges={"placed_by": shop})
    ends = (order, shop) if ask == "path" else (order,)
    with caplog.at_level(logging.WARNING, "outeract_core"):
        await getattr(app.graph, ask)(*ends, types=["placed_by", "in_thread"])
        assert caplog.records == []
        await getattr(app.graph, ask)(*ends, types=["placed_bye"])
    (told,) = [record.getMessage() for record in caplog.records]
    assert "did you mean placed_by?" in told
