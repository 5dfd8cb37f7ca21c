"""Units of work on which handlers an application has: a new one begins now, a known one goes on.

Knows: names, where each begins, that the cursor goes back for one that asks for the past.
Does not know: functions, patterns, turns.

The row without a name stands for the handlers of a file, or an export, of a version that noted none:
until handlers have run once, whoever is new goes on where those have stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ...errors import LeaseLost
from ..engine.statements import statement
from .handlers import CURSOR, CURSOR_SET, LEASE, NAME

ALL: Statement[tuple[str, int, int]] = statement("enrolled_all")
ENROL: Statement[Any] = statement("enrol")
LIFT: Statement[Any] = statement("enrolled_lift")
JOIN: Statement[Any] = statement("enrolled_join")
FORGET_UNNAMED: Statement[Any] = statement("enrolled_open")
BACK: Statement[Any] = statement("cursor_back")

UNNAMED = ""


@frozen
class Enrolment:
    """Where a new handler begins: nothing up to `position` is for it.

    left_behind   how many of the newest events up to there it would have wanted; `older`: there are
                  some before those that were looked at.
    """

    handler: str
    position: int
    left_behind: int = 0
    older: bool = False


def enrol(tx: Tx, app: int, one: Enrolment) -> bool:
    """Note a handler. False when another process has done it first: then that stands."""
    return bool(
        tx.changed(
            ENROL, app=app, handler=one.handler, position=one.position, joined=0,
            left_behind=one.left_behind, older=int(one.older), now=tx.now,
        )
    )  # fmt: skip


def begins(tx: Tx, app: int) -> tuple[dict[str, int], frozenset[str]]:
    """Where each handler begins, by name; and which of them follow the cursor already."""
    rows = tx.all(ALL, app=app)
    return {name: at for name, at, _ in rows}, frozenset(name for name, _, on in rows if on)


def join(tx: Tx, app: int, owner: str, names: Sequence[str]) -> None:
    """From now on these follow the cursor; it goes back to where the first of the new ones begins.

    What the others have behind them by then is not theirs again. Raises LeaseLost.
    """
    row = tx.one(LEASE, app=app, name=NAME)
    if row is not None and row[0] != owner:
        raise LeaseLost("another process runs the handlers of this application now")
    at, joined = begins(tx, app)
    fresh = [name for name in names if name in at and name not in joined]
    if not fresh:
        return
    first, cursor = min(at[name] for name in fresh), tx.one(CURSOR, app=app, name=NAME)
    if cursor is None:
        tx.run(CURSOR_SET, app=app, name=NAME, position=first)
    elif first < cursor[0]:
        tx.run(LIFT, app=app, position=cursor[0])
        tx.run(BACK, app=app, name=NAME, position=first)
    for name in fresh:
        tx.run(JOIN, app=app, handler=name)
    tx.run(FORGET_UNNAMED, app=app)


def imported(tx: Tx, app: int) -> None:
    """An export of a version that noted no handlers: whoever comes next goes on at its cursor."""
    cursor = tx.one(CURSOR, app=app, name=NAME)
    if cursor is not None and not tx.all(ALL, app=app):
        tx.run(
            ENROL, app=app, handler=UNNAMED, position=cursor[0], joined=1, left_behind=0, older=0,
            now=tx.now,
        )  # fmt: skip
