"""How long a test waits for what must come, and for what cannot: no verdict depends on how quick the machine is.

Knows: the two spans of real time that tests have, the waiting for a condition, and limits that a test ends itself.
Does not know: what is waited for. `tests/house/test_chance.py` sees that tests have no other span.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

__all__ = ["BRIEFLY", "PATIENCE", "Limit", "briefly", "let_go_on", "soon", "until", "until_now"]

PATIENCE = 300.0
"""Seconds after which what a test waits for counts as hanging. What passes never takes them."""
BRIEFLY = 0.05
"""Seconds that are given to what cannot come, however quick or slow the machine is."""
_LOOK = 0.005


def soon() -> Any:
    """What is inside comes to its end, or hangs."""
    return anyio.fail_after(PATIENCE)


async def let_go_on() -> None:
    """Have other tasks, threads and processes go on for a moment, before one looks again."""
    await anyio.sleep(_LOOK)


async def until(so: Callable[[], Any]) -> None:
    """Wait until that is so, or is told to be by what is awaited; whatever thread or process makes it so."""
    with soon():
        while not await _is(so):
            await let_go_on()


async def _is(so: Callable[[], Any]) -> bool:
    found = so()
    return bool(await found if isinstance(found, Awaitable) else found)


def until_now(so: Callable[[], Any]) -> None:
    """The same in a thread without a loop."""
    end = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < end, "it hangs"
        time.sleep(_LOOK)


async def briefly(work: Callable[[], Awaitable[Any]]) -> None:
    """Have that go on for a moment in which nothing comes of it."""
    with anyio.move_on_after(BRIEFLY):
        await work()


class Limit:
    """A span of time in the library that is over when the test says so.

    `Limit(patch, 7.25)`: whoever gives work 7.25 seconds gives it all the time until `end`, if that ever
    comes. Any other span is real.
    """

    def __init__(self, patch: pytest.MonkeyPatch, seconds: float) -> None:
        """Take the place of that span."""
        self._seconds = seconds
        self._scopes: list[anyio.CancelScope] = []
        self._real = anyio.move_on_after
        self.begun = threading.Event()
        patch.setattr(anyio, "move_on_after", self._within)

    def _within(self, delay: float | None, shield: bool = False) -> anyio.CancelScope:
        if delay != self._seconds:
            return self._real(delay, shield=shield)
        self._scopes.append(scope := anyio.CancelScope(shield=shield))
        self.begun.set()
        return scope

    def end(self) -> None:
        """Everything that was given this span so far is out of time; called on its event loop."""
        for scope in self._scopes:
            scope.cancel()
