"""A grace period: what is under way when one is told to end may come to its end, for so long.

Knows: the scopes in which something is under way. Does not know: what that is, who tells one to end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType

import anyio

GRACE = 8.0
"""Seconds, unless the host says otherwise: less than the ten after which containers are killed."""


class _Held(AbstractContextManager[None]):
    """A block under a shield that the end of the grace period takes away. One for every message."""

    __slots__ = ("_scope", "_scopes")

    def __init__(self, scopes: set[anyio.CancelScope], scope: anyio.CancelScope) -> None:
        self._scopes, self._scope = scopes, scope

    def __enter__(self) -> None:
        self._scopes.add(self._scope)
        self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:  # fmt: skip
        self._scopes.discard(self._scope)
        return self._scope.__exit__(kind, error, trace)


class Grace:
    """One per core. For tasks of one event loop."""

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._over = False

    def held(self) -> AbstractContextManager[None]:
        """The block is not cancelled before the grace period is over."""
        return _Held(self._scopes, anyio.CancelScope(shield=not self._over))

    @asynccontextmanager
    async def period(self, seconds: float) -> AsyncIterator[None]:
        """Once the block is cancelled, what is held in it has so many seconds left."""
        ended = anyio.Event()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._count, seconds, ended)
                try:
                    yield
                finally:
                    ended.set()
                group.cancel_scope.cancel()
        finally:
            self._over = False

    def over(self) -> None:
        """What is still held is given up now. To be called where the tasks live."""
        self._over = True
        for scope in self._scopes:
            scope.shield = False

    async def _count(self, seconds: float, ended: anyio.Event) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.move_on_after(seconds, shield=True):
                await ended.wait()
            if not ended.is_set():
                self.over()
