"""Interruption: long work looks now and then whether anybody still waits for it.

Knows: that whoever began the work may have said how it is stopped.
Does not know: threads, clocks, what the work is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

__all__ = ["STOP", "go_on"]

STOP: ContextVar[Callable[[], object] | None] = ContextVar("outeract_stop", default=None)
"""Raises when the work of this context is wanted no more. None: it is done here and now, and is small."""


def go_on() -> None:
    """Raises what `STOP` raises, when nobody waits any more. Costs nothing to speak of."""
    stop = STOP.get()
    if stop is not None:
        stop()
