"""`python -m benchmarks.reporting.chart [RESULTS.json] [--to FILE.svg]`: every goal of a run as a row of a chart.

Knows: how far each ratio is from its goal, and how to draw that. Does not know: what was measured.

All rows share one scale: 1 is the goal, right of it is better, whichever way the goal points. A goal that
is met is a filled bar with a tick, one that is missed a hollow bar with a cross, so that colour is not
needed to tell them apart; the colours follow the reader's light or dark background.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ..measure import Goal, Result
from ..suite import ROOT
from . import shown

WIDTH, LEFT, RIGHT = 960, 330, 190
ROW, HEAD, FOOT = 22, 74, 48
DECADES = 2.0
"""How far the scale reaches to either side; what is further out ends in an arrow."""

_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; } .soft { fill: #59636e; }
  .bench { font-weight: 600; } .value { font-variant-numeric: tabular-nums; }
  .line { stroke: #d1d9e0; stroke-width: 1; } .goal { stroke: #1f2328; stroke-width: 2; }
  .met { fill: #0a6b5c; stroke: #0a6b5c; } .missed { fill: none; stroke: #b35900; stroke-width: 1.5; }
  .paper { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .soft { fill: #9da7b1; } .line { stroke: #30363d; }
    .goal { stroke: #e6edf3; } .met { fill: #3fb5a3; stroke: #3fb5a3; } .missed { stroke: #e09b4f; }
    .paper { fill: #0d1117; }
  }
"""


@dataclass(frozen=True)
class Row:
    """A goal that was measured. `reach`: the ratio as a multiple of the goal, more being better."""

    bench: str
    goal: Goal
    reach: float


def rows_of(results: list[Result]) -> list[Row]:
    """The goals with a ratio, in order."""
    found = []
    for result in results:
        for goal in result.goals:
            if goal.ratio is not None and goal.ratio > 0:
                reach = goal.ratio / goal.bound if goal.sense == "≥" else goal.bound / goal.ratio
                found.append(Row(result.bench, goal, reach))
    return found


def drawn(results: list[Result]) -> str:
    """The chart as SVG."""
    rows, size = rows_of(results), max((result.size for result in results), default=0)
    unknown = sum(goal.ratio is None for result in results for goal in result.goals)
    height = HEAD + ROW * len(rows) + FOOT
    met = sum(row.goal.met is True for row in rows)
    told = f"{met} of {len(rows)} goals met with {size:,} messages stored"
    told += f", {unknown} not measured" if unknown else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' aria-labelledby="title desc">',
        f'<title id="title">Benchmarks: {escape(told)}</title>',
        f'<desc id="desc">{escape(_described(rows))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
        f'<text class="title" x="20" y="28">{escape(told)}</text>',
        '<text class="soft" x="20" y="46">how many times as good as the goal; logarithmic,'
        " right is better</text>",
        *_scale(height),
    ]
    before = ""
    for number, row in enumerate(rows):
        parts += _row(row, HEAD + ROW * number, first=row.bench != before)
        before = row.bench
    parts += [
        f'<text class="soft" x="20" y="{height - 16}">✓ filled bar: met · ✗ hollow bar: missed · '
        "at the right what was measured, and (the goal)</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _described(rows: list[Row]) -> str:
    """The whole chart in words."""
    return ". ".join(
        f"{row.bench}, {_plain(row.goal.name)}: {_number(row.goal.ratio or 0)}, goal"
        f" {_sense(row.goal)} {row.goal.bound:g}, {'met' if row.goal.met else 'missed'}"
        for row in rows
    )


def _sense(goal: Goal) -> str:
    return "at least" if goal.sense == "≥" else "at most"


def _x(reach: float) -> float:
    """Where a multiple of the goal lies."""
    middle = (LEFT + WIDTH - RIGHT) / 2
    half = (WIDTH - RIGHT - LEFT) / 2
    place = math.log10(reach) / DECADES if reach > 0 else -1.0
    return middle + half * max(-1.0, min(1.0, place))


def _scale(height: int) -> list[str]:
    bottom, parts = height - FOOT + 4, []
    for power in range(-int(DECADES), int(DECADES) + 1):
        x = _x(10.0**power)
        kind = "goal" if power == 0 else "line"
        label = "goal" if power == 0 else f"×{10.0**power:g}"
        parts += [
            f'<line class="{kind}" x1="{x:.1f}" y1="{HEAD - 6}" x2="{x:.1f}" y2="{bottom}"/>',
            f'<text class="soft" x="{x:.1f}" y="{HEAD - 10}" text-anchor="middle">{label}</text>',
        ]
    return parts


def _row(row: Row, top: int, *, first: bool) -> list[str]:
    goal, base = row.goal, top + ROW * 0.68
    middle, end = _x(1.0), _x(row.reach)
    left, width = min(middle, end), max(abs(end - middle), 1.5)
    kind, sign = ("met", "✓") if goal.met else ("missed", "✗")
    beyond = "" if abs(math.log10(row.reach)) <= DECADES else (" »" if row.reach > 1 else " «")
    value = f"{sign} {_number(goal.ratio or 0)}{beyond} ({goal.sense} {goal.bound:g})"
    name = f'<text class="bench" x="20" y="{base:.0f}">{escape(row.bench)}</text>' if first else ""
    rule = f'<line class="line" x1="20" y1="{top}" x2="{WIDTH - 20}" y2="{top}"/>' if first else ""
    return [
        f"{rule}{name}",
        f'<text x="{LEFT - 12}" y="{base:.0f}" text-anchor="end">{escape(_plain(goal.name))}</text>',
        f'<rect class="{kind}" x="{left:.1f}" y="{top + 5}" width="{width:.1f}" height="{ROW - 10}"'
        ' rx="2"/>',
        f'<text class="value" x="{WIDTH - RIGHT + 12}" y="{base:.0f}">{escape(value)}</text>',
    ]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    """Draw the results of one run; the largest size in `.bench` unless a file is named."""
    parser = argparse.ArgumentParser(prog="benchmarks.reporting.chart")
    parser.add_argument("results", nargs="?", type=Path)
    target = ROOT / "docs" / "explanation" / "performance.svg"
    parser.add_argument("--to", type=Path, default=target, help="docs/explanation/performance.svg")
    options = parser.parse_args()
    path = options.results or newest()
    options.to.write_text(drawn(shown.kept(path)), "utf-8")
    print(options.to)


def newest() -> Path:
    """The results of the largest size that was run."""
    found = [
        path for size in ("10m", "1m", "100k", "10k") for path in [ROOT / f".bench/{size}.json"]
    ]
    for path in found:
        if path.exists():
            return path
    sys.exit("there are no results yet: run python3 dev.py bench first")


if __name__ == "__main__":
    main()
