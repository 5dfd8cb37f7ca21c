"""Rounds, medians and how they are shown.

Knows: time and statistics. Does not know: what is measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Result:
    """One benchmark's outcome. `figures`: per second, by name. `ratios`: us / floor, 1 is the floor."""

    bench: str
    size: int
    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    well: bool = True

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        shown = {"bench": self.bench, "size": self.size}
        if self.ratios:
            shown["ratios"] = {name: round(value, 3) for name, value in self.ratios.items()}
        if self.figures:
            shown["figures"] = self.figures
        return {**shown, **self.extra}

    def table(self) -> str:
        """For people."""
        lines = [f"{self.bench}, {self.size:,} messages"]
        for name, value in self.figures.items():
            ratio = self.ratios.get(name)
            rate = f"{value['median']:>12,.0f} /s ± {value['spread']:.0%}"
            lines.append(f"  {name:28}{rate}" + (f"   {ratio:.2f} of the floor" if ratio else ""))
        lines += [f"  {name:28}{value}" for name, value in self.extra.items()]
        return "\n".join(lines)


def rounds(count: int, runs: dict[str, Callable[[], float]]) -> dict[str, dict[str, float]]:
    """Each run in turn, `count` times; every run returns how many it did per second."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(count):
        for name, run in runs.items():
            progress(f"round {number + 1} of {count}: {name}")
            rates[name].append(run())
    progress("")
    return {name: summary(values) for name, values in rates.items()}


def summary(values: list[float]) -> dict[str, float]:
    """The median, and half the distance between the extremes as a share of it."""
    middle = median(values)
    return {
        "median": round(middle, 1),
        "spread": round((max(values) - min(values)) / 2 / middle, 3) if middle else 0.0,
    }


def per_second(count: int, work: Callable[[], Any]) -> float:
    """How many per second when `work` does `count`."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def progress(text: str) -> None:
    """A line on a terminal's stderr that is written over by the next one."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
