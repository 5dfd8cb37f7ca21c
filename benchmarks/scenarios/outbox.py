"""The outbox: claim what is due, send it to a platform in this process, settle what came of it.

Knows: that messages to one person keep their order, what the floor must write for each.
Does not know: how a message came into the outbox.

The floor claims and settles in groups of 100, with the rows that the library writes: a lease, then the
status event with its edge, the receipt, the folded status, and no outbox row any more.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import anyio

from outeract_core import App, Outeract, PlatformConnection

from ..ground import world
from ..ground.floor_outbox import OutboxFloor, same
from ..ground.platform import NAME, InProcess, out_of_order
from ..measure import Options, Result, at_least, over, told
from ..progress import progress
from ..took import Took, figures_of

LANES = 400
COUNT = 2_000
"""Messages of one round, about; the library claims what it sees fit."""


def run(options: Options) -> Result:
    """Messages per second, on a file that holds `size` messages already."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    path = world.copied(world.ready(options), options.scratch, "ours")
    InProcess.sent.clear()
    async with Outeract(path, search=None) as core:
        core.register(NAME, InProcess)
        app = core.app("outbox")
        connection = app.connect(NAME)
        count = min(COUNT, options.size)
        await _queue(app, connection, 2 * (options.rounds + 1) * COUNT)
        await core.pump(rounds=1)
        floor = await _floor(core, path, options.scratch)
        took: dict[str, list[Took]] = {"outbox": [], "floor": []}
        for number in range(options.rounds):
            progress(f"outbox: round {number + 1} of {options.rounds}")
            took["outbox"].append(await _ours(core, count))
            took["floor"].append(_raw(floor, took["outbox"][-1].count))
        unlike = same(path, floor.path, floor.begin)
        floor.close()
    figures = figures_of(took)
    ratio, wrong = over(figures, "outbox", "floor"), out_of_order(InProcess.sent)
    return Result(
        "outbox", options.size, {name: figures[name] for name in took}, told({"of_floor": ratio}),
        [at_least("of_floor", ratio, 0.5)],
        {"sent": len(InProcess.sent), "out_of_order": wrong, "rows_unlike_the_floor": unlike},
        well=not (wrong or unlike),
    )  # fmt: skip


async def _queue(app: App, connection: PlatformConnection, count: int) -> None:
    """So many messages, numbered, to a few hundred people in turn."""
    for number in range(LANES):
        await app.send((connection, f"someone{number}"), str(number))

    async def some(lane: int) -> None:
        for number in range(LANES + lane, count, LANES):
            await app.send((connection, f"someone{lane}"), str(number))
            progress(f"outbox: {number:,} of {count:,} messages queued")

    async with anyio.create_task_group() as group:
        for lane in range(LANES):
            group.start_soon(some, lane)


async def _floor(core: Outeract, path: Path, folder: Path) -> OutboxFloor:
    """A copy of the file as it is now."""
    await core.runtime.database.truncate_log()
    shutil.copyfile(path, folder / "floor.db")
    return OutboxFloor(folder / "floor.db")


async def _ours(core: Outeract, wanted: int) -> Took:
    count, steps = 0, 0
    start = time.perf_counter()
    while count < wanted:
        sent = (await core.pump(rounds=1)).sent
        if not sent:
            break
        count, steps = count + sent, steps + 1
    seconds = time.perf_counter() - start
    return Took(count, seconds, [seconds / steps])


def _raw(floor: OutboxFloor, count: int) -> Took:
    start = time.perf_counter()
    each = floor.send(count)
    return Took(count, time.perf_counter() - start, each)
