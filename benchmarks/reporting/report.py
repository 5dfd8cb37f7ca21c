"""`python -m benchmarks.reporting.report [--only NAME] [RESULTS.json …]`: the figures of runs as Markdown, into the
documentation; `--only` leaves those of all other benchmarks as they stand there.

Knows: the section of the page that runs replace, and the chart beside it.
Does not know: what was measured.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..measure import RATE, Figure, Goal, Result
from ..suite import ROOT
from . import chart, shown

PAGE = ROOT / "docs" / "explanation" / "performance.md"
_SECTION = re.compile(r"(<!-- figures:.*?-->\n).*?(<!-- end of figures -->)", re.DOTALL)
_MET = {True: "met", False: "**missed**", None: "not measured"}


Run = tuple[dict[str, Any], list[Result]]
"""What `shown.told` says of a run, and its results."""


def markdown(runs: Sequence[Run]) -> str:
    """The goals of all benchmarks in every run, then what the first run has measured."""
    (told, results), machine = runs[0], runs[0][0]["machine"]
    cores, memory = machine["cores"], machine["memory_gb"]
    sizes = [f"{_size(run):,} messages" for run in runs]
    lines = [
        f"From runs with {' and '.join(sizes)} stored, {told['at'][:10]}: {cores} cores, {memory} GB",
        f"of memory, {machine['system']}, CPython {machine['python']}, SQLite {machine['sqlite']}.",
        "", f"![Every goal and how far it was reached with {sizes[0]}](performance.svg)", "",
        f"| benchmark | ratio | goal | {' | '.join(sizes)} |", "|---|---|---|" + "---|" * len(runs),
    ]  # fmt: skip
    lines += _goals(runs)
    for result in results:
        lines += ["", *_measured(result)]
    return "\n".join(lines) + "\n"


def _measured(result: Result) -> list[str]:
    """What one benchmark has measured."""
    lines = [f"### {result.bench}", "", "| figure | median | spread | rows |", "|---|---|---|---|"]
    lines += [_figure(name, figure) for name, figure in result.figures.items()]
    lines += [f"\nLeft out: {name} ({why})." for name, why in result.left_out.items()]
    memory_mb = result.extra.get("peak_memory_mb", 0)
    return [*lines, "", f"Peak memory, peers included: {memory_mb:,.0f} MB."]


def replaced(section: str, run: Run, bench: str) -> str:
    """The section with one benchmark measured anew. Raises SystemExit when it is not there in this size."""
    told, result = run[0], next((one for one in run[1] if one.bench == bench), None)
    found = re.search(rf"### {bench}\n.*?(?=\n### |\n<!-- end|\Z)", section, re.DOTALL)
    sizes = re.findall(r"\| benchmark \| ratio \| goal \| (.*) \|", section)[0].split(" | ")
    if result is None or found is None or sizes[0] != f"{_size(run):,} messages":
        raise SystemExit(f"there are no figures of {bench} with {sizes[0]} to be replaced")
    lines = [
        *_measured(result),
        "",
        f"Measured anew {told['at'][:10]}, with SQLite {told['machine']['sqlite']}.",
    ]
    section = section.replace(found[0], "\n".join(lines) + "\n")
    return _with_goals(section, result, len(sizes))


def _with_goals(section: str, result: Result, columns: int) -> str:
    """The rows of its goals; in the columns of other sizes stays what stood there."""
    rows = [line for line in section.splitlines() if line.startswith(f"| {result.bench} |")]
    others = {row.split(" | ")[1]: row.rstrip("| ").split(" | ")[4 : 3 + columns] for row in rows}
    made = []
    for goal in result.goals:
        kept = others.get(f"`{goal.name}`", [])
        cells = [_reached(goal), *kept, *[""] * (columns - 1 - len(kept))]
        made.append(
            f"| {result.bench} | `{goal.name}` | {goal.sense} {goal.bound:g} | {' | '.join(cells)} |"
        )
    return section.replace("\n".join(rows), "\n".join(made))


def _size(run: Run) -> int:
    return max((result.size for result in run[1]), default=0)


def _goals(runs: Sequence[Run]) -> list[str]:
    found: dict[tuple[str, str], dict[int, Goal]] = {}
    for number, (_told, results) in enumerate(runs):
        for result in results:
            for goal in result.goals:
                found.setdefault((result.bench, goal.name), {})[number] = goal
    rows = []
    for (bench, name), goals in found.items():
        first = next(iter(goals.values()))
        cells = [_reached(goals.get(number)) for number in range(len(runs))]
        rows.append(f"| {bench} | `{name}` | {first.sense} {first.bound:g} | {' | '.join(cells)} |")
    return rows


def _reached(goal: Goal | None) -> str:
    if goal is None or goal.ratio is None:
        return ""
    return f"{goal.ratio:,.2f} {_MET[goal.met]}"


def _figure(name: str, figure: Figure) -> str:
    number = f"{figure.median:,.0f}" if figure.median >= 100 else f"{figure.median:,.2f}"
    unit = "/s" if figure.unit == RATE else f" {figure.unit}"
    rows = "" if figure.rows is None else f"{figure.rows:,}"
    return f"| `{name}` | {number}{unit} | {figure.spread:.0%} | {rows} |"


def main() -> None:
    """Replace the page's figures and draw the chart anew, from the first of the runs."""
    parser = argparse.ArgumentParser(prog="benchmarks.reporting.report")
    parser.add_argument("results", nargs="*", type=Path)
    parser.add_argument(
        "--only", metavar="NAME", help="one benchmark of the first run, and no chart"
    )
    asked = parser.parse_args()
    paths = asked.results or [chart.newest()]
    runs = [(shown.told(path), shown.kept(path)) for path in paths]
    page = PAGE.read_text("utf-8")
    before = _SECTION.search(page)
    if before is None:
        raise SystemExit(f"{PAGE} has no section for figures")
    if asked.only:
        text = replaced(before[0], runs[0], asked.only)
        PAGE.write_text(page.replace(before[0], text), "utf-8")
        return
    text = markdown(runs)
    PAGE.write_text(_SECTION.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page), "utf-8")
    PAGE.with_suffix(".svg").write_text(chart.drawn(runs[0][1]), "utf-8")


if __name__ == "__main__":
    main()
