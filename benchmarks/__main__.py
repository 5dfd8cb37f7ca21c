"""`python -m benchmarks [NAME…] [--size 10k|1m|10m] [--rounds N] [--json] …`.

Knows: the command line, the order of the benchmarks, where results go.
Does not know: what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from .measure import Options, Result
from .progress import say
from .reporting import shown
from .suite import MODULES, RACES, ROOT, Broken, run_apart


def main() -> int:
    """Run the named benchmarks, each in a child of its own; 1 when one of them broke.

    The last line with `--json` is one object: the benchmark's, or the whole run's after one line for
    each when several ran. A goal that is missed is shown; it does not make the status 1.
    """
    options = parser().parse_args()
    names = options.names or RACES
    results, broken = [], []
    for number, name in enumerate(names, 1):
        say(f"[{number}/{len(names)}] {name}, {options.size:,} messages")
        start = time.monotonic()
        try:
            result = run_apart(name, _asked(options))
        except Broken as error:
            say(str(error))
            broken.append(name)
            continue
        result.extra["seconds"] = round(time.monotonic() - start, 1)
        results.append(result)
        print(
            json.dumps({**result.extra, **result.as_dict()})
            if options.json
            else shown.table(result),
            flush=True,
        )
    shown.keep(options.out or options.cache / f"{_name(options.size)}.json", results, options.size)
    _end(results, options, broken, len(names))
    return 1 if broken or not all(result.well for result in results) else 0


def _end(results: list[Result], options: argparse.Namespace, broken: list[str], asked: int) -> None:
    if options.json and asked > 1:
        print(json.dumps({**shown.whole(results, options.size), "broken": broken}), flush=True)
    for name in broken:
        say(f"{name} gave no result")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="benchmarks")
    made.add_argument(
        "names", nargs="*", choices=[*MODULES, []], metavar="NAME",
        help=f"{', '.join(MODULES)} (all but crash)",
    )  # fmt: skip
    made.add_argument("--size", type=_size, default=10_000, help="messages: 10k, 1m, 10m (10k)")
    made.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    made.add_argument("--runs", type=int, default=50, help="kills in `crash` (50)")
    made.add_argument("--json", action="store_true", help="end with one JSON object")
    made.add_argument("--no-peers", action="store_true", help="the library and the floor alone")
    made.add_argument("--out", type=Path, help="the file for the results (.bench/SIZE.json)")
    made.add_argument(
        "--cache", type=Path, default=ROOT / ".bench", help="where worlds are kept (.bench)"
    )
    return made


def _asked(options: argparse.Namespace) -> Options:
    cache: Path = options.cache.resolve()
    return Options(
        options.size, options.rounds, cache, cache, not options.no_peers, options.runs
    )  # fmt: skip


def _size(text: str) -> int:
    unit = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    return int(float(text.rstrip("kKmM")) * unit)


def _name(size: int) -> str:
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


if __name__ == "__main__":
    sys.exit(main())
