"""What a benchmark says: figures, ratios, goals; and how rounds are run.

Knows: time, statistics. Does not know: what is measured, how it is shown.

    figures = rounds(options.rounds, {"page": read, "raw_page": raw}, rows=50)
    slower = figures["raw_page"].median / figures["page"].median
    return Result("page", options.size, figures, {"page_of_raw": slower},
                  [at_most("page", slower, 3.0)], left_out={"networkx": "not installed"})
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from .progress import progress

RATE = "per second"
TIME = "µs"
BYTES = "bytes"
MEGABYTES = "MB"


@dataclass(frozen=True)
class Options:
    """What the command line asked for. `size`: messages stored before a read or a write.

    `cache`: the folder that outlives the run (worlds); `scratch`: one that does not;
    `peers`: False leaves every peer out; `runs`: kills in `crash`.
    """

    size: int
    rounds: int
    cache: Path
    scratch: Path
    peers: bool = True
    runs: int = 50


@dataclass(frozen=True)
class Figure:
    """One measured thing. `spread`: half the distance of the extremes, as a share of the median."""

    median: float
    spread: float = 0.0
    unit: str = RATE
    rows: int | None = None


@dataclass(frozen=True)
class Goal:
    """What a ratio must reach: `sense` is `≥` or `≤`. `ratio` None: it could not be measured."""

    name: str
    ratio: float | None
    sense: str
    bound: float

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None when nobody knows."""
        if self.ratio is None:
            return None
        return self.ratio >= self.bound if self.sense == "≥" else self.ratio <= self.bound


def at_least(name: str, ratio: float | None, bound: float) -> Goal:
    """The ratio must be `bound` or more."""
    return Goal(name, ratio, "≥", bound)


def at_most(name: str, ratio: float | None, bound: float) -> Goal:
    """The ratio must be `bound` or less."""
    return Goal(name, ratio, "≤", bound)


@dataclass
class Result:
    """One benchmark's outcome. `left_out`: peer → why it is not in the figures.

    `extra`: what else is told, in words or numbers. `well`: False when something was wrong, not slow.
    """

    bench: str
    size: int
    figures: dict[str, Figure] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    well: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "bench": self.bench,
            "size": self.size,
            "ratios": {name: _short(value) for name, value in self.ratios.items()},
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "goals": [{**asdict(goal), "met": goal.met} for goal in self.goals],
            "left_out": self.left_out,
            "extra": self.extra,
            "well": self.well,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Result:
        """What `as_dict` has told."""
        figures = {name: Figure(**figure) for name, figure in told["figures"].items()}
        goals = [Goal(g["name"], g["ratio"], g["sense"], g["bound"]) for g in told["goals"]]
        return cls(
            told["bench"], told["size"], figures, dict(told["ratios"]), goals, dict(told["extra"]),
            dict(told["left_out"]), told["well"],
        )  # fmt: skip


# ── rounds ────────────────────────────────────────────────────────────────────────────────────


def rounds(
    count: int, runs: Mapping[str, Callable[[], float]], unit: str = RATE, rows: int | None = None
) -> dict[str, Figure]:
    """Each run in turn, `count` times; every run returns one number in `unit`.

    `rows`: how many rows (messages, nodes) one run handled, where that says something.
    """
    values: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(count):
        for name, run in runs.items():
            progress(f"round {number + 1} of {count}: {name}")
            values[name].append(run())
    return {name: summary(found, unit, rows) for name, found in values.items()}


async def rounds_async(
    count: int, runs: Mapping[str, Callable[[], Awaitable[float]]], unit: str = RATE,
    rows: int | None = None,
) -> dict[str, Figure]:  # fmt: skip
    """`rounds` for runs that are awaited, in the event loop that this is called from."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(count):
        for name, run in runs.items():
            progress(f"round {number + 1} of {count}: {name}")
            values[name].append(await run())
    return {name: summary(found, unit, rows) for name, found in values.items()}


def summary(values: Sequence[float], unit: str = RATE, rows: int | None = None) -> Figure:
    """The median, and half the distance between the extremes as a share of it."""
    middle = median(values)
    spread = (max(values) - min(values)) / 2 / middle if middle else 0.0
    return Figure(_short(middle), round(spread, 3), unit, rows)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def over(figures: Mapping[str, Figure], one: str, other: str) -> float | None:
    """`one` as a multiple of `other`; None when either was left out."""
    if one not in figures or other not in figures or not figures[other].median:
        return None
    return figures[one].median / figures[other].median


def told(ratios: Mapping[str, float | None]) -> dict[str, float]:
    """The ratios that could be measured."""
    return {name: value for name, value in ratios.items() if value is not None}


def _short(value: float) -> float:
    """Four digits that count."""
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value, 1)
