"""A handler that ends cancelled, and nobody has cancelled it, has failed: it is told, and given up in the end.

Knows: the ways in which a handler comes to such an end. Does not know: what counts the attempts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Message
from outeract_core._cli import main
from tests.support.bots import Talk, talk
from tests.support.patience import soon

pytestmark = pytest.mark.anyio


async def _raised() -> None:
    raise asyncio.CancelledError


async def _kept() -> None:
    """What an inner scope was cancelled with is raised again outside of it."""
    kept: list[BaseException] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            kept.append(error)
            raise
    raise kept[0]


async def _of_another_task() -> None:
    other = asyncio.ensure_future(asyncio.Event().wait())
    other.cancel()
    await other


def _me() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _itself_and_waits() -> None:
    _me().cancel()
    await asyncio.Event().wait()


async def _itself_and_returns() -> None:
    _me().cancel()


async def _itself_twice() -> None:
    _me().cancel()
    try:
        await asyncio.Event().wait()
    finally:
        _me().cancel()


WAYS: dict[str, Callable[[], Awaitable[None]]] = {
    "raised": _raised,
    "kept": _kept,
    "of another task": _of_another_task,
    "itself and waits": _itself_and_waits,
    "itself and returns": _itself_and_returns,
    "itself twice": _itself_twice,
}
ANYWHERE = ("raised", "kept")
"""What there is on every event loop; the others are asyncio's."""
ATTEMPTS = 5


@pytest.mark.parametrize("way", ["pump", "serve"])
@pytest.mark.parametrize("how", WAYS)
async def test_a_handler_that_always_ends_cancelled_is_given_up(
    tmp_path: Path, how: str, way: str, anyio_backend: str, caplog: Any, capsys: Any
) -> None:
    """Each attempt is told; after the last there is the event, it is listed, and others were answered."""
    if anyio_backend == "trio" and how not in ANYWHERE:
        pytest.skip("there is no such thing on trio")
    bot, runs = talk(tmp_path / "a.db"), []
    async with bot.core:

        @bot.app.on("message.inbound", name="h")
        async def handler(message: Message) -> str:
            if message.text == "go wrong":
                runs.append(bot.clock())
                await WAYS[how]()
            return f"re {message.text}"

        await bot.says("go wrong")
        await bot.says("hello", user="bob")
        with caplog.at_level(logging.WARNING, "outeract_core"):
            await _given_up(bot, way)
        (failed,) = await bot.events("system.handler_failed")
        assert (failed.payload["attempts"], len(runs)) == (ATTEMPTS, ATTEMPTS)
        assert "Cancelled" in failed.payload["traceback"]
        assert bot.terminal.texts == ["re hello"]
        told = [record.getMessage() for record in caplog.records]
        assert sum("h, message.inbound" in line for line in told) == ATTEMPTS, told
        (turn,) = await bot.app.turns()
        assert (turn.status, turn.handler) == ("parked", "h")
    capsys.readouterr()
    await anyio.to_thread.run_sync(main, ["turns", str(tmp_path / "a.db")])
    assert "parked" in capsys.readouterr().out


async def _given_up(bot: Talk, way: str) -> None:
    """Until the handler has failed for the last time; what waits for its attempt waits by the clock."""
    if way == "pump":
        for _ in range(ATTEMPTS):
            await bot.core.pump()
            bot.clock.advance(3600)
        return
    async with anyio.create_task_group() as group:
        group.start_soon(bot.core.serve)
        with soon():
            while not await bot.events("system.handler_failed"):
                for turn in await bot.app.turns(status="retrying"):
                    bot.clock.advance(max(0.0, (turn.due - bot.clock()).total_seconds()))
                bot.core.runtime.wake("handlers")
                await anyio.lowlevel.checkpoint()
            while not bot.terminal.texts:
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("turns", range(12))
async def test_whenever_it_is_cancelled_it_is_handled_once_or_told(
    tmp_path: Path, turns: int, fails: bool
) -> None:
    """So many turns of the loop after its handler has ended: in its commit, behind it, beside others."""
    bot, others, cut = talk(tmp_path / "a.db"), [], anyio.Event()
    async with bot.core:

        @bot.app.on("message.inbound", name="h", attempts=2)
        async def handler(message: Message) -> str:
            if message.text == "go wrong":
                _later(_me(), turns, cut)
                if fails:
                    raise ValueError
                return "re go wrong"
            others.append(message.text)
            await cut.wait()  # it still runs when the other one is cancelled, and a while longer
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            return f"re {message.text}"

        await bot.says("go wrong")
        await bot.says("hello", user="bob")
        for _ in range(4):
            await bot.core.pump()
            bot.clock.advance(3600)
        texts, failed = bot.terminal.texts, await bot.events("system.handler_failed")
        assert "re hello" in texts
        assert others == ["hello"]
        assert texts.count("re go wrong") + len(failed) == 1
        assert len(failed) == 1 or not fails


def _later(task: asyncio.Task[Any], turns: int, cut: anyio.Event) -> None:
    if turns:
        asyncio.get_running_loop().call_soon(_later, task, turns - 1, cut)
    else:
        task.cancel()
        cut.set()
