"""Appending to the log, message by message and by the hundred, against eventsourcing's `Application.save`.

Knows: that both begin with the platform's bytes and end with a durable commit.
Does not know: what a row is worth: the library writes for each message an event, two edges, its dedupe
key, a place in the conversation and the conversation's row; eventsourcing writes one row.

Singly: one webhook, one commit. By 100: what one poll brings, in one commit; `append_100_tasks` are a
hundred webhooks at the same time. `emit` is the library's own way for events of the host: one event
with one edge.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import anyio

from outeract_adapters.telegram.inbound.parse import update_facts
from outeract_adapters.telegram.inbound.people import Us
from outeract_core.adapter import Polled

from ..ground.writing import Ground, ground, hand_over
from ..measure import Options, Result, at_least, over, told
from ..memory import put_aside
from ..peers import missing
from ..progress import progress
from ..took import Took, figures_of

SINGLE, HUNDRED = 1_500, 10_000


class Polling:
    """The platform's end of a poll: it has its answers at hand, and nothing goes over a network."""

    def __init__(self, bodies: list[bytes], count: int) -> None:
        self.bodies, self._count = bodies[::-1], count

    def poll(self, _cursor: Any, _wait: float) -> Iterator[Any]:
        """A flow without requests: the next updates as facts, as the adapter reads them."""
        some = [self.bodies.pop() for _ in range(min(self._count, len(self.bodies)))]
        updates = json.loads(b"[" + b",".join(some) + b"]")
        facts = [fact for update in updates for fact in update_facts(update, Us())]
        return Polled(facts, updates[-1]["update_id"] + 1)
        yield

    @contextmanager
    def instead_of(self, adapter: Any) -> Iterator[None]:
        """As long as it lasts, the adapter polls here."""
        adapter.poll = self.poll
        try:
            yield
        finally:
            del adapter.poll


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
            from ..peers.eventsourcing_peer import Eventsourcing

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
    took = {"append": await (_polled(on, bodies, tasks) if tasks > 1 else _single(on, bodies))}
    if tasks > 1:
        took["append_tasks"] = await hand_over(on.core, on.connection, on.bodies(count), tasks)
    if peer is not None:
        took["eventsourcing"] = peer.save(bodies, tasks)
    took["emit"] = await _emitted(on, count, tasks)
    return took


async def _single(on: Ground, bodies: list[bytes]) -> Took:
    return await hand_over(on.core, on.connection, bodies, 1)


async def _polled(on: Ground, bodies: list[bytes], count: int) -> Took:
    """The same updates as answers to polls, `count` in each: from the bytes to the commit."""
    each: list[float] = []
    receiver, runtime = on.core._receiver, on.core.runtime
    conn = runtime.by_webhook(on.connection.webhook_id)
    assert conn is not None
    adapter, telegram = runtime.adapter(conn), Polling(list(bodies), count)
    assert runtime.http  # the modules behind it are read before the clock starts, as the peer's are
    put_aside()
    begin = time.perf_counter()
    with telegram.instead_of(adapter):
        while telegram.bodies:
            start = time.perf_counter()
            stored = await receiver.poll(conn, 0.0)
            each += [time.perf_counter() - start] * stored
    if len(each) != len(bodies):
        raise AssertionError(f"{len(each)} of {len(bodies)} were stored")
    return Took(len(bodies), time.perf_counter() - begin, each)


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
            "100_tasks_of_eventsourcing": over(
                figures, "append_tasks_by_100", "eventsourcing_by_100"
            ),
            "emit_single_of_eventsourcing": over(figures, "emit_single", "eventsourcing_single"),
            "emit_by_100_of_eventsourcing": over(figures, "emit_by_100", "eventsourcing_by_100"),
        }),
        [
            at_least("single_of_eventsourcing", single, 1.0),
            at_least("by_100_of_eventsourcing", hundred, 1.1),
        ],
    )  # fmt: skip
