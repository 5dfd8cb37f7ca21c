"""What follows from itself without a person ends: it is told once, parked, and the bot goes on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from outeract_core import Message
from tests.support.bots import talk
from tests.support.patience import soon

pytestmark = pytest.mark.anyio


async def test_a_chain_without_a_person_is_stopped_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that causes its own event runs as often as `chain=` allows; a person is answered."""
    bot, runs = talk(tmp_path / "a.db"), []
    async with bot.core:

        @bot.app.on("ping", name="echo", chain=3)
        def echo(message: Message) -> None:
            runs.append(message.id)
            bot.app.emit("ping", {})

        bot.app.on("message.inbound")(lambda message: f"re {message.text}")
        await bot.app.emit("ping", {})
        with caplog.at_level(logging.WARNING, "outeract_core"), soon():
            for _ in range(10):
                await bot.core.pump()
        assert len(runs) == 4
        (told,) = await bot.events("system.loop_stopped")
        assert told.payload["chain"] == 3
        pings = await bot.events("ping")
        assert [ping.status for ping in pings].count("failed") == 1
        assert pings[-1].status == "failed"
        said = [r.getMessage() for r in caplog.records if "without a person" in r.getMessage()]
        assert len(said) == 1
        await bot.says("hello")
        with soon():
            await bot.core.pump()
        assert bot.terminal.texts == ["re hello"]


async def test_a_wildcard_that_answers_has_one_turn_for_one_message(tmp_path: Path) -> None:
    """What the bot said, and what came of it, does not wake a pattern."""
    bot, runs = talk(tmp_path / "a.db"), []
    async with bot.core:

        @bot.app.on("message.*")
        def answer(message: Message) -> str:
            runs.append(message.type)
            return "hi"

        await bot.says("hello")
        with soon():
            for _ in range(5):
                await bot.core.pump()
        assert runs == ["message.inbound"]
        assert bot.terminal.texts == ["hi"]
