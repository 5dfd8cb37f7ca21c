"""How long one run took, in all and each piece of it.

Knows: rates and percentiles of runs. Does not know: what ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .measure import TIME, Figure, percentile, summary


@dataclass
class Took:
    """One run: how many messages, the seconds in all, and the seconds of each commit or call."""

    count: int
    seconds: float
    each: list[float]

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.count / self.seconds

    def micros(self, percent: float) -> float:
        """A percentile of the single times, in µs."""
        return percentile(self.each, percent) * 1e6

    @classmethod
    def together(cls, pieces: Sequence[Took]) -> Took:
        """Several runs as one."""
        each = [seconds for piece in pieces for seconds in piece.each]
        return cls(
            sum(piece.count for piece in pieces), sum(piece.seconds for piece in pieces), each
        )  # fmt: skip


def figures_of(took: dict[str, list[Took]]) -> dict[str, Figure]:
    """Rates, and the single times at p50 and p99."""
    figures = {
        name: summary([one.rate for one in found], rows=found[0].count)
        for name, found in took.items()
    }
    for name, found in took.items():
        for percent in (50, 99):
            micros = [one.micros(percent) for one in found]
            figures[f"{name}_p{percent}"] = summary(micros, TIME)
    return figures
