"""From an inbound commit through the handler to the commit of its reply, in one conversation and in 1,000.

Knows: callers that wait for the reply to their message before they write the next.
Does not know: lanes, turns, leases.

`single_commit` is the library with one unit to a transaction, so that every step waits for the disk
by itself. The other framework dispatches the same updates to the same handler and keeps nothing: it is
what a program without a store gives, and is shown for the scale.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from outeract_core import App, Message, Outeract, PlatformConnection
from outeract_core._api.workers import _hosted
from outeract_core._handlers.dispatcher import Dispatcher
from outeract_core._io import database

from ..ground import traffic, world
from ..measure import Options, Result, at_least, over, told
from ..peers import missing
from ..progress import progress
from ..took import Took, figures_of

ONE, MANY = 1, 1000
COUNT = {ONE: 300, MANY: 4_000}
MOST_SINGLE = 1_000


def run(options: Options) -> Result:
    """Replies per second, and the time from the answer to a webhook to the commit of the reply."""
    return anyio.run(_measured, options)


@dataclass
class Bot:
    """An application that echoes; `committed`: who waits for the reply to which text."""

    core: Outeract
    app: App
    connection: PlatformConnection
    number: int = 0
    committed: dict[str, asyncio.Future[float]] = field(default_factory=dict)

    def told(self, text: str) -> None:
        """From the writer's thread: the reply to this text is on disk."""
        waiting = self.committed.pop(text)
        waiting.get_loop().call_soon_threadsafe(waiting.set_result, time.perf_counter())

    async def ask(self, who: int) -> float:
        """One message; the seconds between its answer and its reply's commit."""
        self.number += 1
        text = f"question {self.number}"
        reply: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.committed[text] = reply
        body = iter([traffic.update(self.number, who, text)])
        await traffic.deliver(self.core, self.connection, body)
        start = time.perf_counter()
        return max(0.0, await reply - start)


async def _measured(options: Options) -> Result:
    why_not = missing(options, "nonebot")
    took: dict[str, list[Took]] = {}
    async with _bot(options) as bot:
        await _asked(bot, MANY, MANY)  # everybody is known from now on
        for number in range(options.rounds):
            progress(f"dispatch: round {number + 1} of {options.rounds}")
            for people in (ONE, MANY):
                took.setdefault(f"dispatch_{people}", []).append(
                    await _asked(bot, people, min(COUNT[people], 2 * options.size))
                )
            with _one_unit_to_a_commit():
                single = await _asked(bot, MANY, MOST_SINGLE)
            took.setdefault("single_commit_1000", []).append(single)
            if why_not is None:
                from ..peers.nonebot_peer import dispatched

                took.setdefault("nonebot_not_durable", []).append(await dispatched(COUNT[MANY]))
    result = _result(options, took)
    if why_not is not None:
        result.left_out["nonebot"] = why_not
    return result


@asynccontextmanager
async def _bot(options: Options) -> AsyncIterator[Bot]:
    path = world.copied(world.ready(options), options.scratch, "ours")
    async with Outeract(path, search=None) as core:
        app = core.app("dispatch")  # the world's own messages are another application's
        connection = app.connect("telegram", token="2:bench", webhook_secret_token=traffic.SECRET)
        bot = Bot(core, app, connection)

        @app.on("message.inbound", overlap="queue")
        async def echo(message: Message) -> str:
            text = message.text
            await app.commit(lambda tx: tx.after_commit(partial(bot.told, text)))
            return f"echo of {text}"

        owned = core.runtime.ownership.session(serving=True)
        async with owned, anyio.create_task_group() as group:
            group.start_soon(Dispatcher(_hosted(app)).run)
            yield bot
            group.cancel_scope.cancel()


async def _asked(bot: Bot, people: int, count: int) -> Took:
    """So many messages in all, by so many people, each of whom waits for the reply."""
    each: list[float] = []

    async def person(who: int) -> None:
        each.extend([await bot.ask(who) for _ in range(count // people)])

    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        for who in range(1, people + 1):
            group.start_soon(person, who)
    return Took(len(each), time.perf_counter() - start, each)


class _one_unit_to_a_commit:  # noqa: N801 - reads as a statement
    """Within it the writer groups nothing."""

    def __enter__(self) -> None:
        self._before, database.BATCH = database.BATCH, 1

    def __exit__(self, *_: Any) -> None:
        database.BATCH = self._before


def _result(options: Options, took: dict[str, list[Took]]) -> Result:
    figures = figures_of(took)
    over_single = over(figures, "dispatch_1000", "single_commit_1000")
    ratios = {
        "1000_of_single_commit": over_single,
        "1000_of_nonebot_not_durable": over(figures, "dispatch_1000", "nonebot_not_durable"),
    }
    return Result(
        "dispatch", options.size, figures, told(ratios),
        [at_least("1000_of_single_commit", over_single, 10)],
    )  # fmt: skip
