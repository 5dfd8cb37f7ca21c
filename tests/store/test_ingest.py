"""Facts become events once, whole, and in any order; what is odd in them is survived.

Knows: facts, deliveries, what one finds in the log afterwards. Does not know: any real platform.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.errors import NotFound
from outeract_core.events import Fact, FileRef, Party, Unparsed, message
from outeract_core.model import Alias, Event, PlatformConnection
from tests.support.store.platform import connect, events, kinds, said, status, take

THEN = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)


# ── once ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_fact_becomes_an_event_with_edges(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A message is one event with payload, raw item, both times, sender and receiver."""
    assert (await take(core, plain, said("m1", at=THEN))).status == 200
    (event,) = await events(app)
    assert (event.event_type, event.text) == ("message.inbound", "hello")
    assert event.raw == {"text": "hello", "id": "m1"}
    assert event.occurred_at == THEN
    assert event.created_at == core.runtime.database.options.clock()
    assert event.connection_id == plain.id
    alice = await app.people.by_external_id(plain, "alice")
    bot = await app.people.by_external_id(plain, "system")
    assert bot.kind == "system"
    assert (await app.people.user(bot)).system_user
    for edge, target in (("sent_by", alice), ("sent_to", bot)):
        found = await app.events.page(q.has_edge(edge, target))
        assert [each.id for each in found] == [event.id]


@pytest.mark.anyio
async def test_raw_can_be_switched_off(core: Outeract, app: App) -> None:
    """A connection with `keep_raw=False` keeps the payload and nothing else."""
    await take(core, connect(core, app, "lean", keep_raw=False), said("m1"))
    (event,) = await events(app)
    assert (event.raw, event.text) == (None, "hello")


@pytest.mark.anyio
async def test_a_key_counts_once_for_ever(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """The same key in one batch, in the next, and a year later is one event: the first."""
    await take(core, plain, said("m1", text="first"), said("m1", text="second"))
    await take(core, plain, said("m1", "bob", "third"), said("m2", "bob"))
    clock: Any = core.runtime.database.options.clock
    clock.advance(365 * 86400)
    await take(core, plain, said("m1", text="fourth"))
    found = await events(app)
    assert [event.text for event in found] == ["first", "hello"]
    assert found[1].position == found[0].position + 3  # bob and his user, no gap for duplicates


@pytest.mark.anyio
async def test_a_thousand_deliveries_at_once_are_one_event(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """However many deliveries of one message arrive at the same time, there is one event."""
    async with anyio.create_task_group() as group:
        for _ in range(1000):
            group.start_soon(take, core, plain, said("m1"))
    assert await kinds(app) == ["message.inbound"]
    summary = await (await app.conversations.of((await events(app))[0])).summary()
    assert summary is not None
    assert (summary.inbound, summary.unread) == (1, 1)


@pytest.mark.anyio
async def test_a_key_counts_per_connection(core: Outeract, app: App) -> None:
    """Two connections may use the same key and the same ids for different things."""
    one, two = connect(core, app, "one"), connect(core, app, "two")
    await take(core, one, said("m1", text="for one"))
    await take(core, two, said("m1", text="for two"))
    assert [event.text for event in await events(app)] == ["for one", "for two"]
    pair = [await app.people.by_external_id(conn, "alice") for conn in (one, two)]
    assert pair[0].id != pair[1].id


@pytest.mark.anyio
async def test_a_fact_without_a_key_may_repeat(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Without a key there is nothing to recognise, so each is an event."""
    notice = Fact("system.notice", None, {"text": "again"})
    await take(core, plain, notice, notice)
    assert await kinds(app) == ["system.notice"] * 2


# ── edges that wait ───────────────────────────────────────────────────────────────────────────


async def _edges(app: App, event: Event, edge: str) -> list[str]:
    """What leaves `event` by this edge, by external message id."""
    found = await app.graph.walk(event, types=[edge], depth=1)
    return [
        str(node.external_message_id)
        for node in found.nodes
        if isinstance(node, Event) and node.id != event.id
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("edge", ["reply_to", "in_thread"])
async def test_an_answer_finds_its_message_in_either_order(
    core: Outeract, app: App, plain: PlatformConnection, edge: str, late: bool
) -> None:
    """`reply_to` and `in_thread` are drawn whether the other message came before or comes after."""
    reference: dict[str, Any] = {"reply_to" if edge == "reply_to" else "thread": "root"}
    answer = said("answer", "bob", **reference)
    for fact in (answer, said("root")) if late else (said("root"), answer):
        await take(core, plain, fact)
    event = await app.events.by_external_id(plain, "answer")
    assert await _edges(app, event, edge) == ["root"]


@pytest.mark.anyio
async def test_all_that_waited_is_drawn_and_never_twice(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Several answers, reactions and edits wait for one message; it draws them all, once."""
    waiting = [said(f"a{n}", "bob", reply_to="root") for n in range(3)]
    about = Fact(
        "message.reaction_added", "r1", {"emoji": "👍"}, sender=Party("bob"), target="root"
    )
    await take(core, plain, *waiting, about, *waiting)
    await take(core, plain, said("root"), said("root"))
    root = await app.events.by_external_id(plain, "root")
    found = await app.graph.descendants(root)
    assert len(found.nodes) == 1 + 3 + 1
    assert len(found.edges) == 4
    await take(core, plain, said("a9", "bob", reply_to="root"))
    assert len((await app.graph.descendants(root)).edges) == 5


@pytest.mark.anyio
async def test_an_answer_waits_for_its_own_connection(core: Outeract, app: App) -> None:
    """The same external id on another connection is another message."""
    one, two = connect(core, app, "one"), connect(core, app, "two")
    await take(core, one, said("answer", reply_to="root"))
    await take(core, two, said("root"))
    assert await _edges(app, await app.events.by_external_id(one, "answer"), "reply_to") == []
    await take(core, one, said("root"))
    assert await _edges(app, await app.events.by_external_id(one, "answer"), "reply_to") == ["root"]


@pytest.mark.anyio
async def test_a_message_with_a_number_for_a_key_is_found_by_its_text(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Keys may be integers, references are text: an answer to message 7 finds it, before or after."""
    for reply, key in (("early", 8), ("late", 7)):
        if reply == "early":
            await take(core, plain, said("early", reply_to="8"))
        number = said("x", "bob")
        await take(core, plain, Fact(number.kind, key, number.payload, sender=number.sender))
        if reply == "late":
            await take(core, plain, said("late", reply_to="7"))
        event = await app.events.by_external_id(plain, reply)
        target = await app.graph.walk(event, types=["reply_to"], depth=1)
        assert len(target.nodes) == 2, reply


# ── odd things ────────────────────────────────────────────────────────────────────────────────

ODD = [
    "\ud83d", "\udc4d alone", "nul\0inside", "\0", "emoji 👩‍👩‍👧‍👦", "\u202eright to left", "'; DROP TABLE event; --",
    "%_*", " ", "x" * 5000, "Ünïcødé", "\ufeff", "123", "-1", str(2**70),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:20])
async def test_odd_text_survives_everywhere(
    core: Outeract, app: App, plain: PlatformConnection, odd: str
) -> None:
    """Lone surrogates, NUL and the like in ids, names and text lose neither the message nor a party."""
    who = Party(odd, "person", odd, odd, (Alias("username", f"@{odd}"),))
    fact = said(odd, who, odd, group=f"group {odd}", reply_to=f"{odd}!", thread=f"{odd}?")
    assert (await take(core, plain, fact)).status == 200
    await take(core, plain, fact, said(f"{odd}!"), said(f"{odd}?"))
    first, *others = await events(app)
    assert len(others) == 2
    assert first.text == odd
    assert first.external_message_id == odd
    assert (await app.events.by_external_id(plain, odd)).id == first.id
    by_id = await app.people.by_external_id(plain, odd)
    assert by_id == await app.people.by_external_id(plain, f"@{odd}")
    assert by_id == await app.people.by_external_id(plain, by_id.external_id)
    assert len((await app.graph.walk(first, types=["reply_to", "in_thread"], depth=1)).nodes) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 10**40])
async def test_huge_numbers_survive(
    core: Outeract, app: App, plain: PlatformConnection, number: int
) -> None:
    """Integers of any size as key and in the payload are kept exactly, and dedupe."""
    payload = {**message("plain", "n", "text", "n"), "number": number}
    fact = Fact("message.inbound", number, payload, raw={"n": number}, sender=Party(str(number)))
    await take(core, plain, fact, fact)
    await take(core, plain, fact)
    (event,) = await events(app)
    assert event.payload["number"] == number
    assert event.raw == {"n": number}


@pytest.mark.anyio
async def test_ids_that_look_alike_are_different(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Case, spaces, composition and leading zeros tell ids apart: nothing is normalised."""
    alike = ["a", "A", "a ", "é", "e\u0301", "1", "01", "1.0", "+1", ""]
    await take(core, plain, *(said(f"m{name}", name) for name in alike))
    found = {(await app.people.by_external_id(plain, name)).id for name in alike}
    assert len(found) == len(alike)
    assert len(await events(app)) == len(alike)


# ── bad neighbours ────────────────────────────────────────────────────────────────────────────


def _broken(**changes: Any) -> Fact:
    good = said("bad")
    whole = {"kind": good.kind, "key": "bad", "payload": good.payload, "sender": good.sender}
    return Fact(**{**whole, **changes})


BAD: dict[str, Any] = {
    "a kind that nobody knows": _broken(kind="message.telepathic"),
    "a payload that is no JSON": _broken(payload={"when": THEN}),
    "a payload with NaN": _broken(payload={"x": float("nan")}),
    "a raw item that is no JSON": _broken(raw={"x": {1, 2}}),
    "a time without zone": _broken(occurred_at=datetime(2026, 1, 1)),  # noqa: DTZ001
    "a watermark without zone": _broken(kind="message.read", watermark=datetime(2026, 1, 1)),  # noqa: DTZ001
    "a key of a wrong type": _broken(key=1.5),
    "a name of a wrong type": _broken(sender=Party("alice", name=7)),  # type: ignore[arg-type]
    "an id of a wrong type": _broken(sender=Party(["alice"])),  # type: ignore[arg-type]
    "a reference of a wrong type": _broken(reply_to={"id": 1}),
    "a file whose handle is no JSON": _broken(files=(FileRef({"x": {1, 2}}),)),
    "an item that was not understood": Unparsed({"x": 1}, "what is this?"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("what", BAD)
async def test_one_bad_fact_loses_no_other(
    core: Outeract, app: App, plain: PlatformConnection, what: str
) -> None:
    """A bad item between good ones: the good are events, the delivery is kept with the reason."""
    answer = await take(core, plain, said("m1"), BAD[what], said("m2"))
    assert answer.status == 200
    found = await events(app)
    assert [e.external_message_id for e in found if e.event_type == "message.inbound"] == ["m1", "m2"]  # fmt: skip
    (told,) = [e for e in found if e.event_type == "system.delivery_unparsed"]
    assert told.payload["error"]
    assert await core.replay(app) == (0, 1)
    assert len(await events(app)) == len(found)


@pytest.mark.anyio
async def test_a_delivery_that_cannot_be_read_is_kept_once(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Bytes that no parser understands are acknowledged, kept, and kept once when they come again."""
    for _ in range(3):
        answer = await core.ingest(plain.webhook_id, plain.webhook_secret, body=b"\x00garbage")
        assert answer.status == 200
    assert await kinds(app) == ["system.delivery_unparsed"]
    with pytest.raises(NotFound):
        await app.events.by_external_id(plain, "garbage")


@pytest.mark.anyio
async def test_a_status_of_nobody_knows_what_is_kept(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A status of a message that never comes is an event without an origin, and harms nothing."""
    await take(core, plain, status("read", "never sent"), said("m1"))
    assert await kinds(app) == ["message.read", "message.inbound"]
    assert (await events(app))[0].origin_event_id is None
