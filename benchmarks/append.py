"""Appending to the log, message by message and by the hundred, against eventsourcing's `Application.save`.

Knows: that both begin with the platform's bytes and end with a durable commit.
Does not know: what a row is worth: the library writes for each message an event, two edges, its dedupe
key, a place in the conversation and the conversation's row; eventsourcing writes one row.

`emit` is the library's own way for events of the host: one event with one edge.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

import anyio

from .measure import Options, Result, at_least, over, told
from .peers import missing
from .progress import progress
from .took import Took, figures_of
from .writing import Ground, ground, hand_over

SINGLE, HUNDRED = 1_500, 10_000
PAYLOAD = {"words": "the quick brown fox jumps over a lazy dog " * 8}


def run(options: Options) -> Result:
    """Messages per second, on a file that holds `size` messages already."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    why_not = missing(options, "eventsourcing")
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(ground(options))
        peer: Any = None
        if why_not is None:
            from .peers.eventsourcing_peer import Eventsourcing

            peer = Eventsourcing(options.scratch / "eventsourcing.db")
            stack.callback(peer.close)
        took = await _rounds(on, peer)
    result = _result(options, took)
    if why_not is not None:
        result.left_out["eventsourcing"] = why_not
    return result


async def _rounds(on: Ground, peer: Any) -> dict[str, list[Took]]:
    took: dict[str, list[Took]] = {}
    singly, many = min(SINGLE, on.options.size), min(HUNDRED, 2 * on.options.size)
    for number in range(on.options.rounds):
        progress(f"append: round {number + 1} of {on.options.rounds}")
        for name, count, tasks, slices in (("single", singly, 1, 10), ("by_100", many, 100, 2)):
            pieces: dict[str, list[Took]] = {}
            for _ in range(slices):
                for who, piece in (await _slice(on, peer, count // slices, tasks)).items():
                    pieces.setdefault(f"{who}_{name}", []).append(piece)
            for each, found in pieces.items():
                took.setdefault(each, []).append(Took.together(found))
    return took


async def _slice(on: Ground, peer: Any, count: int, tasks: int) -> dict[str, Took]:
    """A turn for each, short enough that all meet the same moods of the disk."""
    bodies = on.bodies(count)
    took = {"append": await hand_over(on.core, on.connection, bodies, tasks)}
    if peer is not None:
        took["eventsourcing"] = peer.save(bodies, tasks)
    took["emit"] = await _emitted(on, count, tasks)
    return took


async def _emitted(on: Ground, count: int, tasks: int) -> Took:
    """Own events, each with an edge to one that is there already."""
    each: list[float] = []
    numbers = iter(range(count))
    target = on.built.ids["chain_start"]

    async def caller() -> None:
        for number in numbers:
            start = time.perf_counter()
            await on.app.emit("bench.own", {**PAYLOAD, "n": number}, edges={"about": target})
            each.append(time.perf_counter() - start)

    begin = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(caller)
    return Took(count, time.perf_counter() - begin, each)


def _result(options: Options, took: dict[str, list[Took]]) -> Result:
    figures = figures_of(took)
    single = over(figures, "append_single", "eventsourcing_single")
    hundred = over(figures, "append_by_100", "eventsourcing_by_100")
    return Result(
        "append", options.size, figures,
        told({
            "single_of_eventsourcing": single,
            "by_100_of_eventsourcing": hundred,
            "emit_single_of_eventsourcing": over(figures, "emit_single", "eventsourcing_single"),
            "emit_by_100_of_eventsourcing": over(figures, "emit_by_100", "eventsourcing_by_100"),
        }),
        [
            at_least("single_of_eventsourcing", single, 1.0),
            at_least("by_100_of_eventsourcing", hundred, 1.1),
        ],
    )  # fmt: skip
