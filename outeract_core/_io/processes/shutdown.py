"""How running ends: told by a signal, or by an error that the host should see.

Knows: signals, groups of errors. Does not know: what runs.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import anyio

from ...errors import OuteractError


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
    """The one error that the host should see of a group, however deep: one of ours, if there is one."""
    inner = list(_leaves(error))
    ours = [each for each in inner if isinstance(each, OuteractError)]
    chosen = (ours or inner)[0]
    others = {f"{type(each).__name__}: {each}" for each in inner if each is not chosen}
    for text in sorted(others):
        chosen.add_note(f"at the same time: {text}")
    return chosen


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _leaves(each)
