"""The host's own events: names, payloads, schemas, edges; refused whole or written whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.errors import BadInput, InvalidEvent, MissingExtra, NotFound
from outeract_core.events import EVENT_TYPES, RESERVED
from outeract_core.testing import ManualClock
from tests.support.reading.world import START, arrive, connect, event, everything, person, said

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
ORDER = {
    "type": "object",
    "required": ["id", "items"],
    "properties": {
        "id": {"type": "integer"},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {"sku": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
            },
        },
    },
}
GOOD_ORDER = {"id": 7, "items": [{"sku": "pizza", "n": 2}]}


async def edges(core: Outeract) -> int:
    """How many edges there are."""
    rows = core.runtime.database.read(lambda tx: tx.script("SELECT count(*) FROM edge"))
    return int(rows[0][0])


# ── names ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [*EVENT_TYPES, *RESERVED, *(prefix.rstrip(".") for prefix in RESERVED), "message.x.y.z",
     "system.handler_failed.again"],
)  # fmt: skip
async def test_the_librarys_own_names_are_refused(app: App, name: str) -> None:
    """No host writes `message.*`, `file.*`, `user.*`, `link_code.*` or `system.*`."""
    with pytest.raises(InvalidEvent):
        await app.emit(name, {})
    with pytest.raises(InvalidEvent):
        await app.event_schema(name, {})
    assert await app.events.count() == 0


@pytest.mark.parametrize(
    "name",
    ["", " ", "Order", "order created", "order-created", "order/created", "ördér", "order\n",
     "\norder", "order\0", "order.*", "*", "𝟘", "٣", "\ud800", None, 5, b"order", ["order"]],
)  # fmt: skip
async def test_names_are_small_letters_digits_dots_and_underscores(app: App, name: Any) -> None:
    """Anything else is InvalidEvent, with an example of a good name."""
    for ask in (app.emit(name, {}), app.event_schema(name, {})):
        with pytest.raises(InvalidEvent, match=r"order\.created"):
            await ask
    assert await app.events.count() == 0


@pytest.mark.parametrize(
    "name", ["messages", "message_sent", "a", "0", "_", "x.message.y", "users.new"]
)
async def test_names_that_only_look_reserved_are_free(app: App, name: str) -> None:
    """Only whole prefixes are reserved."""
    found = await app.events.get(await app.emit(name, {"n": 1}))
    assert (found.event_type, found.payload) == (name, {"n": 1})


# ── payloads ──────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(blacklist_categories=[]), max_size=10),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(blacklist_categories=[]), max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(payload=JSON)
async def test_every_json_value_comes_back_as_it_was(app: App, payload: Any) -> None:
    """Any JSON is a payload, NUL and lone surrogates included."""
    key = await app.emit("note", payload)
    found = await app.events.get(key)
    assert found.payload == payload
    assert type(found.payload) is type(payload)
    assert (found.event_type, found.platform, found.raw) == ("note", None, None)


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "payload",
    [object(), {1, 2}, b"bytes", datetime(2026, 1, 1, tzinfo=UTC), float("nan"), float("inf"),
     {"x": [float("-inf")]}, {("a", "b"): 1}, CYCLE, {"x": object()}, 10**5000],
    ids=lambda p: type(p).__name__,
)  # fmt: skip
async def test_what_is_no_json_is_refused(app: App, payload: Any) -> None:
    """What JSON cannot say is BadInput, and nothing is written."""
    with pytest.raises(BadInput, match="nothing was written"):
        await app.emit("note", payload)
    assert await app.events.count() == 0


async def test_a_payload_is_what_it_was_when_it_was_emitted(app: App) -> None:
    """Changing the object afterwards changes nothing in the log."""
    payload = {"items": [1]}
    key = await app.emit("note", payload)
    payload["items"].append(2)
    assert (await app.events.get(key)).payload == {"items": [1]}


# ── time, origin, edges ───────────────────────────────────────────────────────────────────────


async def test_an_event_has_its_time(app: App, clock: ManualClock) -> None:
    """`occurred_at` is when it happened, `created_at` when it was written; naive times are refused."""
    then = START - timedelta(days=3)
    found = await app.events.get(await app.emit("note", 1, occurred_at=then))
    assert (found.occurred_at, found.created_at) == (then, clock())
    found = await app.events.get(await app.emit("note", 1))
    assert found.occurred_at == found.created_at == clock()
    with pytest.raises(BadInput):
        await app.emit("note", 1, occurred_at=START.replace(tzinfo=None))


async def test_edges_are_drawn_with_the_event(core: Outeract, app: App) -> None:
    """One node or many, of every type, as entity, id or text of an id."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "one pizza", "ann"))
    message, ann = await event(app, conn, "m1"), await person(app, conn, "ann")
    file = await app.files.add(b"menu", filename="menu.txt")
    order = await app.emit(
        "order.created", GOOD_ORDER, origin=message,
        edges={"placed_by": ann, "about": [message, str(ann.user_id), file.id], "none": []},
    )  # fmt: skip
    assert (await app.events.get(order)).origin_event_id == message.id
    near = await app.graph.neighbours(order)
    assert {(e.edge_type, e.target_node_type) for e in near.edges} == {
        ("placed_by", "platform_user"), ("about", "event"), ("about", "user"), ("about", "file"),
        ("origin", "event"),
    }  # fmt: skip
    page = await app.events.page(q.has_edge("placed_by", ann))
    assert [e.id for e in page] == [order]


async def test_the_same_edge_twice_is_one(core: Outeract, app: App) -> None:
    """Drawing an edge again changes nothing."""
    one, two = await app.emit("note", 1), await app.emit("note", 2)
    await app.emit("note", 3, edges={"about": [one, one]})
    before = await edges(core)
    await app.edge(one, "next", two)
    await app.edge(one, "next", two)
    assert await edges(core) == before + 1


async def test_edges_may_run_in_circles(app: App) -> None:
    """A host's graph may have loops and rings; walks and explanations end."""
    keys = [await app.emit("step", n) for n in range(5)]
    for here, there in zip(keys, [*keys[1:], keys[0]], strict=True):
        await app.edge(here, "next", there)
    await app.edge(keys[0], "next", keys[0])
    assert len(await app.graph.walk(keys[2], types=["next"])) == 5
    assert len(await app.graph.component(keys[2])) == 5
    path = await app.graph.path(keys[0], keys[4], types=["next"], direction="out")
    assert path is not None
    assert len(path.edges) == 4
    assert str(await app.explain(keys[0]))


@pytest.mark.parametrize("edge_type", ["", "Placed", "placed by", "a-b", "ü", "a\n", None, 5, "*"])
async def test_edge_types_have_names_too(core: Outeract, app: App, edge_type: Any) -> None:
    """An edge type follows the rule of event types, at emit and later."""
    one = await app.emit("note", 1)
    for ask in (app.emit("note", 2, edges={edge_type: one}), app.edge(one, edge_type, one)):
        with pytest.raises(BadInput):
            await ask
    assert (await app.events.count(), await edges(core)) == (1, 0)


@pytest.mark.parametrize("bad", [None, 5, "ann", {"id": 1}, [None], "0" * 32])
async def test_a_bad_end_writes_nothing(core: Outeract, app: App, bad: Any) -> None:
    """When one end of one edge is no node here, there is neither event nor edge."""
    good = await app.emit("note", 1)
    with pytest.raises((BadInput, NotFound)):
        await app.emit("note", 2, edges={"about": good, "by": bad})
    with pytest.raises((BadInput, NotFound)):
        await app.emit("note", 2, origin=cast("Any", bad or "0" * 32))
    with pytest.raises((BadInput, NotFound)):
        await app.edge(good, "about", bad)
    assert (await app.events.count(), await edges(core)) == (1, 0)


@pytest.mark.parametrize(
    "edge_type", ["sent_by", "sent_to", "origin", "triggered_by", "attachment"]
)
async def test_the_edges_of_messages_are_not_for_hosts(
    core: Outeract, app: App, edge_type: str
) -> None:
    """Nobody redraws who sent a message to whom, or adds a status to it."""
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"), said("m2", "ho", "bob"))
    message, ann = await event(app, conn, "m1"), await person(app, conn, "bob")
    before = await edges(core)
    for source, target in ((message, ann), (ann, message), (message, message)):
        with pytest.raises(BadInput):
            await app.edge(source, edge_type, target)
    assert await edges(core) == before
    own = await app.emit("note", 1)
    await app.edge(own, edge_type, message)
    assert (await app.events.get(message)).status == "received"


# ── schemas ───────────────────────────────────────────────────────────────────────────────────


async def test_a_schema_is_kept_to(app: App) -> None:
    """A payload that fits is written; one that does not is refused with every fault and its path."""
    await app.event_schema("order.created", ORDER, description="somebody ordered")
    await app.emit("order.created", GOOD_ORDER)
    bad = {"id": "seven", "items": [{"sku": 5, "n": 0}, {}]}
    with pytest.raises(InvalidEvent) as caught:
        await app.emit("order.created", bad)
    assert sorted(fault.split(":")[0] for fault in caught.value.faults) == [
        "$.id", "$.items[0].n", "$.items[0].sku", "$.items[1]",
    ]  # fmt: skip
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    assert await app.events.count() == 1


async def test_a_refused_event_leaves_nothing(core: Outeract, app: App) -> None:
    """No event, no edges, no gap in the positions."""
    await app.event_schema("order.created", ORDER)
    first = await app.events.get(await app.emit("order.created", GOOD_ORDER))
    with pytest.raises(InvalidEvent):
        await app.emit("order.created", {}, edges={"about": first}, origin=first)
    assert (await app.events.count(), await edges(core)) == (1, 0)
    second = await app.events.get(await app.emit("order.created", GOOD_ORDER))
    assert second.position == first.position + 1


async def test_the_same_schema_is_one_version(app: App) -> None:
    """Registering it at every start changes nothing; a different one is the next version."""
    first = await app.event_schema("order.created", ORDER, description="x")
    assert (first.version, first.name, first.description) == (1, "order.created", "x")
    again = await app.event_schema("order.created", dict(reversed(ORDER.items())))
    assert again == first
    second = await app.event_schema("order.created", {**ORDER, "required": ["id"]})
    assert second.version == 2
    await app.emit("order.created", {"id": 1})
    back = await app.event_schema("order.created", ORDER)
    assert back.version == 3
    with pytest.raises(InvalidEvent):
        await app.emit("order.created", {"id": 1})
    assert [e.payload for e in await everything(app)] == [{"id": 1}]


async def test_a_schema_is_this_applications_own(core: Outeract, app: App) -> None:
    """Another application's events of the same name are not bound by it, and other names neither."""
    await app.event_schema("order.created", ORDER)
    await core.app("other").emit("order.created", {})
    await app.emit("order", {})
    await app.emit("order.created.twice", {})


@pytest.mark.parametrize(
    "schema",
    [{"type": "objekt"}, {"properties": []}, {"required": "id"}, {"minimum": "x"}, [], 5, None,
     "object", {"$schema": "http://json-schema.org/draft-07/schema#", "type": 5}],
)  # fmt: skip
async def test_a_schema_that_is_none_is_refused(app: App, schema: Any) -> None:
    """A faulty JSON Schema is InvalidEvent with its path, and binds nobody."""
    with pytest.raises(InvalidEvent):
        await app.event_schema("order.created", schema)
    await app.emit("order.created", "anything")


@pytest.mark.parametrize("schema", [{"x": object()}, {"enum": [float("nan")]}, {"const": {1, 2}}])
async def test_a_schema_that_is_no_json_is_refused(app: App, schema: Any) -> None:
    """What could not be written down is BadInput."""
    with pytest.raises(BadInput):
        await app.event_schema("order.created", schema)
    await app.emit("order.created", "anything")


async def test_true_and_false_are_schemas(app: App) -> None:
    """`False` lets nothing pass, `True` everything."""
    await app.event_schema("order.created", False)
    with pytest.raises(InvalidEvent):
        await app.emit("order.created", {})
    await app.event_schema("order.created", True)
    await app.emit("order.created", {})


async def test_a_schema_that_points_elsewhere_is_never_fetched(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `$ref` to another document is a fault, not a request; one within the document is followed."""
    asked: list[Any] = []
    monkeypatch.setattr("urllib.request.urlopen", asked.append)
    monkeypatch.setattr("socket.create_connection", asked.append)
    inner = {"$defs": {"id": {"type": "integer"}}, "properties": {"id": {"$ref": "#/$defs/id"}}}
    await app.event_schema("order.created", inner)
    with pytest.raises(InvalidEvent):
        await app.emit("order.created", {"id": "x"})
    for where in ("https://schemas.example/order.json", "#/$defs/nowhere"):
        try:
            await app.event_schema("order.paid", {"properties": {"id": {"$ref": where}}})
        except BadInput:
            continue
        with pytest.raises(BadInput):
            await app.emit("order.paid", {"id": 1})
    assert await app.events.count() == 0
    assert asked == []


async def test_a_schema_with_a_loop_in_it_ends(app: App) -> None:
    """A schema that refers to itself checks trees of any depth that can be stored."""
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}}, "required": ["n"]}
    await app.event_schema("tree", tree)
    payload: Any = {"n": 0}
    for n in range(20):
        payload = {"n": n, "left": payload}
    await app.emit("tree", payload)
    with pytest.raises(InvalidEvent) as caught:
        await app.emit("tree", {"n": 1, "left": {"n": 2, "left": {}}})
    assert caught.value.faults[0].startswith("$.left.left: ")
    endless = {"$ref": "#"}
    with pytest.raises(BadInput):
        await app.event_schema("endless", endless)
        await app.emit("endless", {})


def test_without_jsonschema_the_extra_is_named() -> None:
    """Without the optional package the error says what to install, and events go on."""
    code = """
import anyio, sys, tempfile
sys.modules["jsonschema"] = None
from outeract_core import Outeract
from outeract_core.errors import MissingExtra

async def main():
    with tempfile.TemporaryDirectory() as folder:
        async with Outeract(folder + "/bot.db") as core:
            app = core.app("support")
            await app.emit("order.created", {"n": 1})
            try:
                await app.event_schema("order.created", {})
            except MissingExtra as error:
                print(error)

anyio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'outeract-core[schema]'" in done.stdout
    assert issubclass(MissingExtra, ImportError)


async def test_a_handlers_event_is_caused_by_what_it_handles(core: Outeract, app: App) -> None:
    """Emitted in a handler: committed with the turn, `triggered_by` its message, gone if it fails."""
    conn = connect(core, app)

    @app.on("message.inbound", name="orders", attempts=1, overlap="queue")
    async def orders(message: Any) -> None:
        await app.emit("order.created", {"text": message.text})
        if message.text == "bad":
            raise RuntimeError("no such thing")

    await arrive(core, conn, said("m1", "good", "ann"), said("m2", "bad", "bob"))
    await core.pump()
    page = await app.events.page(q.type_is("order.created"))
    assert [e.payload for e in page] == [{"text": "good"}]
    back = await app.graph.ancestors(page.nodes[0])
    assert [e.text for e in back.events] == ["", "good"]
