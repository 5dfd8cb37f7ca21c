"""Two users become one and two again: what moves, what stays, what is remembered.

Knows: merges, the past, refusals. Does not know: why somebody is the same (`test_link_codes.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise, permutations
from typing import Any
from uuid import uuid4

import pytest

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.errors import BadInput, NotFound
from outeract_core.model import Event, PlatformConnection, PlatformUser, User
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect, events, said, take

NAMES = ("alice", "bob", "carol", "dave")


@pytest.fixture
async def four(core: Outeract, app: App, plain: PlatformConnection) -> list[PlatformUser]:
    """Alice, Bob, Carol and Dave, who have each said something."""
    await take(core, plain, *(said(f"from {name}", name) for name in NAMES))
    return [await app.people.by_external_id(plain, name) for name in NAMES]


async def _holders(app: App, pusers: list[PlatformUser]) -> list[str | None]:
    """Whose each platform user is now, by name."""
    return [(await app.people.user_of(puser)).name for puser in pusers]


def _edges(core: Outeract) -> list[Any]:
    return core.runtime.database.read(
        lambda tx: tx.dynamic("SELECT dst, type, src FROM edge ORDER BY 1, 2, 3", {})
    )


# ── merge ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_merge_moves_platform_users_and_rewrites_no_edge(
    core: Outeract, app: App, four: list[PlatformUser]
) -> None:
    """After a merge both identities are one user's; every edge is as before; the source is kept."""
    alice, bob, *_ = four
    before = _edges(core)
    merged = await app.people.merge(alice, bob)
    target, source = await app.people.user_of(bob), await app.people.user(alice.user_id)
    assert [p.id for p in await app.people.platform_users(target)] == [alice.id, bob.id]
    assert await app.people.platform_users(source) == []
    assert (source.name, source.merged_into) == ("Alice", target.id)
    assert (target.name, target.merged_into) == ("Bob", None)
    assert set(before) < set(_edges(core))
    assert len(_edges(core)) == len(before) + 2
    assert merged.event_type == "user.merged"


@pytest.mark.anyio
async def test_a_merge_is_an_event_with_both_users(
    app: App, four: list[PlatformUser], clock: ManualClock
) -> None:
    """`user.merged` tells who went where and which platform users moved, in payload and edges."""
    alice, bob, *_ = four
    clock.advance(60)
    event = await app.people.merge(alice, bob)
    assert event.payload == {
        "source_user_id": str(alice.user_id), "target_user_id": str(bob.user_id),
        "platform_user_ids": [str(alice.id)],
    }  # fmt: skip
    assert event.created_at == clock()
    for edge, user in (("source_user", alice.user_id), ("target_user", bob.user_id)):
        found = await app.events.page(q.has_edge(edge, await app.people.user(user)))
        assert [each.id for each in found] == [event.id]


@pytest.mark.anyio
async def test_users_and_platform_users_name_the_same(app: App, four: list[PlatformUser]) -> None:
    """A merge takes users, their ids or their platform users, and means the user above."""
    alice, bob, carol, dave = four
    await app.people.merge(await app.people.user_of(alice), bob.user_id)
    await app.people.merge(alice, carol)
    await app.people.merge(carol.id, dave)
    assert await _holders(app, four) == ["Dave"] * 4


@pytest.mark.anyio
async def test_what_comes_after_a_merge_is_the_targets(
    core: Outeract, app: App, plain: PlatformConnection, four: list[PlatformUser]
) -> None:
    """A merged person's conversation holds what both wrote, before and after."""
    alice, bob, *_ = four
    await app.people.merge(alice, bob)
    await take(core, plain, said("later", "alice"))
    page = await (await app.conversations.with_user(await app.people.user_of(alice))).page()
    assert [e.external_message_id for e in page] == ["later", "from bob", "from alice"]


@pytest.mark.anyio
async def test_a_reply_goes_where_the_message_came_from(
    core: Outeract, app: App, four: list[PlatformUser]
) -> None:
    """A merge changes no route: who wrote as Alice is answered as Alice, on Alice's connection."""
    alice, bob, *_ = four
    phone = connect(core, app, "phone")
    await take(core, phone, said("from the phone", "alice@phone"))
    by_phone = await app.people.by_external_id(phone, "alice@phone")
    await app.people.merge(by_phone, bob)
    await app.people.merge(alice, bob)
    for puser in (alice, by_phone, bob):
        (message,) = await app.events.page(
            q.has_edge("sent_by", puser) & q.type_is("message.inbound")
        )
        sent = await app.reply(message, "hi")
        (reply,) = [e for e in await events(app) if e.id == sent.id]
        assert [e.id for e in await app.events.page(q.has_edge("sent_to", puser))] == [reply.id]
        assert reply.connection_id == message.connection_id


# ── unmerge ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_an_unmerge_undoes_a_merge(
    app: App, four: list[PlatformUser], clock: ManualClock
) -> None:
    """What moved goes back; the event names both users and the merge that it undoes."""
    alice, bob, *_ = four
    merged = await app.people.merge(alice, bob)
    clock.advance(60)
    event = await app.people.unmerge(alice.user_id)
    assert await _holders(app, four[:2]) == ["Alice", "Bob"]
    assert (await app.people.user(alice.user_id)).merged_into is None
    assert event.event_type == "user.unmerged"
    assert event.payload == {**merged.payload, "merged_event_id": str(merged.id)}
    assert event.origin_event_id == merged.id
    await app.people.merge(alice, bob)
    assert await _holders(app, four[:2]) == ["Bob", "Bob"]


@pytest.mark.anyio
@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_chain_can_be_undone_in_any_order(
    app: App, four: list[PlatformUser], order: tuple[int, ...]
) -> None:
    """A → B → C → D, undone in any order: at every step each is where the merges that are left say."""
    for source, target in pairwise(four):
        await app.people.merge(source, target)
    assert await _holders(app, four) == ["Dave"] * 4
    left = {0, 1, 2}
    for step in order:
        await app.people.unmerge(four[step].user_id)
        left.discard(step)
        assert await _holders(app, four) == [_expected(n, left) for n in range(4)], (order, step)
    assert all(
        user.merged_into is None for user in [await app.people.user(p.user_id) for p in four]
    )


def _expected(number: int, merges: set[int]) -> str:
    while number in merges:
        number += 1
    return NAMES[number].title()


@pytest.mark.anyio
async def test_who_was_met_meanwhile_stays_with_the_target(
    core: Outeract, app: App, four: list[PlatformUser]
) -> None:
    """A platform user that the target gained after the merge is not swept away by undoing it."""
    alice, bob, carol, _dave = four
    await app.people.merge(alice, bob)
    await app.people.merge(carol, bob)
    await app.people.unmerge(alice.user_id)
    assert await _holders(app, four) == ["Alice", "Bob", "Bob", "Dave"]


# ── the past ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_the_past_remembers_whose_it_was(
    app: App, four: list[PlatformUser], clock: ManualClock
) -> None:
    """`user_of(at=…)` answers for every moment of a history of merges, and now by default."""
    alice, bob, carol, _dave = four
    moments: list[tuple[datetime, str]] = []

    def note(name: str) -> None:
        moments.append((clock(), name))
        clock.advance(60)

    note("Alice")
    await app.people.merge(alice, bob)
    note("Bob")
    await app.people.merge(bob, carol)
    note("Carol")
    await app.people.unmerge(alice.user_id)
    note("Alice")
    await app.people.merge(alice, carol)
    note("Carol")
    for moment, name in moments:
        for seconds in (0, 59):
            at = moment + timedelta(seconds=seconds)
            assert (await app.people.user_of(alice, at=at)).name == name
    assert (await app.people.user_of(alice)).name == "Carol"
    assert (await app.people.user_of(alice, at=moments[0][0] - timedelta(days=9))).name == "Alice"
    assert (await app.people.user_of(alice, at=clock() + timedelta(days=9))).name == "Carol"


# ── refusals ──────────────────────────────────────────────────────────────────────────────────


async def _log(app: App) -> list[Event]:
    return await events(app)


@pytest.mark.anyio
async def test_what_cannot_be_merged_is_refused(
    app: App, plain: PlatformConnection, four: list[PlatformUser]
) -> None:
    """Oneself, somebody merged already, the system user in either place: refused, nothing written."""
    alice, bob, carol, _dave = four
    bot = await app.people.by_external_id(plain, "system")
    await app.people.merge(alice, bob)
    before = await _log(app)
    refused: list[tuple[Any, Any, str]] = [
        (bob, bob, "one user already"), (alice, bob, "one user already"),
        (alice.user_id, carol, "merged into"), (carol, alice.user_id, "merged into"),
        (bot, bob, "source is the application's system user"),
        (bob, bot, "target is the application's system user"),
    ]  # fmt: skip
    for source, target, why in refused:
        with pytest.raises(BadInput, match=why):
            await app.people.merge(source, target)
    assert await _log(app) == before
    assert await _holders(app, four) == ["Bob", "Bob", "Carol", "Dave"]


@pytest.mark.anyio
async def test_what_is_not_merged_cannot_be_undone(
    app: App, plain: PlatformConnection, four: list[PlatformUser]
) -> None:
    """Never merged, undone already, the target: refused."""
    alice, bob, *_ = four
    await app.people.merge(alice, bob)
    await app.people.unmerge(alice.user_id)
    bot = await app.people.by_external_id(plain, "system")
    for user in (alice.user_id, bob.user_id, bot.user_id):
        with pytest.raises(BadInput, match="not merged"):
            await app.people.unmerge(user)


@pytest.mark.anyio
async def test_people_of_others_are_not_found(
    core: Outeract, app: App, four: list[PlatformUser]
) -> None:
    """Another application's people, and ids that nobody has, are NotFound everywhere."""
    other = core.app("other")
    theirs_on = connect(core, other, "others")
    await take(core, theirs_on, said("m", "mallory"))
    mallory = await other.people.by_external_id(theirs_on, "mallory")
    for stranger in (mallory, mallory.user_id, uuid4()):
        for source, target in ((stranger, four[0]), (four[0], stranger)):
            with pytest.raises(NotFound):
                await app.people.merge(source, target)
        with pytest.raises(NotFound):
            await app.people.erase(stranger)
    for ask in (app.people.user_of, app.people.platform_user):
        with pytest.raises(NotFound):
            await ask(mallory)
    with pytest.raises(NotFound):
        await app.people.unmerge(mallory.user_id)
    with pytest.raises(NotFound):
        await app.people.by_external_id(theirs_on, "mallory")


@pytest.mark.anyio
async def test_a_naive_time_is_refused(app: App, four: list[PlatformUser]) -> None:
    """A time without a zone is no time."""
    with pytest.raises(BadInput, match="time zone"):
        await app.people.user_of(four[0], at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.anyio
async def test_one_system_user_has_all_connections(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """An application has one system user, with one platform user on each connection."""
    second = connect(core, app, "second")
    bots = [await app.people.by_external_id(conn, "system") for conn in (plain, second)]
    owners: set[User] = {await app.people.user_of(bot) for bot in bots}
    assert len(owners) == 1
    (system,) = owners
    assert system.system_user
    assert await app.people.platform_users(system) == bots
