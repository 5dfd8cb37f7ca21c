"""Results as a person or a program reads them, and the file that keeps them.

Knows: tables, JSON, what of the machine belongs beside a figure.
Does not know: how anything was measured.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from ..measure import RATE, Figure, Goal, Result
from ..suite import MODULES

_MET = {True: "met", False: "MISSED", None: "not measured"}


def table(result: Result) -> str:
    """For people."""
    lines = [f"{result.bench}, {result.size:,} messages"]
    lines += [f"  {name:34}{_figure(figure)}" for name, figure in result.figures.items()]
    if result.ratios:
        lines.append("  ratios")
        lines += [f"    {name:44}{value:>10.2f}" for name, value in result.ratios.items()]
    if result.goals:
        lines.append("  goals")
        lines += [f"    {_goal(goal)}" for goal in result.goals]
    lines += [f"  left out: {name} ({why})" for name, why in result.left_out.items()]
    lines += [f"  {name}: {value}" for name, value in result.extra.items()]
    if not result.well:
        lines.append("  NOT WELL: something was wrong, see above")
    return "\n".join(lines)


def _figure(figure: Figure) -> str:
    number = f"{figure.median:>14,.0f}" if figure.median >= 100 else f"{figure.median:>14,.2f}"
    unit = "/s" if figure.unit == RATE else figure.unit
    rows = f"   ({figure.rows:,} rows)" if figure.rows is not None else ""
    return f"{number} {unit:6} ± {figure.spread:.0%}{rows}"


def _goal(goal: Goal) -> str:
    value = "" if goal.ratio is None else f"{goal.ratio:.2f}"
    return f"{_MET[goal.met]:13}{goal.name:36}{value:>9} {goal.sense} {goal.bound:g}"


def whole(results: Sequence[Result], size: int) -> dict[str, Any]:
    """The whole run as one object, for the last line of `--json`."""
    goals = [(result.bench, goal) for result in results for goal in result.goals]
    return {
        "bench": "suite",
        "size": size,
        "ratios": {result.bench: result.as_dict()["ratios"] for result in results},
        "figures": {result.bench: result.as_dict()["figures"] for result in results},
        "goals": {
            "met": sum(goal.met is True for _, goal in goals),
            "missed": [f"{bench}: {goal.name}" for bench, goal in goals if goal.met is False],
            "not_measured": [f"{bench}: {goal.name}" for bench, goal in goals if goal.met is None],
        },
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
        "apsw": apsw.apsw_version(),
        "sqlite": apsw.sqlite_lib_version(),
    }


def keep(path: Path, results: Sequence[Result], size: int) -> None:
    """Write results to a file; what it holds of other benchmarks of this size stays."""
    results_kept: dict[str, Any] = {}
    if path.exists():
        before = told(path)
        results_kept = before["results"] if before.get("size") == size else {}
    results_kept |= {result.bench: result.as_dict() for result in results}
    whole_file = {
        "size": size,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "results": results_kept,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole_file, indent=1, ensure_ascii=False) + "\n", "utf-8")


def told(path: Path) -> dict[str, Any]:
    """The file that `keep` has written: size, at, machine, results."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def kept(path: Path) -> list[Result]:
    """The results in it, in the order of the suite."""
    results = told(path)["results"]
    return [Result.from_dict(results[name]) for name in MODULES if name in results]
