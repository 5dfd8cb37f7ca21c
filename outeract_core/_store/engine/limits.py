"""How long a query may go on: so many steps of SQLite's machine, or as long as somebody waits for it; how large a value may be.

Knows: SQLite's progress handler and its limits. Does not know: what is asked, threads, clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import apsw

__all__ = ["LARGE", "SMALL", "STEPS", "bounded", "light", "share", "stoppable"]

STEPS = 10_000
"""Steps of SQLite's machine, about a fifth of a millisecond, after which it asks whether to go on."""
_PORTIONS = 10
LARGE, SMALL = 1_000_000, 16_384
"""Bytes that are read in the event loop, in one value or several: a millisecond or two; those that a value may always have."""


@contextmanager
def bounded(db: apsw.Connection, steps: int) -> Iterator[None]:
    """Stop what takes more than about this many steps in all. Raises TooLong.

    SQLite goes on counting when it runs a statement again, so that it may ask once too often
    for each of them: it is asked in small portions.
    """
    asked = count()
    with _handled(db, lambda: next(asked) >= _PORTIONS, steps // _PORTIONS):
        yield


@contextmanager
def stoppable(db: apsw.Connection, stop: Callable[[], object]) -> Iterator[None]:
    """Ask `stop` as long as queries go on: what it raises ends the query."""
    with _handled(db, lambda: bool(stop()), STEPS):
        yield


@contextmanager
def light(db: apsw.Connection, largest: int = LARGE) -> Iterator[None]:
    """Refuse values of more bytes, before they are read. Raises TooLarge.

    SQLite knows how long a value is from the beginning of its row: that costs nothing.
    """
    usual = db.limit(apsw.SQLITE_LIMIT_LENGTH, largest)
    try:
        yield
    finally:
        db.limit(apsw.SQLITE_LIMIT_LENGTH, usual)


def share(things: int) -> int:
    """How large a value of each of so many things may be, that are read together in the event loop."""
    return max(SMALL, LARGE // max(1, things))


@contextmanager
def _handled(db: apsw.Connection, ask: Callable[[], bool], steps: int) -> Iterator[None]:
    db.set_progress_handler(ask, steps)
    try:
        yield
    finally:
        db.set_progress_handler(None)
