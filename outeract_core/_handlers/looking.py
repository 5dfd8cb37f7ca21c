"""What turns are given, as it stands when they begin: those that begin at the same moment look together.

Knows: that an event which was read before stands as it was, unless something has befallen it; that one read
for all costs hardly more than for one of them.
Does not know: lanes, how a handler is run, what is done with what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import anyio.lowlevel
from attrs import Factory

from .._domain.values.classes import define, frozen
from .._io.database import Database
from .._io.wakeup import waiter
from .._store.engine.limits import share
from .._store.engine.translating import TooLarge
from .._store.reading import arrivals
from .._store.reading.arrivals import Arrived
from .._store.reading.chains import hops
from ..driver import Tx
from ..model import Event
from ..standing import Standing


@frozen
class Found:
    """`seen`: each event of the turn; `changed`: what those that were edited or deleted are now; `far`:
    whether the turn is far from any person; `reached`: who of its conversations has never blocked the bot;
    `leaving`: whether something of it was decided to go, and is still there.
    """

    seen: dict[int, Event]
    changed: dict[int, Standing]
    far: bool
    reached: frozenset[int]
    leaving: bool = False


@define(eq=False)
class Look:
    """What one turn asks. `most`: of how many turns without a person it may be the last; None: a person
    has begun it.
    """

    batch: Sequence[Arrived]
    most: int | None = None
    found: Found | None = None
    error: Exception | None = None
    done: Callable[[], None] | None = None

    @property
    def spoken(self) -> bool:
        """Whether it is about messages, which may be edited or deleted."""
        return self.batch[0].spoken or bool(self.batch[0].about)

    def tell(self, found: Found | None, error: Exception | None = None) -> None:
        """What was found, or why nothing was."""
        self.found, self.error = found, error
        if self.done is not None:
            self.done()


@define(eq=False)
class Looks:
    """The looks of one application's turns."""

    database: Database
    app: int
    _asked: list[Look] = Factory(list)

    async def at(self, look: Look) -> Found:
        """What the turn is given. Raises what reading raises, of its own events alone."""
        self._asked.append(look)
        if len(self._asked) > 1:
            _, look.done, woken = waiter()
            await woken
        else:
            try:
                await anyio.lowlevel.checkpoint()  # the others of this moment come
            finally:
                self._look()
        if isinstance(look.error, TooLarge):
            return (await self.database.traverse(partial(self._found, [look])))[0]
        if look.error is not None:
            raise look.error
        assert look.found is not None  # noqa: S101 - told, or an error
        return look.found

    def _look(self) -> None:
        looks, self._asked = self._asked, []
        try:
            for look, found in zip(looks, self._read(looks), strict=True):
                look.tell(found)
        except Exception as error:
            if len(looks) == 1:
                looks[0].tell(None, error)
            else:
                self._one_by_one(looks)

    def _one_by_one(self, looks: Sequence[Look]) -> None:
        """What keeps one of them from reading keeps no other."""
        for look in looks:
            try:
                look.tell(self._read([look])[0])
            except Exception as error:
                look.tell(None, error)

    def _read(self, looks: Sequence[Look]) -> list[Found]:
        """In the event loop. Raises TooLarge when an event is large."""
        largest = share(sum(len(look.batch) for look in looks))
        return self.database.read_light(partial(self._found, looks), self._found, largest)

    def _found(self, looks: Sequence[Look], tx: Tx) -> list[Found]:
        arrived = [one for look in looks for one in look.batch]
        peers = {one.peer for one in arrived if one.peer}
        befallen = arrivals.befallen(tx, [*{one.subject for one in arrived}, *peers])
        seen = {one.event: one.seen for one in arrived if one.seen is not None}
        anew = [one for one in arrived if one.seen is None or one.subject in befallen]
        seen |= arrivals.anew(tx, self.app, anew) if anew else {}
        spoken = [one for look in looks if look.spoken for one in look.batch]
        events = [seen[one.event] for one in spoken if one.subject in befallen]
        changed = arrivals.changed(tx, self.app, events) if events else {}
        leaving = arrivals.leaving(tx, [*befallen]) if befallen else set()
        return [_found(tx, look, seen, changed, befallen, leaving) for look in looks]


def _found(
    tx: Tx, look: Look, seen: dict[int, Event], changed: dict[int, Standing],
    blocked: set[int], leaving: set[int],
) -> Found:  # fmt: skip
    most, first = look.most, look.batch[0].event
    far = most is not None and hops(tx, first, most) > most
    mine = {one.event: seen[one.event] for one in look.batch}
    reached = frozenset(one.peer for one in look.batch) - blocked
    goes = any(one.subject in leaving for one in look.batch)
    return Found(mine, changed, far, reached, goes)
