"""A handler that does what nobody should harms itself alone: it leaves a cancel scope open, as a client does that
is entered and never left, or waits for the round that waits for it.

Knows: asyncio and trio refuse to go on in such a task. Does not know: how a turn is brought to its end.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Message
from outeract_core.blocking import Outeract as Blocking
from outeract_core.errors import BadInput
from tests.support.bots import Talk, talk
from tests.support.patience import let_go_on, soon
from tests.support.raising import WAYS

pytestmark = pytest.mark.anyio


async def _left() -> str:
    anyio.CancelScope().__enter__()
    return "done"


async def _left_and_cancelled() -> str:
    scope = anyio.CancelScope()
    scope.__enter__()
    scope.cancel()
    await anyio.lowlevel.checkpoint()
    return "never"


async def _left_and_raised() -> str:
    anyio.CancelScope().__enter__()
    raise ValueError("no")


KINDS: dict[str, Callable[[], Awaitable[str]]] = {
    "left": _left,
    "left and cancelled": _left_and_cancelled,
    "left and raised": _left_and_raised,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_left_open_has_an_outcome_and_others_are_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, way: str
) -> None:
    """The turn is handled, or given up in the end, and said to be so once; whoever writes is answered."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:

        @bot.app.on("message.inbound", name="h", attempts=2)
        async def handler(message: Message) -> Any:
            return "re hello" if message.text == "hello" else await KINDS[kind]()

        for number, user in enumerate(("ann", "bob", "cleo")):
            await bot.says("hello" if user == "bob" else "leave", user=user, n=number)
        with caplog.at_level(logging.WARNING, "outeract_core"):
            await _worked(bot, way)
        events = await bot.events("message.inbound")
        ended = "processed" if kind == "left" else "failed"
        assert [event.status for event in events] == [ended, "processed", ended]
        replies = ["done", "done", "re hello"] if kind == "left" else ["re hello"]
        assert sorted(bot.terminal.texts) == replies
        assert sum("left a cancel scope" in told for told in caplog.messages) == 1


async def _worked(bot: Talk, way: str) -> None:
    if way == "pump":
        for _ in range(6):
            await bot.core.pump()
            bot.clock.advance(60)
        return
    async with anyio.create_task_group() as group:
        group.start_soon(bot.core.serve)
        with soon():
            while any(event.status == "received" for event in await bot.events("message.inbound")):
                bot.clock.advance(1)
                bot.core.runtime.wake()
                await let_go_on()
            while "re hello" not in bot.terminal.texts:
                await let_go_on()
        group.cancel_scope.cancel()


async def test_who_leaves_things_open_is_still_stopped_by_the_host(tmp_path: Path) -> None:
    """In a task of its own, too, what the host stops is no failure: it runs again."""
    bot = talk(tmp_path / "a.db")
    started, runs = anyio.Event(), list[str]()
    async with bot.core:

        @bot.app.on("message.inbound", attempts=1)
        async def handler(message: Message) -> str:
            runs.append(message.text)
            if message.text == "leave":
                return await _left()
            if len(runs) == 2:
                started.set()
                await anyio.sleep_forever()
            return "again"

        await bot.says("leave")
        await bot.core.pump()
        await bot.says("stop", user="bob")
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            with soon():
                await started.wait()
            group.cancel_scope.cancel()
        await bot.core.pump()
        assert runs == ["leave", "stop", "stop"]
        assert bot.terminal.texts == ["done", "again"]
        assert await bot.events("system.handler_failed") == []


VERBS = ("pump", "drain", "serve", "aclose")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_handler_does_not_wait_for_the_round_that_waits_for_it(
    tmp_path: Path, verb: str
) -> None:
    """What would hang for ever is refused at once, and the handler goes on; another file is nothing to it."""
    bot, other = talk(tmp_path / "a.db"), talk(tmp_path / "b.db")
    async with bot.core, other.core:

        @bot.app.on("message.inbound", attempts=1)
        async def handler(message: Message) -> str:
            with pytest.raises(BadInput, match="inside a handler"):
                await getattr(bot.core, verb)()
            if verb == "pump":
                await other.says("there")
                await other.core.pump()
            return "still here"

        await bot.says("x")
        with soon():
            await bot.core.pump()
        assert bot.terminal.texts == ["still here"]


@pytest.mark.parametrize("verb", ["pump", "drain", "serve", "close"])
def test_a_plain_handler_does_not_either(tmp_path: Path, verb: str) -> None:
    """Through the blocking façade, in a thread of its own."""
    said: list[str] = []
    with Blocking(tmp_path / "a.db", console=lambda line: said.append(line["text"])) as core:
        app = core.app("support")
        where = app.connect("console")

        @app.on("message.inbound", attempts=1)
        def handler(message: Message) -> str:
            with pytest.raises(BadInput, match="inside a handler"):
                getattr(core, verb)()
            return "still here"

        core.ingest(where.webhook_id, where.webhook_secret, body=b"x")
        core.pump()
        assert said == ["still here"]
