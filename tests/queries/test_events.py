"""Queries over events: every filter against a plain Python one, pages (of other lists too), cursors, hostile values."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.errors import BadInput, NotFound
from outeract_core.model import Event
from outeract_core.testing import ManualClock
from tests.support.reading.filters import HAPPENED, TREES, Pair, happen
from tests.support.reading.world import START, arrive, connect, everything, person, said

pytestmark = pytest.mark.anyio
Order = Literal["newest", "oldest"]
PROPERTY = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
NAIVE = START.replace(tzinfo=None)


@PROPERTY
@given(
    what=st.lists(HAPPENED, min_size=1, max_size=8), trees=st.lists(TREES, min_size=4, max_size=8)
)
async def test_every_filter_says_what_plain_python_says(
    core: Outeract, clock: ManualClock, what: list[Any], trees: list[Pair]
) -> None:
    """Random trees of filters over random events give what the same tests in Python give."""
    app, edges = await happen(core, clock, what)
    events = [e for e in await everything(app) if e.id in edges]
    assert len(events) == len(edges)
    for where, test in trees:
        wanted = [e.id for e in events if test(e, edges)]
        assert [e.id for e in await everything(app, where=where)] == wanted
        assert [e.id for e in await everything(app, where=where, order="newest")] == wanted[::-1]
        assert await app.events.count(where) == len(wanted)


@PROPERTY
@given(what=st.lists(HAPPENED, min_size=2, max_size=9), tree=TREES, first=st.integers(1, 4))
async def test_edges_to_a_target_say_what_plain_python_says(
    core: Outeract, clock: ManualClock, what: list[Any], tree: Pair, first: int
) -> None:
    """`has_edge` towards a node holds alone, and-ed, or-ed and negated, page by page."""
    app, edges = await happen(core, clock, what)
    events = [e for e in await everything(app) if e.id in edges]
    where, test = tree
    for edge_type in ("placed_by", "sent_by", "never"):
        for target in {node for drawn in edges.values() for _, node in drawn}:
            asked = q.has_edge(edge_type, target)

            def leads(e: Event, t: str = edge_type, node: Any = target) -> bool:
                return (t, node) in edges[e.id]

            for one, holds in (
                (asked, leads),
                (asked & where, lambda e, f=leads: f(e) and test(e, edges)),
                (where & asked, lambda e, f=leads: f(e) and test(e, edges)),
                (asked | where, lambda e, f=leads: f(e) or test(e, edges)),
                (~asked, lambda e, f=leads: not f(e)),
            ):
                wanted = [e.id for e in events if holds(e)]
                assert await pages(app, one, "oldest", first) == wanted
                assert await pages(app, one, "newest", first) == wanted[::-1]


async def pages(app: App, where: q.Filter | None, order: Order, first: int) -> list[Any]:
    """The ids of all pages, each page checked for what a page promises."""
    found: list[Any] = []
    after: str | None = None
    for _ in range(1000):
        page = await app.events.page(where, order=order, first=first, after=after)
        assert len(page.nodes) == len(page.cursors) <= first
        assert page.total_count is None
        found += [e.id for e in page]
        if not page.has_next:
            return found
        assert len(page) == first
        after = page.end_cursor
    raise AssertionError("pages without end")


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_pages_show_everything_once_while_events_arrive(app: App, order: Order) -> None:
    """Whoever turns pages sees each event once, whatever is appended meanwhile."""
    before = [await app.emit("tick", n) for n in range(20)]
    found: list[Any] = []
    after: str | None = None
    for turn in range(100):
        page = await app.events.page(q.type_is("tick"), order=order, first=3, after=after)
        found += [e.id for e in page]
        after = page.end_cursor
        if not page.has_next:
            break
        if turn < 5:
            await app.emit("tick", f"late {turn}")
    assert len(found) == len(set(found))
    assert found[:20] == (before if order == "oldest" else before[::-1])
    assert len(found) == (25 if order == "oldest" else 20)


async def test_a_page_is_exact_at_its_edges(app: App) -> None:
    """`has_next` is true exactly when there is more, also when the last page is full."""
    for n in range(4):
        await app.emit("tick", n)
    page = await app.events.page(q.type_is("tick"), first=4)
    assert (len(page), page.has_next) == (4, False)
    page = await app.events.page(q.type_is("tick"), first=3)
    assert (len(page), page.has_next) == (3, True)
    last = await app.events.page(q.type_is("tick"), first=3, after=page.end_cursor)
    assert (len(last), last.has_next) == (1, False)
    none = await app.events.page(q.type_is("tick"), first=3, after=last.end_cursor)
    assert (none.nodes, none.end_cursor, none.has_next) == ((), None, False)


async def test_the_total_is_counted_only_when_asked(app: App) -> None:
    """`total_count` is None by default, and the number behind the filter, not the page, on demand."""
    for n in range(5):
        await app.emit("tick", n)
    page = await app.events.page(q.type_is("tick"), first=2)
    assert page.total_count is None
    page = await app.events.page(q.type_is("tick"), first=2, after=page.end_cursor, total=True)
    assert page.total_count == 5


async def test_a_cursor_is_where_its_event_stands(app: App) -> None:
    """`Events.cursor` is the cursor that pages give, and tells nobody the position."""
    for n in range(12):
        await app.emit("tick", n)
    page = await app.events.page(first=3, order="oldest")
    assert [app.events.cursor(e) for e in page] == list(page.cursors)
    assert all(set(c) <= {*string.ascii_letters, *string.digits, "-", "_"} for c in page.cursors)
    assert not any(str(e.position) in c for e, c in zip(page, page.cursors, strict=True))


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "AAAA", "AAAAAAAAAAAAAAAA", "//////////8", "__________8", "é", "\ud800",
     "1 OR 1=1", "AAAA AAAAAAA", b"AAAAAAAAAAA", 5, 0, True, "A" * 100_000],
    ids=lambda c: repr(c)[:20],
)  # fmt: skip
async def test_a_cursor_of_somebody_else_is_refused(app: App, cursor: Any) -> None:
    """What is no cursor is InvalidCursor, in every kind of page."""
    with pytest.raises(BadInput):
        await app.events.page(after=cursor)
    with pytest.raises(BadInput):
        await app.conversations.recent(after=cursor)


@pytest.mark.parametrize("first", [0, -1, 1001, True, "5", None, 2.0])
async def test_a_page_has_a_sane_size(app: App, first: Any) -> None:
    """`first` is a whole number from 1 to 1000."""
    with pytest.raises(BadInput):
        await app.events.page(first=first)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: q.between(NAIVE),
        lambda: q.between(until=NAIVE),
        lambda: q.between("2026-01-01"),  # type: ignore[arg-type]
        lambda: q.between(by="seq"),  # type: ignore[arg-type]
        lambda: q.status_is("gone"),  # type: ignore[arg-type]
        lambda: q.payload_path("", "="),
        lambda: q.payload_path("a..b", "=", 1),
        lambda: q.payload_path("a.", "=", 1),
        lambda: q.payload_path("a[x]", "=", 1),
        lambda: q.payload_path("a[0", "=", 1),
        lambda: q.payload_path((), "=", 1),
        lambda: q.payload_path(("a", -1), "=", 1),
        lambda: q.payload_path(("a", 2**70), "=", 1),
        lambda: q.payload_path(("a", True), "=", 1),
        lambda: q.payload_path("a[99999999999999999999]", "=", 1),
        lambda: q.payload_path("a", "LIKE", "x"),  # type: ignore[arg-type]
        lambda: q.payload_path("a", "=", [1]),
        lambda: q.payload_path("a", "=", 2**70),
        lambda: q.payload_path("a", "=", float("nan")),
        lambda: q.payload_path("a", "=", "\ud800"),
        lambda: q.payload_path("\ud800", "=", "x"),
        lambda: q.payload_path("a", "<", None),
        lambda: q.payload_path("a", "contains", None),
        lambda: q.payload_path("a", "contains", 5),
        lambda: q.type_is(5),  # type: ignore[arg-type]
        lambda: q.type_in("a", 5),  # type: ignore[arg-type]
        lambda: q.type_prefix(None),  # type: ignore[arg-type]
        lambda: q.type_contains(b"x"),  # type: ignore[arg-type]
        lambda: q.text_contains(5),  # type: ignore[arg-type]
        lambda: q.text_contains("\ud800"),
        lambda: q.has_edge(5),  # type: ignore[arg-type]
        lambda: q.type_is("a") & "b",  # type: ignore[operator]
        lambda: "a" | q.type_is("b"),  # type: ignore[operator]
    ],
)  # fmt: skip
def test_a_wrong_filter_is_refused_when_it_is_written(ask: Callable[[], Any]) -> None:
    """A filter that cannot mean anything is BadInput at once, not a surprise in the query."""
    with pytest.raises((BadInput, TypeError)) as caught:
        ask()
    if isinstance(caught.value, TypeError):
        assert "unsupported operand" in str(caught.value)


@pytest.mark.parametrize("where", ["type = 'x'", 5, {"type": "x"}, [q.type_is("x")]])
async def test_what_is_no_filter_is_refused(app: App, where: Any) -> None:
    """Only values of `outeract_core.query` are filters; there is no way to hand over SQL."""
    with pytest.raises(BadInput):
        await app.events.page(where)


HOSTILE = [
    "'",
    '"',
    "';--",
    "' OR 1=1 --",
    ":p0",
    "?",
    "$.x",
    "\\",
    "%",
    "_",
    "\0",
    "*",
    ")",
    "é💥",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_values_are_never_part_of_the_sql(core: Outeract, app: App, text: str) -> None:
    """Hostile names and values are compared like all others, in every place that takes one."""
    conn = connect(core, app)
    await app.emit("odd", {text: {"v": text}, "other": 1})
    await app.emit("odd", {"x": {"v": "plain"}})
    await arrive(core, conn, said("m1", f"a {text} b", "ann"), said("m2", "nothing", "ann"))
    odd = q.type_is("odd")
    assert await app.events.count(odd & q.payload_path((text, "v"), "=", text)) == 1
    assert await app.events.count(odd & q.payload_path((text, "v"), "contains", text)) == 1
    assert await app.events.count(odd & ~q.payload_path((text,), "exists")) == 1
    assert await app.events.count(q.text_contains(f" {text} ")) == 1
    for where in (q.type_is(text), q.type_in(text), q.type_prefix(text or "-"), q.has_edge(text)):
        assert await app.events.count(where) == 0
    for where in (q.on_platform(text), q.on_connection(text)):
        with pytest.raises((BadInput, NotFound)):
            await app.events.count(where)


async def test_members_with_dots_and_brackets_are_reached(app: App) -> None:
    """A path given as a tuple reaches every member; written as text it has dots and brackets."""
    await app.emit("odd", {"a.b": [{"c]": 7}], "a": {"b": [1, 2]}, "": "empty"})
    assert await app.events.count(q.payload_path(("a.b", 0, "c]"), "=", 7)) == 1
    assert await app.events.count(q.payload_path("a.b[1]", "=", 2)) == 1
    assert await app.events.count(q.payload_path(".a.b[0]", "=", 1)) == 1
    assert await app.events.count(q.payload_path(("",), "=", "empty")) == 1


async def test_a_payload_that_is_no_object_is_no_obstacle(app: App) -> None:
    """Lists, texts, numbers, null and lone surrogates as payloads are read, and match no member."""
    for payload in (
        [1, {"a": 1}],
        "text",
        5,
        None,
        True,
        {"message": {"text": "lone \ud800 half"}},
    ):
        await app.emit("odd", payload)
    odd = q.type_is("odd")
    assert await app.events.count(odd & q.payload_path("a", "exists")) == 0
    assert await app.events.count(odd & q.payload_path("[1].a", "=", 1)) == 1
    assert await app.events.count(odd & q.text_contains("HALF")) == 1
    page = await app.events.page(odd, order="oldest")
    assert [e.payload for e in page][:5] == [[1, {"a": 1}], "text", 5, None, True]
    assert [e.text for e in page] == ["", "", "", "", "", "lone \ud800 half"]
    assert [e.external_message_id for e in page] == [None] * 6


async def test_status_follows_what_happened(core: Outeract, app: App) -> None:
    """`status_is` asks the derived status, which changes without the event."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    delivery = await app.send((conn, "ann"), "hello", sandbox=True)
    queued = q.type_is("message.outbound") & q.status_is("queued")
    assert [e.id for e in await app.events.page(queued)] == [delivery.id]
    await core.pump()
    assert await app.events.count(queued) == 0
    sent = q.type_is("message.outbound") & q.status_is("sent", "delivered", "read")
    assert [e.id for e in await app.events.page(sent)] == [delivery.id]
    inbound = q.type_is("message.inbound")
    assert await app.events.count(inbound & q.status_is("received")) == 1
    app.on("message.inbound", name="quiet", since="beginning")(lambda _message: None)
    await core.pump()
    assert await app.events.count(inbound & q.status_is("received")) == 0
    assert await app.events.count(inbound & q.status_is("processed")) == 1


async def test_a_connection_is_named_by_entity_id_or_name(core: Outeract, app: App) -> None:
    """`on_connection` takes what `connect` gave, its id, or its name."""
    one, two = connect(core, app, name="one"), connect(core, app, name="two")
    await arrive(core, one, said("m1", "hi", "ann"))
    await arrive(core, two, said("m1", "ho", "ann"))
    for which, text in ((one, "hi"), (one.id, "hi"), ("one", "hi"), (two, "ho"), ("two", "ho")):
        page = await app.events.page(q.on_connection(which) & q.type_is("message.inbound"))
        assert [e.text for e in page] == [text]


async def test_a_target_that_is_not_here_is_not_found(core: Outeract, app: App) -> None:
    """`has_edge` towards another application's node is NotFound wherever it stands in the filter."""
    other = core.app("other")
    foreign = await other.emit("thing", 1)
    await app.emit("tick", 1)
    for where in (q.has_edge("about", foreign), ~q.has_edge("about", foreign),
                  q.type_is("tick") | q.has_edge("about", foreign)):  # fmt: skip
        with pytest.raises(NotFound):
            await app.events.page(where)
    with pytest.raises(BadInput):
        await app.events.page(q.has_edge("about", "no id"))


async def test_large_filters_are_answered(app: App) -> None:
    """A thousand alternatives, or conditions, are as good as two."""
    for n in range(3):
        await app.emit("tick", {"n": n})
    tests = [q.payload_path("n", "=", n) for n in range(1, 3000)]
    either = tests[0]
    for test in tests[1:]:
        either |= test
    assert await app.events.count(either) == 2
    nobody = ~tests[0]
    for test in tests[1:]:
        nobody &= ~test
    assert await app.events.count(nobody & q.type_is("tick")) == 1


async def test_a_filter_nested_without_end_is_refused(app: App) -> None:
    """Nesting beyond all reason is BadInput and not a crash."""
    where = q.type_is("a")
    for n in range(5000):
        where = (where & q.type_is("b")) if n % 2 else (where | q.type_is("c"))
    with pytest.raises(BadInput):
        await app.events.page(where)


def test_filters_are_values() -> None:
    """Double negation is nothing, and conjunctions are flat."""
    a, b, c = q.type_is("a"), q.on_platform("b"), q.text_contains("c")
    assert ~~a is a
    assert (a & b) & c == a & (b & c)
    assert (b | c) | b == b | (c | b)
    assert q.between(datetime(2026, 1, 1, tzinfo=UTC)) == q.between(
        datetime(2026, 1, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize("listing", ["events", "conversation", "recent", "newest", "rank"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
async def test_backward_pages_show_the_nodes_of_forward_pages(
    core: Outeract, app: App, listing: str, size: int
) -> None:
    """Turned to the end and back, every page has the same nodes in the same order; times may be equal."""
    conns = [connect(core, app), connect(core, app, "raven")]
    for n in range(23):
        await arrive(core, conns[n % 2], said(f"m{n}", "some word", f"p{n % 7}", at=0))
    conversation = await app.conversations.of(await person(app, conns[0], "p0"))
    asks: dict[str, Callable[..., Any]] = {
        "events": lambda **k: app.events.page(q.type_is("message.inbound"), **k),
        "conversation": conversation.page,
        "recent": app.conversations.recent,
        "newest": lambda **k: app.search("word", **k),
        "rank": lambda **k: app.search("word", order="rank", **k),
    }
    ask = asks[listing]
    whole = await ask(first=100, total=True)
    assert whole.total_count == len(whole)
    page = await ask(first=size)
    forward = list(page.positions)
    assert not page.has_previous
    while page.has_next:
        page = await ask(first=size, after=page.end_cursor)
        assert page.has_previous
        forward += page.positions
    backward = list(page.positions)
    while page.has_previous:
        page = await ask(first=size, before=page.start_cursor)
        assert page.has_next
        backward = [*page.positions, *backward]
    assert backward == forward
    assert len(forward) == len(whole)
