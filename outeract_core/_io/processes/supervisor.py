"""A supervisor: keeps children running; what one of them ends with harms nobody else.

Knows: that a child that fails is started again after a pause that grows, what ends everything.
Does not know: what children do, whom a failure is told to.

    run ─▶ returns        all is well: run again at once
        ─▶ raises         told, paused 1, 2, 4 … 60 s, run again
        ─▶ fatal          the others are cancelled, and that one error is raised
        ─▶ our own cancellation, Ctrl-C    passes through
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel

from ..._domain.values.classes import frozen
from .shutdown import first

FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first pause, and of the longest. Who has run for the longest begins anew."""

Run = Callable[[], Awaitable[Any]]
Told = Callable[[BaseException, float], Awaitable[Any]]
"""Is told what a child ended with, and for how many seconds it pauses."""


async def ending(run: Run) -> BaseException | None:
    """What `run()` has ended with, of whatever kind; None when it has returned.

    Only Ctrl-C and a cancellation that somebody wants of this task pass through: a CancelledError
    that comes of a task or future awaited inside is a failure as any other.
    """
    try:
        await run()
    except KeyboardInterrupt:
        raise
    except BaseExceptionGroup as error:
        if error.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from error
        return first(error)
    except BaseException as error:
        if isinstance(error, anyio.get_cancelled_exc_class()) and _is_wanted():
            raise
        return error
    return None


def _is_wanted() -> bool:
    """Whether this task was told to end. On trio nothing else raises Cancelled."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:  # noqa: SLF001 - documented
        return True
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


@frozen
class _Child:
    """`told` is asked to tell a failure; it may itself fail, and nothing comes of it. `pause`: waits so long, or
    less when what was wrong is over before.
    """

    run: Run
    told: Told
    pause: Callable[[float], Awaitable[Any]]


class Supervisor:
    """`async with Supervisor(fatal, steady) as supervisor`: children run until the block is left.

    fatal    which errors end everything. The first of them is raised when the block is left.
    steady   a clock for intervals, in milliseconds.
    sleep    how a pause is made.
    """

    def __init__(
        self, fatal: Callable[[BaseException], bool], steady: Callable[[], int],
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
    ) -> None:  # fmt: skip
        self._fatal = fatal
        self._steady = steady
        self._sleep = sleep
        self._children: set[Hashable] = set()
        self._cause: BaseException | None = None
        self._group = anyio.create_task_group()

    async def __aenter__(self) -> Supervisor:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        self._group.cancel_scope.cancel()
        try:
            await self._group.__aexit__(*exc)
        except BaseExceptionGroup as error:
            if self._cause is None:
                raise first(error) from None
        if self._cause is not None:
            raise self._cause

    def start(
        self, name: Hashable, run: Run, told: Told,
        pause: Callable[[float], Awaitable[Any]] | None = None,
    ) -> None:  # fmt: skip
        """A child, unless one of that name runs already. `pause`: its own way to wait so many seconds at most."""
        if name not in self._children:
            self._children.add(name)
            self._group.start_soon(self._keep, _Child(run, told, pause or self._sleep))

    async def _keep(self, child: _Child) -> None:
        pause = FIRST
        while True:
            began = self._steady()
            error = await ending(child.run)
            if error is not None and self._fatal(error):
                return self._end(error)
            if error is None or self._steady() - began >= LONGEST * 1000:
                pause = FIRST
            if error is None:
                await anyio.lowlevel.checkpoint()
                continue
            await ending(partial(child.told, error, pause))
            await child.pause(pause)
            pause = min(pause * 2, LONGEST)

    def _end(self, error: BaseException) -> None:
        self._cause = self._cause or error
        self._group.cancel_scope.cancel()
