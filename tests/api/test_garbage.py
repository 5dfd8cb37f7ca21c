"""What the library does often leaves no circles behind: nothing waits for a garbage collection to be freed.

Knows: that the collector counts what it could not have been freed without it.
Does not know: when it runs, how long it takes.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from outeract_core.errors import NotFound
from tests.support.bots import Talk, talk

pytestmark = pytest.mark.anyio
_TIMES, _ROUND = 60, 80
"""What is done often, and what a round of work may leave (the tasks of anyio that it cancels at its end)."""
Often = Callable[[Talk], Awaitable[Any]]


async def _said(bot: Talk) -> None:
    await bot.says("hello again")


async def _refused(bot: Talk) -> None:
    answer = await bot.core.ingest(bot.connection.webhook_id, "nobody", body=b"{}")
    assert answer.status == 404


async def _not_understood(bot: Talk) -> None:
    where = bot.connection
    await bot.core.ingest(where.webhook_id, where.webhook_secret, body=b"{")


async def _paged(bot: Talk) -> None:
    [first] = (await bot.app.conversations.recent(first=1)).nodes
    page = await (await bot.app.conversations.of(first.peer)).page(first=20)
    assert [message.text for message in page]


async def _searched(bot: Talk) -> None:
    await bot.app.search("hello", first=5)


async def _emitted(bot: Talk) -> None:
    await bot.app.emit("own.step", {"n": 1})


async def _failed(bot: Talk) -> None:
    with contextlib.suppress(NotFound):
        await bot.app.emit("own.step", {"n": 1}, edges={"about": uuid4()})


async def _not_found(bot: Talk) -> None:
    with contextlib.suppress(NotFound):
        await bot.app.events.get(uuid4())


async def _sent(bot: Talk) -> None:
    await bot.app.send(("console", "ann"), "hi")


async def _walked(bot: Talk) -> None:
    newest = (await bot.app.events.page(first=1)).nodes[0]
    await bot.app.graph.walk(newest, depth=2)


OFTEN = [
    _said, _refused, _not_understood, _paged, _searched, _emitted, _failed, _not_found, _sent,
    _walked,
]  # fmt: skip


@contextlib.contextmanager
def _uncollected() -> Iterator[list[int]]:
    """How many objects are unreachable afterwards that only a collection frees."""
    found: list[int] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        found.append(gc.collect())
    finally:
        gc.enable()


@pytest.mark.parametrize("often", OFTEN, ids=lambda often: often.__name__[1:])
async def test_nothing_that_is_done_often_waits_for_the_collector(
    tmp_path: Path, often: Often
) -> None:
    """However often: fewer objects are left to be collected than it was done."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        await bot.says("hello")
        await often(bot)
        with _uncollected() as left:
            for _ in range(_TIMES):
                await often(bot)
    assert left[0] < _TIMES


async def test_turns_and_their_messages_do_not_either(tmp_path: Path) -> None:
    """A round of work over many turns: those that answer, those of plain functions, those that raise."""
    bot = talk(tmp_path / "a.db")

    def answer(message: Any, say: str) -> str:
        if message.text == "bad":
            raise ValueError("no")
        return say

    async def answered(message: Any) -> str:
        return answer(message, "awaited")

    bot.app.on("message.inbound", name="plain", overlap="queue")(partial(answer, say="plain"))
    bot.app.on("message.inbound", name="async", overlap="queue", attempts=1)(answered)
    async with bot.core:
        await _turns(bot, 3)
        with _uncollected() as left:
            await _turns(bot, _TIMES)
    assert left[0] < _TIMES + _ROUND


async def _turns(bot: Talk, count: int) -> None:
    for number in range(count):
        await bot.says("bad" if number % 6 == 0 else "hello", f"user {number % 7}")
    await bot.core.pump()
