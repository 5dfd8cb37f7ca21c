"""Queries of the doctor: how much waits, how much there is.

Knows: what to count. Does not know: what is too much, the file as a whole (`engine/checks.py`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.log import id_of, newest
from ..writing import search as index
from .enrolment import stored_before

DEPTHS: Statement[tuple[int, str, int, int]] = statement("outbox_depths")
FILES: Statement[tuple[int]] = statement("depth_files")
UNPARSED: Statement[tuple[str, int]] = statement("depth_unparsed")
RETRYING: Statement[tuple[int]] = statement("depth_retries")
HUNG: Statement[tuple[int]] = statement("depth_hung")
PARKED: Statement[tuple[int, int | None, int | None]] = statement("depth_parked")
FOREIGN: Statement[tuple[str, str, int, int, int]] = statement("foreign_counts")
COUNTS: Statement[tuple[str, int]] = statement("counts")


def queues(tx: Tx) -> dict[str, int]:
    """How many rows wait, by kind of work."""
    found = {"queued": 0, "sending": 0}
    for _conn, state, count, _due in tx.all(DEPTHS):
        found[state] = found.get(state, 0) + count
    found["files"] = (tx.one(FILES) or (0,))[0]
    found |= {"unparsed": 0, "held": 0, **dict(tx.all(UNPARSED))}
    found["retrying"] = (tx.one(RETRYING) or (0,))[0]
    found["parked"] = parked(tx)[0]
    return found


def parked(tx: Tx, since: int = 0) -> tuple[int, UUID | None]:
    """How many turns have been given up from `since` on (milliseconds), and the newest one's event."""
    count, event, _at = tx.one(PARKED, since=since) or (0, None, None)
    return count, None if event is None else id_of(tx, event)


def hung(tx: Tx, app: int, since: int) -> int:
    """How many turns took so long that it was told, from `since` on (milliseconds)."""
    after = stored_before(tx, app, since, newest(tx, app))
    row = tx.one(HUNG, after=after, hi=span(app)[1], hangs=tx.known_kind("system.handler_hangs"))
    return (row or (0,))[0]


def foreign(tx: Tx) -> list[dict[str, Any]]:
    """What came for accounts that no connection of the file has: how many items, why, the last one."""
    return [
        {"platform": platform, "reason": reason, "items": items, "times": times, "last": last}
        for platform, reason, items, times, last in tx.all(FOREIGN)
    ]


def search(tx: Tx) -> dict[str, Any]:
    """How texts are cut for the full-text index (None: nobody has searched yet), and what it lacks."""
    return {"tokenizer": index.tokenizer(tx), "behind": max(0, index.backlog(tx)[1])}


def counts(tx: Tx, app: int) -> dict[str, int]:
    """How many events, messages, people, files an application has."""
    lo, hi = span(app)
    return dict(tx.all(COUNTS, lo=lo, hi=hi))
