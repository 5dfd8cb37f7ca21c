"""Whatever the command line prints: lines that stay lines, blocks that stay to the right, JSON.

Knows: standard output and standard error. Does not know: what is printed. Nobody else here prints.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from .._domain.values.sinks import block, line


def say(text: str) -> None:
    """One line, whatever people have written into it."""
    print(line(text), flush=True)


def tell(lines: Iterable[str]) -> None:
    """Each of these as one line."""
    print("\n".join(map(line, lines)), flush=True)


def quote(text: str) -> None:
    """What somebody else has written down, below an empty line: its own lines, none of ours."""
    print(f"\n{block(text)}", flush=True)


def give(value: Any) -> None:
    """For programs: JSON on one line, in ASCII."""
    print(json.dumps(value), flush=True)


def complain(text: str) -> None:
    """One line to standard error."""
    print(line(text), file=sys.stderr, flush=True)


def rewrite(text: str, *, over: bool = False) -> None:
    """The line of a progress, in place of the one before; `over`: the next begins below it."""
    print(f"\r{line(text)}" if text else "", end="\n" if over else "", file=sys.stderr, flush=True)
