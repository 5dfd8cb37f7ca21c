"""The last look at a claim before each request of an attempt: what is no longer ours does not leave.

Knows: the claim of one row, how long it still holds, until when its request may arrive.
Does not know: requests, what comes of them (`attempt.py`), where leases are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .._domain.values.ids import app_of
from .._io.database import Share
from .._io.heartbeat import LEASE, Heartbeat
from .._io.runtime import Runtime
from .._io.web.departure import Departure
from .._store.writing import outbox
from .._store.writing.claims import Row
from ..driver import Tx
from ..errors import LeaseLost, Transient

ARRIVES = 35_000
"""Milliseconds for which a request that was begun may arrive: an adapter's usual 30 s, and the way."""
_SPARE = 5_000
"""Milliseconds by which a lease outlives the requests under it."""


class Leaving(Departure):
    """The requests of one attempt on one claimed row. `ended`: the adapter has come to its receipt."""

    def __init__(self, runtime: Runtime, heart: Heartbeat, row: Row) -> None:
        super().__init__()
        self._runtime = runtime
        self._heart = heart
        self._row = row
        self._arrives = self._ends = 0
        self.ended = False

    @property
    def held_back(self) -> bool:
        """Whether it was begun and nothing has left: then certainly nothing was done."""
        return bool(self._arrives) and not self.gone and not self.ended

    @property
    def pending(self) -> int:
        """Milliseconds until the last request can no longer arrive."""
        return max(0, self._arrives - self._runtime.steady())

    async def begin(self) -> None:
        """Put on disk, power loss or not, that the request leaves. Raises LeaseLost."""
        asked = self._runtime.steady()
        share, app = Share(_begin, self._row), app_of(self._row.id)
        if not await self._runtime.write(share, app=app, durable=True):
            raise LeaseLost(f"outbox row {self._row.id} was taken over while this process was away")
        self._note(asked, LEASE, ARRIVES)

    async def ready(self, seconds: float) -> None:
        """The claim, and what the disk knows of the request, reach beyond its end. Raises LeaseLost."""
        limit = int(seconds * 1000)
        asked = self._runtime.steady()
        if self._arrives < asked + limit or self._heart.left(self._row.id) < limit + _SPARE:
            lease, arrives = max(LEASE, limit + 2 * _SPARE), limit + _SPARE
            unit = partial(outbox.cover, row=self._row, lease=lease, arrives=arrives)
            await self._runtime.write(unit, app=app_of(self._row.id), durable=True)
            self._note(asked, lease, arrives)
        self._ends = self._runtime.steady() + limit

    def go(self) -> None:
        """Nothing leaves when this process was away for longer than its claim, or than its time.

        Raises LeaseLost, or Transient: nothing has left.
        """
        now = self._runtime.steady()
        if self._heart.left(self._row.id) < self._ends - now or not self._heart.left(self._row.id):
            raise LeaseLost(
                f"outbox row {self._row.id} was held up for longer than its claim lasts"
            )
        if now > self._ends:
            raise Transient("the request was held up for longer than its time, and did not leave")
        super().go()

    def _note(self, asked: int, lease: int, arrives: int) -> None:
        self._heart.extend(self._row.id, asked + lease)
        self._arrives = max(self._arrives, asked + arrives)


def _begin(tx: Tx, rows: Sequence[Row]) -> list[bool]:
    return outbox.begin(tx, rows, LEASE, ARRIVES)
