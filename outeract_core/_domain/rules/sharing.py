"""Who owns which application, when several processes work on one file: each about its share.

Knows: who is willing to work for what, who holds what, and how loads are evened out.
Does not know: leases, time, who still lives (what it is given is true of the living).

Every process asks this for itself, from the same rows, one after the other. What it is told to take
nobody holds; what it is told to leave it hands over when the work in hand is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..values.classes import frozen

PRESENT, OPENED, HANDLING = 0, 1, 2
"""How much a process can do for an application: it serves the file; it has opened it; it has handlers."""


@frozen
class Shares:
    """What one process is to take, and to leave."""

    take: frozenset[int]
    leave: frozenset[int]


def share(
    me: str,
    apps: Iterable[int],
    holders: Mapping[int, str],
    willing: Mapping[str, Mapping[int, int]],
) -> Shares:
    """`holders`: by application. `willing`: by process that serves, what it can do for which."""
    loads = Counter(dict.fromkeys(willing, 0))
    loads.update(holders.values())
    take, leave = set(), set()
    for app in sorted(apps):
        fit = _fittest(app, willing)
        holder, least = holders.get(app), min((loads[owner] for owner in fit), default=0)
        if holder is None and me in fit and loads[me] == least:
            take.add(app)
            loads[me] += 1
        elif holder == me and fit and (me not in fit or loads[me] - least > 1):
            leave.add(app)
            loads[me] -= 1
            loads[min(fit, key=lambda owner: (loads[owner], owner))] += 1
    return Shares(frozenset(take), frozenset(leave))


def grab(
    me: str, mine: Mapping[int, int], apps: Iterable[int], holders: Mapping[int, str],
    willing: Mapping[str, Mapping[int, int]],
) -> Shares:  # fmt: skip
    """For a process that works once and goes: all that nobody has, and nobody else could do better."""
    others = {owner: able for owner, able in willing.items() if owner != me}
    free = (app for app in apps if app not in holders)
    take = {app for app in free if _best(app, others) <= mine.get(app, PRESENT)}
    return Shares(frozenset(take), frozenset())


def _fittest(app: int, willing: Mapping[str, Mapping[int, int]]) -> set[str]:
    best = _best(app, willing)
    return {owner for owner, able in willing.items() if able.get(app, PRESENT) == best}


def _best(app: int, willing: Mapping[str, Mapping[int, int]]) -> int:
    return max((able.get(app, PRESENT) for able in willing.values()), default=PRESENT)
