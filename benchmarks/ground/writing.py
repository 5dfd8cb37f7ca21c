"""The ground on which writes are measured: the library's file and equal copies for floor and peers.

Knows: how webhooks are handed over by many tasks, how the same messages reach the other files.
Does not know: which benchmark asks, what a good ratio is.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from outeract_core import App, Outeract, PlatformConnection

from ..measure import Options
from ..memory import put_aside
from ..peers import missing
from ..took import Took
from . import traffic, world
from .computing import for_a_while
from .floor import Floor, Rows, differences, mark, written


async def hand_over(
    core: Outeract, connection: PlatformConnection, bodies: list[bytes], tasks: int,
    seconds: float = math.inf,
) -> Took:  # fmt: skip
    """All bodies (those that are begun within `seconds`), each with a durable answer, by so many tasks."""
    each: list[float] = []
    rest = for_a_while(bodies, seconds)
    put_aside()
    start = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(min(tasks, len(bodies))):
            group.start_soon(_caller, core, connection, rest, each)
    return Took(len(each), time.perf_counter() - start, each)


async def _caller(
    core: Outeract, connection: PlatformConnection, rest: Iterator[bytes], each: list[float]
) -> None:
    for body in rest:
        start = time.perf_counter()
        answer = await core.ingest(
            connection.webhook_id, connection.webhook_secret, "POST", traffic.HEADERS, {}, body
        )
        each.append(time.perf_counter() - start)
        if answer.status != 200:
            raise AssertionError(f"{answer.status}: {answer.body!r}")


ROOMY = 2_000_000
"""Up to this size there is room for one more copy."""


@dataclass
class Ground:
    """The open files. `bodies(n)` are the next `n` webhooks, `last` those that `ours` took in last."""

    options: Options
    built: world.World
    path: Path
    core: Outeract
    app: App
    connection: PlatformConnection
    floor: Floor
    floor_path: Path
    begin: int
    number: int
    last: list[bytes] = field(default_factory=list)

    def bodies(self, count: int) -> list[bytes]:
        """The next webhooks, of the people that the world knows."""
        people = traffic.conversations(self.options.size)
        made = list(traffic.updates(count, people, self.number, seed=self.number))
        self.number += count
        return made

    async def hand_over(self, bodies: list[bytes], tasks: int, seconds: float) -> Took:
        """The library takes what it can of them within so many seconds."""
        return await hand_over(self.core, self.connection, bodies, tasks, seconds)

    async def ours(self, count: int, tasks: int) -> tuple[Took, list[Rows]]:
        """The library takes the next webhooks in; how fast, and which rows came of it."""
        self.last = bodies = self.bodies(count)
        before = mark(self.path)
        took = await hand_over(self.core, self.connection, bodies, tasks)
        return took, written(self.path, before)

    def raw(self, rows: list[Rows], batch: int) -> Took:
        """The floor writes the same."""
        transactions = list(self.floor.prepared(rows, batch))
        put_aside()
        start = time.perf_counter()
        each = self.floor.write(transactions, idle=batch == 1)
        return Took(len(rows), time.perf_counter() - start, each)

    def unlike(self) -> list[str]:
        """Tables that are not the same in the library's file and the floor's."""
        return differences(self.path, self.floor_path, self.begin)


@asynccontextmanager
async def ground(options: Options, built: world.World | None = None) -> AsyncIterator[Ground]:
    """The world of this size, copied for the library and for the floor."""
    built = built or world.ready(options)
    path = world.copied(built, options.scratch, "ours")
    floor_path = world.copied(built, options.scratch, "floor")
    async with Outeract(path, search=None) as core:
        app, connection = traffic.connected(core)
        floor = Floor(floor_path)
        begin = mark(path)
        yield Ground(
            options, built, path, core, app, connection, floor, floor_path, begin, options.size + 1
        )
        floor.close()


async def with_aiosqlite(stack: AsyncExitStack, on: Ground) -> tuple[list[Any], dict[str, str]]:
    """The peer and the program on copies of the same world, and why one is left out."""
    why_not = missing(on.options, "aiosqlite")
    if why_not is not None:
        return [], {"aiosqlite": why_not}
    from ..peers.aiosqlite_peer import Aiosqlite
    from ..peers.aiosqlite_program import AiosqliteProgram

    folder = on.options.scratch
    rows = Aiosqlite(world.copied(on.built, folder, "aiosqlite"))
    peers = [await stack.enter_async_context(rows)]
    if on.options.size > ROOMY:
        return peers, {"aiosqlite_program": "a fourth copy of the file would not fit everywhere"}
    program = AiosqliteProgram(world.copied(on.built, folder, "program"))
    return [*peers, await stack.enter_async_context(program)], {}
