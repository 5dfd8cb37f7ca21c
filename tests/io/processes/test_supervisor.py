"""The supervisor: what a child ends with is told and tried again; the others never notice.

Knows: children of any kind. Does not know: what serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core._io.processes.supervisor import FIRST, LONGEST, Supervisor, ending
from outeract_core.errors import StoreBroken, Transient
from tests.support.patience import soon

pytestmark = pytest.mark.anyio


def deep() -> None:
    """Recurse until Python refuses."""
    deep()


async def cancelled() -> None:
    """A future that somebody has cancelled is awaited."""
    raise asyncio.CancelledError


KINDS: dict[str, Callable[[], Any]] = {
    "value": lambda: int("x"),
    "recursion": deep,
    "os": lambda: open("/nowhere/at/all"),  # noqa: SIM115
    "memory": lambda: _throw(MemoryError()),
    "exit": lambda: _throw(SystemExit(2)),
    "generator": lambda: _throw(GeneratorExit()),
    "group": lambda: _throw(BaseExceptionGroup("two", [ValueError("a"), Transient("b")])),
    "ours": lambda: _throw(Transient("gone")),
    "assertion": lambda: _throw(AssertionError()),
    "unicode": lambda: "\ud800".encode(),
}


def _throw(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_ending_is_told_and_tried_again(kind: str) -> None:
    """Whatever one child raises, it is run again, and another one runs all the time."""
    told: list[tuple[BaseException, float]] = []
    paused: list[float] = []
    beside = 0

    async def tell(error: BaseException, pause: float) -> None:
        told.append((error, pause))

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await anyio.lowlevel.checkpoint()
        if len(paused) == 3:
            done.set()

    async def bad() -> None:
        KINDS[kind]()

    async def good() -> None:
        nonlocal beside
        beside += 1
        await anyio.lowlevel.checkpoint()

    done = anyio.Event()
    async with Supervisor(_is_fatal, lambda: 0, pause) as supervisor:
        supervisor.start("bad", bad, tell)
        supervisor.start("good", good, tell)
        await done.wait()
        before = beside
        with soon():
            while beside == before:
                await anyio.lowlevel.checkpoint()
    assert not any(isinstance(error, BaseExceptionGroup) for error, _ in told)
    assert [seconds for _, seconds in told][:3] == paused[:3] == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stray_cancellation_is_a_failure_as_any_other() -> None:
    """A CancelledError of an awaited future ends nobody; the one that we want ends the child."""
    assert isinstance(await ending(cancelled), asyncio.CancelledError)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await ending(anyio.sleep_forever)
        pytest.fail("it was cancelled")
    assert scope.cancelled_caught


async def test_ctrl_c_passes_through_however_deep() -> None:
    """KeyboardInterrupt is no failure of a child."""

    async def deep_inside() -> None:
        raise BaseExceptionGroup(
            "g", [ValueError(), BaseExceptionGroup("h", [KeyboardInterrupt()])]
        )

    for run in (deep_inside, lambda: _interrupted()):
        with pytest.raises(KeyboardInterrupt):
            await ending(run)


async def _interrupted() -> None:
    raise KeyboardInterrupt


async def test_pauses_grow_to_a_minute_and_begin_anew_when_it_went_well() -> None:
    """1, 2, 4 … 60, 60; after a child has returned, or has run for a minute, 1 again."""
    now, paused, runs = 0, [], iter([*"x" * 8, "well", "x", "long", "x"])

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async def run() -> None:
        nonlocal now
        kind = next(runs, None)
        if kind is None:
            done.set()
            await anyio.sleep_forever()
        if kind == "long":
            now += 60_000
        if kind != "well":
            raise ValueError(kind)

    done = anyio.Event()
    async with Supervisor(_is_fatal, lambda: now, pause) as supervisor:
        supervisor.start("child", run, _nobody)
        await done.wait()
    assert paused == [FIRST, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST, LONGEST, FIRST, FIRST, 2.0]


async def test_what_is_fatal_ends_all_with_that_one_error() -> None:
    """The others are cancelled; no group comes out, however many fail at once."""
    ended = []

    async def other() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def broken() -> None:
        raise StoreBroken("moved")

    with pytest.raises(StoreBroken, match="moved"):
        async with Supervisor(_is_fatal, lambda: 0) as supervisor:
            supervisor.start("other", other, _nobody)
            await anyio.lowlevel.checkpoint()
            supervisor.start("a", broken, _nobody)
            supervisor.start("b", broken, _nobody)
            await anyio.sleep_forever()
    assert ended == [True]


async def test_telling_may_fail_itself() -> None:
    """A log or a state that cannot be written stops nothing."""
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 3:
            done.set()
        raise ValueError

    async def tell(_error: BaseException, _pause: float) -> None:
        raise OSError("full")

    done = anyio.Event()
    async with Supervisor(_is_fatal, lambda: 0, _at_once) as supervisor:
        supervisor.start("child", run, tell)
        await done.wait()


async def test_a_name_runs_once() -> None:
    """Who is started already is not started again."""
    runs = []

    async def run() -> None:
        runs.append(1)
        await anyio.sleep_forever()

    async with Supervisor(_is_fatal, lambda: 0) as supervisor:
        for _ in range(3):
            supervisor.start("child", run, _nobody)
        await anyio.wait_all_tasks_blocked()
    assert runs == [1]


def _is_fatal(error: BaseException) -> bool:
    return isinstance(error, StoreBroken)


async def _nobody(_error: BaseException, _pause: float) -> None:
    return


async def _at_once(_seconds: float) -> None:
    await anyio.lowlevel.checkpoint()
