"""The conversation projection says what the log says: rebuilt from it, it is the same, row by row.

Knows: random histories, `rebuild` and `check`. Does not know: how conversations are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Self

import anyio
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.transfer import rebuild
from outeract_core.errors import NotFound
from outeract_core.events import Fact, Relink
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.opening import raw
from tests.support.store.platform import connect, external_name, party, said, status, take

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE, GROUPS = ("alice", "bob", "carol"), ("friends", "family")
TABLES = {table: "SELECT * FROM " + table for table in rebuild.TABLES}
COUNTERS = "SELECT peer, last, inbound, outbound, unread, read_upto FROM conversation ORDER BY peer"


def _rows(tx: Connection) -> dict[str, list[Any]]:
    return {table: sorted(tx.dynamic(sql, {})) for table, sql in TABLES.items()}


def _agrees(core: Outeract) -> dict[str, list[Any]]:
    """The projection is what a rebuild makes of the log; its rows."""
    database = core.runtime.database
    before = database.read(_rows)
    assert database.read(rebuild.check) == []
    database.write_now(rebuild.rebuild)
    assert database.read(_rows) == before
    return before


# ── random histories ──────────────────────────────────────────────────────────────────────────


class History:
    """Two applications in one file, and what may happen in them."""

    def __init__(self, core: Outeract, clock: ManualClock) -> None:
        self.core, self.clock = core, clock
        self.apps = [core.app(name) for name in ("one", "two")]
        self.on = [connect(core, app) for app in self.apps]
        self.count = 0

    @classmethod
    async def of(
        cls, core: Outeract, clock: ManualClock, steps: Iterable[tuple[str, int, int, int]]
    ) -> Self:
        """The history of these steps, which have happened."""
        history = cls(core, clock)
        for step in steps:
            await history.play(step)
        return history

    async def play(self, step: tuple[str, int, int, int]) -> None:
        """One step: what, in which application, and two numbers to choose by."""
        what, app, a, b = step
        self.clock.advance(1)
        self.count += 1
        await getattr(self, what)(self.apps[app], self.on[app], a, b)

    async def inbound(self, _app: App, on: PlatformConnection, a: int, b: int) -> None:
        """A message of a person, alone or in a group, new or known."""
        group = None if b % 3 == 0 else GROUPS[b % 2]
        key = f"m{a}" if b % 5 == 0 else f"n{self.count}"
        await take(self.core, on, said(key, PEOPLE[a % 3], group=group, reply_to=f"m{b}"))

    async def echo(self, _app: App, on: PlatformConnection, a: int, b: int) -> None:
        """A colleague has written with the platform's own app."""
        fact = said(f"echo {a}", PEOPLE[a % 3], group=GROUPS[0] if b % 2 else None)
        chat = fact.chat or fact.sender
        await take(self.core, on, evolve(fact, sender=None, chat=chat, echo=True))

    async def outbound(self, app: App, on: PlatformConnection, a: int, b: int) -> None:
        """The bot writes, to somebody known or not."""
        to = (on, GROUPS[a % 2], "group") if b % 2 else (on, PEOPLE[a % 3])
        sent = await app.send(to, "hi", key=f"k{a}" if b % 3 == 0 else None)
        if b % 5:
            await self.core.pump()
            name = external_name(f"{sent.id.hex}.0")
            await take(self.core, on, status("read" if b % 2 else "delivered", name))

    async def mark_read(self, app: App, _on: PlatformConnection, a: int, _b: int) -> None:
        """The host has read up to some message."""
        page = (await app.events.page(first=200)).nodes
        messages = [e for e in page if e.event_type in ("message.inbound", "message.outbound")]
        if messages:
            await app.mark_read(messages[a % len(messages)])

    async def about(self, _app: App, on: PlatformConnection, a: int, b: int) -> None:
        """An edit, a reaction, a relink: nothing that counts as a message."""
        who = party(PEOPLE[b % 3])
        changes = (Relink(PEOPLE[b % 3], f"{PEOPLE[b % 3]} {a}"),) if a % 2 else ()
        kind = "system.identity_changed" if changes else "message.edited"
        fact = Fact(kind, f"about {self.count}", {}, sender=who, target=f"m{a}", relinks=changes)
        await take(self.core, on, fact)

    async def merge(self, app: App, on: PlatformConnection, a: int, b: int) -> None:
        """Two people turn out to be one, if they can be."""
        try:
            pair = [await app.people.by_external_id(on, PEOPLE[n % 3]) for n in (a, b)]
            await app.people.merge(*pair)
        except (NotFound, ValueError):
            return

    async def erase(self, app: App, on: PlatformConnection, a: int, b: int) -> None:
        """Somebody wants to be forgotten; seldom."""
        if b % 4 == 0:
            try:
                await app.people.erase(await app.people.by_external_id(on, PEOPLE[a % 3]))
            except NotFound:
                return


WHATS = (
    "inbound",
    "inbound",
    "inbound",
    "outbound",
    "echo",
    "mark_read",
    "about",
    "merge",
    "erase",
)
STEP = st.tuples(st.sampled_from(WHATS), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)  # fmt: skip
@given(st.lists(STEP, min_size=1, max_size=30))
def test_any_history_gives_the_projection_that_its_log_gives(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    """Whatever happened, in whatever order: the projection is that of the log, and stays so."""

    async def play() -> None:
        clock, path = ManualClock(START), tmp_path_factory.mktemp("history") / "bot.db"
        async with Outeract(path, clock=clock, durability="normal") as core:
            history = await History.of(core, clock, steps)
            _agrees(core)
            await history.play(("inbound", 0, 0, 1))
            _agrees(core)

    anyio.run(play)


# ── a known history ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def known(core: Outeract, app: App, plain: PlatformConnection) -> Outeract:
    """Three messages and an answer with Alice, of which two are read; a group with two speakers."""
    await take(core, plain, *(said(f"m{n}") for n in range(3)))
    await app.send((plain, "alice"), "hi")
    await app.mark_read(await app.events.by_external_id(plain, "m1"))
    await take(core, plain, said("g1", group="friends"), said("g2", "bob", group="friends"))
    await take(core, connect(core, core.app("other"), "others"), said("m0", "mallory"))
    return core


@pytest.mark.anyio
async def test_the_counts_are_what_was_said(app: App, known: Outeract) -> None:
    """Inbound, outbound, unread and last message of each conversation, counted by hand."""
    rows = known.runtime.database.read(lambda tx: tx.dynamic(COUNTERS, {}))
    assert [row[2:5] for row in rows] == [(3, 1, 1), (2, 0, 2), (1, 0, 1)]
    page = await app.conversations.recent()
    assert [(each.inbound, each.outbound, each.unread) for each in page] == [(2, 0, 2), (3, 1, 1)]
    _agrees(known)


DRIFT = {
    "UPDATE conversation SET unread = unread + 1": "conversation",
    "UPDATE conversation SET inbound = 0": "conversation",
    "UPDATE conversation SET outbound = 7": "conversation",
    "UPDATE conversation SET last = last - 1": "conversation",
    "UPDATE conversation SET read_upto = read_upto + 1": "conversation",
    "DELETE FROM conversation": "conversation",
    "INSERT INTO conversation VALUES ((1 << 40) + 999, 1, 1, 1, 1, 1, 1)": "conversation",
    "DELETE FROM entry WHERE event = (SELECT max(event) FROM entry)": "entry",
    "INSERT INTO entry SELECT peer, event + 100000 FROM entry LIMIT 1": "entry",
    "UPDATE participant SET messages = messages + 1": "participant",
    "DELETE FROM participant": "participant",
    "INSERT INTO participant SELECT peer, peer, 1 FROM entry LIMIT 1": "participant",
}


@pytest.mark.anyio
@pytest.mark.parametrize("sql", DRIFT)
async def test_drift_is_found_and_repaired(known: Outeract, tmp_path: Any, sql: str) -> None:
    """A row that was changed behind the library's back is found, named, and put right."""
    database = known.runtime.database
    right = database.read(_rows)
    with raw(tmp_path / "bot.db") as connection:
        connection.set_busy_timeout(1000)
        connection.execute(sql)
    faults = database.read(rebuild.check)
    assert faults
    assert any(fault.endswith(f" {DRIFT[sql]}") for fault in faults)
    await database.write(rebuild.rebuild)
    assert database.read(rebuild.check) == []
    assert database.read(_rows) == right


@pytest.mark.anyio
async def test_one_application_can_be_rebuilt_alone(
    app: App, known: Outeract, tmp_path: Any
) -> None:
    """With an application named, only its rows are looked at and made again."""
    database, other = known.runtime.database, known.app("other")
    with raw(tmp_path / "bot.db") as connection:
        connection.set_busy_timeout(1000)
        connection.execute("DELETE FROM entry")
    await database.write(lambda tx: rebuild.rebuild(tx, app.key))
    assert database.read(lambda tx: rebuild.check(tx, app.key)) == []
    faults = database.read(lambda tx: rebuild.check(tx, other.key))
    assert any(fault == "1 rows missing in entry" for fault in faults)


@pytest.mark.anyio
async def test_a_rebuilt_conversation_reads_the_same(app: App, known: Outeract) -> None:
    """What a host sees of its conversations is the same before and after a rebuild."""

    async def seen() -> list[Any]:
        page = await app.conversations.recent()
        return [
            (each.peer, each.last_message, each.participants, each.unread) for each in page
        ]  # fmt: skip

    before = await seen()
    await known.runtime.database.write(rebuild.rebuild)
    assert await seen() == before
