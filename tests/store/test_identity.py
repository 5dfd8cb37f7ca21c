"""Nobody becomes somebody else: who is met under which names, over everything that may be told.

Knows: parties, aliases, relinks, receipts' addresses, and a model of the rule that is no SQL.
Does not know: adapters, persons across platforms.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import people
from outeract_core.events import Fact, Party, Relink
from outeract_core.model import Alias, PlatformConnection
from tests.support.store.platform import connect, events, said, take

IDS, NAMES = "1234", "xyz12"
"""Some values are an id of one and an alias of another."""
ALIASES = st.lists(
    st.builds(Alias, st.sampled_from(["dm", "username"]), st.sampled_from(NAMES)), max_size=2
)
PARTIES = st.builds(
    Party, st.none() | st.sampled_from(IDS), name=st.none() | st.sampled_from(["Ann", "Bob"]),
    aliases=ALIASES,
)  # fmt: skip
RELINKS = st.builds(
    Relink, st.sampled_from(IDS), st.sampled_from(IDS), st.sampled_from(["external_id", "phone"])
)
STEPS = st.lists(PARTIES | RELINKS, max_size=14)
_number = count()
_DM_X = Alias("dm", "x")
_y = Alias("username", "y")
_x1 = Alias("username", "1")
"""What is the id of one person and a name of another."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One file for all examples; each has a connection's number of its own."""
    core = Outeract(Path(tmp_path_factory.mktemp("who")) / "bot.db", durability="normal")
    yield core
    core.close()


def met(core: Outeract, steps: list[Party | Relink]) -> list[tuple[Any, int | None]]:
    """What each step came to: the platform user that a party was, or that a relink moved."""
    conn = evolve(_conn(core), id=1000 + next(_number))

    def unit(tx: Connection) -> list[tuple[Any, int | None]]:
        return [
            (step, people.meet(tx, conn, step))
            if isinstance(step, Party)
            else (step, people.relink(tx, conn, step))
            for step in steps
        ]

    return core.runtime.database.write_now(unit)


def _conn(core: Outeract) -> Conn:
    """The one connection; each example takes it under a number of its own."""
    found: list[Conn] = core.runtime.conns()
    if not found:
        connect(core, core.app("who"), "plain")
    return (found or core.runtime.conns())[0]


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
@example(steps=[Party("1", aliases=[_x1]), Party("4", aliases=[_x1])])
@example(steps=[Party("1"), Party(None, aliases=[_x1]), Party("4", aliases=[_x1])])
@example(steps=[Party(None, aliases=[_x1]), Party("1"), Party("4", aliases=[_x1])])
@example(steps=[Party(None, aliases=[_DM_X, Alias("dm", "1")]), Party(None, aliases=[Alias("dm", "2")]),
                Party("2"), Relink("1", "2"), Party(None, aliases=[Alias("dm", "2"), _y]),
                Party("1", aliases=[_y])])  # fmt: skip
def test_two_ids_are_two_platform_users_unless_the_platform_says_otherwise(
    store: Outeract, steps: list[Party | Relink]
) -> None:
    """Whatever comes in whatever order, two external ids share a platform user only by a relink."""
    owners: dict[int, set[str]] = {}
    moved: dict[int, set[str]] = {}
    for step, puser in met(store, steps):
        if isinstance(step, Relink) and puser is not None:
            moved.setdefault(puser, set()).add(step.current)
        elif isinstance(step, Party) and step.external_id is not None and puser is not None:
            owners.setdefault(puser, set()).add(step.external_id)
    for puser, ids in owners.items():
        assert len(ids - moved.get(puser, set())) <= 1, (ids, moved)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parties=st.lists(PARTIES, max_size=14))
@example(parties=[Party(None, aliases=[_DM_X, Alias("dm", "2")]), Party("2", aliases=[_DM_X]),
                  Party("1", aliases=[_DM_X]), Party("2")])  # fmt: skip
def test_an_id_is_one_platform_user_for_good(store: Outeract, parties: list[Party]) -> None:
    """Without relinks, an external id that was met is the same platform user ever after."""
    known: dict[str, int] = {}
    for step, puser in met(store, list(parties)):
        if step.external_id is not None and puser is not None:
            assert known.setdefault(step.external_id, puser) == puser


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parties=st.lists(PARTIES, max_size=10), again=PARTIES)
def test_meeting_twice_is_meeting_once(store: Outeract, parties: list[Party], again: Party) -> None:
    """The same party twice in a row, remembered or looked up anew, is the same platform user."""
    found = met(store, [*parties, again, again])
    assert found[-1][1] == found[-2][1]


# ── the cases ─────────────────────────────────────────────────────────────────────────────────


def _dm(channel: str) -> tuple[Alias, ...]:
    return (Alias("dm_channel", channel),)


@pytest.mark.anyio
@pytest.mark.parametrize("first", ["echo", "notice", "deletion"])
async def test_a_conversation_seen_before_its_person_gets_their_id(
    core: Outeract, app: App, plain: PlatformConnection, first: str
) -> None:
    """Who was first seen by their channel alone is, when they write, the same under their real id."""
    there = Party(None, "person", aliases=_dm("D1"))
    facts = {
        "echo": evolve(said("e1", echo=True), chat=there),
        "notice": Fact("system.notice", "n1", {"notice": "x"}, chat=there),
        "deletion": Fact("message.deleted", "d1", {}, chat=there, target="m0"),
    }
    await take(core, plain, facts[first])
    before = await app.people.by_external_id(plain, "D1")
    await take(core, plain, said("m1", Party("U1", name="Ann", aliases=_dm("D1"))))
    after = await app.people.by_external_id(plain, "U1")
    assert (after.id, after.external_id, after.name) == (before.id, "U1", "Ann")
    assert (await app.people.by_external_id(plain, "D1")).id == before.id
    assert app.sender_of((await events(app))[1]) == after


@pytest.mark.anyio
async def test_who_wrote_elsewhere_first_takes_their_conversation_with_them(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Ann is known from a channel, her direct conversation from an echo: later echoes there are hers."""
    there = Party(None, "person", aliases=_dm("D1"))
    echo = evolve(said("e1", echo=True), chat=there)
    await take(core, plain, said("m1", Party("U1"), group="C1"), echo)
    await take(core, plain, said("m2", Party("U1", aliases=_dm("D1"))))
    await take(
        core, plain, evolve(echo, key="e2", payload={**echo.payload, "external_message_id": "e2"})
    )
    ann = await app.people.by_external_id(plain, "U1")
    page = await (await app.conversations.of(ann)).page()
    assert [event.external_message_id for event in page] == ["e2", "m2"]


@pytest.mark.anyio
async def test_an_address_in_a_receipt_is_an_id(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """The platform answers that +1 is reached at +2: who writes from +2 is the one who was written to."""
    await app.send((plain, "+1"), "hello")
    one = await app.people.by_external_id(plain, "+1")
    conn = _conn(core)
    key = core.runtime.database.read(lambda tx: people.find(tx, conn, "+1"))
    assert key is not None
    core.runtime.database.write_now(lambda tx: people.readdress(tx, conn, key, "+2"))
    await take(core, plain, said("m1", Party("+2")))
    assert (await app.people.by_external_id(plain, "+2")).id == one.id
