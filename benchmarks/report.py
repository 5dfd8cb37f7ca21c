"""`python -m benchmarks.report [RESULTS.json]`: a run's figures as Markdown, into the documentation.

Knows: the section of the page that a run replaces, and the chart beside it.
Does not know: what was measured.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from . import chart, shown
from .measure import RATE, Figure, Goal, Result
from .suite import ROOT

PAGE = ROOT / "docs" / "explanation" / "performance.md"
_SECTION = re.compile(r"(<!-- figures:.*?-->\n).*?(<!-- end of figures -->)", re.DOTALL)
_MET = {True: "met", False: "**missed**", None: "not measured"}


def markdown(results: list[Result], machine: dict[str, object], at: str) -> str:
    """The goals of all benchmarks, then what each of them has measured."""
    size = max((result.size for result in results), default=0)
    cores, memory = machine["cores"], machine["memory_gb"]
    lines = [
        f"From a run with {size:,} messages stored, {at[:10]}: {cores} cores, {memory} GB of memory,",
        f"{machine['system']}, CPython {machine['python']}, SQLite {machine['sqlite']}.",
        "", "![Every goal and how far it was reached](performance.svg)", "",
        "| benchmark | ratio | measured | goal | |", "|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [_goal(result.bench, goal) for result in results for goal in result.goals]
    for result in results:
        lines += ["", f"### {result.bench}", "", "| figure | median | spread | rows |"]
        lines += ["|---|---|---|---|"]
        lines += [_figure(name, figure) for name, figure in result.figures.items()]
        lines += [f"\nLeft out: {name} ({why})." for name, why in result.left_out.items()]
        memory_mb = result.extra.get("peak_memory_mb", 0)
        lines += ["", f"Peak memory, peers included: {memory_mb:,.0f} MB."]
    return "\n".join(lines) + "\n"


def _goal(bench: str, goal: Goal) -> str:
    value = "" if goal.ratio is None else f"{goal.ratio:,.2f}"
    return f"| {bench} | `{goal.name}` | {value} | {goal.sense} {goal.bound:g} | {_MET[goal.met]} |"


def _figure(name: str, figure: Figure) -> str:
    number = f"{figure.median:,.0f}" if figure.median >= 100 else f"{figure.median:,.2f}"
    unit = "/s" if figure.unit == RATE else f" {figure.unit}"
    rows = "" if figure.rows is None else f"{figure.rows:,}"
    return f"| `{name}` | {number}{unit} | {figure.spread:.0%} | {rows} |"


def main() -> None:
    """Replace the page's figures and draw the chart anew."""
    parser = argparse.ArgumentParser(prog="benchmarks.report")
    parser.add_argument("results", nargs="?", type=Path)
    path = parser.parse_args().results or chart.newest()
    told, results = shown.told(path), shown.kept(path)
    text = markdown(results, told["machine"], told["at"])
    page = PAGE.read_text("utf-8")
    if not _SECTION.search(page):
        raise SystemExit(f"{PAGE} has no section for figures")
    PAGE.write_text(_SECTION.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page), "utf-8")
    PAGE.with_suffix(".svg").write_text(chart.drawn(results), "utf-8")


if __name__ == "__main__":
    main()
