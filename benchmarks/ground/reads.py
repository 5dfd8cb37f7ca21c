"""How the read benchmarks run: everybody answers first, then everybody is timed in turn.

Knows: who is asked, that answers must agree before they are timed, how long a round is.
Does not know: the questions, or how anyone answers.

All of it happens in one event loop: the library is awaited, everybody else is called in line, which
costs them nothing. A figure is µs per call: in each turn as many calls as fit in `SPELL`, at least
one; the first call of each, which also fills caches, is not counted.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

from ..measure import TIME, Figure, Options, over, rounds_async, told
from ..progress import progress
from ..readers import Offered, Reader, TooLarge

SPELL = 0.02
"""Seconds that one run takes, when a call takes less."""
TURNS = 3
"""Each round has so many turns: short ones, close to each other, share the machine's moods."""
MOST = 1000
"""Calls in one run at most."""
SLOW = 0.05
"""Seconds; whoever takes longer for one call is called in one turn of a round only."""
VERY_SLOW = 1.0
"""Seconds; whoever takes longer than this is called once and for all."""

UNORDERED = ("chain", "chain_used", "tree", "component")
"""Workloads whose answers are sets: the order in which nodes are met is everybody's own."""


class Wrong(AssertionError):
    """Somebody's answer is not the library's: nothing that it takes means anything."""


@dataclass
class Race:
    """What came out: figures by `reader_workload` (`page` for the library, `raw_page` …)."""

    figures: dict[str, Figure] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    ran: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Workload and reader of every figure but the library's."""

    def slower(self, name: str, peer: str) -> float | None:
        """A peer's time as a multiple of the library's."""
        return over(self.figures, f"{peer}_{name}", name)

    def of(self, name: str, floor: str) -> float | None:
        """The library's time as a multiple of a floor's."""
        return over(self.figures, name, f"{floor}_{name}")

    def ratios(self) -> dict[str, float]:
        """Of floors: the library as a multiple of them; of peers: they as a multiple of it."""
        found: dict[str, float | None] = {}
        for name, reader in self.ran.values():
            if reader in FLOORS:
                found[f"{name}_of_{reader}"] = self.of(name, reader)
            else:
                found[f"{name}_{reader}_slower"] = self.slower(name, reader)
        return told(found)


FLOORS = ("raw", "bare", "ids", "raw_fts")


async def race(
    options: Options, names: Sequence[str], ours: Mapping[str, Any], floors: Sequence[Offered],
    peers: Sequence[Offered],
) -> Race:  # fmt: skip
    """Everybody on every workload of `names` that they can do."""
    outcome = Race()
    with ExitStack() as opened:
        readers = _present(opened, floors, outcome)
        if options.peers:
            readers += _present(opened, peers, outcome)
        opened.callback(gc.unfreeze)
        gc.freeze()  # what a peer holds in memory is no garbage that others have to look through
        runs: dict[str, Callable[[], Awaitable[float]]] = {}
        rows: dict[str, int] = {}
        for name in names:
            runs |= await _entered(outcome, name, ours[name], readers, rows)
        timed = await rounds_async(options.rounds * TURNS, runs, TIME)
        for figure, found in timed.items():
            counted = Figure(found.median, found.spread, found.unit, rows[figure])
            outcome.figures[figure] = counted
    return outcome


def _present(opened: ExitStack, offered: Sequence[Offered], outcome: Race) -> list[Reader]:
    found = []
    for each in offered:
        progress(f"loading {each.name}")
        try:
            reader = opened.enter_context(closing(each.open()))
        except ImportError as error:
            if (error.name or "").startswith("benchmarks"):
                raise
            outcome.left_out[each.name] = f"not installed: {error.name}"
            continue
        except TooLarge as error:
            outcome.left_out[each.name] = str(error)
            continue
        found.append(reader)
        if reader.notes:
            outcome.notes[reader.name] = reader.notes
    return found


async def _entered(
    outcome: Race, name: str, ours: Any, readers: Sequence[Reader], rows: dict[str, int]
) -> dict[str, Callable[[], Awaitable[float]]]:
    """The runs of one workload, ours first, once everybody has given the same answer."""
    wanted = list(ours.positions(await ours.ask()))
    if not wanted:
        raise Wrong(f"{name}: the library finds nothing")
    runs = {name: await run_of(ours.ask)}
    for reader in readers:
        read = reader.reads().get(name)
        if read is None:
            continue
        progress(f"{name}: is {reader.name}'s answer the same")
        agree(name, reader.name, wanted, read.positions(read.ask()))
        outcome.ran[f"{reader.name}_{name}"] = name, reader.name
        runs[f"{reader.name}_{name}"] = await run_of(read.ask)
    rows |= dict.fromkeys(runs, len(wanted))
    return runs


def agree(name: str, who: str, wanted: Sequence[int], given: Sequence[int]) -> None:
    """Raises Wrong unless both answers name the same nodes, in the same order where it counts."""
    one, other = list(wanted), list(given)
    if name in UNORDERED:
        one, other = sorted(one), sorted(other)
    if one != other:
        missing, more = set(one) - set(other), set(other) - set(one)
        raise Wrong(
            f"{name}: {who} gives {len(other)} nodes, the library {len(one)};"
            f" {len(missing)} missing, {len(more)} more"
        )


async def run_of(ask: Callable[[], Any]) -> Callable[[], Awaitable[float]]:
    """A run that takes about `SPELL`; what is very slow is timed once and for all."""
    once = await _spent(ask, 1)
    calls = max(1, min(MOST, int(SPELL / once)))

    turn, last = 0, once

    async def run() -> float:
        nonlocal turn, last
        turn += 1
        if once <= SLOW or (once <= VERY_SLOW and turn % TURNS == 0):
            last = await _spent(ask, calls) / calls
        return last * 1e6

    return run


async def _spent(ask: Callable[[], Any], calls: int) -> float:
    """Seconds for so many calls."""
    start = time.perf_counter()
    answer = ask()
    if isawaitable(answer):
        await answer
        for _ in range(calls - 1):
            await ask()
    else:
        del answer
        for _ in range(calls - 1):
            ask()
    return time.perf_counter() - start
