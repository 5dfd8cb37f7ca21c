"""From an inbound commit through the handler to the commit of its reply, in one conversation and in 1,000.

Knows: callers that wait for the reply to their message before they write the next.
Does not know: lanes, turns, leases.

`single_commit` is the library with one unit to a transaction, so that every step waits for the disk
by itself. `cpu_of_one_reply` is what all threads take for a message and its reply, `of_one_webhook` for the
message alone: however few commits there are, replies come no faster than that, and `most_of_single_commit`
is how many times a single commit's rate that would be. The other framework dispatches the same updates to the same handler and keeps nothing: it is
what a program without a store gives, and is shown for the scale.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import anyio

from outeract_core._io import database

from ..ground.echo import Bot, asked, echoing, heard
from ..measure import TIME, Figure, Options, Result, at_least, over, summary, told
from ..peers import missing
from ..progress import progress
from ..took import Took, figures_of

ONE, MANY = 1, 1000
COUNT = {ONE: 300, MANY: 4_000}
MOST_SINGLE = 1_000
"""Messages, where each waits for commits of its own, or only its processor time counts."""


def run(options: Options) -> Result:
    """Replies per second, and the time from the answer to a webhook to the commit of the reply."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    why_not = missing(options, "nonebot")
    took: dict[str, list[Took]] = {}
    cpu: dict[str, list[float]] = defaultdict(list)
    async with echoing(options) as bot:
        await asked(bot, MANY, MANY)  # everybody is known from now on
        for number in range(options.rounds):
            progress(f"dispatch: round {number + 1} of {options.rounds}")
            for people in (ONE, MANY):
                took.setdefault(f"dispatch_{people}", []).append(
                    await asked(bot, people, min(COUNT[people], 2 * options.size))
                )
            for name, micros in (await _python(bot, MOST_SINGLE)).items():
                cpu[name].append(micros)
            with _one_unit_to_a_commit():
                single = await asked(bot, MANY, MOST_SINGLE)
            took.setdefault("single_commit_1000", []).append(single)
            if why_not is None:
                from ..peers.nonebot_peer import dispatched

                took.setdefault("nonebot_not_durable", []).append(await dispatched(COUNT[MANY]))
    result = _result(options, took, {name: summary(each, TIME) for name, each in cpu.items()})
    if why_not is not None:
        result.left_out["nonebot"] = why_not
    return result


class _one_unit_to_a_commit:  # noqa: N801 - reads as a statement
    """Within it the writer groups nothing."""

    def __enter__(self) -> None:
        self._before, database.BATCH = database.BATCH, 1

    def __exit__(self, *_: Any) -> None:
        database.BATCH = self._before


async def _python(bot: Bot, count: int) -> dict[str, float]:
    """µs of the processor, all threads together: of a message with its reply, and of the message alone."""
    begun = time.process_time()
    replied = await asked(bot, MANY, count)
    between = time.process_time()
    alone = await heard(bot, MANY, count)
    return {
        "cpu_of_one_reply": (between - begun) / replied.count * 1e6,
        "cpu_of_one_webhook": (time.process_time() - between) / alone.count * 1e6,
    }


def _result(options: Options, took: dict[str, list[Took]], cpu: dict[str, Figure]) -> Result:
    figures = {**figures_of(took), **cpu}
    over_single = over(figures, "dispatch_1000", "single_commit_1000")
    single, reply = figures["single_commit_1000"].median, figures["cpu_of_one_reply"].median
    ratios = {
        "1000_of_single_commit": over_single,
        "most_of_single_commit": 1e6 / reply / single,
        "1000_of_nonebot_not_durable": over(figures, "dispatch_1000", "nonebot_not_durable"),
    }
    return Result(
        "dispatch", options.size, figures, told(ratios),
        [at_least("1000_of_single_commit", over_single, 10)],
    )  # fmt: skip
