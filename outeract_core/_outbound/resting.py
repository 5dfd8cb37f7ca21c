"""Which connections the sender may take up rows of, and how many lanes each; those that rest are left out.

Knows: the share of a connection, who is left alone (`_io/rests.py`).
Does not know: rows, what the trouble is.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._domain.rules.fair import shares
from .._io.rests import Rests

EACH = 50
"""Lanes that one connection may have at once, however many connections there are: each waits for an answer of its
own, and what is settled together is one commit."""

SENDING = "sending"
"""What rests are of."""


class Resting:
    """The lanes that are held, and the shares of those that are not."""

    def __init__(self, rests: Rests) -> None:
        self._rests = rests
        self._lanes: dict[int, int] = {}

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
        conns = list(conns)
        well = [conn for conn in conns if not self._rests.holds(SENDING, conn)]
        return shares(well, self._lanes.values(), each_of(len(conns), lanes))


def each_of(conns: int, lanes: int) -> int:
    """The same where there are few: one share more than connections, so that who is silent leaves room for others."""
    return max(EACH, lanes // (conns + 1))
