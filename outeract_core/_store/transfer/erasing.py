"""Units of work on what an erasure has decided: content leaves in pieces, so that nobody waits for long.

Knows: that all of it is decided in one commit and noted there, so that whoever opens the file goes on
where a program was killed; that what is noted may have left in another way meanwhile.
Does not know: what is whose (`erasure.py`); the folder of bytes (`_io/forgetting.py`).
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement

if TYPE_CHECKING:
    from .quotes import Change

ADD: Statement[Any] = statement("erasing_add")
NEXT: Statement[tuple[int, int, str | None, str | None]] = statement("erasing_next")
DONE: Statement[Any] = statement("erasing_done")
ANY: Statement[tuple[int]] = statement("erasing_any")
OF_APP: Statement[tuple[int]] = statement("erasing_of_app")
DROPPING: Statement[tuple[str]] = statement("dropping_all")
DROPPED: Statement[Any] = statement("dropping_done")

PIECE = 100
"""Events in one commit: where there is a search index, its share of each takes a millisecond."""


def decide(tx: Tx, gone: list[int], changes: list[Change], by: int) -> None:
    """From now on these events are to go, and these to be changed: the event `by` says so."""
    tx.many(ADD, [(event, by, None, None) for event in gone])
    tx.many(ADD, [(one.event, by, one.payload, one.raw) for one in changes])


def carry_on(tx: Tx) -> bool:
    """The next piece, of whatever application; whether there may be more."""
    from ..writing import tombstones  # where there is anything to be erased

    rows = tx.all(NEXT, limit=PIECE)
    for by, some in groupby(sorted(rows, key=itemgetter(1)), key=itemgetter(1)):
        piece = list(some)
        gone = [event for event, _by, payload, _raw in piece if payload is None]
        kept = [(event, payload, raw) for event, _by, payload, raw in piece if payload is not None]
        if gone:
            tombstones.bury(tx, gone, by)
        if kept:
            tombstones.redact(tx, kept, by)
    tx.run(DONE, events=[row[0] for row in rows])
    return len(rows) == PIECE


def is_due(tx: Tx) -> bool:
    """Whether anything was decided that is not done."""
    return tx.one(ANY) is not None


def is_under_way(tx: Tx, app: int) -> bool:
    """Whether anything was decided in this application that is not done."""
    lo, hi = span(app)
    return tx.one(OF_APP, lo=lo, hi=hi) is not None


@frozen
class Noted:
    """Digests of bytes that are to leave the folder; `unused`: those that have no file again by now."""

    all: tuple[str, ...]
    unused: tuple[str, ...]


def to_drop(tx: Tx) -> Noted:
    """What is to leave the folder."""
    found = tuple(row[0] for row in tx.all(DROPPING))
    if not found:
        return Noted((), ())
    from ..writing import files

    return Noted(found, tuple(one for one in found if not files.is_used(tx, one)))


def dropped(tx: Tx, noted: Noted) -> None:
    """These are not to leave the folder any more: they have, or have a file again."""
    tx.run(DROPPED, hashes=noted.all)
