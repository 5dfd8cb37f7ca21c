"""One task: each webhook is verified, parsed, committed durably and answered before the next comes.

Knows: the floor (the rows, one message to a transaction), aiosqlite (the same, awaited) and a program on
aiosqlite (from the same webhooks).
Does not know: what a commit does.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import anyio

from ..ground.writing import Ground, ground, with_aiosqlite
from ..measure import Options, Result, at_least, over, told
from ..progress import progress
from ..took import Took, figures_of

COUNT = 2000
SLICES = 10


def run(options: Options) -> Result:
    """Messages per second, on a file that holds `size` messages already."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(ground(options))
        peers, why_not = await with_aiosqlite(stack, on)
        took = await _rounds(on, peers, min(COUNT, options.size))
        unlike = on.unlike()
    result = _result(options, took)
    result.extra["rows_unlike_the_floor"] = unlike
    result.well = not unlike
    result.left_out |= why_not
    return result


async def _rounds(on: Ground, peers: list[Any], count: int) -> dict[str, list[Took]]:
    took: dict[str, list[Took]] = {}
    for number in range(on.options.rounds):
        progress(f"ingest_single: round {number + 1} of {on.options.rounds}")
        pieces: dict[str, list[Took]] = {}
        for _ in range(SLICES):
            for name, piece in (await _slice(on, peers, count // SLICES)).items():
                pieces.setdefault(name, []).append(piece)
        for name, found in pieces.items():
            took.setdefault(name, []).append(Took.together(found))
    return took


async def _slice(on: Ground, peers: list[Any], count: int) -> dict[str, Took]:
    """A short turn for each: disks have their moods, and everybody is to meet the same ones."""
    ours, rows = await on.ours(count, 1)
    took = {"ingest_single": ours, "floor_single": on.raw(rows, 1)}
    if peers:
        transactions = list(on.floor.prepared(rows[: count // 2], 1))
        took["aiosqlite"] = await peers[0].write(transactions, 1)
    if len(peers) > 1:
        took["aiosqlite_program"] = await peers[1].ingest(on.last[: count // 2], 1)
    return took


def _result(options: Options, took: dict[str, list[Took]]) -> Result:
    figures = figures_of(took)
    of_floor = over(figures, "ingest_single", "floor_single")
    of_aiosqlite = over(figures, "ingest_single", "aiosqlite")
    return Result(
        "ingest_single", options.size, figures,
        told({
            "of_floor": of_floor,
            "of_aiosqlite": of_aiosqlite,
            "of_aiosqlite_program": over(figures, "ingest_single", "aiosqlite_program"),
        }),
        [at_least("of_floor", of_floor, 0.60), at_least("of_aiosqlite", of_aiosqlite, 1.8)],
    )  # fmt: skip
