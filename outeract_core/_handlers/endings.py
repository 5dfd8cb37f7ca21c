"""Runs a handler, and tells how that ended: every ending there is becomes a value.

Knows: coroutines and plain functions, which cancellation is ours, how long a handler may take.
Does not know: what follows from an ending (`outcomes.py`), lanes, the store.

Only two things pass through: the cancellation of the scope that this runs in, and a coroutine that is
closed because its event loop has gone.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import anyio
import anyio.lowlevel

from .._domain.values.classes import frozen
from .._io.processes.shutdown import first
from .._io.wakeup import call as reach
from .._io.wakeup import waiter
from ..errors import HandlerTimeout
from .elsewhere import elsewhere, ready
from .handler import Handler

_LOOKS = 3
"""How often the loop is let run on before a cancellation counts as nobody's."""


@frozen
class Ending:
    """How a run ended: with a result, or with what was raised.

    `interrupts`: the person at the keyboard wants the program to end.
    """

    result: Any = None
    error: BaseException | None = None
    interrupts: bool = False


async def ending(handler: Handler, message: Any) -> Ending:
    """Run the handler to its end. Raises nothing but our own cancellation."""
    if handler.manners.leaves_open:
        return await _apart(handler, message)
    return await _here(handler, message)


async def _apart(handler: Handler, message: Any) -> Ending:
    """In a task of its own, which ends with whatever the handler leaves open in it."""
    ended: list[Ending] = []

    async def run() -> None:
        ended.append(await _here(handler, message))

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
    except BaseExceptionGroup as error:
        if not ended:
            ended.append(await ended_by(first(error), task()))
    return ended[0]


async def _here(handler: Handler, message: Any) -> Ending:
    """In this task, within a scope that tells whether another one was left open in it."""
    me, error = task(), None
    if handler.process:
        try:
            await ready(handler.name)
        except BaseException as raised:
            return await ended_by(raised, me)
    limit = anyio.move_on_after(handler.timeout)
    limit.__enter__()
    try:
        ended = await _to_its_end(handler, message)
    except BaseException as raised:
        error = raised
    try:
        limit.__exit__(None if error is None else type(error), error, None)
    except RuntimeError:  # asyncio's and trio's way of saying so
        handler.manners.leaves_open = True
    try:
        if limit.cancelled_caught:
            late = HandlerTimeout(f"{handler.name} took longer than {handler.timeout} s")
            return Ending(error=late)
        return ended if error is None else await ended_by(error, me)
    finally:
        error = None  # its traceback holds this frame: a circle, which only a collection would free


async def _to_its_end(handler: Handler, message: Any) -> Ending:
    ended = await _run(handler, message)
    await _let_go()
    return ended


async def ended_by(error: BaseException, me: int | None) -> Ending:
    """What was raised in the task `me`, as an ending. Raises it when it is our own cancellation."""
    await _pass_on_ours(error, me)
    return Ending(error=error, interrupts=isinstance(error, KeyboardInterrupt))


async def _run(handler: Handler, message: Any) -> Ending:
    if handler.process:
        return Ending(*await elsewhere(handler.name, handler.call, message.snapshot()))
    if not handler.plain:
        return Ending(await handler.call(message))
    ended = await _beside(handler.call, message)
    if ended.error is None and inspect.isawaitable(ended.result):
        return Ending(await ended.result)
    return ended


async def _beside(call: Callable[[Any], Any], message: Any) -> Ending:
    """A plain function in a thread of its own, which is left to itself when this is cancelled.

    A daemon: a function that never returns does not keep the program from ending.
    """
    via, wake, woken = waiter()
    ended: list[Ending] = []
    context = copy_context()

    def run() -> None:
        try:
            ended.append(Ending(context.run(call, message)))
        except BaseException as error:
            ended.append(Ending(error=error))
        finally:
            reach(via, wake)

    threading.Thread(target=run, name="outeract handler", daemon=True).start()
    await woken
    return ended.pop()  # what was raised holds the frames that it went through, and those the list


async def _let_go() -> None:
    """Have a cancellation arrive here that the handler has asked for and not waited for: its commit
    must not be what ends by it.
    """
    running = _asyncio_task()
    if running is not None and running.cancelling():
        await anyio.lowlevel.checkpoint()
        _not_asked_for()


async def _pass_on_ours(error: BaseException, me: int | None) -> None:
    """Raises when the run was ended from outside; else it was the handler's own doing."""
    if isinstance(error, GeneratorExit) and task() != me:
        raise error  # the loop has gone and the coroutine is being closed: nothing can be awaited
    cancelled = isinstance(error, anyio.get_cancelled_exc_class())
    if anyio.current_effective_deadline() == -math.inf:
        if cancelled:
            raise error
        await anyio.lowlevel.checkpoint()
    if cancelled:
        _not_asked_for()
        for _ in range(_LOOKS):
            await anyio.lowlevel.checkpoint()


def _not_asked_for() -> None:
    """Take back what a task has asked of itself; a scope that is cancelled asks again."""
    running = _asyncio_task()
    while running is not None and running.cancelling():
        running.uncancel()


def _asyncio_task() -> Any:
    """The task that runs, as asyncio knows it; None on another event loop."""
    asyncio = sys.modules.get("asyncio")
    running = asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001
    return asyncio.current_task() if asyncio is not None and running else None


def task() -> int | None:
    """What names the task that runs; None when its loop has gone."""
    running = _asyncio_task()
    if running is not None:
        return id(running)
    try:
        return anyio.get_current_task().id
    except Exception:
        return None
