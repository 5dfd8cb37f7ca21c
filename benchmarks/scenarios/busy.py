"""Beside a host that computes: writes, reads and replies, alone and beside one thread of plain Python.

Knows: that whoever calls SQLite gives Python's lock away at every step, and may wait a switch interval
(`sys.getswitchinterval`, here as Python has it) to get it back; so steps count, and threads.
Does not know: how anyone keeps them few.

The rows that floors and aiosqlite write are those that the library has written: row by row as everybody
writes it (`executemany`), and set-wise, one statement a table. `aiosqlite` awaits each statement of the
rows prepared for it; `program` takes the same webhooks as the library. A turn is over after a moment,
however much of it is done: beside a computing thread the slow ones would take minutes.

It needs two cores that nobody else wants. Where the computing thread has to wait for a core, it is not
there to take the lock, and everybody looks faster; `load` tells how many wanted one at the start.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any

import anyio

from ..ground import echo, world
from ..ground.computing import computing, for_a_while
from ..ground.floor import Floor, Rows
from ..ground.targets import targets
from ..ground.writing import Ground, ground, with_aiosqlite
from ..measure import TIME, Figure, Options, Result, at_least, at_most, over, summary, told
from ..memory import put_aside
from ..progress import progress
from ..readers import ours
from ..readers.raw import Raw
from ..took import Took, figures_of

ROUNDS = 3
"""At most: beside a computing thread each takes some fifteen seconds."""
HOSTS = {"alone": (nullcontext, 0.3), "beside": (computing, 0.9)}
"""Whether the host computes, and the seconds of a turn."""
BATCH, MANY, FEW, CALLS = 100, 1_500, 500, 15
"""Messages in a batch (and tasks, and conversations); by batches and singly at most; reads of a kind."""

AT_LEAST = {
    f"{BATCH}_tasks_of_row_wise_beside": 12.0,
    f"{BATCH}_tasks_of_set_wise_beside": 0.5,
    "1_task_of_aiosqlite_beside": 4.0,
}
AT_MOST = {"page_in_switch_intervals": 3.0, "list_in_switch_intervals": 4.0}


def run(options: Options) -> Result:
    """Messages and replies per second, µs for a read, on a file that holds `size` messages already."""
    return anyio.run(_measured, options)


@dataclass
class Company:
    """Who takes part. `runs`: (name, a turn of so many seconds over those rows and webhooks)."""

    on: Ground
    bot: echo.Bot
    floors: dict[str, Floor]
    peers: list[Any]
    reads: dict[str, Callable[[], Any]]

    def writers(self, rows: list[Rows], bodies: list[bytes]) -> dict[str, Turn]:
        """Those that write; `rows` and `bodies` are the same messages."""
        many, few = rows[:MANY], rows[MANY : MANY + FEW]
        runs: dict[str, Turn] = {}
        for tasks in (1, BATCH):
            fresh = self.on.bodies(MANY if tasks > 1 else FEW)
            runs[f"ingest_{tasks}"] = partial(self.on.hand_over, fresh, tasks)
            runs[f"dispatch_{tasks}"] = partial(echo.asked, self.bot, tasks, len(fresh))
        for name, floor in self.floors.items():
            runs[f"{name}_by_1"] = partial(_raw, floor, few, 1)
            runs[f"{name}_by_{BATCH}"] = partial(_raw, floor, many, BATCH)
        for name, peer in zip(("aiosqlite", "program"), self.peers, strict=False):
            given = list(self.on.floor.prepared(few, 1)) if name == "aiosqlite" else bodies[MANY:]
            work = peer.write if name == "aiosqlite" else peer.ingest
            runs[f"{name}_1"] = partial(_peer, work, given)
        return runs


Turn = Callable[[float], Awaitable[Took]]


async def _measured(options: Options) -> Result:
    load = round(os.getloadavg()[0], 1)
    async with AsyncExitStack() as stack:
        company, why_not = await _company(stack, options)
        took, waits = await _rounds(company)
    result = _result(options, figures_of(took) | waits, load)
    result.left_out |= why_not
    return result


async def _company(stack: AsyncExitStack, options: Options) -> tuple[Company, dict[str, str]]:
    on = await stack.enter_async_context(ground(options))
    bot = await stack.enter_async_context(echo.echoing(options))
    await echo.asked(bot, BATCH, BATCH)  # everybody is known from now on
    peers, why_not = await with_aiosqlite(stack, on)
    floors = {"row_wise": on.floor, "set_wise": _setwise(on)}
    stack.callback(floors["set_wise"].close)
    asked = targets(on.built)
    raw = stack.enter_context(closing(Raw(on.built.path, asked)))
    largest = await on.app.people.platform_user(on.built.ids["largest"])
    deep, person = asked.ids[asked.deep], on.built.ids["person"]
    asks = await ours.conversations(on.app, largest, deep, person)
    reads = {name: asks[name].ask for name in ("page", "list")}
    reads |= {f"raw_{name}": raw.reads()[name].ask for name in ("page", "list")}
    return Company(on, bot, floors, peers, reads), why_not


def _setwise(on: Ground) -> Floor:
    return Floor(world.copied(on.built, on.options.scratch, "setwise"), setwise=True)


async def _rounds(company: Company) -> tuple[dict[str, list[Took]], dict[str, Figure]]:
    took: dict[str, list[Took]] = {}
    reads: dict[str, list[float]] = {}
    count = min(ROUNDS, company.on.options.rounds)
    for number in range(count):
        for host, (busy, seconds) in HOSTS.items():
            _, rows = await company.on.ours(MANY + FEW, BATCH)
            runs = company.writers(rows, company.on.last)
            with busy():
                for name, turn in runs.items():
                    progress(f"busy: round {number + 1} of {count}, {name} {host}")
                    took.setdefault(f"{name}_{host}", []).append(await turn(seconds))
                for name, ask in company.reads.items():
                    reads.setdefault(f"{name}_{host}", []).extend(await _waits(ask))
    return took, {name: summary(found, TIME) for name, found in reads.items()}


async def _raw(floor: Floor, rows: list[Rows], batch: int, seconds: float) -> Took:
    transactions = list(floor.prepared(rows, batch))
    put_aside()
    start = time.perf_counter()
    each = floor.write(for_a_while(transactions, seconds), idle=batch == 1)
    return Took(len(each) * batch, time.perf_counter() - start, each)


async def _peer(work: Callable[..., Awaitable[Took]], given: list[Any], seconds: float) -> Took:
    return await work(for_a_while(given, seconds), 1)


async def _waits(ask: Callable[[], Any]) -> list[float]:
    """µs of each of some calls."""
    found = []
    for _ in range(CALLS):
        start = time.perf_counter()
        answer = ask()
        if isawaitable(answer):
            await answer
        found.append((time.perf_counter() - start) * 1e6)
    return found


def _result(options: Options, figures: dict[str, Figure], load: float) -> Result:
    interval = sys.getswitchinterval() * 1e6
    ratios: dict[str, float | None] = {}
    for host in HOSTS:
        many = f"ingest_{BATCH}_{host}"
        ratios |= {
            f"{BATCH}_tasks_of_row_wise_{host}": over(figures, many, f"row_wise_by_{BATCH}_{host}"),
            f"{BATCH}_tasks_of_set_wise_{host}": over(figures, many, f"set_wise_by_{BATCH}_{host}"),
            f"1_task_of_aiosqlite_{host}": over(figures, f"ingest_1_{host}", f"program_1_{host}"),
            f"1_task_of_prepared_aiosqlite_{host}": over(
                figures, f"ingest_1_{host}", f"aiosqlite_1_{host}"
            ),
        }
    for name in ("ingest", "dispatch"):
        for tasks in (1, BATCH):
            one = f"{name}_{tasks}"
            ratios[f"{one}_beside_of_alone"] = over(figures, f"{one}_beside", f"{one}_alone")
    for name in ("page", "list"):
        ratios[f"{name}_in_switch_intervals"] = figures[f"{name}_beside"].median / interval
    goals = [
        *(at_least(name, ratios[name], bound) for name, bound in AT_LEAST.items()),
        *(at_most(name, ratios[name], bound) for name, bound in AT_MOST.items()),
    ]
    extra = {"switch_interval_us": interval, "load": load}
    return Result("busy", options.size, figures, told(ratios), goals, extra)
