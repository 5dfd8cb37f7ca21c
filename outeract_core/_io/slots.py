"""Fair slots: how much may be under way at once, in all and for each of those who share it.

Knows: who waits and who holds; that the next free slot goes to whoever has waited for a turn longest.
Does not know: what is done while a slot is held.

One who is slow holds at most its own share, so the others never wait for it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import anyio


class FairSlots:
    """`total` slots, of which each key holds at most `each`. For tasks of one event loop."""

    def __init__(self, total: int, each: int) -> None:
        self.total, self.each = total, each
        self._held: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[anyio.Event]] = {}

    def free(self, key: Hashable) -> int:
        """How many slots the key could take now."""
        return max(0, min(self.each - self._held[key], self.total - self._held.total()))

    @property
    def held(self) -> int:
        """How many slots are held, by all."""
        return self._held.total()

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a slot for the block; waits for one that the key may have."""
        await self._take(key)
        try:
            yield
        finally:
            self._give(key)

    async def _take(self, key: Hashable) -> None:
        if self.free(key) and key not in self._waiting:
            self._held[key] += 1
            return
        mine = anyio.Event()
        self._waiting.setdefault(key, deque()).append(mine)
        try:
            await mine.wait()
        except BaseException:
            self._forget(key, mine)
            raise

    def _forget(self, key: Hashable, mine: anyio.Event) -> None:
        """One that waited has been cancelled; what it was granted meanwhile goes on to others."""
        queue = self._waiting.get(key)
        if queue is not None and mine in queue:
            queue.remove(mine)
            if not queue:
                del self._waiting[key]
        elif mine.is_set():
            self._give(key)

    def _give(self, key: Hashable) -> None:
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        self._grant()

    def _grant(self) -> None:
        """Free slots to those who wait, one key after the other."""
        for key in list(self._waiting):
            if self._held.total() >= self.total:
                return
            if self._held[key] < self.each:
                self._held[key] += 1
                queue = self._waiting.pop(key)
                queue.popleft().set()
                if queue:
                    self._waiting[key] = queue  # behind the others
