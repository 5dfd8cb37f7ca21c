"""`python -m benchmarks NAME… [--size N] [--rounds N] [--runs N] [--json]`.

Knows: which benchmarks there are, how results are printed.
Does not know: what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys

from . import crash, ingest, read
from .measure import Result

BENCHES = {"ingest": ingest.run, "read": read.run, "crash": crash.run}


def main() -> int:
    """Run the named benchmarks; the last line with `--json` is one JSON object."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], help="default: ingest and read")
    parser.add_argument("--size", type=_size, default=10_000, help="messages, e.g. 10k, 1m (10k)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--runs", type=int, default=50, help="kills in `crash` (50)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    results = [BENCHES[name](options) for name in options.names or ["ingest", "read"]]
    for result in results:
        print(json.dumps(result.as_dict()) if options.json else result.table())
    return 0 if all(result.well for result in results) else 1


def _size(text: str) -> int:
    unit = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    return int(float(text.rstrip("kKmM")) * unit)


__all__ = ["BENCHES", "Result", "main"]

if __name__ == "__main__":
    sys.exit(main())
