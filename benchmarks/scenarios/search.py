"""search: hits by recency and by rank, and what an index costs those who write.

Knows: the goals, copies of the world: one with an index, one that never has any.
Does not know: how an index is kept.

Floors: SQL on the library's own FTS5 index; `raw` reads what a hit holds (event row, state, marked
text), `bare` event rows. The words are common ones, each in three of four messages: by recency the
newest matches are near, by rank the newest of them are weighed.

Writing is measured twice, in the same rounds, beside ingest without search: `ingest_on` until every
webhook is acknowledged, while the index may wait; `ingest_on_caught_up` until the index has
everything as well, by a search, which has to bring it there.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import anyio

from outeract_core import App, Outeract, PlatformConnection

from ..ground import held, ranks, traffic
from ..ground.reads import Race, race
from ..ground.world import World, copied, ready
from ..ground.writing import hand_over
from ..measure import Figure, Goal, Options, Result, at_least, at_most, over, summary
from ..progress import progress
from ..readers import Offered
from ..readers.ours import Ask
from ..readers.raw_search import FIRST, RawSearch

ASKED = {
    "recent": ("quick", "newest"),
    "recent_two": ("quick answer", "newest"),
    "rank": ("quick", "rank"),
}
COUNT = 20_000
TASKS = 100
SHARE = 0.70
MOST = 50.0
"""Milliseconds for a search by rank, however many messages there are, of any kind that is not looked up in all of them."""


def run(options: Options) -> Result:
    """Times of searches; rates of ingest with and without."""
    world = ready(options)
    path = copied(world, options.scratch, "searched")
    found = anyio.run(_searched, options, path)
    found.figures |= anyio.run(ranks.measured, path, options.size)
    rates = anyio.run(_written, options, world, path)
    found.figures |= rates
    result = held.told(options, found, {}, (), _goals(found))
    for name in ("ingest_on", "ingest_on_caught_up"):
        ratio = over(rates, name, "ingest_off")
        result.ratios[f"{name}_of_off"] = ratio or 0.0
    return result


def _goals(found: Race) -> list[Goal]:
    shares = {
        "acknowledged": over(found.figures, "ingest_on", "ingest_off"),
        "index caught up": over(found.figures, "ingest_on_caught_up", "ingest_off"),
    }
    return [
        at_most("by recency of raw FTS", found.of("recent", "raw"), 3.0),
        at_most("by rank, the slowest kind, ms", ranks.slowest(found.figures), MOST),
        *(at_least(f"ingest with search, {name}", share, SHARE) for name, share in shares.items()),
    ]


async def _searched(options: Options, path: Path) -> Race:
    """The first search makes the index; its time is told with the notes."""
    async with Outeract(path) as core:
        app, _connection = traffic.connected(core)
        progress(f"search: indexing {options.size:,} messages")
        start = time.perf_counter()
        await app.search("quick")
        seconds = time.perf_counter() - start
        floors = [
            Offered("raw", partial(RawSearch, path, ASKED)),
            Offered("bare", partial(RawSearch, path, ASKED, full=False)),
        ]
        outcome = await race(options, list(ASKED), _questions(app), floors, [])
    outcome.notes["first search"] = (
        f"{seconds:.1f} s for {options.size:,} messages, {seconds / options.size * 1e6:.1f} µs each"
    )
    return outcome


def _questions(app: App) -> dict[str, Ask]:
    return {
        name: Ask(
            partial(app.search, words, order="rank" if order == "rank" else "newest", first=FIRST),
            lambda page: [hit.event.position for hit in page],
        )
        for name, (words, order) in ASKED.items()
    }


async def _written(options: Options, world: World, path: Path) -> dict[str, Figure]:
    """The same webhooks to a file with an index and to one without, who is first by turns."""
    count = min(COUNT, 2 * options.size)
    rates: dict[str, list[float]] = {}
    plain = copied(world, options.scratch, "unsearched")
    async with Outeract(path) as indexed, Outeract(plain, search=None) as off:
        turns = [partial(_with, *traffic.connected(indexed), indexed)]
        turns.append(partial(_without, *traffic.connected(off), off))
        for number in range(options.rounds):
            progress(f"search: ingest, round {number + 1} of {options.rounds}")
            first = options.size + 1 + number * count
            people = traffic.conversations(options.size)
            bodies = list(traffic.updates(count, people, first, seed=first))
            for turn in turns if number % 2 else turns[::-1]:
                for name, rate in (await turn(bodies)).items():
                    rates.setdefault(name, []).append(rate)
    return {name: summary(found, rows=count) for name, found in rates.items()}


async def _with(
    app: App, connection: PlatformConnection, core: Outeract, bodies: list[bytes]
) -> dict[str, float]:
    took = await hand_over(core, connection, bodies, TASKS)
    start = time.perf_counter()
    await app.search("quick")
    behind = time.perf_counter() - start
    return {
        "ingest_on": took.rate,
        "ingest_on_caught_up": len(bodies) / (took.seconds + behind),
    }


async def _without(
    _app: App, connection: PlatformConnection, core: Outeract, bodies: list[bytes]
) -> dict[str, float]:
    return {"ingest_off": (await hand_over(core, connection, bodies, TASKS)).rate}
