"""Queries on work: what is left of it, when it falls due, what became of what was taken up.

Knows: the outbox, turns that are to be run again. Does not know: who works, how long anybody waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..writing.outbox import PACED, PENDING

OUTBOX: Statement[tuple[int, int, int | None]] = statement("backlog_outbox")
RETRIES: Statement[tuple[int, int | None]] = statement("backlog_retries")
NEWEST: Statement[tuple[int | None]] = statement("backlog_newest")
PARKED: Statement[tuple[int]] = statement("backlog_parked")
WAITING: dict[str, Statement[tuple[int]]] = {
    "sending": statement("backlog_rows_of"),
    "files": statement("backlog_files_of"),
}
OUTCOMES: Statement[tuple[str, int]] = statement("backlog_outcomes")


@frozen
class Backlog:
    """What is left: tried in vain so far, not tried yet, and when (milliseconds) anything is due."""

    retrying: int = 0
    waiting: int = 0
    next_due: int | None = None


def backlog(tx: Tx, apps: Iterable[int]) -> Backlog:
    """What these applications have before them: messages, actions, and turns to be run again."""
    retrying = waiting = 0
    due: list[int] = []
    for lo, hi in map(span, apps):
        queued, tried, first = tx.one(OUTBOX, lo=lo, hi=hi, paced=PACED, pending=PENDING) or (
            0, 0, None,
        )  # fmt: skip
        turns, soonest = tx.one(RETRIES, lo=lo, hi=hi) or (0, None)
        retrying, waiting = retrying + tried + turns, waiting + queued - tried
        due += [at for at in (first, soonest) if at is not None]
    return Backlog(retrying, waiting, min(due, default=None))


def newest(tx: Tx, apps: Iterable[int]) -> dict[int, int]:
    """The position of the newest event of each application; below its first when it has none."""
    found = {}
    for app in apps:
        lo, hi = span(app)
        position = (tx.one(NEWEST, lo=lo, hi=hi) or (None,))[0]
        found[app] = lo - 1 if position is None else position
    return found


def parked(tx: Tx, since: dict[int, int]) -> int:
    """How many turns were given up after these positions."""
    return sum(
        (tx.one(PARKED, after=after, hi=span(app)[1]) or (0,))[0] for app, after in since.items()
    )


def outcomes(tx: Tx, events: Sequence[int]) -> dict[str, int]:
    """How many of these outbound messages have each status."""
    return dict(tx.by_keys(OUTCOMES, events))


def waiting_for(tx: Tx, some: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Of these kinds of work with a connection those for which anything is due."""
    return {
        (doing, conn)
        for doing, conn in some
        if doing in WAITING and tx.one(WAITING[doing], conn=conn, now=tx.now) is not None
    }
