"""However many hang, they do not stop the others: chats, bots, handlers, readers in threads."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from outeract_core import Message, Outeract
from outeract_core._cli import main
from outeract_core.blocking import Outeract as Blocking
from outeract_core.query import type_is
from outeract_core.testing import ManualClock
from tests.support.bots import Terminal, talk
from tests.support.patience import PATIENCE, let_go_on, soon, until

pytestmark = pytest.mark.anyio
CHATS = int(os.environ.get("OUTERACT_CHATS", "1500"))
"""How many wait behind the silent platform. 10,000 take 40 seconds to be queued, and nothing else changes."""


def _sent(request: httpx.Request) -> httpx.Response:
    result = {"message_id": 1, "chat": {"id": 7}, "date": 1}
    return httpx.Response(200, json={"ok": True, "result": result}, request=request)


def _opened(folder: Path, answer: Any) -> Outeract:
    """A store whose platforms answer so; their names are not looked up."""
    transport = httpx.MockTransport(answer)
    return Outeract(folder / "a.db", transport=transport, allow_private_addresses=True)


async def test_a_silent_platform_with_thousands_of_chats_holds_up_nobody(tmp_path: Path) -> None:
    """Every place that it can have is taken; a sound connection of the same application answers."""
    asked, done = list[str](), anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if "/bot1:a/" in str(request.url):
            asked.append(str(request.url))
            await anyio.sleep_forever()
        done.set()
        return _sent(request)

    async with _opened(tmp_path, answer) as core:
        app = core.app("support", profiles="disabled")
        app.connect("telegram", name="silent", token="1:a")
        app.connect("telegram", name="healthy", token="2:b")
        for start in range(0, CHATS, 500):
            async with anyio.create_task_group() as queueing:
                for chat in range(start + 1, start + 501):
                    queueing.start_soon(app.send, ("silent", str(chat)), "hello")
        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            await until(lambda: len(asked) >= 25)
            await app.send(("healthy", "7"), "hello")
            await until(done.is_set)
            group.cancel_scope.cancel()
            core.runtime.grace.over()


async def test_polls_take_nobodys_place(tmp_path: Path) -> None:
    """A hundred and ten bots wait for what is new, and a message leaves."""
    polling, done = set[str](), anyio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if "getUpdates" in str(request.url):
            polling.add(str(request.url))
            await anyio.sleep_forever()
        done.set()
        return _sent(request)

    async with _opened(tmp_path, answer) as core:
        app = core.app("support", profiles="disabled")
        for number in range(110):
            app.connect("telegram", name=f"bot{number}", token=f"{number}:a", poll=True)
        async with anyio.create_task_group() as group:
            group.start_soon(core.serve)
            await until(lambda: len(polling) >= 110)
            await app.send(("bot7", "7"), "hello")
            await until(done.is_set)
            group.cancel_scope.cancel()


@pytest.mark.parametrize("kind", ["async", "plain"])
async def test_a_hundred_handlers_that_hang_starve_nobody(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is told after a minute (event, log, doctor) and leaves its place; others are answered."""
    clock = ManualClock(datetime.now(UTC))
    bot, never = talk(tmp_path / "a.db", clock), threading.Event()

    async def hangs(message: Message) -> str:
        if message.text == "hang":
            await anyio.sleep_forever()
        return "here"

    def plain(message: Message) -> str:
        if message.text == "hang":
            never.wait()
        return "here"

    async with bot.core:
        bot.app.on("message.inbound", name="h")(hangs if kind == "async" else plain)
        for number in range(100):
            await bot.says("hang", user=f"u{number}", n=number)
        await bot.says("hello", user="ann", n=1000)
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.serve)
            with soon():
                for look in count():
                    if bot.terminal.texts:
                        break
                    if look % 100 == 0:  # what is held is renewed in between
                        clock.advance(61)
                    bot.core.runtime.wake("handlers")
                    await let_go_on()
            group.cancel_scope.cancel()
        await bot.core.runtime.write(lambda _tx: None)  # behind what was being told
        never.set()
        assert bot.terminal.texts == ["here"]
        hang = await bot.app.events.count(type_is("system.handler_hangs"))
        assert hang >= (1 if kind == "async" else 61)
        told = [r.getMessage() for r in caplog.records if "has been running for" in r.getMessage()]
        assert len(told) == hang
    main(["doctor", str(tmp_path / "a.db"), "--json"])
    assert json.loads(capsys.readouterr().out)["last_day"]["hung"] == hang
    main(["doctor", str(tmp_path / "a.db")])
    assert f"! {hang} turns took longer than a minute" in capsys.readouterr().out


def test_plain_handlers_that_ask_for_much_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """All threads that handlers may have ask at once for what is counted in a thread: all come back."""
    terminal, together = Terminal(), threading.Event()
    inside, counted = list[str](), list[Any]()
    with Blocking(tmp_path / "a.db", console=terminal) as core:
        app = core.app("script")
        where = app.connect("console")

        @app.on("message.inbound", name="counts")
        def counts(message: Message) -> str:
            inside.append(message.text)
            if len(inside) >= 40:
                together.set()
            assert together.wait(PATIENCE)
            counted.append(app.conversations.of(message.event).analytics())
            return "counted"

        for number in range(45):
            body = f'{{"user":"u{number}","text":"{number}","n":{number}}}'.encode()
            core.ingest(where.webhook_id, where.webhook_secret, body=body)
        assert core.pump().handled == 45
    assert len(counted) == 45
    assert terminal.texts == ["counted"] * 45
