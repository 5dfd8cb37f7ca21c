"""A claim lives as long as its task and no longer: what lost it settles nothing and sends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked

from outeract_core import App, Outeract, PlatformConnection
from outeract_core._io.heartbeat import LEASE
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.writing import claims, outbox
from outeract_core._store.writing.claims import Row
from outeract_core.errors import LeaseLost
from outeract_core.testing import ManualClock
from tests.support.patience import soon
from tests.support.stepped import Asked, Asking, Native, Stepwise, Wire, count, opened, until
from tests.support.store import claimed
from tests.support.store.platform import events, kinds

pytestmark = pytest.mark.anyio
AWAY = LEASE / 1000 + 1
"""Seconds after which a lease that nobody renews is over."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file."""
    return tmp_path / "bot.db"


@pytest.fixture
def wire() -> Wire:
    """The way to the platform."""
    return Wire()


@pytest.fixture
async def line(
    path: Path, wire: Wire, clock: ManualClock
) -> AsyncIterator[tuple[Outeract, App, PlatformConnection]]:
    """A bot that sends over it."""
    core, app, connection = opened(path, wire, clock)
    async with core:
        yield core, app, connection


Line = tuple[Outeract, App, PlatformConnection]


# ── the same process ──────────────────────────────────────────────────────────────────────────


async def test_a_slow_platform_doubles_nothing(line: Line, wire: Wire, clock: ManualClock) -> None:
    """9 s an answer, 40 chats with 16 messages: 640 requests, each message once and in order."""
    core, app, connection = line
    for number in range(16):
        for chat in range(40):
            await app.send((connection, f"chat{chat}"), f"{number:02}")
    async with anyio.create_task_group() as group:
        group.start_soon(core._sender.run)
        answered = 0
        while answered < 640:
            await wire.arrived(answered + 1)
            await wait_all_tasks_blocked()
            clock.advance(9)
            core.runtime.wake("outbox")
            for asking in wire.requests[answered:]:
                asking.answer()
                answered += 1
        await until(lambda: count(app, "message.sent"), 640)
        group.cancel_scope.cancel()
    assert len(wire.requests) == 640
    for chat in range(40):
        texts = [one.text for one in wire.requests if one.said["to"] == f"chat{chat}"]
        assert texts == [f"{number:02}" for number in range(16)]


async def test_a_clock_that_jumps_at_every_request_doubles_nothing(
    path: Path, clock: ManualClock
) -> None:
    """As if the process were stopped again and again, anywhere: what did not leave is sent later, once."""

    def script(asking: Asking) -> None:
        clock.advance(9)
        asking.answer()

    wire = Wire(script)
    core, app, connection = opened(path, wire, clock)
    async with core:
        for number in range(6):
            for chat in range(40):
                await app.send((connection, f"chat{chat}"), f"{number:02}")
        for _ in range(50):
            await core._sender.step()
            clock.advance(60)
        assert sorted(wire.sent()) == sorted(f"{n:02}" for n in range(6) for _ in range(40))
        assert await count(app, "message.unknown") == 0
        assert await count(app, "message.sent") == 240


async def test_an_answer_that_takes_longer_than_a_lease_is_waited_for(
    line: Line, wire: Wire, clock: ManualClock
) -> None:
    """Held for 121 s: no false unknown, nobody overtakes it, nothing leaves twice."""
    core, app, connection = line
    first = await app.send((connection, "ann"), "1")
    await app.send((connection, "ann"), "2")
    async with anyio.create_task_group() as group:
        group.start_soon(core._sender.run)
        asking = await wire.arrived(1)
        clock.advance(AWAY)
        assert await core._sender.step() == 0
        core.runtime.wake("outbox")
        await wait_all_tasks_blocked()
        assert wire.sent() == ["1"]
        asking.answer()
        (await wire.arrived(2)).answer()
        with soon():
            await first.wait("sent")
        group.cancel_scope.cancel()
    assert wire.sent() == ["1", "2"]
    assert "message.unknown" not in await kinds(app)


async def test_a_heartbeat_keeps_every_row_of_a_lane(
    path: Path, line: Line, wire: Wire, clock: ManualClock
) -> None:
    """While the first of four is under way for minutes, a second process gets none of them."""
    core, app, connection = line
    for number in range(4):
        await app.send((connection, "ann"), str(number))
    other, _, _ = opened(path, wire, clock)
    async with other, anyio.create_task_group() as group:
        group.start_soon(core._sender.step)
        asking = await wire.arrived(1)
        for _ in range(10):
            clock.advance(LEASE / 1000 / 2)
            await core._sender._heart.beat()
            assert await other._sender.step() == 0
        asking.answer()
        for number in range(2, 5):
            (await wire.arrived(number)).answer()
    assert wire.sent() == ["0", "1", "2", "3"]


async def test_nothing_is_committed_while_a_request_hangs(
    line: Line, wire: Wire, clock: ManualClock
) -> None:
    """Claimed heads are not due: the sender waits without a commit until something happens."""
    core, app, connection = line
    for number in range(3):
        await app.send((connection, "ann"), str(number))
    async with anyio.create_task_group() as group:
        group.start_soon(core._sender.run)
        asking = await wire.arrived(1)
        before = core.runtime.database._batch
        assert core.runtime.database.read(outbox.next_due) is None
        for _ in range(50):
            core.runtime.wake("outbox")
            await wait_all_tasks_blocked()
        assert core.runtime.database._batch == before
        asking.answer()
        (await wire.arrived(2)).answer()
        (await wire.arrived(3)).answer()
        group.cancel_scope.cancel()


async def test_a_lane_that_is_told_to_stop_gives_the_rest_back(line: Line, wire: Wire) -> None:
    """The request under way is finished; what was claimed behind it is free at once."""
    core, app, connection = line
    for number in range(3):
        await app.send((connection, "ann"), str(number))
    async with anyio.create_task_group() as group:
        group.start_soon(core._sender.run)
        asking = await wire.arrived(1)
        group.cancel_scope.cancel()
        asking.answer()
    assert wire.sent() == ["0"]
    assert core.runtime.database.read(outbox.owners) == []


# ── stopped for longer than the lease ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("adapter", [Stepwise, Asked, Native])
async def test_a_process_stopped_between_begin_and_request_sends_nothing_late(
    path: Path, wire: Wire, clock: ManualClock, adapter: type[Stepwise]
) -> None:
    """It comes back after its lease, whether or not another has taken over: nothing leaves."""
    core, app, connection = opened(path, wire, clock, adapter)
    async with core:
        await app.send((connection, "ann"), "once")
        _stopped_at_the_wire(core, clock)
        await core._sender.step()
        assert wire.requests == []
        assert "message.sent" not in await kinds(app)


def _stopped_at_the_wire(core: Outeract, clock: ManualClock) -> None:
    """The process stands still after the last preparation, just before the first byte."""
    http = core.runtime.http
    made = http._made

    async def stopped(call: Any, way: Any) -> Any:
        request = await made(call, way)
        ready = way.ready

        async def and_then_away(seconds: float) -> None:
            await ready(seconds)
            clock.advance(AWAY)

        way.ready = and_then_away
        return request

    http._made = stopped  # type: ignore[method-assign]


async def test_a_receipt_that_comes_after_the_lease_is_proof_all_the_same(
    path: Path, line: Line, wire: Wire, clock: ManualClock
) -> None:
    """Stopped during the request; another tells unknown and goes on; then the answer is read."""
    core, app, connection = line
    delivery = await app.send((connection, "ann"), "1")
    await app.send((connection, "ann"), "2")
    other, _, _ = opened(path, wire, clock)
    async with other, anyio.create_task_group() as group:
        group.start_soon(core._sender.step)
        asking = await wire.arrived(1)
        clock.advance(AWAY)
        group.start_soon(other._sender.step)
        (await wire.arrived(2)).answer()
        await until(lambda: count(app, "message.unknown"), 1)
        asking.answer()
        await until(lambda: count(app, "message.sent"), 2)
    assert wire.sent() == ["1", "2"]
    assert (await delivery.state()).status == "sent"


async def test_a_request_is_covered_for_as_long_as_it_may_take(
    path: Path, wire: Wire, clock: ManualClock
) -> None:
    """An upload of 300 s does not begin on a lease of 120: the lease is made to reach beyond it."""

    class Slow(Stepwise):
        timeout = 300.0

    core, app, connection = opened(path, wire, clock, Slow)
    other, _, _ = opened(path, wire, clock, Slow)
    async with core, other:
        await app.send((connection, "ann"), "large")
        async with anyio.create_task_group() as group:
            group.start_soon(core._sender.step)
            asking = await wire.arrived(1)
            clock.advance(290)
            assert await other._sender.step() == 0
            asking.answer()
        assert "message.unknown" not in await kinds(app)


# ── settlements of a claim that is lost ───────────────────────────────────────────────────────

Settlement = Callable[[Connection, Any, Row], Any]
SETTLEMENTS: dict[str, Settlement] = {
    "begin": lambda tx, conn, row: claimed.begin(tx, row, 1000, 1000),
    "cover": lambda tx, conn, row: outbox.cover(tx, row, 1000, 1000),
    "retry": lambda tx, conn, row: outbox.retry(tx, row, 0, "again"),
    "postpone": lambda tx, conn, row: outbox.postpone(tx, row, 0, "later"),
    "drop": lambda tx, conn, row: outbox.drop(tx, row),
    "done": lambda tx, conn, row: claimed.part_done(tx, conn, row, ("x",)),
    "known": lambda tx, conn, row: outbox.part_known(tx, row),
    "unknown": lambda tx, conn, row: outbox.part_unknown(tx, conn, row, "who knows"),
    "failed": lambda tx, conn, row: outbox.end(tx, conn, row, "message.failed", "no"),
    "expired": lambda tx, conn, row: outbox.end(tx, conn, row, "message.cancelled", "late"),
}


@pytest.mark.parametrize("text", ["short", "a text that needs several parts"])
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("name", SETTLEMENTS)
async def test_who_has_lost_a_claim_settles_nothing(
    line: Line, clock: ManualClock, name: str, begun: bool, text: str
) -> None:
    """Every settlement asks for the claim's token, and writes nothing when it is another's by now."""
    core, app, connection = line
    database, conn = core.runtime.database, core.runtime.conns(app.key)[0]
    shares = {conn.id: 9}
    await app.send((connection, "ann"), text)
    ((stale,),) = await database.write(lambda tx: claims.claim(tx, "one", shares, LEASE))
    clock.advance(AWAY)
    ((held,),) = await database.write(lambda tx: claims.claim(tx, "other", shares, LEASE))
    if begun:
        await database.write(lambda tx: claimed.begin(tx, held, LEASE, 1000))
    log, row = await events(app), await _row(core)
    with pytest.raises(LeaseLost):
        await database.write(lambda tx: SETTLEMENTS[name](tx, conn, stale))
    await database.write(lambda tx: claims.release(tx, [stale]))
    assert await database.write(lambda tx: claims.renew(tx, [stale.id], "one", LEASE)) == []
    assert (await events(app), await _row(core)) == (log, row)
    await database.write(lambda tx: claimed.part_done(tx, conn, held, ("x",)))


async def _row(core: Outeract) -> list[Any]:
    return core.runtime.database.read(lambda tx: tx.dynamic("SELECT * FROM outbox", {}))


async def test_a_claim_is_no_hindrance_to_taking_back(line: Line) -> None:
    """What is claimed and not begun can be cancelled; whoever holds it cannot begin it any more."""
    core, app, connection = line
    delivery = await app.send((connection, "ann"), "oops")
    database, shares = core.runtime.database, {core.runtime.conns(app.key)[0].id: 9}
    ((row,),) = await database.write(lambda tx: claims.claim(tx, "one", shares, LEASE))
    assert await delivery.cancel()
    with pytest.raises(LeaseLost):
        await database.write(lambda tx: claimed.begin(tx, row, LEASE, 1000))
    assert (await delivery.state()).status == "cancelled"
