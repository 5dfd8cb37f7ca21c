"""What led to an event: how many turns in a row, without a person.

Knows: causes, what events are about, what was said before.
Does not know: who asks, how many are too many. The whole story of an event is `walks.py`.
"""

from __future__ import annotations

from typing import Any

from ...driver import Statement, Tx
from ..engine.statements import statement

CAUSE: Statement[tuple[int, Any, int | None, int | None, int | None, int | None]] = statement(
    "cause_of"
)


def hops(tx: Tx, event: int, most: int) -> int:
    """How many turns in a row have led to an event without a person; counted up to `most` + 1.

    A person's doing, and what the host does by itself, begins anew. What another bot says is an
    answer to what was said before it.
    """
    kinds = {"triggered_by": tx.kind("triggered_by"), "origin": tx.kind("origin"),
             "sent_by": tx.kind("sent_by"), "sent_to": tx.kind("sent_to")}  # fmt: skip
    count, at = 0, event
    for _ in range(8 * (most + 1)):
        row = tx.one(CAUSE, event=at, **kinds)
        if row is None or count > most:
            return count
        _, bot, system, cause, origin, before = row
        if system == 0 and not bot:
            return count
        count += cause is not None
        following = cause or (before if bot else origin)
        if following is None:
            return count
        at = following
    return most + 1
