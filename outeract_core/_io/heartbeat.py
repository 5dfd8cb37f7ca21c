"""A heartbeat: what tasks of this process hold under leases is renewed for as long as they live.

Knows: which keys are held, until when by the steady clock, when they are to be renewed.
Does not know: what the keys are, where leases are kept (it is given the unit that renews them).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

import anyio

from .._domain.values.classes import define
from ..errors import StoreError

LEASE = 120_000
"""Milliseconds that a lease lasts; it is renewed when a quarter of it is over."""
_LOOK = 1.0
"""Seconds between two looks at the clock. A look costs nothing; a renewal is a commit."""

Renew = Callable[[Sequence[int]], Awaitable[Iterable[int]]]
"""Renews the leases of these keys by LEASE; those that were still held."""


@define(eq=False)
class Lease:
    """What this process knows of one lease. `until`: by the steady clock, never too late."""

    until: int


class Heartbeat:
    """The leases of one kind of work."""

    def __init__(
        self, steady: Callable[[], int], renew: Renew, told: Callable[[str], None] | None = None
    ) -> None:
        """`told`: what is done with the news of a lease lost, or of a renewal that failed."""
        self._steady = steady
        self._renew = renew
        self._told = told or (lambda _text: None)
        self._leases: dict[int, Lease] = {}
        self._soonest = 0

    @property
    def keys(self) -> list[int]:
        """What is held."""
        return list(self._leases)

    def hold(self, keys: Iterable[int], asked: int) -> None:
        """These were claimed; `asked`: the steady time before that, so that no lease seems longer."""
        until = asked + LEASE
        self._soonest = min(self._soonest, until) if self._leases else until
        for key in keys:
            self._leases[key] = Lease(until)

    def extend(self, key: int, until: int) -> None:
        """It was renewed by other means."""
        lease = self._leases.get(key)
        if lease is not None:
            lease.until = max(lease.until, until)

    def let_go(self, keys: Iterable[int]) -> None:
        """These are settled, or given back."""
        for key in keys:
            self._leases.pop(key, None)

    def left(self, key: int) -> int:
        """Milliseconds that are left of a lease; none of one that is not held."""
        lease = self._leases.get(key)
        return 0 if lease is None else max(0, lease.until - self._steady())

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await anyio.sleep(_LOOK)
            await self.beat()

    async def beat(self) -> None:
        """Renew everything in one commit, if it is time."""
        asked = self._steady()
        due = asked + LEASE * 3 // 4
        if self._soonest > due or not self._leases:
            return
        self._soonest = min(lease.until for lease in self._leases.values())
        if self._soonest > due:
            return
        held = dict(self._leases)
        try:
            kept = set(await self._renew(list(held)))
        except StoreError as error:
            self._told(f"leases could not be renewed: {error}")
            return
        for key, lease in held.items():
            if key in kept:
                lease.until = max(lease.until, asked + LEASE)
            elif self._leases.get(key) is lease:
                del self._leases[key]
                self._told(f"the lease on {key} was lost to another process")
