"""Units of work on their way to the writer, and what came of them.

Knows: who waits for a unit and how they are woken, which units are done together.
Does not know: transactions, threads (`database.py`), what a unit does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import field

from .._domain.values.classes import define
from ..driver import Tx, Whose
from .wakeup import Via, call

__all__ = ["Share", "Ticket", "Unit", "all_of", "fail", "run", "wake"]

T = TypeVar("T")
Unit: TypeAlias = Callable[[Tx], T]


@define(eq=False)
class Share(Generic[T]):
    """A unit that is cheaper done together with its like: `together(tx, [what, …])`, one result each."""

    together: Callable[[Tx, list[Any]], Sequence[T]]
    what: Any

    def __call__(self, tx: Tx) -> T:
        return self.together(tx, [self.what])[0]


def nobody() -> None:
    """Nobody waits."""


@define(eq=False)
class Ticket(Generic[T]):
    """A unit on its way, and what came of it. `via` runs a callable where the waiter lives.

    `whose`: the application that it is for, see `Tx.whose`. `durable`: the disk must have it before anybody
    is told, whatever the host has chosen.
    """

    unit: Unit[T]
    done: Callable[[], None] = nobody
    via: Via | None = None
    durable: bool = False
    whose: Whose = None
    result: Any = None
    error: BaseException | None = field(default=None)
    at: float = field(factory=time.monotonic)

    def take(self) -> T:
        """The unit's result, or what it raised: once. An error holds the frames that it went through, which
        hold this ticket; that would be a circle, were it kept.
        """
        error, self.error = self.error, None
        try:
            if error is not None:
                raise error
        finally:
            del error
        result: T = self.result
        return result


def run(tx: Tx, batch: Sequence[Ticket[Any]]) -> None:
    """The units of a batch, in order; shares of one kind in one go, at the place of the first.

    Nobody waits for one unit and has handed over another, so that what came between was at the same time.
    """
    if len(batch) == 1:
        tx.whose = batch[0].whose
        batch[0].result = batch[0].unit(tx)
        return
    groups: dict[Any, list[Ticket[Any]]] = {}
    for ticket in batch:
        kind = ticket.unit.together if isinstance(ticket.unit, Share) else ticket
        groups.setdefault(kind, []).append(ticket)
    for kind, tickets in groups.items():
        if isinstance(kind, Ticket):
            tx.whose = kind.whose
            kind.result = kind.unit(tx)
            continue
        tx.whose = all_of(tickets)
        results = kind(tx, [ticket.unit.what for ticket in tickets])  # type: ignore[attr-defined]
        for ticket, result in zip(tickets, results, strict=True):
            ticket.result = result


def all_of(tickets: Sequence[Ticket[Any]]) -> Whose:
    """Whose units are that are done in one go."""
    named = {ticket.whose for ticket in tickets}
    if len(named) == 1:
        return named.pop()
    apps: set[int] = set()
    for whose in named:
        if whose is None:
            return None
        apps |= whose if isinstance(whose, frozenset) else {whose}
    return frozenset(apps)


def wake(batch: list[Ticket[Any]]) -> None:
    """Wake all waiters, with one hop per event loop."""
    hops: dict[Any, list[Ticket[Any]]] = {}
    for ticket in batch:
        if ticket.via is None:
            ticket.done()
        else:
            hops.setdefault(ticket.via, []).append(ticket)
    for via, tickets in hops.items():
        call(via, partial(_all_done, tickets))


def _all_done(batch: list[Ticket[Any]]) -> None:
    for ticket in batch:
        ticket.done()


def fail(batch: list[Ticket[Any]], error: BaseException) -> None:
    """None of them has come to be."""
    for ticket in batch:
        ticket.error = error
