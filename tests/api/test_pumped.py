"""What `pump` and `drain` report: what was done to messages and turns, what is left, when it is due."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from outeract_core import App, Outeract
from outeract_core import blocking as without_loop
from outeract_core.errors import BadInput
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import talk, whatsapp
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.anyio
ANN = ("whatsapp", "+14155550100")


async def test_each_message_counts_as_what_became_of_it(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """Sent, failed, unknown, retrying, waiting: a message is in one of them, whatever its requests."""
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        await app.send(ANN, "word " * 2000)  # in several parts
        assert (await core.pump()).sent == 1
        fake.refuse(1)
        await app.send(ANN, "no")
        pumped = await core.pump()
        assert (pumped.sent, pumped.failed, pumped.next_due) == (0, 1, None)
        fake.drop(1)
        await app.send(ANN, "perhaps")
        assert (await core.pump()).unknown == 1
        fake.throttle(1, after=30)
        await app.send(ANN, "slow")
        pumped = await core.pump()
        assert (pumped.sent, pumped.retrying, pumped.waiting) == (0, 1, 0)
        await app.send(
            ("whatsapp", "+14155550111"), "later", not_before=clock() + timedelta(days=1)
        )
        pumped = await core.pump()
        assert (pumped.retrying, pumped.waiting) == (1, 1)
        assert pumped.next_due is not None


async def test_a_turn_that_is_given_up_is_parked_once(tmp_path: Path) -> None:
    """`retrying` and `next_due` tell of a turn to come, `parked` of one that does not come any more."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:

        @bot.app.on("message.inbound", attempts=2)
        def broken(message: object) -> None:
            raise ValueError(message)

        await bot.says("hello")
        pumped = await bot.core.pump()
        assert (pumped.parked, pumped.retrying) == (0, 1)
        assert pumped.next_due is not None
        bot.clock.set(pumped.next_due)
        pumped = await bot.core.pump()
        assert (pumped.parked, pumped.retrying, pumped.next_due) == (1, 0, None)
        assert (await bot.core.pump()).parked == 0


async def test_raise_errors_raises_what_a_handler_has_raised(tmp_path: Path) -> None:
    """In a test the bot's own exception ends `pump`, after everything else was done."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:

        @bot.app.on("message.inbound")
        def broken(message: object) -> None:
            raise ZeroDivisionError

        await bot.app.send(("console", "bob"), "not held up")
        await bot.says("hello")
        with pytest.raises(ZeroDivisionError):
            await bot.core.pump(raise_errors=True)
        assert bot.terminal.texts == ["not held up"]
        await bot.core.pump(raise_errors=True)


async def test_drain_goes_on_while_anything_is_due_in_time(
    core: Outeract, app: App, clock: ManualClock
) -> None:
    """What is due within the timeout leaves, also when it must wait; what is due later stays."""
    with FakePlatform(clock=clock) as fake:
        whatsapp(app, fake)
        await app.send(ANN, "soon", not_before=clock() + timedelta(seconds=20))
        await app.send(("whatsapp", "+14155550111"), "far", not_before=clock() + timedelta(days=1))
        async with anyio.create_task_group() as group:

            async def tick() -> None:
                for _ in range(60):  # so that "far" stays far, however long a real request takes
                    await anyio.lowlevel.checkpoint()
                    await anyio.lowlevel.checkpoint()
                    clock.advance(1)

            group.start_soon(tick)
            drained = await core.drain(timeout=100_000 / 4)
            group.cancel_scope.cancel()
        assert drained.sent == 1
        assert [m.text for m in fake.sent()] == ["soon"]
        assert (drained.waiting, drained.retrying) == (1, 0)


async def test_drain_refuses_nonsense(core: Outeract) -> None:
    """A time is not negative, and not no number."""
    for nonsense in (-1, float("nan")):
        with pytest.raises(BadInput):
            await core.drain(timeout=nonsense)


def test_a_script_waits_and_that_sends(tmp_path: Path) -> None:
    """The blocking `wait` does the work itself: nobody else is there to do it."""
    printed: list[str] = []
    with without_loop.Outeract(
        tmp_path / "a.db", console=lambda line: printed.append(line["text"]) or {}
    ) as core:
        app = core.app("script")
        app.connect("console")
        assert app.send(("console", "ann"), "hello").wait("sent", timeout=PATIENCE).status == "sent"
        assert core.drain(timeout=0).sent == 0
    assert printed == ["hello"]
