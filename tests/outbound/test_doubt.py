"""What may have been sent stays so until there is proof, whatever the platform answers when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract, PlatformConnection
from outeract_core._store.writing import claims
from outeract_core.testing import ManualClock
from tests.support.stepped import Asked, Asking, Stepwise, Wire, count, opened, take
from tests.support.store.platform import status

pytestmark = pytest.mark.anyio

ANSWERS: dict[str, Callable[[Asking], None]] = {
    "a 500": lambda asking: asking.answer(500),
    "not now": lambda asking: asking.answer(503),
    "too often": lambda asking: asking.answer(429),
    "a missing scope": lambda asking: asking.answer(403),
    "a refused token": lambda asking: asking.answer(401),
    "a refusal": lambda asking: asking.answer(400),
    "a page of HTML": lambda asking: asking.answer(200, b"<html>"),
    "nonsense": lambda asking: asking.answer(200, {"what": "ever"}),
    "a receipt that is none": lambda asking: asking.answer(200, {"id": ["1"]}),
    "no receipt": lambda asking: asking.answer(200, {"id": {"$": 1}}),
    "no network": lambda asking: asking.lose(),
}


class Desk:
    """A bot on a platform that can be asked. `looks`: what a look-up is answered; `posts`: a message."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.looks: Callable[[Asking], None] = ANSWERS["a 500"]
        self.posts: Callable[[Asking], None] = lambda asking: asking.lose()
        self.times: list[tuple[str, float]] = []
        self._start = clock()
        self.wire = Wire(self._script)
        self.core: Outeract
        self.app: App
        self.connection: PlatformConnection
        self.core, self.app, self.connection = opened(path, self.wire, clock, Asked)

    def _script(self, asking: Asking) -> None:
        self.times.append((asking.path, (self.clock() - self._start).total_seconds()))
        (self.posts if asking.path == "/send" else self.looks)(asking)

    async def work(self, seconds: float, step: float = 5) -> None:
        """Let time go on, in steps."""
        for _ in range(int(seconds / step)):
            await self.core.pump()
            self.clock.advance(step)


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_look_up_that_says_nothing_ends_as_unknown(
    tmp_path: Path, clock: ManualClock, answer: str
) -> None:
    """Whatever goes wrong when it is asked: it is told as unknown in the end and never sent again."""
    desk = Desk(tmp_path / "bot.db", clock)
    desk.looks = ANSWERS[answer]
    async with desk.core:
        sent = await desk.app.send((desk.connection, "ann"), "once")
        await desk.work(7200, 30)
        assert (await sent.state()).status == "unknown"
        assert desk.wire.sent() == ["once"]
        assert await count(desk.app, "message.unknown") == 1


async def test_absence_is_proof_only_when_it_can_no_longer_arrive(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Not asked before the request's own time is over, asked again just before it leaves again."""
    desk = Desk(tmp_path / "bot.db", clock)
    answers = [lambda asking: asking.lose(), lambda asking: asking.answer()]
    desk.posts = lambda asking: answers.pop(0)(asking)
    desk.looks = lambda asking: asking.answer(200, {"id": None})
    async with desk.core:
        sent = await desk.app.send((desk.connection, "ann"), "once")
        await desk.work(600)
        assert (await sent.state()).status == "sent"
    (first, _), *looks, (last, at) = desk.times
    assert (first, last) == ("/send", "/send")
    assert all(path == "/find" and when >= 30 for path, when in looks)
    assert looks[-1][1] == at


@pytest.mark.parametrize("seconds", [2.5, 9, 35, 150])
async def test_a_slow_platform_is_not_doubled(
    tmp_path: Path, clock: ManualClock, seconds: float
) -> None:
    """The answer was lost and the platform carries the request out so much later: found, not repeated."""
    desk = Desk(tmp_path / "bot.db", clock)

    def looks(asking: Asking) -> None:
        done = desk.times[-1][1] >= seconds
        asking.answer(200, {"id": f"found-{asking.said['token']}" if done else None})

    desk.looks = looks
    async with desk.core:
        sent = await desk.app.send((desk.connection, "ann"), "once")
        after = await desk.app.send((desk.connection, "ann"), "then")
        await desk.work(900)
        state = await sent.state()
        assert (state.status, state.parts[0].external_message_id) == (
            "sent",
            f"found-{sent.id.hex}.0",
        )
        assert desk.wire.sent()[:2] == ["once", "then"]
        assert desk.wire.sent().count("once") == 1
        assert (await after.state()).status == "sent"


async def test_a_look_up_that_works_in_the_end_is_believed(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Two answers of 503, then the receipt."""
    desk = Desk(tmp_path / "bot.db", clock)
    looks: list[Any] = [ANSWERS["not now"], ANSWERS["not now"]]
    desk.looks = lambda asking: (
        looks.pop(0)(asking) if looks else asking.answer(200, {"id": "found"})
    )
    async with desk.core:
        sent = await desk.app.send((desk.connection, "ann"), "once")
        await desk.work(1200)
        assert (await sent.state()).status == "sent"
        assert desk.wire.sent() == ["once"]


async def test_a_row_that_was_left_while_sending_is_not_taken_for_absent(
    tmp_path: Path, clock: ManualClock
) -> None:
    """After a kill nothing is asked, told or sent before the request can no longer arrive."""
    desk = Desk(tmp_path / "bot.db", clock)
    desk.looks = lambda asking: asking.answer(200, {"id": "found"})
    async with desk.core:
        sent = await desk.app.send((desk.connection, "ann"), "once")
        await desk.core.pump()
        assert [path for path, _ in desk.times] == ["/send"]
        clock.advance(20)
        await desk.core.pump()
        assert [path for path, _ in desk.times] == ["/send"]
        clock.advance(30)
        await desk.core.pump()
        assert (await sent.state()).status == "sent"


@pytest.mark.parametrize("told", [True, False])
async def test_after_a_kill_nothing_is_told_while_it_may_still_arrive(
    tmp_path: Path, clock: ManualClock, told: bool
) -> None:
    """A platform that cannot be asked: its status may settle it meanwhile, else it is unknown then."""
    wire, after = Wire(), Wire(lambda asking: asking.answer())
    core, app, connection = opened(tmp_path / "bot.db", wire, clock, Stepwise)
    other, again, same = opened(tmp_path / "bot.db", after, clock, Stepwise)
    sent = await app.send((connection, "ann"), "one")
    await app.send((connection, "ann"), "two")
    async with other, core, anyio.create_task_group() as group:
        group.start_soon(core._sender.step)
        dying = await wire.arrived(1)
        dead = core.runtime.owner
        await other.runtime.database.write(lambda tx: claims.release_owner(tx, dead))
        await other.pump()
        assert (await count(again, "message.unknown"), after.sent()) == (0, [])
        if told:
            token = f"{sent.id.hex}.0"
            await take(other, same, status("delivered", "wamid", correlation=token))
            await other.pump()
        else:
            clock.advance(40)
            await other.pump()
        assert after.sent() == ["two"]
        assert await count(again, "message.unknown") == (0 if told else 1)
        assert (await sent.state()).status == ("delivered" if told else "unknown")
        dying.lose()
