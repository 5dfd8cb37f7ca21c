"""Queries on where a handler begins that the file does not know, and what it leaves behind.

Knows: that a time is found in the log by halves, how far back is counted.
Does not know: patterns (only whether an event is wanted), what is asked of a handler.
"""

from __future__ import annotations

from typing import Protocol

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.log import NEWEST, newest
from ..writing import enrolment
from ..writing.enrolment import UNNAMED, Enrolment
from . import arrivals
from .arrivals import Arrived, Fed

NEXT: Statement[tuple[int, int]] = statement("stored_next")
TOLD: Statement[tuple[str, int, int, int]] = statement("enrolled_told")

COUNTED = 10_000
"""So many of the newest events are looked at for what is left behind."""
_PAGE = 256


class Wanting(Protocol):
    """A handler: its name, and what it is for."""

    @property
    def name(self) -> str:
        """What the file remembers it by."""
        ...

    def wants(self, event_type: str) -> bool:
        """Whether events of a type are worth a look."""
        ...

    def takes(self, arrived: Arrived) -> bool:
        """Whether it is for an event."""
        ...


def unknown(
    tx: Tx, app: int, handler: Wanting, now: int | None, since: int | None
) -> Enrolment | None:
    """Where a handler begins that the file does not know; None when it knows it.

    now     the position that counts as now; None: the newest event.
    since   the time, in ms, from which on it asks for the past; None: not at all.
    """
    known, _ = enrolment.begins(tx, app)
    if handler.name in known:
        return None
    if UNNAMED in known:
        return Enrolment(handler.name, known[UNNAMED])
    now = newest(tx, app) if now is None else now
    begin = now if since is None else stored_before(tx, app, since, now)
    behind, older = _left_behind(tx, app, begin, handler)
    return Enrolment(handler.name, begin, behind, older)


def in_words(left_behind: int, older: bool) -> str:
    """So many events, or so many of those that were looked at."""
    return f"{left_behind} of the newest {COUNTED} events" if older else f"{left_behind} events"


def told(tx: Tx, app: int) -> list[dict[str, object]]:
    """The handlers that an application is known to have, as the doctor tells them."""
    return [
        {"name": name, "since": at, "left_behind": behind, "older": bool(older)}
        for name, behind, older, at in tx.all(TOLD, app=app)
    ]


def stored_before(tx: Tx, app: int, since: int, upto: int) -> int:
    """The position behind which everything was stored at `since` or later, found by halves."""
    lo, hi = span(app)[0], upto
    while lo < hi:
        middle = (lo + hi) // 2
        row = tx.one(NEXT, after=middle, upto=hi)
        if row is None or row[1] >= since:
            hi = middle
        else:
            lo = row[0]
    return lo


def _left_behind(tx: Tx, app: int, upto: int, handler: Wanting) -> tuple[int, bool]:
    """How many of the newest events up to there are wanted, and whether there are older ones."""
    rows = tx.all(NEWEST, lo=span(app)[0], upto=upto, limit=COUNTED + 1)
    found = [Fed(seq, tx.kind_name(kind), at) for seq, kind, at in rows[:COUNTED]]
    found = [arrived for arrived in found if handler.wants(arrived.type)]
    count = 0
    for start in range(0, len(found), _PAGE):
        looked = arrivals.look(tx, app, found[start : start + _PAGE], closely=False)
        count += sum(map(handler.takes, looked.values()))
    return count, len(rows) > COUNTED
