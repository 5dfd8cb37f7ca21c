"""What was tried in vain stays known: attempts at sending, runs of handlers, also those solved since."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from outeract_core import App, Outeract
from outeract_core._store.reading import health
from outeract_core._store.records import attempts, nodes
from outeract_core._store.writing.handlers import PARK
from outeract_core.events import Fact, Party
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.reading.world import Loft, arrive, connect, event, said

pytestmark = pytest.mark.anyio


class Gate(Loft):
    """A far end that is not reached while `faults` says how it is not."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.faults:
            raise httpx.ConnectError(self.faults.pop(0))
        return super().__call__(request)


@pytest.fixture
def gate() -> Gate:
    """The platform's far end."""
    return Gate()


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock, gate: Gate) -> AsyncIterator[Outeract]:
    """A store whose requests all go through the gate."""
    async with Outeract(
        tmp_path / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
        transport=httpx.MockTransport(gate),
    ) as core:  # fmt: skip
        yield core


async def told(app: App, about: Any) -> list[str]:
    """The lines of a story that say what was tried in vain."""
    return [m.what.strip() for m in (await app.explain(about)).moments if m.event is None]


async def test_a_handler_that_works_in_the_end_has_its_failures_in_the_story(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """Every failed run of a handler is told with its last line, also once another run has succeeded."""
    conn = connect(core, app)
    faults = [RuntimeError("no model"), ValueError("no key"), None]

    @app.on("message.inbound", name="clumsy")
    def clumsy(_message: Any) -> None:
        fault = faults.pop(0)
        if fault is not None:
            raise fault

    await arrive(core, conn, said("m1", "hi", "ann"))
    for _ in range(3):
        await core.pump()
        clock.advance(3600)
    message = await event(app, conn, "m1")
    assert message.status == "processed"
    assert await told(app, message) == [
        "handler clumsy, attempt 1 failed: RuntimeError: no model",
        "handler clumsy, attempt 2 failed: ValueError: no key",
    ]


async def test_a_story_is_told_in_the_order_of_time(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """What was tried in vain stands between the message and what came of it later."""
    conn = connect(core, app)
    faults = [RuntimeError("no model"), None]

    @app.on("message.inbound", name="echo")
    def echo(_message: Any) -> str:
        fault = faults.pop(0)
        if fault is not None:
            raise fault
        return "hello"

    await arrive(core, conn, said("m1", "hi", "ann", at=0))
    for _ in range(2):
        await core.pump()
        clock.advance(3600)
    story = await app.explain(await event(app, conn, "m1"))
    assert [m.what.split()[1 if m.what[0] == "▶" else 0] for m in story.moments] == [
        "message.inbound", "handler", "message.outbound", "sent",
    ]  # fmt: skip


async def test_the_same_failure_again_is_counted_not_written_again(app: App) -> None:
    """A failure that repeats itself is one row with a count, whatever the number of attempts."""
    note = await app.emit("note", 1)

    def fail(tx: Any, app: int) -> list[attempts.Attempt]:
        key = app << 40 | 1
        while tx.one(attempts.LAST, event=key) is not None:
            key += 1
        for number, error in enumerate(["down", "down", "down", "odd", "down"], 1):
            attempts.note(tx, key, "send", "send", number, error, at=number * 1000)
        return attempts.of(tx, [key])

    found = await app.tenant.write(fail)
    assert [(a.number, a.times, a.at, a.last, a.error) for a in found] == [
        (3, 3, 1000, 3000, "down"), (4, 1, 4000, 4000, "odd"), (5, 1, 5000, 5000, "down"),
    ]  # fmt: skip
    assert note is not None


async def test_a_status_told_twice_is_told_once(core: Outeract, app: App) -> None:
    """The platform's own `sent` after our receipt adds no line; each participant's of a group does."""
    conn = connect(core, app)
    delivery = await app.send((conn, "ann"), "hello")
    await core.pump()
    for key, kind, more in (
        ("s1", "sent", {}), ("s2", "read", {}), ("s3", "read", {}),
        ("s4", "read", {"participant": "bob"}), ("s5", "read", {"participant": "cem"}),
    ):  # fmt: skip
        payload = {"external_message_id": "out-1", **more}
        fact = Fact(f"message.{kind}", key, payload, sender=Party("bot", "system"), target="out-1")
        await arrive(core, conn, fact)
    story = await app.explain(delivery.id)
    assert [m.what.split()[0] for m in story.moments] == ["▶", "sent", "read", "read", "read"]


async def test_attempts_of_an_erased_person_lose_their_words(core: Outeract, app: App) -> None:
    """What a handler's traceback quotes of a person goes with the person."""
    conn = connect(core, app)

    @app.on("message.inbound", name="clumsy")
    def clumsy(message: Any) -> None:
        raise RuntimeError(message.text)

    await arrive(core, conn, said("m1", "my secret", "ann"))
    await core.pump()
    message = await event(app, conn, "m1")
    assert "my secret" in str(await told(app, message))
    await app.people.erase(await app.people.user(await app.people.by_external_id(conn, "ann")))
    assert await told(app, message) == ["handler clumsy, attempt 1 failed: erased"]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1), (3, 2, 1)])
async def test_the_turn_that_was_given_up_last_is_named(
    core: Outeract, app: App, order: tuple[int, ...]
) -> None:
    """However the events stand in the log; and since when is counted is kept to."""
    pigeon = connect(core, app)
    await arrive(core, pigeon, *(said(f"m{n}", "hello", "ann") for n in range(len(order))))
    ids = [
        one.id
        for one in await app.events.page(order="oldest")
        if one.event_type == "message.inbound"
    ]
    database = core.runtime.database

    def give_up(tx: Any) -> None:
        for one, at in zip(ids, order, strict=True):
            key = nodes.key(tx, app.key, one, "event")
            tx.run(PARK, event=key, handler="h", reason="failed", now=at, failure=None)

    database.write_now(give_up)
    assert database.read(health.parked) == (3, ids[order.index(3)])
    assert database.read(lambda tx: health.parked(tx, 2)) == (2, ids[order.index(3)])
    assert database.read(lambda tx: health.parked(tx, 4)) == (0, None)
