"""Two claims that meet: what somebody else has taken between the look and the change is not handed out.

Knows: the two steps of each claim, and that a second writer may come between them.
Does not know: SQLite's write lock, which keeps them apart today and proves nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from outeract_core import App, Outeract
from outeract_core._store.leases import ownership, profiles
from outeract_core._store.leases.ownership import Asking
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import claims, files, outbox
from outeract_core.driver import Tx
from outeract_core.events import FileRef
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import said, take

pytestmark = pytest.mark.anyio
LEASE = 60_000


@frozen
class Kind:
    """One kind of claim, in its two steps. `key`: of what was claimed."""

    look: Callable[[Tx, Conn], Any]
    take: Callable[[Tx, Any, str], list[Any]]
    key: Callable[[Any], int]
    table: str
    attempts: str
    """A change after which it is due and free again, and not as it was."""


def _shares(conn: Conn) -> dict[int, int]:
    return {conn.id: 9}


KINDS = {
    "message": Kind(
        lambda tx, conn: claims.look(tx, _shares(conn)),
        lambda tx, seen, owner: [
            row for lane in claims.take(tx, seen, owner, LEASE) for row in lane
        ],
        lambda row: row.id,
        "outbox",
        "UPDATE outbox SET attempt = attempt + 1, lease_until = NULL, lease_token = NULL",
    ),
    "file": Kind(
        lambda tx, conn: files.look(tx, _shares(conn)),
        lambda tx, seen, owner: files.take(tx, seen, owner, LEASE),
        lambda row: row.key,
        "file",
        "UPDATE file SET attempt = attempt + 1, lease_until = NULL, lease_token = NULL",
    ),
    "profile": Kind(
        lambda tx, conn: profiles.look(tx, {conn.id: True})[1],
        lambda tx, seen, owner: profiles.take(tx, seen, owner, LEASE),
        lambda row: row.puser,
        "profile",
        "UPDATE profile SET attempt = attempt + 1, lease_until = NULL, lease_token = NULL",
    ),
}


@pytest.fixture
async def conn(core: Outeract, app: App, plain: PlatformConnection) -> Conn:
    """A connection on which one of each kind is due."""
    await take(core, plain, said("m1", files=(FileRef({"id": 1}, "a.txt"),)))
    await app.send((plain, "alice"), "hello")
    return core.runtime.conns(app.key)[0]


@pytest.mark.parametrize("name", KINDS)
async def test_what_was_taken_meanwhile_is_not_handed_out(
    core: Outeract, conn: Conn, name: str
) -> None:
    """The other has it, whole, and whoever looked first gets nothing and changes nothing."""
    kind = KINDS[name]

    def unit(tx: Tx) -> tuple[Any, Any, Any, Any]:
        seen = kind.look(tx, conn)
        theirs = kind.take(tx, kind.look(tx, conn), "other")
        before = tx.dynamic(f"SELECT * FROM {kind.table}", {})
        mine = kind.take(tx, seen, "me")
        return theirs, mine, before, tx.dynamic(f"SELECT * FROM {kind.table}", {})

    theirs, mine, before, after = await core.runtime.write(unit)
    assert len(theirs) == 1
    assert mine == []
    assert after == before


@pytest.mark.parametrize("name", KINDS)
async def test_what_was_given_back_meanwhile_is_handed_out_as_it_is_now(
    core: Outeract, conn: Conn, name: str
) -> None:
    """Somebody has had it, tried, and given it back: it is free, and no longer what was seen."""
    kind = KINDS[name]

    def unit(tx: Tx) -> tuple[Any, Any]:
        seen = kind.look(tx, conn)
        (theirs,) = kind.take(tx, seen, "other")
        tx.dynamic(kind.attempts, {})
        return theirs, kind.take(tx, seen, "me")

    theirs, (mine,) = await core.runtime.write(unit)
    assert kind.key(mine) == kind.key(theirs)
    assert mine.attempt == theirs.attempt + 1


@pytest.mark.parametrize("name", KINDS)
async def test_what_is_not_due_any_more_is_not_handed_out(
    core: Outeract, conn: Conn, name: str
) -> None:
    """Somebody has had it and put it off: it is free, and its time has not come."""
    kind = KINDS[name]

    def unit(tx: Tx) -> Any:
        seen = kind.look(tx, conn)
        tx.dynamic(f"UPDATE {kind.table} SET due = :later", {"later": tx.now + 1})
        return kind.take(tx, seen, "me")

    assert await core.runtime.write(unit) == []


async def test_behind_a_row_that_is_taken_nothing_is_sent(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """A lane is sent in order: when another has a row of it, those behind stay free, those before are ours."""
    for text in ("one", "two", "three", "four"):
        await app.send((plain, "alice"), text)
    await app.send((plain, "bob"), "five")
    conn = core.runtime.conns(app.key)[0]

    def unit(tx: Tx) -> Any:
        seen = claims.look(tx, _shares(conn))
        (lane,) = (rows for rows in seen if len(rows) == 4)
        claims.take(tx, [[lane[1]]], "other", LEASE)
        mine = claims.take(tx, seen, "me", LEASE)
        held = tx.dynamic("SELECT id, lease_owner FROM outbox ORDER BY id", {})
        return seen, lane, mine, dict(held)

    seen, lane, mine, held = await core.runtime.write(unit)
    got = [[row.id for row in rows] for rows in mine]
    others = [[row[0] for row in rows] for rows in seen if rows is not lane]
    assert sorted(got) == sorted([[lane[0][0]], *others])
    assert [held[row[0]] for row in lane] == ["me", "other", None, None]


async def test_a_part_that_was_sent_meanwhile_is_not_sent_again(
    core: Outeract, conn: Conn, app: App, plain: PlatformConnection
) -> None:
    """Another sender came as far as the second part, and was stopped: that is where it goes on."""
    await app.send((plain, "bob"), "x" * 150)

    def unit(tx: Tx) -> Any:
        seen = claims.look(tx, _shares(conn))
        theirs = [rows[0] for rows in claims.take(tx, seen, "other", LEASE)]
        (long,) = (row for row in theirs if len(row.parts["parts"]) == 2)
        outbox.begin(tx, [long], LEASE, LEASE)
        (left,) = outbox.parts_done(tx, [outbox.Done(conn, long, ("p1",))])
        claims.release_owner(tx, "other")
        mine = [rows[0] for rows in claims.take(tx, seen, "me", LEASE)]
        return left, next(row for row in mine if row.id == long.id)

    left, mine = await core.runtime.write(unit)
    assert (left.done, mine.done, mine.state) == (1, 1, "queued")


# ── applications ──────────────────────────────────────────────────────────────────────────────


def _asking(owner: str, **more: Any) -> Asking:
    return Asking(owner, {}, serving=False, **more)


@pytest.mark.parametrize("was", ["nobody's", "a dead one's"])
async def test_an_application_that_was_taken_meanwhile_is_not_taken(
    core: Outeract, app: App, was: str
) -> None:
    """Whoever looked first finds it another's: it takes nothing, and the row stays as it is."""

    def unit(tx: Tx) -> Any:
        ownership.release(tx, core.runtime.owner)
        if was == "a dead one's":
            ownership.settle(tx, _asking("dead"), LEASE, ())
        gone = frozenset({"dead"})
        me = _asking("me", gone=gone)
        found = ownership.standing(tx, me)
        theirs = ownership.settle(tx, _asking("other", gone=gone), LEASE, ())
        mine = ownership.divide(tx, me, found, 2 * LEASE, ())
        return theirs, mine, ownership.owners(tx), tx.now

    theirs, mine, owners, now = await core.runtime.write(unit)
    assert theirs.taken == {app.key}
    assert theirs.all
    assert (mine.taken, mine.kept, mine.all) == (frozenset(), frozenset(), False)
    assert owners == [("other", now + LEASE)]


async def test_a_process_that_came_back_keeps_its_place(core: Outeract, app: App) -> None:
    """It was thought dead, and has said since that it lives: what it said is not cleared away."""

    def unit(tx: Tx) -> Any:
        ownership.release(tx, core.runtime.owner)
        late = evolve(_asking("late"), serving=True)
        ownership.settle(tx, late, LEASE, ())
        me = _asking("me", gone=frozenset({"late"}))
        found = ownership.standing(tx, me)
        ownership.settle(tx, late, 2 * LEASE, ())
        mine = ownership.divide(tx, me, found, LEASE, ())
        return mine, ownership.owners(tx), ownership.standing(tx, _asking("third")), tx.now

    mine, owners, found, now = await core.runtime.write(unit)
    assert mine.taken == frozenset()
    assert set(owners) == {("late", now + 2 * LEASE)}
    assert (found.holders[app.key][0], "late" in found.willing) == ("late", True)


async def test_an_application_that_was_lost_is_not_kept(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """A process that was away too long has lost what it held, and its next heartbeat says so."""

    def away(tx: Tx) -> Any:
        ownership.release(tx, core.runtime.owner)
        return ownership.settle(tx, _asking("me"), LEASE, ())

    assert (await core.runtime.write(away)).taken == {app.key}
    clock.advance(LEASE / 1000 + 1)
    taken = await core.runtime.write(lambda tx: ownership.settle(tx, _asking("other"), LEASE, ()))
    assert taken.taken == {app.key}
    again = await core.runtime.write(lambda tx: ownership.settle(tx, _asking("me"), LEASE, ()))
    assert (again.kept, again.taken, again.all) == (frozenset(), frozenset(), False)
