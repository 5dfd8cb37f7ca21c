"""A bot that echoes, and people who wait for the reply to their message before they write the next.

Knows: webhooks in, a handler, the commit of its reply. Does not know: which benchmark asks.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio

from outeract_core import App, Message, Outeract, PlatformConnection
from outeract_core._api.workers import _hosted
from outeract_core._handlers.dispatcher import Dispatcher

from ..measure import Options
from ..took import Took
from . import traffic, world


@dataclass
class Bot:
    """An application that echoes; `committed`: who waits for the reply to which text; `due`: whose is on disk."""

    core: Outeract
    app: App
    connection: PlatformConnection
    silent: PlatformConnection
    number: int = 0
    committed: dict[str, asyncio.Future[float]] = field(default_factory=dict)
    due: deque[asyncio.Future[float]] = field(default_factory=deque)
    woken: bool = False

    def told(self, text: str) -> None:
        """From the writer's thread: the reply to this text is on disk. The loop is woken once for many."""
        waiting = self.committed.pop(text)
        self.due.append(waiting)
        if not self.woken:
            self.woken = True
            waiting.get_loop().call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self.woken = False  # before any is taken: who comes later wakes again
        while self.due:
            self.due.popleft().set_result(time.perf_counter())

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

    async def say(self, who: int) -> float:
        """One message that nobody answers; the seconds until the webhook was answered."""
        self.number += 1
        body = iter([traffic.update(self.number, who, f"remark {self.number}")])
        start = time.perf_counter()
        await traffic.deliver(self.core, self.silent, body)
        return time.perf_counter() - start


@asynccontextmanager
async def echoing(options: Options) -> AsyncIterator[Bot]:
    """The bot, on a copy of the world of this size."""
    path = world.copied(world.ready(options), options.scratch, "echo")
    async with Outeract(path, search=None) as core:
        app = core.app("dispatch")  # the world's own messages are another application's
        connection = app.connect("telegram", token="2:bench", webhook_secret_token=traffic.SECRET)
        unheard = core.app("nobody")  # no handler is there
        silent = unheard.connect("telegram", token="3:bench", webhook_secret_token=traffic.SECRET)
        bot = Bot(core, app, connection, silent)

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


async def asked(bot: Bot, people: int, count: int, seconds: float = math.inf) -> Took:
    """So many messages in all, by so many people, each of whom waits for the reply; and no new ones
    after so many seconds.
    """
    return await _spoken(bot.ask, people, count, seconds)


async def heard(bot: Bot, people: int, count: int) -> Took:
    """As many messages that nobody answers, each person waiting for the webhook's answer."""
    return await _spoken(bot.say, people, count, math.inf)


async def _spoken(
    speak: Callable[[int], Awaitable[float]], people: int, count: int, seconds: float
) -> Took:
    each: list[float] = []
    start = time.perf_counter()

    async def person(who: int) -> None:
        for _ in range(count // people):
            each.append(await speak(who))
            if time.perf_counter() - start >= seconds:
                return

    async with anyio.create_task_group() as group:
        for who in range(1, people + 1):
            group.start_soon(person, who)
    return Took(len(each), time.perf_counter() - start, each)
