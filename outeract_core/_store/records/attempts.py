"""Units of work on what was tried in vain: every failed attempt stays, also when a later one succeeds.

Knows: the table of attempts; that the same failure again is counted, not written again.
Does not know: why something failed, when it is tried again, what the last failure leads to (an event
says that, so that nothing is told twice).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..._domain.values.classes import frozen
from ..._domain.values.codec import clean
from ...driver import Statement, Tx
from ..engine.statements import statement

LAST: Statement[tuple[int, str, str, str]] = statement("attempt_last")
ADD: Statement[Any] = statement("attempt_add")
AGAIN: Statement[Any] = statement("attempt_again")
OF: Statement[tuple[int, Literal["send", "handle"], str, int, int, int, int, str]] = statement(
    "attempts_of"
)

_LONGEST = 20_000
"""Characters of an error that are kept: its end, where a traceback says what it was."""


@frozen
class Attempt:
    """What was tried with `event` (its key) and did not succeed. Times in milliseconds.

    kind    `send`: a request to the platform; `handle`: a run of a handler.
    name    the verb (`send`, `edit`, …), or the handler's name.
    number  which attempt it was, from 1; of `times` attempts that failed alike, the last.
    """

    event: int
    kind: Literal["send", "handle"]
    name: str
    number: int
    at: int
    last: int
    times: int
    error: str


def note(
    tx: Tx, event: int, kind: Literal["send", "handle"], name: str, number: int, error: str,
    at: int | None = None,
) -> None:  # fmt: skip
    """An attempt has failed and another will follow. `error`: without secrets; `at`: now unless given.

    In the commit that puts the row, or the handler, off. What ends in an event of its own
    (`message.failed`, `system.handler_failed`) needs no note.
    """
    at, said = tx.now if at is None else at, (clean(error) or "")[-_LONGEST:]
    last = tx.one(LAST, event=event)
    if last is not None and last[1:] == (kind, name, said):
        tx.run(AGAIN, event=event, n=last[0], number=number, at=at)
        return
    n = 1 if last is None else last[0] + 1
    tx.run(ADD, event=event, n=n, kind=kind, name=name, number=number, at=at, error=said)


def of(tx: Tx, events: Sequence[int]) -> list[Attempt]:
    """What was tried in vain with these events, in the order of their times."""
    found = [Attempt(*row) for row in tx.by_keys(OF, events)]
    return sorted(found, key=lambda one: (one.at, one.event))
