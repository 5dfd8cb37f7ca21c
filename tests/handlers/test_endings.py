"""However a turn ends, that has an outcome, and the lane goes on: every ending, policy, way to run."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import Content, Message, Outeract
from outeract_core._store.writing import handlers
from outeract_core.errors import BadInput, StoreBusy, StoreError
from outeract_core.query import type_is
from tests.support.bots import Talk, talk
from tests.support.patience import BRIEFLY, Limit, let_go_on, soon
from tests.support.places import ROOT
from tests.support.raising import BACKENDS, UNTELLABLE, WAYS, crossed, raises

pytestmark = pytest.mark.anyio


async def _cancelled_task() -> None:
    """It awaits something that somebody else cancels: asyncio's way of saying so reaches it."""
    raise asyncio.CancelledError


async def _too_long() -> None:
    await anyio.sleep_forever()


class _OwnError(BaseException):
    pass


ENDINGS: dict[str, Callable[[], Any]] = {
    "Exception": raises(ValueError("no")),
    "CancelledError": _cancelled_task,
    "raised CancelledError": raises(asyncio.CancelledError()),
    "SystemExit": raises(SystemExit(2)),
    "GeneratorExit": raises(GeneratorExit()),
    "KeyboardInterrupt": raises(KeyboardInterrupt()),
    "BaseException": raises(_OwnError()),
    "BaseExceptionGroup": raises(BaseExceptionGroup("two", [SystemExit(1), ValueError("x")])),
    "StopIteration": raises(StopIteration()),
    "StopAsyncIteration": raises(StopAsyncIteration()),
    "StoreError": raises(StoreBusy("busy")),
    "TimeoutError": raises(TimeoutError()),
    "timed out": _too_long,
    "nonsense": lambda: 42,
    "a generator": lambda: (n for n in range(3)),
    **UNTELLABLE,
}


async def _until(condition: Callable[[], Any]) -> None:
    with soon():
        while not condition():
            await anyio.lowlevel.checkpoint()


NAKED = (
    "CancelledError", "raised CancelledError", "SystemExit", "GeneratorExit", "KeyboardInterrupt",
    "BaseException", "BaseExceptionGroup", "timed out",
)  # fmt: skip
"""What ends otherwise on another event loop, or where another one runs it."""
OVERLAPS, FUNCTIONS = ("burst", "queue", "concurrent"), ("async", "plain")


@pytest.mark.parametrize(
    ("ending", "kind", "overlap", "way", "anyio_backend"),
    crossed(
        [*product(ENDINGS, FUNCTIONS, OVERLAPS)], WAYS, BACKENDS,
        whole=product(NAKED, FUNCTIONS, OVERLAPS[:1]),
    ),
)  # fmt: skip
async def test_every_ending_has_an_outcome(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str, kind: str, overlap: str, way: str
) -> None:
    """The attempt is told and kept, the event is failed in the end, others are answered."""
    end = ENDINGS[ending]
    if kind == "plain" and end in (_cancelled_task, _too_long):
        pytest.skip("it takes an event loop to end like that")
    if kind == "async" and ending == "KeyboardInterrupt":
        pytest.skip("there it ends the program: a test of its own")
    bot = talk(tmp_path / "a.db", overlap=overlap)
    async with bot.core:
        _listen(bot, end, kind)
        await bot.says("go wrong")
        await bot.says("hello", user="bob")
        with caplog.at_level(logging.WARNING, "outeract_core"):
            await _worked(bot, way)
        (failed,) = await bot.events("system.handler_failed")
        assert failed.payload["attempts"] == 2
        assert failed.payload["traceback"]
        first = (await bot.events("message.inbound"))[0]
        assert (first.status, first.processed_at, first.failed_at is None) == (
            "failed",
            None,
            False,
        )
        told = [record.getMessage() for record in caplog.records if "handlers" in record.name]
        assert sum(str(first.id) in text for text in told) == 2
        assert bot.terminal.texts == ["re hello"]


def _listen(bot: Talk, end: Callable[[], Any], kind: str) -> None:
    async def answer(message: Message) -> Any:
        if message.text == "hello":
            return "re hello"
        result = end()
        return await result if hasattr(result, "__await__") else result

    def plain(message: Message) -> Any:
        return "re hello" if message.text == "hello" else end()

    timeout = BRIEFLY if end is _too_long else None
    function: Any = answer if kind == "async" else plain
    bot.app.on("message.inbound", name="h", attempts=2, timeout=timeout)(function)


async def _worked(bot: Talk, way: str) -> None:
    """Until both are through, by rounds or in the background; retries come by the virtual clock."""
    if way == "pump":
        for _ in range(4):
            await bot.core.pump()
            bot.clock.advance(60)
        return
    async with anyio.create_task_group() as group:
        group.start_soon(bot.core.serve)
        await _until(lambda: bot.terminal.texts)
        with soon():
            while not await bot.app.events.count(type_is("system.handler_failed")):
                bot.clock.advance(1)
                bot.core.runtime.wake("handlers")
                await let_go_on()
        group.cancel_scope.cancel()


async def test_our_own_cancellation_passes_through(tmp_path: Path) -> None:
    """What the host stops is no failure of the handler: no attempt is counted, it runs again."""
    bot = talk(tmp_path / "a.db")
    started, runs = anyio.Event(), []
    async with bot.core:

        @bot.app.on("message.inbound", attempts=1)
        async def handler(message: Message) -> str:
            runs.append(1)
            if len(runs) == 1:
                started.set()
                try:
                    await anyio.sleep_forever()
                finally:
                    raise ValueError("while it was being stopped")
            return "done"

        await bot.says("x")
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await started.wait()
            group.cancel_scope.cancel()
        await bot.core.pump()
        assert bot.terminal.texts == ["done"]
        assert await bot.events("system.handler_failed") == []


_PROGRAM = """
import sys, anyio
from pathlib import Path
from tests.support.bots import talk

async def main():
    bot = talk(Path(sys.argv[1]))
    async with bot.core:
        @bot.app.on("message.inbound", name="h")
        async def handler(message):
            raise KeyboardInterrupt
        await bot.says("x")
        await getattr(bot.core, sys.argv[2])()

anyio.run(main, backend=sys.argv[3])
"""


@pytest.mark.parametrize("way", ["pump", "serve"])
async def test_ctrl_c_in_an_async_handler_ends_the_program_and_is_an_attempt(
    tmp_path: Path, way: str, anyio_backend: str
) -> None:
    """It is on the thread of the loop, where Ctrl-C arrives; the message is not lost by it.

    A plain function runs in a thread that no signal reaches: what it raises is an ending as any other.
    """
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "a.db"), way, anyio_backend]
    with soon():
        ended = await anyio.run_process(command, check=False, cwd=ROOT)
    assert ended.returncode != 0
    assert b"KeyboardInterrupt" in ended.stderr.splitlines()[-1]
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        bot.app.on("message.inbound", name="h")(lambda message: "done")
        (event,) = await bot.events("message.inbound")
        (failure,) = [m.what for m in (await bot.app.explain(event)).moments if "attempt" in m.what]
        assert "handler h" in failure
        assert "KeyboardInterrupt" in failure
        bot.clock.advance(3600)
        with soon():
            await bot.core.pump()
        assert bot.terminal.texts == ["done"]


async def test_a_thread_that_was_left_to_itself_says_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain handler that is stopped with the program, or too late, is run again; what it does then
    is refused.
    """
    bot, limit = talk(tmp_path / "a.db"), Limit(monkeypatch, 7.25)
    go, refused, runs = threading.Event(), [], []
    async with bot.core:

        @bot.app.on("message.inbound", timeout=7.25)
        def handler(message: Message) -> str:
            runs.append(1)
            if len(runs) > 1:
                return "second"
            go.wait()
            for verb in (
                lambda: message.reply("late"),
                lambda: bot.app.send(message.event, "late"),
            ):
                try:
                    verb()
                except BadInput as error:
                    refused.append(str(error))
            return "first"

        await bot.says("x")
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await _until(lambda: runs)
            limit.end()
        bot.clock.advance(60)
        await bot.core.pump()
        go.set()
        await _until(lambda: len(refused) == 2)
        await bot.core.pump()
        assert bot.terminal.texts == ["second"]


async def test_what_hangs_is_told_once_and_takes_no_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handlers that hang do not keep others from running; each is told, once."""
    monkeypatch.setattr("outeract_core._handlers.dispatcher.AT_ONCE", 2)
    monkeypatch.setattr("outeract_core._handlers.dispatcher.HANGS", 1_000)
    bot, runs = talk(tmp_path / "a.db"), list[str]()
    async with bot.core, anyio.create_task_group() as group:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> str | None:
            runs.append(message.text)
            if message.text == "hang":
                await anyio.sleep_forever()
            return "here"

        for number, user in enumerate(("a", "b", "c")):
            await bot.says("hang", user=user, n=number)
        await bot.says("hello", user="ann", n=9)
        group.start_soon(bot.core.serve)
        await _until(lambda: len(runs) == 2)
        await _told(bot, 2)
        await _until(lambda: bot.terminal.texts)
        await _told(bot, 3)
        for _ in range(3):
            await _told(bot, 3)
        assert sorted(runs) == ["hang", "hang", "hang", "hello"]
        group.cancel_scope.cancel()


async def _told(bot: Talk, hanging: int) -> None:
    """Time passes, and so many have been told to hang since the beginning; no more."""
    bot.clock.advance(2)
    bot.core.runtime.wake("handlers")
    with soon():
        while await bot.app.events.count(type_is("system.handler_hangs")) < hanging:
            await anyio.lowlevel.checkpoint()
    assert await bot.app.events.count(type_is("system.handler_hangs")) == hanging


async def test_that_it_hangs_and_cannot_be_kept_ends_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The store fails when it is told: that is logged, and each turn comes to its own end, once."""
    tell, runs, go = handlers.tell, list[str](), anyio.Event()

    def broken(tx: Any, app: int, event: int, kind: str, payload: dict[str, Any]) -> None:
        if kind == "system.handler_hangs":
            raise StoreError("the store has failed")
        tell(tx, app, event, kind, payload)

    monkeypatch.setattr(handlers, "tell", broken)
    monkeypatch.setattr("outeract_core._handlers.dispatcher.HANGS", 1_000)
    bot = talk(tmp_path / "a.db")
    async with bot.core, anyio.create_task_group() as group:

        @bot.app.on("message.inbound")
        async def handler(message: Message) -> str:
            runs.append(message.text)
            await go.wait()
            return message.text

        await bot.says("one", user="a")
        await bot.says("two", user="b")
        group.start_soon(bot.core.serve)
        await _until(lambda: len(runs) == 2)
        bot.clock.advance(2)
        bot.core.runtime.wake("handlers")
        await _until(lambda: sum("was not kept" in told for told in caplog.messages) == 2)
        go.set()
        await _until(lambda: len(bot.terminal.texts) == 2)
        group.cancel_scope.cancel()
    assert (sorted(runs), sorted(bot.terminal.texts)) == (["one", "two"], ["one", "two"])


async def test_what_was_given_up_can_be_run_again(tmp_path: Path) -> None:
    """`retry` runs the handler that failed, and no other; then the event is processed."""
    bot = talk(tmp_path / "a.db")
    good: list[str] = []
    mended: list[bool] = []
    async with bot.core:
        bot.app.on("message.inbound", name="good")(lambda message: good.append(message.text))

        @bot.app.on("message.inbound", name="bad", attempts=1)
        def bad(message: Message) -> str:
            if not mended:
                raise RuntimeError
            return f"re {message.text}"

        await bot.says("x")
        await bot.core.pump()
        (event,) = await bot.events("message.inbound")
        assert event.status == "failed"
        assert await bot.app.retry(event) == ("bad",)
        await bot.core.pump()
        assert (await bot.events("message.inbound"))[0].status == "failed"
        assert len(await bot.events("system.handler_failed")) == 2
        mended.append(True)
        assert await bot.app.retry(event.id) == ("bad",)
        await bot.core.pump()
        assert (await bot.events("message.inbound"))[0].status == "processed"
        assert (good, bot.terminal.texts) == (["x"], ["re x"])
        with pytest.raises(BadInput, match="given this event up"):
            await bot.app.retry(event)


@pytest.mark.parametrize("again", [False, True], ids=["goes on", "begins anew"])
@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("poison", [0, 1, 2, None])
async def test_a_burst_that_fails_is_tried_one_by_one_before_any_of_it_is_given_up(
    tmp_path: Path, poison: int | None, attempts: int, again: bool
) -> None:
    """Each of its messages alone from then on, in another process too; only the poison is lost, and nothing is left open."""
    bot = talk(tmp_path / "a.db")
    turns: list[list[str]] = []
    texts = ["poison" if n == poison else f"m{n}" for n in range(4)]

    def handler(message: Message) -> None:
        turns.append([event.text for event in message.events])
        if "poison" in message.text or len(turns) == 1:
            raise ValueError

    async with bot.core:
        bot.app.on("message.inbound", name="h", attempts=attempts)(handler)
        for text in texts:
            await bot.says(text)
        await bot.core.pump()
        bot.clock.advance(60)
        assert turns == [texts]
        assert [one.status for one in await bot.app.turns()] == ["retrying"] * 4
        if not again:
            await _to_its_end(bot)
    if again:
        core = Outeract(tmp_path / "a.db", clock=bot.clock)
        bot = Talk(core, core.app("support"), bot.connection, bot.terminal, bot.clock)
        async with bot.core:
            bot.app.on("message.inbound", name="h", attempts=attempts)(handler)
            await _to_its_end(bot)
    alone = [
        one
        for n, one in enumerate(texts)
        for _ in range(max(attempts - 1, 1) if n == poison else 1)
    ]
    assert turns[1:] == [[one] for one in alone]


async def _to_its_end(bot: Any) -> None:
    """Until nothing is tried again; what was given up is the poison alone."""
    for _ in range(12):
        await bot.core.pump()
        bot.clock.advance(3600)
    left = await bot.app.turns()
    assert [one.status for one in left] == ["parked"] * len(
        await bot.events("system.handler_failed")
    )
    said = await bot.events("message.inbound")
    assert {one.status for one in said if one.text != "poison"} == {"processed"}


@pytest.mark.parametrize(
    "blank",
    [None, "", "  \n", "\u200b", "\ufeff\u00a0", ["", " "], [], (), Content(""),
     Content(" \n", format="markdown"), Content("\u200b", metadata={"subject": "x"}),
     ["", Content("")]],
)  # fmt: skip
async def test_a_blank_reply_is_no_reply(tmp_path: Path, blank: Any) -> None:
    """It is handled, once, and nothing is sent."""
    bot = talk(tmp_path / "a.db")
    runs: list[int] = []
    async with bot.core:

        @bot.app.on("message.inbound")
        def handler(message: Message) -> Any:
            runs.append(1)
            message.reply(" ")
            return blank

        await bot.says("x")
        await bot.core.pump()
        assert (runs, bot.terminal.texts) == ([1], [])
        assert (await bot.events("message.inbound"))[0].status == "processed"


@pytest.mark.parametrize(
    "asks", [{"timeout": 0}, {"timeout": -1}, {"timeout": "1"}, {"attempts": 0}, {"chain": 0},
             {"settle": -1}, {"burst": 0}]
)  # fmt: skip
async def test_nonsense_is_refused_at_registration(tmp_path: Path, asks: dict[str, Any]) -> None:
    """Numbers that mean nothing are told at once."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        with pytest.raises(BadInput):
            bot.app.on("message.inbound", **asks)
