"""Which benchmarks there are, and how one of them runs in a process of its own.

Knows: names, modules, how a child is started and what it says at its end.
Does not know: what is measured, how results are shown.

A child of its own gives each benchmark its own peak of memory and its own imports; within it, the
library, the floor and the peers run interleaved.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .measure import Options, Result
from .memory import peak_memory
from .progress import progress

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    "ingest_single": "ingest_single",
    "ingest_concurrent": "ingest_concurrent",
    "import": "bulk_import",
    "append": "append",
    "history": "history",
    "page": "page",
    "list": "conversation_list",
    "timeline": "timeline",
    "graph": "graph",
    "search": "search",
    "dispatch": "dispatch",
    "outbox": "outbox",
    "busy": "busy",
    "stalls": "stalls",
    "size": "size",
    "start": "start",
    "crash": "crash",
}
RACES = [name for name in MODULES if name != "crash"]
"""What runs when no name is given."""


class Broken(Exception):
    """A benchmark ended without a result."""


def run(name: str, options: Options) -> Result:
    """One benchmark here and now; its module has `run(options) -> Result`."""
    module = importlib.import_module(f"benchmarks.scenarios.{MODULES[name]}")
    measured: Callable[[Options], Result] = module.run
    result = measured(options)
    result.bench = name
    result.extra["peak_memory_mb"] = peak_memory()
    progress("")
    return result


def run_apart(name: str, options: Options) -> Result:
    """One benchmark in a child of its own. Raises Broken when it fails."""
    arguments = [name, str(options.size), str(options.rounds), str(options.cache)]
    arguments += [str(options.runs), "peers" if options.peers else "alone"]
    command = [sys.executable, "-m", "benchmarks.suite", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().splitlines()
    if done.returncode or not lines:
        raise Broken(f"{name} ended with status {done.returncode}")
    return Result.from_dict(json.loads(lines[-1]))


def child(arguments: list[str]) -> None:
    """The child's side of `run_apart`."""
    name, size, count, cache, kills, company = arguments
    folder = Path(cache)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as scratch:
        options = Options(
            int(size), int(count), folder, Path(scratch), company == "peers", int(kills)
        )
        result = run(name, options)
    print(json.dumps(result.as_dict()), flush=True)


if __name__ == "__main__":
    child(sys.argv[1:])
