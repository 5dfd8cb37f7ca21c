"""Ingest: raw webhook bytes to a durable commit, by 1, 100 and 1,000 tasks, against the floor.

Knows: how the work is divided among tasks, which floor belongs to which figure.
Does not know: what a commit does.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import anyio

from outeract_core import Outeract, PlatformConnection

from . import traffic
from .floor import Floor, rows_of
from .measure import Result, per_second, rounds

TASKS = (1, 100, 1000)
FLOORS = {1: "floor_single", 100: "floor_batch_100", 1000: "floor_batch_100"}
"""One task commits each message by itself; many tasks are held against batches of 100."""


def run(options: argparse.Namespace) -> Result:
    """Rates and ratios; the floor writes the rows that an ingest of the same bytes has left."""
    with tempfile.TemporaryDirectory() as folder:
        return _measured(Path(folder), options.size, options.rounds)


def _measured(folder: Path, size: int, count: int) -> Result:
    bodies = list(traffic.updates(size))
    model = folder / "model.db"
    _ingest(model, bodies, 1000)
    rows = rows_of(model)
    single = min(size, 2_000)
    runs: dict[str, Callable[[], float]] = {
        "floor_single": lambda: _floor(model, folder, rows[:single], 1),
        "ingest_single": lambda: _ours(folder, bodies[:single], 1),
        "floor_batch_100": lambda: _floor(model, folder, rows, 100),
        "ingest_100_tasks": lambda: _ours(folder, bodies, 100),
        "ingest_1000_tasks": lambda: _ours(folder, bodies, 1000),
    }
    figures = rounds(count, runs)
    names = {1: "ingest_single", 100: "ingest_100_tasks", 1000: "ingest_1000_tasks"}
    ratios = {
        names[tasks]: figures[names[tasks]]["median"] / figures[FLOORS[tasks]]["median"]
        for tasks in TASKS
    }
    extra = {"bytes_per_message": round(model.stat().st_size / size)}
    return Result("ingest", size, dict(figures), ratios, extra)


def _floor(
    model: Path, folder: Path, rows: list[list[tuple[str, tuple[object, ...]]]], batch: int
) -> float:
    floor = Floor(model, folder / "floor.db")
    rate = per_second(len(rows), lambda: floor.write(rows, batch))
    floor.close()
    return rate


def _ours(folder: Path, bodies: list[bytes], tasks: int) -> float:
    path = folder / "ours.db"
    for old in folder.glob("ours.db*"):
        old.unlink()
    return _ingest(path, bodies, tasks)


def _ingest(path: Path, bodies: list[bytes], tasks: int) -> float:
    async def main() -> float:
        async with Outeract(path) as core:
            _app, connection = traffic.connected(core)
            start = anyio.current_time()
            async with anyio.create_task_group() as group:
                for number in range(tasks):
                    group.start_soon(_deliver, core, connection, bodies[number::tasks])
            return len(bodies) / (anyio.current_time() - start)

    return anyio.run(main)


async def _deliver(core: Outeract, connection: PlatformConnection, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = await core.ingest(
            connection.webhook_id, connection.webhook_secret, "POST", traffic.HEADERS, {}, body
        )
        if answer.status != 200:
            raise AssertionError(f"{answer.status}: {answer.body!r}")
