"""How to reach a task from another thread, on asyncio and on trio.

Knows: the two loops' thread-safe calls. Does not know: who waits for what.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Via: TypeAlias = Callable[[Callable[[], None]], Any]
"""Runs a callable on some task's loop, from any thread."""


def here() -> Via:
    """How this task's loop is reached from any thread."""
    loop = _asyncio_loop()
    if loop is not None:
        via: Via = loop.call_soon_threadsafe
        return via
    import trio

    return trio.lowlevel.current_trio_token().run_sync_soon


def in_a_loop() -> bool:
    """Whether this thread runs an event loop now, which would be held."""
    trio = sys.modules.get("trio")
    return _asyncio_loop() is not None or (trio is not None and trio.lowlevel.in_trio_run())


def waiter() -> tuple[Via, Callable[[], None], Awaitable[Any]]:
    """How to reach this task's loop, what to run there to wake the task, and what it awaits."""
    loop = _asyncio_loop()
    if loop is None:
        return _trio_waiter()
    future = loop.create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    return loop.call_soon_threadsafe, wake, future


def _asyncio_loop() -> Any:
    """The running loop, or None. Whoever runs one has imported asyncio, so we need not."""
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - documented


def _trio_waiter() -> tuple[Via, Callable[[], None], Awaitable[Any]]:
    import trio

    event = trio.Event()
    return here(), event.set, event.wait()


def call(via: Via, what: Callable[[], None]) -> None:
    """Run `what` through `via`; if the loop is gone, so is whoever waited."""
    try:
        via(what)
    except Exception:
        return
