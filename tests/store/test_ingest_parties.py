"""Who is who on a connection: met once, found by every name, followed through new numbers.

Knows: parties, aliases, relinks. Does not know: persons across platforms (`test_people.py`).
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from outeract_core import App, Outeract
from outeract_core.errors import NotFound
from outeract_core.events import Fact, Party, Relink
from outeract_core.model import Alias, PlatformConnection, PlatformUser
from tests.support.patience import PATIENCE
from tests.support.store.platform import connect, events, kinds, said, take

PHONE, NEW_PHONE = "+15550001", "+15550002"


async def _who(app: App, connection: PlatformConnection, name: str) -> PlatformUser:
    return await app.people.by_external_id(connection, name)


# ── met and refreshed ─────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_person_is_met_once(core: Outeract, app: App, plain: PlatformConnection) -> None:
    """The first message makes a platform user with a user above it; the next one finds them."""
    await take(core, plain, said("m1"), said("m2"))
    await take(core, plain, said("m3"))
    alice = await _who(app, plain, "alice")
    assert (alice.kind, alice.name, alice.platform) == ("person", "Alice", "plain")
    user = await app.people.user(alice)
    assert (user.name, user.system_user, user.merged_into) == ("Alice", False, None)
    assert await app.people.platform_users(user) == [alice]
    assert {app.sender_of(event) for event in await events(app)} == {alice}


@pytest.mark.anyio
async def test_a_profile_follows_what_is_told(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A new name or picture replaces the old one; "not told" replaces nothing."""
    told = [
        (Party("alice"), (None, None)),
        (Party("alice", name="Alice"), ("Alice", None)),
        (Party("alice", profile_picture_url="one"), ("Alice", "one")),
        (Party("alice"), ("Alice", "one")),
        (Party("alice", name="Alice B", profile_picture_url="two"), ("Alice B", "two")),
        (Party("alice", name=""), ("Alice B", "two")),
        (Party("alice", name="Alice"), ("Alice", "two")),
    ]
    for number, (party, expected) in enumerate(told):
        await take(core, plain, said(f"m{number}", party))
        alice = await _who(app, plain, "alice")
        assert (alice.name, alice.profile_picture_url) == expected, number
    assert (await app.people.user(alice)).name == "Alice"


@pytest.mark.anyio
async def test_groups_and_channels_are_platform_users(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A group is a platform user of that kind, and the conversation is with it."""
    await take(core, plain, said("m1", group="friends"), said("m2", "bob", group="friends"))
    friends = await _who(app, plain, "friends")
    assert friends.kind == "group"
    conversation = await app.conversations.of(friends)
    assert len((await conversation.page()).nodes) == 2
    assert [each.external_id for each in await conversation.participants()] == ["alice", "bob"]


@pytest.mark.anyio
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("kind", ["group", "channel"])
async def test_where_the_host_wrote_first_is_what_the_platform_says_it_is(
    core: Outeract, app: App, plain: PlatformConnection, kind: Any, together: bool
) -> None:
    """A place that was written to without naming its kind is one from its first message on, for good."""
    await app.send((plain, "friends"), "hello")
    assert (await _who(app, plain, "friends")).kind == "person"
    place = Party("friends", kind, name="Friends")
    facts = [
        evolve(said(f"m{number}", who), chat=place) for number, who in enumerate(["alice", "bob"])
    ]
    for batch in [facts] if together else [[fact] for fact in facts]:
        await take(core, plain, *batch)
    await app.send((plain, "friends"), "hello again")
    friends = await _who(app, plain, "friends")
    assert (friends.kind, friends.name) == (kind, "Friends")
    conversation = await app.conversations.of(friends)
    assert [each.external_id for each in await conversation.participants()] == ["alice", "bob"]
    assert [turn.content for turn in await conversation.context()] == [
        "hello", "Alice: hello", "Bob: hello", "hello again"
    ]  # fmt: skip


@pytest.mark.anyio
async def test_the_bot_is_never_a_person(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """What the platform calls the bot leads to the connection's system platform user."""
    by_bot = Fact("message.deleted", "d1", {}, sender=Party("bot 7", "system"), target="m1")
    await take(core, plain, said("m1"), by_bot)
    assert app.sender_of((await events(app))[1]) == await _who(app, plain, "system")
    with pytest.raises(NotFound):
        await _who(app, plain, "bot 7")


@pytest.mark.anyio
@pytest.mark.parametrize("many", [1, 3], ids=["alone", "together"])
async def test_what_another_bot_does_says_so(
    core: Outeract, app: App, plain: PlatformConnection, many: int
) -> None:
    """The payload of whatever a bot has done says `sender_is_bot`; nobody else's and no echo's does."""
    robot = Party("robot", bot=True)
    facts = [said(f"m{n}", robot) for n in range(many)]
    pressed = Fact("message.action", "a1", {"id": "x"}, sender=robot)
    await take(core, plain, *facts, pressed, said("m9"), said("e1", robot, echo=True))
    told = [event.payload.get("sender_is_bot") for event in await events(app)]
    assert told == [*[True] * (many + 1), None, None]


# ── aliases ───────────────────────────────────────────────────────────────────────────────────


def _party(external_id: str | None, name: str | None = None, **aliases: str) -> Party:
    """Decisive is `bsuid`, as on WhatsApp."""
    found = tuple(Alias(kind, value) for kind, value in aliases.items())
    return Party(external_id, name=name, aliases=found, decisive="bsuid")


@pytest.mark.anyio
async def test_every_name_finds_the_same(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Who was met with a phone number and two aliases is found by each of the three."""
    await take(core, plain, said("m1", _party(PHONE, bsuid="US.1", username="ali")))
    found = {(await _who(app, plain, name)).id for name in (PHONE, "US.1", "ali")}
    assert len(found) == 1
    await take(core, plain, said("m2", _party(None, bsuid="US.1")))
    await take(core, plain, said("m3", _party(None, username="ali")))
    assert {app.sender_of(e).id for e in await events(app)} == found  # type: ignore[union-attr]


@pytest.mark.anyio
async def test_a_party_may_have_an_alias_only(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Met by an alias alone, then told with the number: one platform user, found by both."""
    await take(core, plain, said("m1", _party(None, bsuid="US.1")))
    first = await _who(app, plain, "US.1")
    assert first.external_id == "US.1"
    await take(core, plain, said("m2", _party(PHONE, bsuid="US.1")))
    assert (await _who(app, plain, PHONE)).id == first.id
    assert len(await app.people.platform_users(await app.people.user(first))) == 1


@pytest.mark.anyio
async def test_a_new_alias_is_learnt(core: Outeract, app: App, plain: PlatformConnection) -> None:
    """An alias that is told later finds the one who was met before; it is kept once."""
    for number in range(2):
        await take(
            core, plain, said("m1", PHONE), said(f"m2 {number}", _party(PHONE, bsuid="US.1"))
        )
    who = await _who(app, plain, "US.1")
    assert who.external_id == PHONE
    assert who.aliases == (Alias("bsuid", "US.1"),)


@pytest.mark.anyio
async def test_a_number_that_was_handed_on_is_somebody_else(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """The same phone number with another decisive id is a new person; both are kept apart for good."""
    await take(core, plain, said("m1", _party(PHONE, "Alice", bsuid="US.1")))
    await take(core, plain, said("m2", _party(PHONE, "Bob", bsuid="US.2")))
    alice, bob = await _who(app, plain, "US.1"), await _who(app, plain, "US.2")
    assert alice.id != bob.id
    assert alice.user_id != bob.user_id
    assert (alice.name, bob.name) == ("Alice", "Bob")
    await take(core, plain, said("m3", _party(PHONE, "Bob", bsuid="US.2")))
    await take(core, plain, said("m4", _party(NEW_PHONE, "Alice", bsuid="US.1")))
    senders = [app.sender_of(event) for event in await events(app)]
    assert [each.id for each in senders if each] == [alice.id, bob.id, bob.id, alice.id]


@pytest.mark.anyio
async def test_a_number_that_was_handed_on_reaches_its_new_owner_only(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """The new owner is addressed by the number, the one before by what is never handed on."""
    await take(core, plain, said("m1", _party(PHONE, bsuid="US.1")))
    await take(core, plain, said("m2", _party(PHONE, bsuid="US.2")))
    alice, bob = await _who(app, plain, "US.1"), await _who(app, plain, "US.2")
    for who in (alice, bob):
        await app.send(who, "hi")
    assert _addressed(core) == [(alice.id.bytes, "US.1"), (bob.id.bytes, PHONE)]


@pytest.mark.anyio
async def test_who_writes_from_a_new_number_is_answered_there(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A known person with another number is addressed by the newest one, forth and back again."""
    for number, phone in enumerate((PHONE, NEW_PHONE, PHONE, NEW_PHONE)):
        await take(core, plain, said(f"m{number}", _party(phone, bsuid="US.1")))
        sent = await app.send(await _who(app, plain, "US.1"), "hi")
        assert [address for _who, address in _addressed(core)] == [phone]
        await core.pump()
        await sent.wait("sent", timeout=PATIENCE)


def _addressed(core: Outeract) -> list[Any]:
    """To whom the sender will send, and where."""
    sql = "SELECT p.uid, p.address FROM outbox o JOIN puser p ON p.id = o.lane ORDER BY o.id"
    return core.runtime.database.read(lambda tx: tx.dynamic(sql, {}))


# ── relinks ───────────────────────────────────────────────────────────────────────────────────


def _moved(key: str, previous: str, current: str, **more: Any) -> Fact:
    change = Relink(previous, current, "phone")
    return Fact("system.identity_changed", key, {"to": current}, relinks=(change,), **more)


@pytest.mark.anyio
async def test_a_changed_number_is_the_same_person(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """After a number change both numbers find the same platform user, and its conversation goes on."""
    await take(core, plain, said("m1", PHONE), _moved("r1", PHONE, NEW_PHONE))
    await take(core, plain, said("m2", NEW_PHONE))
    old, new = await _who(app, plain, PHONE), await _who(app, plain, NEW_PHONE)
    assert old.id == new.id
    assert Alias("phone", NEW_PHONE) in new.aliases
    page = await (await app.conversations.of(old)).page()
    assert [event.external_message_id for event in page] == ["m2", "m1"]
    assert await kinds(app) == ["message.inbound", "system.identity_changed", "message.inbound"]


@pytest.mark.anyio
async def test_a_change_is_followed_through_a_chain(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """One → two → three, with a duplicate between: every number leads to the same platform user."""
    await take(core, plain, said("m1", "one"), _moved("r1", "one", "two"))
    await take(core, plain, _moved("r1", "one", "two"), _moved("r2", "two", "three"))
    assert len({(await _who(app, plain, name)).id for name in ("one", "two", "three")}) == 1


@pytest.mark.anyio
async def test_a_change_of_somebody_unknown_is_only_recorded(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A change of a number that was never met makes nobody; the event stays."""
    await take(core, plain, _moved("r1", PHONE, NEW_PHONE))
    assert await kinds(app) == ["system.identity_changed"]
    for name in (PHONE, NEW_PHONE):
        with pytest.raises(NotFound):
            await _who(app, plain, name)


@pytest.mark.anyio
async def test_sending_follows_a_change(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """What is sent after the change goes to the new number, also when the old one was named."""
    await take(core, plain, said("m1", PHONE), _moved("r1", PHONE, NEW_PHONE))
    old = await _who(app, plain, PHONE)
    await app.send((plain, PHONE), "hi")
    assert _addressed(core) == [(old.id.bytes, NEW_PHONE)]


@pytest.mark.anyio
async def test_names_are_scoped_to_their_connection(core: Outeract, app: App) -> None:
    """The same number, alias or change on another connection is somebody else's affair."""
    one, two = connect(core, app, "one"), connect(core, app, "two")
    for conn in (one, two):
        await take(core, conn, said("m1", _party(PHONE, bsuid="US.1")))
    await take(core, one, _moved("r1", PHONE, NEW_PHONE))
    assert (await _who(app, one, NEW_PHONE)).id == (await _who(app, one, "US.1")).id
    assert (await _who(app, two, "US.1")).id != (await _who(app, one, "US.1")).id
    with pytest.raises(NotFound):
        await _who(app, two, NEW_PHONE)
