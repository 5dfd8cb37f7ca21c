"""Connections that are left alone for a while: since when, why, until when. It is known in memory only.

Knows: that trouble with a connection as a whole is waited out here, longer each time, by what was done with it.
Does not know: rows, what the trouble is, who waits.

While a connection is unreachable, throttled or unauthorised its rows stay as they are: no attempt is counted,
and a new process tries at once. What wants other credentials ends as soon as there are some
(`secrets/mended.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve

from .._domain.rules.delivery import backoff
from .._domain.values.classes import frozen

LONGEST = 300.0
"""Seconds after which a connection in trouble is tried again at the latest."""


@frozen
class Rest:
    """One connection at one kind of work. Times of a steady clock (ms).

    since         when it went wrong first; it has not worked since.
    reason        without secrets.
    failed        how often in a row; those that fail together count once.
    credentials   whether others may end it.
    ordered       the platform has said for how long, and what works meanwhile was on its way before.
    """

    since: int
    until: int
    reason: str
    failed: int = 0
    credentials: bool = False
    ordered: bool = False


Key: TypeAlias = tuple[str, int]
"""What was done (`sending`, `files`, `polling`), and with which connection."""


class Rests:
    """`steady`: milliseconds that only go forward."""

    def __init__(self, steady: Callable[[], int]) -> None:
        self._steady = steady
        self._rests: dict[Key, Rest] = {}

    def begin(
        self, doing: str, conn: int, delay: int, reason: str, *, credentials: bool = False,
        ordered: bool = False,
    ) -> None:  # fmt: skip
        """It is left alone for so many milliseconds, or as long as it was to be anyway."""
        now, before = self._steady(), self._rests.get((doing, conn))
        rest = Rest(now, now + delay, reason, 0, credentials, ordered)
        if before is not None:
            until = max(before.until, rest.until)
            rest = evolve(rest, since=before.since, until=until, failed=before.failed)
        self._rests[doing, conn] = rest

    def trouble(
        self, doing: str, conn: int, jitter: float, reason: str, *, credentials: bool = False
    ) -> None:  # fmt: skip
        """It cannot be used now, and is left alone for longer each time."""
        before, key = self._rests.get((doing, conn)), (doing, conn)
        failed = (0 if before is None else before.failed) + (not self.holds(doing, conn))
        seconds = min(backoff(max(failed, 1), jitter), LONGEST)
        self.begin(doing, conn, int(seconds * 1000), reason, credentials=credentials)
        self._rests[key] = evolve(self._rests[key], failed=failed)

    def works(self, doing: str, conn: int) -> None:
        """It was used with success: whatever was wrong is over, but for what the platform wants."""
        rest = self._rests.get((doing, conn))
        if rest is not None and not (rest.ordered and self.holds(doing, conn)):
            del self._rests[doing, conn]

    def over(self, conn: int) -> None:
        """The host has changed it, or it was found to work: it is tried at once, at whatever work."""
        for key in [key for key in self._rests if key[1] == conn]:
            del self._rests[key]

    def lift(self, conn: int) -> None:
        """It may be tried at once, at whatever work; if that is in vain, it is left alone for longer than before."""
        for key, rest in self._rests.items():
            if key[1] == conn:
                self._rests[key] = evolve(rest, until=self._steady(), credentials=False)

    def holds(self, doing: str, conn: int) -> bool:
        """Whether it is to be left alone now."""
        rest = self._rests.get((doing, conn))
        return rest is not None and rest.until > self._steady()

    def ends(self, doing: str) -> int | None:
        """Milliseconds until the next may be tried again at this work; None when none rests."""
        now, left = self._steady(), list[int]()
        for (what, _), rest in self._rests.items():
            if what == doing and rest.until > now:
                left.append(rest.until - now)
        return min(left, default=None)

    def standing(self) -> dict[Key, Rest]:
        """Those that hold now."""
        now = self._steady()
        return {key: rest for key, rest in self._rests.items() if rest.until > now}

    def refused(self) -> list[int]:
        """The connections that other credentials may help."""
        return sorted({conn for (_, conn), rest in self._rests.items() if rest.credentials})
