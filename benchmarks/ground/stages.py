"""What Python takes of one ingested message: verify, parse, encode, hand over.

Knows: each stage as the receiver calls it, in a loop over the same bodies.
Does not know: SQLite's share; that is the floor's.

Each stage is timed as CPU time, so that a wait for the disk does not count. `encode` is all that is done
with a delivery less its parsing: whose each item is, and what is written of it. `hand over` is a unit that does nothing, through the queue and back, a
thousand at once, on both sides of the queue.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio

from outeract_core._inbound.reading import read_whole, sort
from outeract_core._inbound.routing import Routing
from outeract_core.adapter import Inbound

from ..measure import TIME, Figure, summary
from . import traffic
from .floor import mark, written
from .writing import Ground, hand_over

COUNT = 4000
BATCH, EACH = 1000, 8
TURN = 250


async def stages(on: Ground, count: int) -> dict[str, Figure]:
    """µs per message, by stage and in all; and what one message costs the whole process."""
    values: dict[str, list[float]] = {}
    for _ in range(count):
        for name, micros in (await _once(on)).items():
            values.setdefault(name, []).append(micros)
    return {name: summary(found, TIME, COUNT) for name, found in values.items()}


async def _once(on: Ground) -> dict[str, float]:
    stages = _in_this_thread(on)
    stages["python_hand_over"] = await _cpu(lambda: _handed(on), BATCH * EACH)
    bodies, before = on.bodies(COUNT), mark(on.path)
    whole = await _cpu(lambda: hand_over(on.core, on.connection, bodies, BATCH), COUNT)
    transactions = list(on.floor.prepared(written(on.path, before), BATCH))
    start = time.process_time()
    on.floor.write(transactions)
    return {
        **stages,
        "python_share": sum(stages.values()),
        "cpu_of_one_message": whole,
        "cpu_of_one_message_at_the_floor": (time.process_time() - start) / COUNT * 1e6,
    }


def _in_this_thread(on: Ground) -> dict[str, float]:
    """Verify, parse and encode, by turns of a few hundred bodies; nothing that they make is kept."""
    runtime = on.core.runtime
    conn = runtime.by_webhook(on.connection.webhook_id)
    assert conn is not None
    adapter = runtime.adapter(conn)
    bodies, seconds = on.bodies(COUNT), [0.0, 0.0, 0.0]

    def parse(inbound: Inbound) -> None:
        for _fact in adapter.parse(inbound):
            pass

    def read(inbound: Inbound) -> None:
        read, facts = read_whole(conn, adapter, inbound)
        sort(Routing(runtime, conn, inbound), adapter, facts, read)

    for start in range(0, COUNT, TURN):
        for number, stage in enumerate((adapter.verify, parse, read)):
            inbound = [_inbound(body) for body in bodies[start : start + TURN]]
            seconds[number] += _looped(stage, inbound)
    verify, parsed, whole = (each / COUNT * 1e6 for each in seconds)
    return {
        "python_verify": verify,
        "python_parse": parsed,
        "python_encode": max(0.0, whole - parsed),
    }


def _looped(stage: Callable[[Inbound], object], inbound: list[Inbound]) -> float:
    start = time.thread_time()
    for one in inbound:
        stage(one)
    return time.thread_time() - start


def _inbound(body: bytes) -> Inbound:
    return Inbound("POST", dict(traffic.HEADERS), {}, body, datetime.now(UTC))


async def _handed(on: Ground) -> None:
    """A thousand tasks, each with units that do nothing."""
    write = on.core.runtime.database.write

    async def some() -> None:
        for _ in range(EACH):
            await write(lambda _tx: None)

    async with anyio.create_task_group() as group:
        for _ in range(BATCH):
            group.start_soon(some)


async def _cpu(work: Callable[[], Awaitable[object]], count: int) -> float:
    """µs of all threads for one of `count`."""
    start = time.process_time()
    await work()
    return (time.process_time() - start) / count * 1e6
