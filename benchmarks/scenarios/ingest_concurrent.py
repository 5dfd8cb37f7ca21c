"""A hundred and a thousand tasks hand over webhooks at once; the writer commits what is queued.

Knows: the floor (the rows, 100 messages to a transaction), aiosqlite with as many tasks, the units in
which a wait is told. Does not know: how commits are grouped.

A wait is told in raw commits: what the floor needs to commit as many messages as there are tasks. It
is also told in raw commits of a single message, which no grouping can reach.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import anyio

from ..ground.stages import stages
from ..ground.writing import Ground, ground, with_aiosqlite
from ..measure import Figure, Options, Result, at_least, at_most, over, told
from ..progress import progress
from ..took import Took, figures_of

TASKS = (100, 1000)
COUNT = 20_000
PEER_COUNT = 1_500
SINGLE = 500
PYTHON = 15.0
"""µs that Python may take of a message at batch 1,000."""


def run(options: Options) -> Result:
    """Messages per second, waits, and what Python takes of it by stage."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(ground(options))
        peers, why_not = await with_aiosqlite(stack, on)
        took = await _rounds(on, peers, min(COUNT, 2 * options.size))
        unlike = on.unlike()
        python = await stages(on, options.rounds)
    figures = {**figures_of(took), **python}
    result = _result(options, figures)
    result.extra["rows_unlike_the_floor"] = unlike
    result.well = not unlike
    result.left_out |= why_not
    return result


async def _rounds(on: Ground, peers: list[Any], count: int) -> dict[str, list[Took]]:
    took: dict[str, list[Took]] = {}
    for number in range(on.options.rounds):
        for tasks in TASKS:
            progress(f"ingest_concurrent: round {number + 1} of {on.options.rounds}, {tasks} tasks")
            ours, rows = await on.ours(count, tasks)
            took.setdefault(f"ingest_{tasks}_tasks", []).append(ours)
            if tasks == 1000:
                first = on.raw(rows[:SINGLE], 1)
                took.setdefault("floor_single", []).append(first)
                half = (len(rows) + SINGLE) // 2
                took.setdefault("floor_batch_1000", []).append(on.raw(rows[SINGLE:half], 1000))
                rows_left = rows[half:]
            else:
                rows_left = rows
            took.setdefault(f"floor_batch_100_{tasks}", []).append(on.raw(rows_left, 100))
            if peers:
                transactions = list(on.floor.prepared(rows[:PEER_COUNT], 1))
                took.setdefault(f"aiosqlite_{tasks}_tasks", []).append(
                    await peers[0].write(transactions, tasks)
                )
            if len(peers) > 1:
                took.setdefault(f"program_{tasks}_tasks", []).append(
                    await peers[1].ingest(on.last[:PEER_COUNT], tasks)
                )
    both = [took.pop(f"floor_batch_100_{tasks}") for tasks in TASKS]
    took["floor_batch_100"] = [*both[0], *both[1]]
    return took


def _result(options: Options, figures: dict[str, Figure]) -> Result:
    ratios: dict[str, float | None] = {}
    goals = []
    for tasks in TASKS:
        ours = f"ingest_{tasks}_tasks"
        of_floor = over(figures, ours, "floor_batch_100")
        of_aiosqlite = over(figures, ours, f"aiosqlite_{tasks}_tasks")
        wait = over(figures, f"{ours}_p99", f"floor_batch_{tasks}_p50")
        ratios |= {
            f"{tasks}_tasks_of_floor": of_floor,
            f"{tasks}_tasks_of_aiosqlite": of_aiosqlite,
            f"{tasks}_tasks_of_aiosqlite_program": over(figures, ours, f"program_{tasks}_tasks"),
            f"{tasks}_tasks_p50_in_raw_commits": over(
                figures, f"{ours}_p50", f"floor_batch_{tasks}_p50"
            ),
            f"{tasks}_tasks_p99_in_raw_commits": wait,
            f"{tasks}_tasks_p99_in_single_raw_commits": over(
                figures, f"{ours}_p99", "floor_single_p50"
            ),
        }
        goals += [
            at_least(f"{tasks}_tasks_of_floor", of_floor, 0.50),
            at_least(f"{tasks}_tasks_of_aiosqlite", of_aiosqlite, 20),
            at_most(f"{tasks}_tasks_p99_in_raw_commits", wait, 10),
        ]
    python = figures["python_share"].median
    goals.append(at_most("python_share_us", python, PYTHON))
    return Result(
        "ingest_concurrent", options.size, figures,
        told({**ratios, "python_share_us": python}), goals,
    )  # fmt: skip
