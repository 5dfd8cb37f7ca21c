"""Where a long run stands, on stderr.

Knows: terminals write over a line; elsewhere one line every ten seconds is enough.
Does not know: what is running.
"""

from __future__ import annotations

import sys
import time

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""

_last = [time.monotonic()]


def progress(text: str) -> None:
    """Say where the run stands."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text and time.monotonic() - _last[0] >= EVERY:
        _last[0] = time.monotonic()
        print(text, file=sys.stderr, flush=True)


def say(text: str) -> None:
    """A line that stays, whoever reads."""
    progress("")
    print(text, file=sys.stderr, flush=True)
