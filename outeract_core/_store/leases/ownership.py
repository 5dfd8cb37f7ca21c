"""Units of work on ownership: which process works for which application, and who else would.

Knows: the rows of leases; that a process says what it can do, and then follows the rule of sharing.
Does not know: time to wait, who still lives (it is told), what an owner does.

A lease called `handlers` makes its owner the one that works for the application: it runs its
handlers, polls, sends, fetches, and keeps its rules. A lease called `willing/RANK/OWNER` says what a
process that serves can do for it (`_domain/rules/sharing.py`); its application 0 means: for any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import Factory, evolve

from ..._domain.rules.sharing import PRESENT, Shares, grab, share
from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..writing.handlers import LEASE_DROP, LEASE_SET, NAME

ALL: Statement[tuple[int, str, str, int]] = statement("lease_all")
RENEW: Statement[Any] = statement("lease_renew")
TAKE: Statement[Any] = statement("lease_take")
CLEAR: Statement[Any] = statement("lease_clear")
DROP_ALL: Statement[Any] = statement("lease_drop_all")
APPS: Statement[tuple[int]] = statement("app_numbers")

_WILLING = "willing"


@frozen
class Asking:
    """A process, as it asks. `able`: what it can do for which application; `serving`: and goes on so.

    `gone`: processes that have ended; `stuck`: leases that nobody has renewed for a whole lease.
    """

    owner: str
    able: Mapping[int, int]
    serving: bool
    gone: frozenset[str] = frozenset()
    stuck: frozenset[tuple[str, int]] = frozenset()


@frozen
class Standing:
    """How things stand among the living. `stale`: rows of those who are not, to be dropped.

    `seen`: who holds each application, living or not, and until when. Who takes one takes it from them.
    """

    apps: tuple[int, ...]
    holders: dict[int, tuple[str, int]] = Factory(dict)
    willing: dict[str, dict[int, int]] = Factory(dict)
    stale: tuple[tuple[int, str, str, int], ...] = ()
    seen: dict[int, tuple[str, int]] = Factory(dict)

    def owners(self) -> dict[int, str]:
        """Who holds which application."""
        return {app: owner for app, (owner, _until) in self.holders.items()}


def standing(tx: Tx, asking: Asking) -> Standing:
    """Read it."""
    found = Standing(tuple(row[0] for row in tx.all(APPS)))
    stale = []
    for app, name, owner, until in tx.all(ALL):
        lives = owner == asking.owner or (
            until > tx.now and owner not in asking.gone and (owner, until) not in asking.stuck
        )
        if name == NAME:
            found.seen[app] = (owner, until)
        if not lives and name.startswith(_WILLING):
            stale.append((app, name, owner, until))
        elif lives and name == NAME:
            found.holders[app] = (owner, until)
        elif lives:
            able = found.willing.setdefault(owner, {})
            if app:
                able[app] = int(name.split("/")[1])
    return evolve(found, stale=tuple(stale))


def owners(tx: Tx) -> list[tuple[str, int]]:
    """Everybody who holds a lease of any kind, and until when."""
    return [(owner, until) for _app, _name, owner, until in tx.all(ALL)]


def shares(found: Standing, asking: Asking) -> Shares:
    """What the one who asks is to take and to leave."""
    if not asking.serving:
        return grab(asking.owner, asking.able, found.apps, found.owners(), found.willing)
    willing = {**found.willing, asking.owner: asking.able}
    return share(asking.owner, found.apps, found.owners(), willing)


@frozen
class Settled:
    """What is held now: what was kept all the time, what was taken; and what of it is yet to be left."""

    kept: frozenset[int]
    taken: frozenset[int]
    leaving: frozenset[int]
    all: bool


def settle(tx: Tx, asking: Asking, ttl: int, idle: Sequence[int]) -> Settled:
    """Renew, take and hand over. `idle`: no work is in hand there, so they are handed over at once.

    It is renewed before it is looked at: what is one's own then, nobody else can have taken.
    """
    tx.run(RENEW, owner=asking.owner, until=tx.now + ttl)
    return divide(tx, asking, standing(tx, asking), ttl, idle)


def divide(tx: Tx, asking: Asking, found: Standing, ttl: int, idle: Sequence[int]) -> Settled:
    """Take and hand over, as things stood. What somebody else was quicker to take is not taken."""
    for app, name, owner, until in found.stale:
        tx.run(CLEAR, app=app, name=name, owner=owner, then=until)
    _say(tx, asking, found, ttl)
    plan = shares(found, asking)
    held = frozenset(app for app, (owner, _) in found.holders.items() if owner == asking.owner)
    taken = frozenset(app for app in plan.take if _take(tx, asking, found, app, ttl))
    over = plan.leave & set(idle)
    for app in over:
        tx.run(LEASE_DROP, app=app, name=NAME, owner=asking.owner)
    whole = set(found.apps) <= held | taken
    return Settled(held - over, taken, plan.leave - over, whole and not plan.leave)


def _take(tx: Tx, asking: Asking, found: Standing, app: int, ttl: int) -> int:
    """Whether the application is ours now: the row is as it was seen, or was not there and is not yet."""
    was, then = found.seen.get(app, (None, None))
    return tx.changed(
        TAKE, app=app, name=NAME, owner=asking.owner, until=tx.now + ttl, was=was, then=then
    )


def _say(tx: Tx, asking: Asking, found: Standing, ttl: int) -> None:
    """What this process can do, as it is now."""
    said = found.willing.get(asking.owner)
    able = {0: PRESENT, **asking.able} if asking.serving else {}
    before = {} if said is None else {0: PRESENT, **said}
    for app, rank in before.items():
        if able.get(app) != rank:
            tx.run(LEASE_DROP, app=app, name=_name(rank, asking), owner=asking.owner)
    for app, rank in able.items():
        if before.get(app) != rank:
            until = tx.now + ttl
            tx.run(LEASE_SET, app=app, name=_name(rank, asking), owner=asking.owner, until=until)


def _name(rank: int, asking: Asking) -> str:
    return f"{_WILLING}/{rank}/{asking.owner}"


def release(tx: Tx, owner: str) -> None:
    """Everything that a process holds is free."""
    tx.run(DROP_ALL, owner=owner)
