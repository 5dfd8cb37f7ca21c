"""Searches by rank of every kind on one file: how long each takes, with all pages in memory and with none.

Knows: words that are common and rare in `traffic`, what narrows a search, how a file is put out of memory.
Does not know: the world, goals.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from outeract_core import App, Outeract, PlatformConnection

from ..measure import TIME, Figure, percentile
from ..progress import progress
from . import traffic

NEEDLE = "needle"
"""A word that only a few messages have."""
FEW = 20
"""Messages of a second application."""
CALLS, SECONDS, COLD = 200, 4.0, 5
"""Of each kind so many calls at most, for so long, and so many with nothing in memory."""
WORDS = {
    "common word": "quick",
    "rare word": NEEDLE,
    "two words": "quick answer",
    "common and rare": f"quick {NEEDLE}",
    "phrase": '"quick brown"',
    "phrase that nobody says": '"quick quick quick quick quick quick"',
    "beginning of a word": "qui*",
    "without a word": "quick -answer",
    "either of two": f"answer OR {NEEDLE}",
    "no such word": "nowhere",
}
"""What is looked for; the words of `traffic` follow Zipf's law, and `quick` is in most messages."""

SCANNED = ("phrase that nobody says", "beginning of a word")
"""What FTS5 looks for in all that has the words, or makes a list of first, however few are wanted: no goal is set for these."""

Ask = Callable[[], Awaitable[Any]]


def slowest(figures: Mapping[str, Figure]) -> float:
    """Of the kinds that have a goal the largest median, in milliseconds."""
    spared = {f"rank_{name.replace(' ', '_')}_p50" for name in SCANNED}
    found = [
        one.median
        for name, one in figures.items()
        if name.startswith("rank_") and name.endswith("_p50") and name not in spared
    ]
    return max(found) / 1000


async def _planted(core: Outeract, size: int) -> None:
    """A rare word among the newest messages, and a small application beside the large one."""
    _app, connection = traffic.connected(core)
    await _said(core, connection, [f"a {NEEDLE} in the quick haystack"] * 3, size + 1)
    other = core.app("other")
    beside = other.connect("telegram", token="2:other", webhook_secret_token=traffic.SECRET)
    await _said(core, beside, ["the quick brown fox"] * FEW, 1)
    for app in (core.app("bench"), other):
        await app.search(NEEDLE)


async def _said(
    core: Outeract, connection: PlatformConnection, texts: list[str], first: int
) -> None:
    bodies = [traffic.update(number, 1, text) for number, text in enumerate(texts, first)]
    await traffic.deliver(core, connection, iter(bodies))


async def kinds(core: Outeract, size: int) -> dict[str, Ask]:
    """By its name what is asked."""
    app = core.app("bench")
    of = {
        name: await app.people.by_external_id("telegram", str(traffic.external(rank)))
        for name, rank in (
            ("a large conversation", 1),
            ("a small conversation", traffic.conversations(size)),
        )
    }
    middle = datetime.fromtimestamp(traffic.BEGIN + size // 2, UTC)
    narrowed: dict[str, dict[str, Any]] = {
        **{f"in {name}": {"within": who} for name, who in of.items()},
        "by one person": {"person": of["a small conversation"]},
        "long ago": {"until": middle},
        "within a minute": {"since": middle, "until": middle + timedelta(minutes=1)},
    }
    asked = {name: _asked(app, words) for name, words in WORDS.items()}
    asked |= {f"common word {name}": _asked(app, "quick", **how) for name, how in narrowed.items()}
    asked["common word in a small application"] = _asked(core.app("other"), "quick")
    return asked


def _asked(app: App, words: str, **how: Any) -> Ask:
    return lambda: app.search(words, order="rank", first=20, **how)


async def measured(path: Path, size: int) -> dict[str, Figure]:
    """By kind its median and its 99th of a hundred, warm, and the median of those that find nothing in memory."""
    figures: dict[str, Figure] = {}
    async with Outeract(path) as core:
        await _planted(core, size)
        for name, ask in (await kinds(core, size)).items():
            progress(f"search: by rank, {name}")
            found = await _warm(ask)
            for percent in (50, 99):
                figures[f"rank_{name.replace(' ', '_')}_p{percent}"] = Figure(
                    percentile(found, percent), 0.0, TIME, len(found)
                )
    for name in [*WORDS, "common word in a small conversation", "common word long ago"]:
        progress(f"search: by rank with nothing in memory, {name}")
        often = 1 if name in SCANNED else COLD
        times = [await _cold(path, size, name) for _ in range(often)]
        figures[f"rank_{name.replace(' ', '_')}_cold"] = Figure(
            percentile(times, 50), 0.0, TIME, COLD
        )
    return figures


async def _warm(ask: Ask) -> list[float]:
    """µs of each call; the first has brought in what the others need."""
    await ask()
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < CALLS and time.perf_counter() < end:
        times.append(await _once(ask))
    return times


async def _cold(path: Path, size: int, name: str) -> float:
    """µs of the first search after opening, when the system has forgotten the file too."""
    forget(path)
    async with Outeract(path) as core:
        return await _once((await kinds(core, size))[name])


async def _once(ask: Ask) -> float:
    start = time.perf_counter()
    await ask()
    return (time.perf_counter() - start) * 1e6


def forget(path: Path) -> None:
    """Have the system drop what it holds of a file in memory; where it cannot be asked to, it keeps it."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
