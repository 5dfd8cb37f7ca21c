"""Which connections the sender may take up rows of: how many lanes each, and which rest.

Knows: the share of a connection, and that trouble with a connection as a whole is waited out in memory.
Does not know: rows, what the trouble is.

While a connection is unreachable, throttled or unauthorised its rows stay as they are: no attempt is
counted, nothing is written, and a new process tries at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from .._domain.rules.delivery import backoff
from .._domain.rules.fair import shares

EACH = 50
"""Lanes that one connection may have at once, however many connections there are: each waits for an answer of its
own, and what is settled together is one commit."""

LONGEST = 300.0
"""Seconds after which a connection in trouble is tried again at the latest."""


class Resting:
    """The state of each connection as this process has found it. Times of a steady clock (ms)."""

    def __init__(self, steady: Callable[[], int]) -> None:
        self._steady = steady
        self._until: dict[int, int] = {}
        self._failed: Counter[int] = Counter()
        self._lanes: dict[int, int] = {}

    # ── lanes ─────────────────────────────────────────────────────────────────────────────────

    @property
    def lanes(self) -> frozenset[int]:
        """The lanes that are held."""
        return frozenset(self._lanes)

    def take(self, lane: int, conn: int) -> None:
        """A lane of this connection is being worked off."""
        self._lanes[lane] = conn

    def leave(self, lane: int) -> None:
        """It is no more."""
        self._lanes.pop(lane, None)

    def shares(self, conns: Iterable[int], lanes: int) -> dict[int, int]:
        """By connection how many lanes may be taken up, of `lanes` in all; those that may not are left out."""
        now, conns = self._steady(), list(conns)
        well = [conn for conn in conns if self._until.get(conn, 0) <= now]
        return shares(well, self._lanes.values(), each_of(len(conns), lanes))

    # ── trouble ───────────────────────────────────────────────────────────────────────────────

    def trouble(self, conn: int, jitter: float) -> int:
        """The connection cannot be used now; milliseconds that it rests, more each time."""
        self._failed[conn] += 1
        seconds = min(backoff(self._failed[conn], jitter), LONGEST)
        return self.rest(conn, int(seconds * 1000))

    def rest(self, conn: int, delay: int) -> int:
        """It rests for so many milliseconds."""
        self._until[conn] = max(self._until.get(conn, 0), self._steady() + delay)
        return delay

    def well(self, conn: int) -> None:
        """It has answered, or the host has changed it: whatever was wrong is over."""
        if self._failed.pop(conn, 0) or conn in self._until:
            self._until.pop(conn, None)

    def ends(self) -> int | None:
        """Milliseconds until the next connection may be tried again; None when none rests."""
        now = self._steady()
        left = [until - now for until in self._until.values() if until > now]
        return min(left, default=None)


def each_of(conns: int, lanes: int) -> int:
    """The same where there are few: one share more than connections, so that who is silent leaves room for others."""
    return max(EACH, lanes // (conns + 1))
