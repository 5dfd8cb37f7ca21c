"""Ingest into a file with a long history, against ingest into a file without one.

Knows: both files know the same people, so that only the history differs.
Does not know: why a long history costs anything.

The keys by which repeated deliveries are recognised grow with time, as Telegram's do.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from outeract_core import Outeract

from ..ground import traffic
from ..ground.writing import Ground, ground, hand_over
from ..measure import Options, Result, at_least, over, told
from ..progress import progress
from ..took import Took, figures_of

COUNT = 20_000
TASKS = (100, 1000)
FIRST = 1_000_000_000
"""Where the numbers of the messages in the empty file begin; they are as long as the others."""


def run(options: Options) -> Result:
    """Messages per second behind `size` messages, and behind none."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    count = min(COUNT, 2 * options.size)
    took: dict[str, list[Took]] = {}
    acquainted = await _acquainted(options)
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(ground(options))
        for number in range(options.rounds):
            for tasks in TASKS:
                progress(f"history: round {number + 1} of {options.rounds}, {tasks} tasks")
                took.setdefault(f"ingest_{tasks}_tasks", []).append(await _behind(on, count, tasks))
                async with _empty(acquainted, options) as core:
                    empty = await _into(core, options, count, tasks, number)
                took.setdefault(f"empty_{tasks}_tasks", []).append(empty)
    figures = figures_of(took)
    ratios = {
        f"{tasks}_tasks_of_empty": over(figures, f"ingest_{tasks}_tasks", f"empty_{tasks}_tasks")
        for tasks in TASKS
    }
    goals = [at_least(name, ratio, 0.55) for name, ratio in ratios.items()]
    return Result("history", options.size, figures, told(ratios), goals)


async def _behind(on: Ground, count: int, tasks: int) -> Took:
    return await hand_over(on.core, on.connection, on.bodies(count), tasks)


async def _into(core: Outeract, options: Options, count: int, tasks: int, number: int) -> Took:
    _app, connection = traffic.connected(core)
    people = traffic.conversations(options.size)
    bodies = list(traffic.updates(count, people, FIRST, seed=number + 7))
    return await hand_over(core, connection, bodies, tasks)


async def _acquainted(options: Options) -> Path:
    """A file with one message of each person."""
    path = options.scratch / "acquainted.db"
    people = traffic.conversations(options.size)
    async with Outeract(path, search=None) as core:
        _app, connection = traffic.connected(core)
        bodies = [traffic.update(number, number, "hello") for number in range(1, people + 1)]
        await hand_over(core, connection, bodies, 1000)
    return path


@asynccontextmanager
async def _empty(acquainted: Path, options: Options) -> AsyncIterator[Outeract]:
    path = options.scratch / "empty.db"
    for old in options.scratch.glob("empty.db*"):
        old.unlink()
    shutil.copyfile(acquainted, path)
    shutil.copyfile(f"{acquainted}.key", f"{path}.key")
    async with Outeract(path, search=None) as core:
        yield core
