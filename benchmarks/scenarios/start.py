"""Starting: the import, opening a file that is there, memory at rest and on a walk over every event.

Knows: that each is asked of a fresh interpreter. Does not know: what is loaded when.

The program that imports nothing is started as well, so that the interpreter's own time and memory can be
told from the library's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..ground import world
from ..measure import MEGABYTES, Figure, Options, Result, at_most, rounds, summary
from ..progress import progress

ROOT = Path(__file__).resolve().parents[2]
MILLISECONDS = "ms"
PATIENCE = 90.0
"""Seconds after which the walk may end before the last event; the output says where."""

_IMPORT = """
import time; start = time.perf_counter()
import outeract_core; outeract_core.Outeract
print((time.perf_counter() - start) * 1000)
"""


def run(options: Options) -> Result:
    """Milliseconds and megabytes."""
    built = world.ready(options)
    figures = rounds(2 * options.rounds, {"import": lambda: float(_python(_IMPORT))}, MILLISECONDS)
    opened: list[dict[str, Any]] = []
    for number in range(options.rounds):
        progress(f"start: opening, round {number + 1} of {options.rounds}")
        opened.append(_opened(built, "0"))
    progress("start: walking over every event")
    walked = _opened(built, str(PATIENCE))
    figures["open"] = summary([one["open_ms"] for one in opened], MILLISECONDS)
    figures["memory_bare_python"] = Figure(_bare(), unit=MEGABYTES)
    figures["memory_at_rest"] = summary([one["at_rest_mb"] for one in opened], MEGABYTES)
    figures["memory_walking"] = Figure(walked["peak_mb"], unit=MEGABYTES, rows=walked["events"])
    figures["walk"] = Figure(round(walked["events"] / walked["seconds"], 1), rows=walked["events"])
    bounds = {"import": ("import_ms", 100.0), "open": ("open_ms", 50.0)}
    bounds |= {"memory_at_rest": ("memory_at_rest_mb", 200.0)}
    bounds |= {"memory_walking": ("memory_walking_mb", 200.0)}
    goals = [at_most(goal, figures[name].median, bound) for name, (goal, bound) in bounds.items()]
    ratios = {goal.name: goal.ratio for goal in goals if goal.ratio is not None}
    return Result("start", options.size, figures, ratios, goals, {"whole_walk": walked["whole"]})


def _opened(built: world.World, patience: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        _python("-m", "benchmarks.ground.start_child", str(built.path), patience)
    )
    return told


def _bare() -> float:
    told = _python("from benchmarks.memory import memory_now; print(memory_now())")
    return float(told)


def _python(*arguments: str) -> str:
    """What a fresh interpreter prints; one argument is a program."""
    command = ["-c", *arguments] if len(arguments) == 1 else list(arguments)
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout
