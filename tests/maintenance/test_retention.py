"""Retention: what is too old cannot be read any more, and everything else is as before.

Knows: rules, the clock, a person's words. Does not know: how content leaves the log.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Organisation, Outeract
from outeract_core._store.transfer import rebuild
from outeract_core.errors import BadInput, NotFound
from outeract_core.events import Fact, FileRef
from outeract_core.model import Event, PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, events, kinds, readable, said, take
from tests.support.store.words import Words

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
DAY = 86_400
DAYS_90 = timedelta(days=90)
DROPPED = {"erased": True}


async def _dropped(app: App) -> list[str]:
    """What can no longer be read: the external ids of messages, the types of everything else."""
    found = [event async for event in app.events.all()]
    return [_called(event) for event in found if event.payload == DROPPED]


def _called(event: Event) -> str:
    return event.event_type


# ── what goes ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_older_than_the_rule_is_unreadable(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """After `apply` no file of the store holds a word that is too old; younger words are there."""
    old, edit, sent = words.plant("old"), words.plant("edit"), words.plant("sent")
    raw, name = words.plant("raw"), words.plant("file name")
    fact = Fact("message.edited", "e1", {"message": {"text": edit}}, target="m1")
    picture = FileRef({"id": words.plant("handle")}, name, "image/png")
    await take(core, plain, said("m1", text=old, files=(picture,)), fact)
    await take(core, plain, Fact("message.reaction_added", "r1", {"emoji": "x"}, raw={"raw": raw}))
    await app.send((plain, "alice"), sent)
    await core.pump()
    clock.advance(90 * DAY + 1)
    await take(core, plain, said("m2", text=words.plant("young")))
    rule = await app.retention.keep("message.*", DAYS_90)
    (done,) = await app.retention.apply()
    assert words.found() == {"young"}
    assert (done.rule, done.files, done.unsent, done.unhandled) == (rule, 1, 0, False)
    assert await readable(app) == [None, None, words_of(words, "young")]
    core.close()
    assert words.found() == {"young"}


def words_of(words: Words, what: str) -> str:
    """The word that was planted as `what`."""
    return words._planted[what]


async def test_the_structure_stays(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Events, types, times, statuses, edges, counts are as before; one event has been added."""
    await take(core, plain, said("m1"), said("m2", reply_to="m1"), said("m3", "bob", group="g"))
    await app.send((plain, "alice"), "hello")
    await core.pump()
    before, drawn = await events(app), _edges(core)
    summary = await (await app.conversations.of(before[0])).summary()
    clock.advance(91 * DAY)
    await app.retention.keep("*", DAYS_90)
    await app.retention.apply()
    after = await events(app)
    assert [_skeleton(e) for e in after[:-1]] == [_skeleton(e) for e in before]
    assert after[-1].event_type == "system.retention_applied"
    assert _edges(core) == drawn
    now = await (await app.conversations.of(before[0])).summary()
    assert summary is not None
    assert now is not None
    assert (now.inbound, now.outbound, now.unread) == (
        summary.inbound, summary.outbound, summary.unread,
    )  # fmt: skip
    assert core.runtime.database.read(rebuild.check) == []


def _skeleton(event: Event) -> tuple[Any, ...]:
    return (
        event.id, event.event_type, event.position, event.occurred_at, event.created_at,
        event.status, event.origin_event_id, event.connection_id,
    )  # fmt: skip


def _edges(core: Outeract) -> list[Any]:
    return core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT dst, type, src FROM edge ORDER BY 1, 2, 3", {})
    )


async def test_the_event_says_what_went(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """`system.retention_applied` names rule, pattern, time and counts; without anything to drop there is none."""
    await take(core, plain, said("m1"), said("m2"))
    rule = await app.retention.keep("message.inbound", DAYS_90, connection_of=plain)
    await app.retention.apply()
    assert "system.retention_applied" not in await kinds(app)
    clock.advance(91 * DAY)
    await app.retention.apply()
    await app.retention.apply()
    assert (await kinds(app)).count("system.retention_applied") == 1
    before = clock() - DAYS_90
    assert (await events(app))[-1].payload == {
        "rule_id": str(rule.id), "pattern": "message.inbound", "raw_only": False,
        "connection_id": str(plain.id), "before": int(before.timestamp() * 1000),
        "events": 2, "files": 0, "deliveries": 0,
    }  # fmt: skip


async def test_a_dropped_message_is_still_known(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """The platform delivers it again: it is a duplicate, and replies and edits find it."""
    await take(core, plain, said("m1", text="secret"))
    clock.advance(91 * DAY)
    await app.retention.keep("message.*", DAYS_90)
    await app.retention.apply()
    before = await events(app)
    await take(core, plain, said("m1", text="secret"))
    assert await events(app) == before
    await take(core, plain, said("m2", reply_to="m1"))
    answer = next(e for e in await events(app) if e.external_message_id == "m2")
    walk = await app.graph.walk(answer, types=["reply_to"], depth=1)
    assert before[0].id in {edge.target_node_id for edge in walk.edges}


async def test_reading_what_was_dropped_is_clear(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Pages show the event without text, a model is not shown it, its story says that it went."""
    await take(core, plain, said("m1", text="old"))
    clock.advance(91 * DAY)
    await take(core, plain, said("m2", text="new"))
    await app.retention.keep("message.*", DAYS_90)
    await app.retention.apply()
    first, second = [e for e in await events(app) if e.event_type == "message.inbound"]
    assert (first.payload, first.text, first.raw, first.external_message_id) == (
        DROPPED, "", None, None,
    )  # fmt: skip
    view = await app.conversations.of(second)
    assert [event.text for event in await view.page(order="oldest")] == ["", "new"]
    assert [turn.content for turn in await view.context()] == ["new"]
    assert "message.inbound (its content was dropped)" in str(await app.explain(first.id))


# ── rules ─────────────────────────────────────────────────────────────────────────────────────


async def test_rules_are_kept_changed_and_removed(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path, clock: ManualClock
) -> None:
    """The same pattern and connection again is the same rule; rules outlive the program."""
    first = await app.retention.keep("message.*", DAYS_90)
    second = await app.retention.keep("message.*", DAYS_90, connection_of="plain")
    third = await app.retention.keep("message.*", DAYS_90, raw_only=True)
    assert len({first.id, second.id, third.id}) == 3
    changed = await app.retention.keep("message.*", timedelta(days=30))
    assert (changed.id, changed.keep_for) == (first.id, timedelta(days=30))
    core.close()
    async with Outeract(tmp_path / "bot.db", clock=clock) as again:
        other = again.app("support").retention
        assert await other.rules() == [changed, second, third]
        await other.remove(changed)
        await other.remove(second.id)
        assert await other.rules() == [third]
        with pytest.raises(NotFound):
            await other.remove(changed)


@pytest.mark.parametrize("pattern", ["", "Message", "message.*.x", "user.*", "link_code.generated",
                                     "system.identity_changed", "user.erased"])  # fmt: skip
async def test_a_rule_needs_a_pattern_that_may_go(app: App, pattern: str) -> None:
    """What is no pattern, and what tells who is who, is refused."""
    with pytest.raises(BadInput):
        await app.retention.keep(pattern, DAYS_90)


@pytest.mark.parametrize("time", [timedelta(-1), 90, None])
async def test_a_rule_needs_a_time(app: App, time: Any) -> None:
    """A time to keep is a timedelta that is not negative."""
    with pytest.raises(BadInput):
        await app.retention.keep("*", time)


async def test_rules_are_of_one_application(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """What others have stored is not touched, and their rules are not seen."""
    other = Organisation(core, "elsewhere").app("other")
    foreign = connect(core, other, "others")
    await take(core, plain, said("m1"))
    await take(core, foreign, said("m1", text="theirs"))
    clock.advance(91 * DAY)
    rule = await other.retention.keep("*", DAYS_90)
    assert await app.retention.rules() == []
    with pytest.raises(NotFound):
        await app.retention.remove(rule)
    await other.retention.apply()
    assert await readable(app) == ["hello"]
    assert await readable(other) == [None]


async def test_a_rule_reaches_its_types_and_connection_only(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Other types, and the same type on another connection, keep their content."""
    second = connect(core, app, "second")
    await take(core, plain, said("m1", text="first"))
    await take(core, second, said("m1", text="second"))
    await app.emit("order.created", {"number": 7})
    clock.advance(91 * DAY)
    await app.retention.keep("message.*", DAYS_90, connection_of=plain)
    await app.retention.apply()
    assert await readable(app) == [None, "second"]
    await app.retention.keep("order.*", DAYS_90)
    await app.retention.apply()
    assert await _dropped(app) == ["message.inbound", "order.created"]


async def test_who_is_who_never_goes(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Merges, link codes, identity changes, erasures and the record of retention stay readable."""
    await take(core, plain, said("m1"), said("m2", "bob"))
    await take(core, plain, Fact("system.identity_changed", "i1", {"change": "number"}))
    alice, bob = [await app.people.by_external_id(plain, name) for name in ("alice", "bob")]
    await app.people.link_code(alice)
    event = await app.people.merge(bob, alice)
    was = await app.people.user_of(bob, at=event.created_at - timedelta(seconds=1))
    await app.people.unmerge(was)
    await app.people.erase(bob)
    clock.advance(91 * DAY)
    await app.retention.keep("*", timedelta())
    clock.advance(1)
    for _ in range(3):
        await app.retention.apply()
        clock.advance(DAY)
    left = {event.event_type for event in await events(app) if event.payload != DROPPED}
    assert left == {
        "link_code.generated", "user.merged", "user.unmerged", "user.erased",
        "system.identity_changed", "system.retention_applied",
    }  # fmt: skip


async def test_the_raw_item_may_go_first(
    core: Outeract, app: App, plain: PlatformConnection, words: Words, clock: ManualClock
) -> None:
    """With `raw_only` the raw item goes and the payload stays, until another rule drops that too."""
    text = words.plant("payload")
    fact = Fact(
        "message.inbound", "m1", said("m1", text=text).payload, raw={"x": words.plant("raw")}
    )
    await take(core, plain, fact)
    await app.retention.keep("message.*", timedelta(days=7), raw_only=True)
    await app.retention.keep("message.*", DAYS_90)
    clock.advance(8 * DAY)
    first, second = await app.retention.apply()
    assert (first.events, second.events) == (1, 0)
    (event,) = [e for e in await events(app) if e.event_type == "message.inbound"]
    assert (event.text, event.raw) == (text, None)
    assert words.found() == {"payload"}
    clock.advance(83 * DAY)
    assert [each.events for each in await app.retention.apply()] == [0, 1]
    assert words.found() == set()
