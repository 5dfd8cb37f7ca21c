"""From an inbound commit through the handler to the commit of its reply, in one conversation and in 1,000.

Knows: callers that wait for the reply to their message before they write the next.
Does not know: lanes, turns, leases.

`single_commit` is the library with one unit to a transaction, so that every step waits for the disk
by itself. The other framework dispatches the same updates to the same handler and keeps nothing: it is
what a program without a store gives, and is shown for the scale.
"""

from __future__ import annotations

from typing import Any

import anyio

from outeract_core._io import database

from ..ground.echo import asked, echoing
from ..measure import Options, Result, at_least, over, told
from ..peers import missing
from ..progress import progress
from ..took import Took, figures_of

ONE, MANY = 1, 1000
COUNT = {ONE: 300, MANY: 4_000}
MOST_SINGLE = 1_000


def run(options: Options) -> Result:
    """Replies per second, and the time from the answer to a webhook to the commit of the reply."""
    return anyio.run(_measured, options)


async def _measured(options: Options) -> Result:
    why_not = missing(options, "nonebot")
    took: dict[str, list[Took]] = {}
    async with echoing(options) as bot:
        await asked(bot, MANY, MANY)  # everybody is known from now on
        for number in range(options.rounds):
            progress(f"dispatch: round {number + 1} of {options.rounds}")
            for people in (ONE, MANY):
                took.setdefault(f"dispatch_{people}", []).append(
                    await asked(bot, people, min(COUNT[people], 2 * options.size))
                )
            with _one_unit_to_a_commit():
                single = await asked(bot, MANY, MOST_SINGLE)
            took.setdefault("single_commit_1000", []).append(single)
            if why_not is None:
                from ..peers.nonebot_peer import dispatched

                took.setdefault("nonebot_not_durable", []).append(await dispatched(COUNT[MANY]))
    result = _result(options, took)
    if why_not is not None:
        result.left_out["nonebot"] = why_not
    return result


class _one_unit_to_a_commit:  # noqa: N801 - reads as a statement
    """Within it the writer groups nothing."""

    def __enter__(self) -> None:
        self._before, database.BATCH = database.BATCH, 1

    def __exit__(self, *_: Any) -> None:
        database.BATCH = self._before


def _result(options: Options, took: dict[str, list[Took]]) -> Result:
    figures = figures_of(took)
    over_single = over(figures, "dispatch_1000", "single_commit_1000")
    ratios = {
        "1000_of_single_commit": over_single,
        "1000_of_nonebot_not_durable": over(figures, "dispatch_1000", "nonebot_not_durable"),
    }
    return Result(
        "dispatch", options.size, figures, told(ratios),
        [at_least("1000_of_single_commit", over_single, 10)],
    )  # fmt: skip
