"""How running ends: told by a signal, or by an error that the host should see.

Knows: signals, groups of errors. Does not know: what runs.
"""

from __future__ import annotations

import signal

import anyio

from ..errors import LeaseHeld, OuteractError


async def until_told(scope: anyio.CancelScope) -> None:
    """Cancel `scope` at the first signal; where signals cannot be awaited, Ctrl-C raises as ever."""
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                break
    except (NotImplementedError, RuntimeError, ValueError):
        return
    scope.cancel()


def first(error: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that the host should see: a group of one is that one."""
    for inner in error.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            inner = first(inner)
        if isinstance(inner, OuteractError | LeaseHeld):
            return inner
    return error.exceptions[0] if len(error.exceptions) == 1 else error
