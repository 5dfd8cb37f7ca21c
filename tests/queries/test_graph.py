"""The graph: walks against a plain breadth-first search, limits, cycles, three notations."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._io import database
from outeract_core._store.reading import walks
from outeract_core._store.records import nodes
from outeract_core._store.writing import custom
from outeract_core.errors import BadInput, NotFound
from outeract_core.graph import Subgraph, label, node_type
from outeract_core.model import Edge, Node
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.drawn import ARROWS, TYPES, Direction, arrows_of, draw, evolve_hubs
from tests.support.reading.world import arrive, connect, event, person, said

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


CHOSEN = st.none() | st.lists(
    st.sampled_from([*TYPES, "sent_by", "sent_to", "belongs_to", "unheard_of"]), max_size=5
)
WAYS: Any = st.sampled_from(["out", "in", "both"])


@PROPERTY
@given(arrows=ARROWS, types=CHOSEN, direction=WAYS, depth=st.integers(0, 8), at=st.integers(0, 11))
async def test_a_walk_is_a_breadth_first_search(
    quick: Outeract, arrows: list[Any], types: Any, direction: Direction, depth: int, at: int
) -> None:
    """Nodes, distances and edges within the depth, on any graph, cyclic or not, in every direction."""
    drawn = await draw(quick, arrows)
    found = await drawn.app.graph.walk(drawn.ids[at], types=types, direction=direction, depth=depth)
    far, passed = drawn.search(drawn.ids[at], types, direction, depth)
    assert {node.id: d for node, d in zip(found.nodes, found.depths, strict=True)} == far
    assert list(found.depths) == sorted(found.depths)
    assert arrows_of(found) == passed
    assert found.truncated == (depth in far.values())
    assert all(node in found and node.id in found for node in found.nodes)


@PROPERTY
@given(arrows=ARROWS, types=CHOSEN, direction=WAYS, limit=st.integers(1, 12), at=st.integers(0, 11))
async def test_a_limit_of_nodes_keeps_the_nearest(
    quick: Outeract, arrows: list[Any], types: Any, direction: Direction, limit: int, at: int
) -> None:
    """At most `limit` nodes, none farther than one left out, and `truncated` says whether any was."""
    drawn = await draw(quick, arrows)
    found = await drawn.app.graph.walk(drawn.ids[at], types=types, direction=direction, limit=limit)
    far, passed = drawn.search(drawn.ids[at], types, direction, 100)
    kept = {node.id: d for node, d in zip(found.nodes, found.depths, strict=True)}
    assert len(kept) == min(limit, len(far))
    assert found.truncated == (len(far) > limit)
    assert all(far[node] == d for node, d in kept.items())
    assert sorted(kept.values()) == sorted(far.values())[: len(kept)]
    assert arrows_of(found) <= passed
    assert all(a[0] in kept and a[2] in kept for a in arrows_of(found))


@PROPERTY
@given(
    arrows=ARROWS, types=st.lists(st.sampled_from(TYPES), max_size=3), direction=WAYS,
    depth=st.integers(0, 6), limit=st.integers(1, 12), at=st.integers(0, 11),
)  # fmt: skip
async def test_the_narrow_and_the_wide_way_agree(
    quick: Outeract, arrows: list[Any], types: Any, direction: Direction, depth: int, limit: int,
    at: int,
) -> None:  # fmt: skip
    """One recursive query, or level by level: the same nodes in the same order, the same verdict."""
    drawn = await draw(quick, arrows)
    results = []
    for wide in (1, 6, 512):
        before, walks.WIDE = walks.WIDE, wide
        try:
            results.append(
                await drawn.app.graph.walk(
                    drawn.ids[at], types=types, direction=direction, depth=depth, limit=limit
                )
            )
        finally:
            walks.WIDE = before
    first = results[0]
    for other in results[1:]:
        assert [n.id for n in other.nodes] == [n.id for n in first.nodes]
        assert (other.depths, other.truncated) == (first.depths, first.truncated)
        if len(first) < limit:
            assert arrows_of(other) == arrows_of(first)


@PROPERTY
@given(
    arrows=ARROWS, types=CHOSEN, direction=WAYS, depth=st.integers(0, 8),
    ends=st.tuples(st.integers(0, 11), st.integers(0, 11)),
)  # fmt: skip
async def test_a_path_is_a_shortest_one(
    quick: Outeract, arrows: list[Any], types: Any, direction: Direction, depth: int,
    ends: tuple[int, int],
) -> None:  # fmt: skip
    """A path exists exactly when the search finds one within the depth, and is as short."""
    drawn = await draw(quick, arrows)
    start, end = drawn.ids[ends[0]], drawn.ids[ends[1]]
    free = evolve_hubs(drawn, drawn.hubs - {end})
    far, _ = free.search(start, types, direction, depth)
    found = await drawn.app.graph.path(start, end, types=types, direction=direction, depth=depth)
    if end not in far:
        assert found is None
        return
    assert found is not None
    assert len(found.edges) == far[end] == len(found.nodes) - 1
    assert (found.nodes[0].id, found.nodes[-1].id) == (start, end)
    assert found.depths == tuple(range(len(found.nodes)))
    assert arrows_of(found) <= {a for a in drawn.arrows if types is None or a[1] in types}
    for edge, (here, there) in zip(
        found.edges, zip(found.nodes, found.nodes[1:], strict=False), strict=True
    ):
        ends_of = (edge.source_node_id, edge.target_node_id)
        forth, back = (here.id, there.id), (there.id, here.id)
        assert ends_of in {"out": [forth], "in": [back], "both": [forth, back]}[direction]


@PROPERTY
@given(arrows=ARROWS, at=st.integers(0, 11))
async def test_a_component_is_what_hangs_together(
    quick: Outeract, arrows: list[Any], at: int
) -> None:
    """`component` is the walk in both directions without end, `neighbours` the first step of it."""
    drawn = await draw(quick, arrows)
    far, _ = drawn.search(drawn.ids[at], None, "both", 1000)
    whole = await drawn.app.graph.component(drawn.ids[at])
    assert {node.id for node in whole.nodes} == set(far)
    assert not whole.truncated
    near = await drawn.app.graph.neighbours(drawn.ids[at])
    assert {node.id for node in near.nodes} == {node for node, d in far.items() if d <= 1}


# ── causes and consequences ───────────────────────────────────────────────────────────────────


async def test_ancestors_and_descendants_go_along_causes(core: Outeract, app: App) -> None:
    """A message, the order it caused, the answer, its quote: both ways, and no other edges."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "one pizza", "ann"))
    message = await event(app, conn, "m1")
    order = await app.emit(
        "order.created", {}, edges={"triggered_by": message, "placed_by": message}
    )
    answer = await app.send(message, "coming", cause=order, reply_to=message, sandbox=True)
    back = await app.graph.ancestors(answer.id)
    assert [node.id for node in back.nodes] == [answer.id, message.id, order]
    assert {e.edge_type for e in back.edges} == {"triggered_by", "reply_to"}
    after = await app.graph.descendants(message)
    assert {node.id for node in after.nodes} == {message.id, order, answer.id}
    assert after.depths == (0, 1, 1)
    assert (await app.graph.ancestors(message)).nodes == (message,)
    only = await app.graph.descendants(message, depth=1, limit=2)
    assert (len(only), only.truncated) == (2, True)


async def test_a_ring_of_causes_ends(app: App) -> None:
    """Events that cause each other in a circle are walked once each."""
    one = await app.emit("step", 1)
    two = await app.emit("step", 2, edges={"triggered_by": one})
    await app.edge(one, "triggered_by", two)
    await app.edge(one, "triggered_by", one)
    for walk in (app.graph.ancestors, app.graph.descendants, app.graph.component):
        found = await walk(one)
        assert [node.id for node in found.nodes] == [one, two]
        assert len(found.edges) == 3


async def test_a_long_chain_is_walked_to_its_depth(app: App) -> None:
    """A thousand causes in a row: the depth asked for, and the whole when that is asked for."""
    chain = [await app.emit("step", 0)]

    def unit(tx: Any) -> None:
        for n in range(1, 1000):
            key = app.new_id()
            custom.emit(
                tx, app.key, key, "step", str(n), [("triggered_by", chain[-1])], None, None, None
            )
            chain.append(key)  # type: ignore[arg-type]

    await app.tenant.write(lambda tx, _app: unit(tx))
    found = await app.graph.ancestors(chain[-1])
    assert (len(found), found.truncated, found.depths[-1]) == (101, True, 100)
    found = await app.graph.ancestors(chain[-1], depth=5000)
    assert (len(found), found.truncated) == (1000, False)
    path = await app.graph.path(chain[0], chain[-1], depth=5000)
    assert path is not None
    assert len(path.edges) == 999
    assert await app.graph.path(chain[0], chain[-1], depth=998) is None


async def test_a_walk_that_turns_out_long_leaves_the_loop(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk with hardly any steps to spend in the loop is done in a thread, and finds the same."""
    chain = [await app.emit("step", 0)]
    for n in range(1, 100):
        chain.append(await app.emit("step", n, edges={"triggered_by": chain[-1]}))
    here, threads = threading.get_ident(), set[int]()
    monkeypatch.setattr(walks, "_numbers", _seen(walks._numbers, threads))
    short = await app.graph.ancestors(chain[-1])
    assert threads == {here}
    monkeypatch.setattr(database, "_GLANCE", 100)
    long = await app.graph.ancestors(chain[-1])
    assert len(threads) == 2
    assert (long, len(long)) == (short, 100)


def _seen(call: Any, threads: set[int]) -> Any:
    """The same call, which also tells in which thread it is made."""

    def told(*arguments: Any) -> Any:
        threads.add(threading.get_ident())
        return call(*arguments)

    return told


async def test_the_bot_is_a_crossing_that_no_walk_takes(core: Outeract, app: App) -> None:
    """Two people who both wrote to the bot do not hang together through it."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"), said("m2", "ho", "bob"))
    ann, bob = await person(app, conn, "ann"), await person(app, conn, "bob")
    assert bob not in await app.graph.component(ann)
    assert await app.graph.path(ann, bob) is None
    bot = await person(app, conn, "system")
    assert {ann, bob} <= set((await app.graph.walk(bot, direction="both", depth=2)).nodes)


async def test_a_merge_shows_in_the_graph_at_once(core: Outeract, app: App) -> None:
    """`belongs_to` leads to the user that a platform user has now."""
    one, two = connect(core, app), connect(core, app, "raven")
    await arrive(core, one, said("m1", "hi", "ann"))
    await arrive(core, two, said("r1", "hi", "ann"))
    a, b = await person(app, one, "ann"), await person(app, two, "ann")
    assert len(await app.graph.walk(a.user_id, types=["belongs_to"], direction="in")) == 2
    await app.people.merge(b, a)
    found = await app.graph.walk(a.user_id, types=["belongs_to"], direction="in")
    assert [node.id for node in found.nodes] == [a.user_id, a.id, b.id]
    up = await app.graph.walk(b, types=["belongs_to"])
    assert [node.id for node in up.nodes] == [b.id, a.user_id]


@pytest.mark.parametrize(
    "options",
    [{"depth": -1}, {"limit": 0}, {"depth": "3"}, {"limit": None}, {"depth": True},
     {"direction": "up"}, {"types": "sent_by"}],
)  # fmt: skip
async def test_limits_and_directions_make_sense(app: App, options: Any) -> None:
    """Nonsense is BadInput, in walks and in paths."""
    one, two = await app.emit("step", 1), await app.emit("step", 2)
    with pytest.raises(BadInput):
        await app.graph.walk(one, **options)
    with pytest.raises(BadInput):
        await app.graph.path(one, two, **options)


@pytest.mark.parametrize("node", [None, 5, "", "no id", "00000000", object()])
async def test_what_is_no_node_is_refused(app: App, node: Any) -> None:
    """Anything but an entity or an id is BadInput; an id of nothing is NotFound."""
    one = await app.emit("step", 1)
    for ask in (app.graph.walk(node), app.graph.path(one, node), app.graph.path(node, one)):
        with pytest.raises(BadInput):
            await ask
    with pytest.raises(NotFound):
        await app.graph.walk(app.id)


async def test_edges_are_entities(core: Outeract, app: App) -> None:
    """An edge names its ends, their kinds, its type and its time, and has a lasting id."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    message, ann = await event(app, conn, "m1"), await person(app, conn, "ann")
    core.runtime.database.options.clock.advance(5)  # type: ignore[attr-defined]
    await app.edge(message, "liked_by", ann)
    edges = {e.edge_type: e for e in (await app.graph.neighbours(message)).edges}
    liked, sent = edges["liked_by"], edges["sent_by"]
    assert isinstance(liked, Edge)
    assert (liked.source_node_id, liked.source_node_type) == (message.id, "event")
    assert (liked.target_node_id, liked.target_node_type) == (ann.id, "platform_user")
    assert liked.app_id == app.id
    assert sent.created_at == message.created_at
    assert (liked.created_at - message.created_at).total_seconds() == 5
    again = {e.edge_type: e for e in (await app.graph.neighbours(ann)).edges}
    assert again["liked_by"] == liked


# ── notations ─────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    'say "hi"', "two\nlines", "a ] b", "a --> b", "`code`", "# head", "&amp; <b>", "end", "back\\",
    "\\N \\l", "é💥", "\x00\x1b[31m", "half \ud800", '"]; x -->', "%% comment", "*" * 100, "'", "{}|;",
]  # fmt: skip


async def hostile(core: Outeract, app: App, text: str) -> Subgraph:
    """A graph in which everything that has a name is called `text`."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", text, "ann", name=text))
    message = await event(app, conn, "m1")
    file = await app.files.add(b"data", filename=text.replace("\ud800", "?"))
    await app.edge(message, "x_end", file)
    await app.edge(file, "subgraph", message)
    await app.edge(message, "self", message)
    return await app.graph.component(message)


@pytest.mark.parametrize("text", HOSTILE)
async def test_mermaid_stays_well_formed(core: Outeract, app: App, text: str) -> None:
    """Each line is a node or an edge between nodes, and labels hold nothing that Mermaid reads."""
    found = await hostile(core, app, text)
    lines = found.to_mermaid().encode().decode().splitlines()
    assert lines[0] == "flowchart LR"
    nodes_, edges = set(), 0
    opening = r"(?:\[|\(\[|\(|\[/)"
    closing = r"(?:\]|\]\)|\)|/\])"
    for line in lines[1:]:
        node = re.fullmatch(rf'  (n\d+){opening}"([^"<>`\\]*)"{closing}', line)
        edge = re.fullmatch(r"  (n\d+) -->\|[a-z0-9_.]+\| (n\d+)", line)
        assert node or edge, line
        if node:
            nodes_.add(node[1])
            assert not re.search(r"#(?!\d+;)", node[2])
        if edge:
            assert {edge[1], edge[2]} <= nodes_
            edges += 1
    assert (len(nodes_), edges) == (len(found), len(found.edges))


@pytest.mark.parametrize("text", HOSTILE)
async def test_dot_stays_well_formed(core: Outeract, app: App, text: str) -> None:
    """Each statement is a node or an edge; strings are closed and escape only quote and backslash."""
    found = await hostile(core, app, text)
    lines = found.to_dot().encode().decode().splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("digraph outeract {", "  rankdir=LR;", "}")
    string = r'"((?:[^"\\]|\\["\\])*)"'
    shown = []
    for line in lines[2:-1]:
        node = re.fullmatch(rf"  n\d+ \[shape=\w+, label={string}\];", line)
        edge = re.fullmatch(rf"  n\d+ -> n\d+ \[label={string}\];", line)
        assert node or edge, line
        if node:
            shown.append(re.sub(r"\\(.)", r"\1", node[1]).replace("&amp;", "&"))
    assert shown == [label(node) for node in found.nodes]


@pytest.mark.parametrize("text", HOSTILE)
async def test_json_goes_there_and_back(core: Outeract, app: App, text: str) -> None:
    """`to_json` is plain JSON: every node and edge by id, and the same after a round trip."""
    found = await hostile(core, app, text)
    told = found.to_json()
    assert json.loads(json.dumps(told)) == told
    assert told == json.loads(json.dumps(told, ensure_ascii=False).encode())
    ids = [str(node.id) for node in found.nodes]
    assert [node["id"] for node in told["nodes"]] == ids
    assert [node["type"] for node in told["nodes"]] == [node_type(node) for node in found.nodes]
    assert all({edge["source"], edge["target"]} <= set(ids) for edge in told["edges"])
    assert told["truncated"] is False


async def test_a_label_is_one_short_line(app: App) -> None:
    """Whatever is in a payload, its node's label is a single line of at most 48 characters."""
    payloads: list[Any] = [[1], "text", None, {"message": []}, {"message": {"text": ["x"]}},
                    {"message": {"text": "x\n" * 500}}]  # fmt: skip
    for payload in payloads:
        key = await app.emit("note", payload)
        text = label(await app.events.get(key))
        assert text.startswith("note")
        assert len(text) <= 48
        assert text.isprintable()


async def test_a_foreign_node_is_in_no_walk(core: Outeract, app: App) -> None:
    """Another application's nodes are neither starts nor ends nor on the way."""
    other = core.app("other")
    mine, theirs = await app.emit("step", 1), await other.emit("step", 2)
    for ask in (app.graph.walk(theirs), app.graph.path(mine, theirs), app.graph.path(theirs, mine)):
        with pytest.raises(NotFound):
            await ask
    with pytest.raises(NotFound):
        await app.edge(mine, "to", theirs)
    key: Node = (await app.graph.component(mine)).nodes[0]
    assert key.id == mine
    assert nodes.ANY == ("event", "platform_user", "user", "file")
