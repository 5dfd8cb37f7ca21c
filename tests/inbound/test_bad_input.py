"""Bodies that no platform should send: answered, kept, replayable, and never the end of anything."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core._domain.rules import shapes
from outeract_core.adapter import Inbound
from outeract_core.errors import BadInput, ParseError
from outeract_core.events import Fact, Unparsed
from outeract_core.testing import ManualClock, SequentialIds
from outeract_core.testing.contract.hostile import BODIES, TEXTS, mutations
from tests.support.reading.crooked import CROOKED, Crooked
from tests.support.reading.signed import PLATFORMS, SIGNATURES, Line, line
from tests.support.reading.world import (
    GOOD,
    Pigeon,
    arrive,
    body_of,
    connect,
    event,
    everything,
    item,
    person,
    post,
    raw_conn,
    said,
    texts,
    types,
)

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A store that does not wait for the disk."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), durability="normal",
        allow_private_addresses=True,
    ) as core:  # fmt: skip
        yield core


@pytest.fixture(params=PLATFORMS)
def signed(request: pytest.FixtureRequest, core: Outeract, app: App, clock: ManualClock) -> Line:
    """A connection of each platform that signs."""
    return line(core, app, clock, request.param)


async def readable(app: App) -> None:
    """Everything that was stored can be read, searched, told and walked."""
    for e in await everything(app):
        json.dumps([e.payload, e.raw])
        assert shapes.fault(e.event_type, e.payload) is None
        assert isinstance(e.text, str)
        assert e.app_id == app.id
    assert (
        await app.events.count(q.text_contains("x") | q.payload_path("message.text", "=", "x")) >= 0
    )
    for summary in await app.conversations.recent(first=1000):
        conversation = await app.conversations.of(summary.peer)
        assert (await conversation.page()).nodes
        assert isinstance(await conversation.context(), list)
        assert (await conversation.analytics()).inbound == summary.inbound
    for e in await app.events.page(first=20):
        story = await app.explain(e)
        assert str(story)
        assert story.graph.to_mermaid().encode()
        assert story.graph.to_dot().encode()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_says_nothing_is_answered_and_kept(signed: Line, body: bytes) -> None:
    """Empty, not JSON, the wrong shape, deep, huge, broken: 200, and the bytes wait for a better parser."""
    answer = await signed.post(signed.sign(body))
    assert answer.status == 200
    notes = [e for e in await everything(signed.app) if e.event_type == "system.delivery_unparsed"]
    others = [e for e in await everything(signed.app) if e.event_type.startswith("message.")]
    assert len(notes) <= 1
    assert others == []
    assert await signed.core.replay(signed.app) == (0, len(notes))
    assert [e.payload["bytes"] for e in notes] in ([], [len(body)])
    good = signed.sign(signed.say("still here"))
    assert (await signed.post(good)).status == 200
    assert await signed.app.events.count(q.text_contains("still here")) == 1
    await readable(signed.app)


async def test_a_body_that_is_no_message_is_kept_somewhere(signed: Line) -> None:
    """Of the bodies that are no JSON object at all each one leaves its trace."""
    for name in ("empty", "not JSON", "half of JSON", "nested 100 000 deep", "invalid UTF-8"):
        await signed.post(signed.sign(BODIES[name]))
    assert await signed.app.events.count(q.type_is("system.delivery_unparsed")) == 5
    assert await signed.core.replay(signed.app) == (0, 5)


async def test_every_member_may_be_wrong(signed: Line) -> None:
    """A real message with each member missing or of another type in turn: always 200, all readable."""
    payload = signed.say("hello")
    for where, changed in mutations(payload):
        answer = await signed.post(signed.sign(changed))
        assert answer.status == 200, where
    assert (await signed.post(signed.sign(signed.say("after all that")))).status == 200
    assert await signed.app.events.count(q.text_contains("after all that")) == 1
    await readable(signed.app)


async def test_every_text_arrives_as_it_was(signed: Line) -> None:
    """Markup, NUL, lone surrogates, emoji: the words in the log are the words that were written."""
    texts = list(islice(TEXTS, 20))
    for text in texts:
        assert (await signed.post(signed.sign(signed.say(text)))).status == 200
    found = [e for e in await everything(signed.app) if e.event_type == "message.inbound"]
    assert len(found) == len(texts)
    if signed.conn.platform == "telegram":
        assert [e.text for e in found] == texts
    await readable(signed.app)


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=[])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(blacklist_categories=[]), max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(items=st.lists(HOSTILE, max_size=3), text=st.text(st.characters(blacklist_categories=[])))
async def test_no_json_is_too_strange(
    core: Outeract, app: App, items: list[Any], text: str
) -> None:
    """Random items beside a message with a random text: 200, and a message with that very text."""
    conn = connect(core, app)
    key = f"m{text}"[:20]
    body = json.dumps({"items": [{"id": key, "text": text, "from": "ann"}, *items]}).encode()
    answer = await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", GOOD, {}, body)
    assert answer.status == 200
    for header in (text, key):
        refused = await core.ingest(
            conn.webhook_id, conn.webhook_secret, "POST", {"x-pigeon": header}, {"q": header}, body
        )
        assert refused.status == 401
    if items:
        assert await app.events.count(q.type_is("system.delivery_unparsed")) >= 1
    else:
        assert (await event(app, conn, key)).external_message_id == key


@pytest.mark.parametrize(
    "name", ["", "\0", "\ud800", "a\0b", "x" * 10_000, "' OR 1=1 --", "é💥", "\u202e", "1", " "]
)
async def test_every_id_and_name_is_its_own(core: Outeract, app: App, name: str) -> None:
    """External ids that a column cannot hold as they are still find their message and their sender."""
    conn = connect(core, app)
    await arrive(core, conn, said(f"k{name}", f"t {name}", f"u{name}", name=name, group=f"g{name}"))
    await arrive(core, conn, said("k", "plain", "u", group="g"))
    found = await event(app, conn, f"k{name}")
    assert found.text == f"t {name}"
    assert (await event(app, conn, "k")).text == ("plain" if name else "t ")
    who = await person(app, conn, f"u{name}")
    assert app.sender_of(found) == who
    assert (await person(app, conn, "u") == who) == (name == "")
    await readable(app)


async def test_headers_and_query_of_any_kind_are_taken(core: Outeract, app: App) -> None:
    """What cannot be parsed is kept with its headers and query, whatever is in them."""
    conn = connect(core, app)
    headers = {**GOOD, "x-odd": "\ud800", "X-NUL": "\0", "x-é": "é", "x-escaped": "\udcff"}
    query = {"\ud800": "\udcff", "": "", "a": "\0"}
    answer = await core.ingest(
        conn.webhook_id, conn.webhook_secret, "POST", headers, query, b"not JSON"
    )
    assert answer.status == 200
    assert await core.replay(app) == (0, 1)


@pytest.mark.parametrize("depth", [100, 500, 501, 950, 2000])
async def test_deep_json_never_poisons_a_query(core: Outeract, app: App, depth: int) -> None:
    """A payload is stored only as deep as it can be read again; queries over all events go on."""
    payload: Any = "bottom"
    for _ in range(depth):
        payload = {"in": payload} if depth % 2 else [payload]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        if depth <= 500:
            await app.emit("deep", payload)
        else:
            with pytest.raises(BadInput, match=r"deeper|recursion depth"):
                await app.emit("deep", payload)
    finally:
        sys.setrecursionlimit(limit)
    await app.emit("deep", {"in": [[]] * 1000})
    assert await app.events.count(q.payload_path("in[7]", "exists")) == 1
    assert await app.events.count(q.text_contains("x")) == 0
    assert await app.events.count() == (2 if depth <= 500 else 1)
    await readable(app)


async def test_a_deep_item_is_kept_as_it_came(core: Outeract, app: App) -> None:
    """A fact whose raw item is too deep to be read again is kept with its delivery instead."""
    core.register("deep", Deep)
    conn = app.connect("deep")
    body = b"[" * 700 + b"]" * 700
    answer = await core.ingest(conn.webhook_id, conn.webhook_secret, "POST", GOOD, {}, body)
    assert answer.status == 200
    assert [e.event_type for e in await everything(app)] == ["system.delivery_unparsed"]
    await readable(app)


class Deep(Pigeon):
    """Takes every body as the raw item of one message."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        yield evolve(said("m1", "deep", "ann"), raw=inbound.body)


# ── what cannot be understood ─────────────────────────────────────────────────────────────────


async def test_one_bad_item_keeps_the_others(core: Outeract, app: App) -> None:
    """A batch with a stranger in it: the rest is stored, the whole is kept, and said in an event."""
    conn = connect(core, app)
    answer = await post(core, conn, body_of(item("m1"), item("p1", type="poll"), item("m2", "ho")))
    assert answer.status == 200
    assert await texts(app) == ["hi", "ho"]
    notes = [e for e in await everything(app) if e.event_type == "system.delivery_unparsed"]
    assert [e.payload["error"] for e in notes] == ["unknown type poll"]
    assert [e.connection_id for e in notes] == [conn.id]


async def test_a_better_parser_understands_what_was_kept(
    core: Outeract, app: App, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade `replay` makes events of kept deliveries; what was known stays once."""
    conn = connect(core, app)
    for number in range(3):
        await post(core, conn, body_of(item(f"m{number}"), item(f"p{number}", type="poll")))
    await post(core, conn, b"never to be understood")
    arrived = clock()
    clock.advance(3600)
    assert await core.replay(app) == (0, 4)
    monkeypatch.setattr(Pigeon, "knows", Pigeon.knows | {"poll"})
    assert await core.replay(app) == (3, 1)
    found = [e for e in await everything(app) if e.event_type == "message.inbound"]
    assert sorted(e.external_message_id or "" for e in found) == [
        "m0",
        "m1",
        "m2",
        "p0",
        "p1",
        "p2",
    ]
    assert await core.replay(app) == (0, 1)
    assert {e.created_at for e in found[:3]} == {arrived}


async def test_what_is_never_understood_does_not_hide_the_rest(
    core: Outeract, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replay gets to every kept delivery, however many in front of it stay bad."""
    conn = connect(core, app)
    for number in range(5):
        await post(core, conn, b"bad" + bytes([65 + number]))
    await post(core, conn, body_of(item("p1", type="poll")))
    monkeypatch.setattr(Pigeon, "knows", Pigeon.knows | {"poll"})
    assert await core._receiver.replay(raw_conn(core, conn), limit=2) == (1, 5)
    assert await texts(app) == ["hi"]


async def test_the_same_bad_delivery_is_kept_once(core: Outeract, app: App) -> None:
    """A platform that repeats what we do not understand fills nothing."""
    conn = connect(core, app)
    for _ in range(3):
        assert (await post(core, conn, b"what?")).status == 200
    assert (await types(app)).count("system.delivery_unparsed") == 1
    assert await core.replay(app) == (0, 1)


@pytest.mark.parametrize("bad", CROOKED.values(), ids=CROOKED)
async def test_a_crooked_fact_stops_no_other(core: Outeract, app: App, bad: Any) -> None:
    """Whatever an adapter yields: the good facts of the batch are stored, the delivery is kept."""
    core.register("crooked", type("C", (Crooked,), {"facts": (bad,)}))
    conn = app.connect("crooked")
    assert (await post(core, conn, b"{}")).status == 200
    assert [text for text in await texts(app) if text != "x"] == ["first", "last"]
    if "x" not in await texts(app):
        assert "system.delivery_unparsed" in await types(app)
        assert await core.replay(app) == (0, 1)
    for e in await everything(app):
        assert await app.explain(e)
        assert shapes.fault(e.event_type, e.payload) is None


async def test_what_a_stranger_hands_over_can_be_moved(
    core: Outeract, app: App, tmp_path: Path
) -> None:
    """An application that a crooked adapter has worked for is exported, and imported elsewhere."""
    for number, bad in enumerate(CROOKED.values()):
        core.register("crooked", type("C", (Crooked,), {"facts": (bad,)}))
        assert (await post(core, app.connect("crooked", name=f"c{number}"), b"{}")).status == 200
    await app.export(tmp_path / "all.jsonl")
    async with Outeract(tmp_path / "other.db") as other:
        await other.import_app(tmp_path / "all.jsonl")
        assert len(await texts(other.app("support"))) == len(await texts(app))


@pytest.mark.parametrize(
    "error",
    [ParseError("no"), ValueError("half \ud800"), RecursionError(), KeyError("x"), MemoryError(),
     AssertionError("\0"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")],
    ids=repr,
)  # fmt: skip
async def test_a_parser_that_raises_loses_nothing(core: Outeract, app: App, error: Any) -> None:
    """Whatever a parser raises, at once or half-way, the bytes are kept and acknowledged."""

    class Broken(Pigeon):
        def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
            yield said("m1", "first", "ann")
            raise error

    core.register("broken", Broken)
    conn = app.connect("broken")
    assert (await post(core, conn, b"\xff\0 bytes")).status == 200
    core.register("broken", Pigeon)
    kept = await core._receiver._kept(raw_conn(core, conn), "unparsed", 0, 10)
    assert [(one.inbound.body, one.inbound.method) for one in kept] == [(b"\xff\0 bytes", "POST")]
    assert kept[0].error


async def test_header_names_have_no_case(signed: Line) -> None:
    """`X-Hub-Signature-256` and `x-hub-signature-256` are one header."""
    headers, body = signed.sign(signed.say("hello"))
    answer = await signed.post(({name.title(): value for name, value in headers.items()}, body))
    assert answer.status == 200
    assert await texts(signed.app) == ["hello"]


async def test_no_secret_stands_in_the_file(
    core: Outeract, signed: Line, tmp_path: Path, clock: ManualClock
) -> None:
    """A kept delivery holds no signature and no token; neither does anything else in the file."""
    headers, body = signed.sign(b"not JSON at all")
    assert (await signed.post((headers, body))).status == 200
    assert "system.delivery_unparsed" in await types(signed.app)
    core.close()
    stored = (tmp_path / "bot.db").read_bytes()
    assert b"not JSON at all" in stored
    assert b"the-right-secret" not in stored
    assert headers[SIGNATURES[signed.conn.platform]].encode() not in stored


async def test_a_platform_without_its_adapter_is_503(tmp_path: Path) -> None:
    """A connection whose adapter is not installed loses nothing either."""
    async with Outeract(tmp_path / "bot.db") as first:
        conn = connect(first, first.app("support"))
    async with Outeract(tmp_path / "bot.db") as second:
        assert (await post(second, conn, body_of(item("m1")))).status == 503
        second.register("pigeon", Pigeon)
        assert (await post(second, conn, body_of(item("m1")))).status == 200
