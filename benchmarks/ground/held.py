"""What page, list and timeline have in common: one world, everybody on it, and how it grows.

Knows: which world, which readers. Does not know: goals.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from ..measure import TIME, Goal, Options, Result, at_most, rounds_async
from ..readers import Targets, ours
from ..readers.offered import conversation_floors, conversation_peers
from .reads import TURNS, Race, race, run_of
from .targets import targets
from .world import Opened, World, opened, ready

GROWTH = 1.3
LARGE = 10_000_000
"""Where growth has a goal: against a tenth of it."""
PEERED = 1_000_000
"""Goals against peers that look at everything are set for a file of this size."""


async def raced(options: Options, names: Sequence[str]) -> Race:
    """The workloads `names`, everybody who can do them."""
    world = ready(options)
    asked = targets(world)
    async with opened(world) as held:
        race_of = race(
            options, names, await questions(held, asked), conversation_floors(world, asked),
            conversation_peers(options, world, asked, names),
        )  # fmt: skip
        return await race_of


async def questions(held: Opened, asked: Targets) -> dict[str, ours.Ask]:
    """What the library is asked, of conversations and of the graph."""
    talks = await ours.conversations(
        held.app, held.largest, asked.ids[asked.deep], held.world.ids["person"]
    )
    leaves = asked.ids[asked.leaves[0]], asked.ids[asked.leaves[1]]
    return {**talks, **ours.graph(held.app, asked.ids[asked.end], asked.ids[asked.root], leaves)}


async def grown(options: Options, names: Sequence[str]) -> dict[str, float]:
    """The library's time here as a multiple of that in a world of a tenth, in the same rounds.

    Empty when there is no such world: it is not built for this.
    """
    small = replace(options, size=options.size // 10)
    if not any(options.cache.glob(f"world-{small.size}-*.json")):
        return {}
    runs: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        for label, each in (("small", small), ("large", options)):
            world = ready(each)
            held = await stack.enter_async_context(opened(world))
            asks = await questions(held, targets(world))
            runs |= {f"{label}_{name}": await run_of(asks[name].ask) for name in names}
        figures = await rounds_async(max(options.rounds, 5) * 2 * TURNS, runs, TIME)
    return {
        name: figures[f"large_{name}"].median / figures[f"small_{name}"].median for name in names
    }


def told(
    options: Options, race_of: Race, growth: dict[str, float], names: Sequence[str],
    goals: list[Goal],
) -> Result:  # fmt: skip
    """The result of a race, with its growth."""
    ratios = race_of.ratios()
    ratios |= {f"{name}_growth": ratio for name, ratio in growth.items()}
    if options.size >= LARGE:
        goals = [*goals, *(at_most(f"{n} at 10x", growth.get(n), GROWTH) for n in names)]
    return Result(
        "", options.size, race_of.figures, ratios, goals,
        extra={"notes": race_of.notes}, left_out=race_of.left_out,
    )  # fmt: skip


def at_full_size(options: Options, ratio: float | None) -> float | None:
    """A ratio whose goal holds for a large file only."""
    return ratio if options.size >= PEERED else None


__all__ = ["World", "at_full_size", "grown", "questions", "raced", "told"]
