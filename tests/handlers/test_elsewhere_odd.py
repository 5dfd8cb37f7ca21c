"""What comes back from a worker process always comes back, as what it was there or in words; nothing there ends the program.

Knows: functions that do what they should not (`tests/support/computing.py`), a bot's file that defines its own.
Does not know: what is done about a failure (`test_elsewhere.py`), how long anything takes.
"""

from __future__ import annotations

import math
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_process

from outeract_core import MessageSnapshot
from outeract_core._handlers import endings
from tests.support import computing
from tests.support.bots import Talk, talk
from tests.support.patience import PATIENCE, let_go_on, soon, until
from tests.support.places import ROOT

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (computing.interrupts, KeyboardInterrupt, "raise KeyboardInterrupt"),
        (computing.stops, StopIteration, "StopIteration: over"),
        (computing.says_nothing, RuntimeError, "Speechless: <exception str() failed>"),
        (computing.disguises, RuntimeError, "raise Disguised"),
        (computing.raises_a_stranger, RuntimeError, "Strange: odd"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_whatever_it_raises_is_a_failure_that_says_what_it_was(
    tmp_path: Path, call: Callable[..., Any], kind: type[BaseException], told: str
) -> None:
    """The error itself where it can be made anew, else its words; the program goes on, and loads nothing for it."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True, attempts=1)(call)
    async with bot.core:
        await bot.says("hello")
        with bot.core.runtime.log.listening() as raised:
            await bot.core.pump()
        [failed] = await bot.events("system.handler_failed")
    assert [type(error) for error in raised] == [kind]
    assert told in failed.payload_json
    assert "computing.py" in failed.payload_json
    assert "tests.support.stranger" not in sys.modules


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (computing.starts_another, "read 0"),
        (computing.writes_past_python, "written"),
        (computing.closes_its_output, "closed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_its_output_is_its_own_affair(
    tmp_path: Path, call: Callable[..., Any], said: str
) -> None:
    """What it starts, or what writes past Python, does not speak into the answer; and the worker is good for more."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True, attempts=1)(call)
    bot.app.on("message.inbound", name="where", process=True, attempts=1)(computing.where)
    async with bot.core:
        await bot.says("hello")
        await bot.core.pump()
        await bot.says("again")
        await bot.core.pump()
    assert bot.terminal.texts.count(said) == 2
    assert len(bot.terminal.texts) == 4


_BOT = """
import anyio
from pathlib import Path
from outeract_core import Outeract

class Own(Exception): ...
class Loud(str): ...

def raises(message):
    raise Own("a reason")

def says(message):
    return Loud("loud")

if __name__ == "__main__":
    async def once():
        async with Outeract(Path(__file__).parent / "bot.db") as core:
            app = core.app("support")
            where = app.connect("console")
            for call in (raises, says):
                app.on("message.inbound", process=True, attempts=1)(call)
            body = b'{"user": "ann", "text": "hi", "n": 1}'
            await core.ingest(where.webhook_id, where.webhook_secret, body=body)
            try:
                await core.pump(raise_errors=True)
            except Own as error:
                print("raised", error)
            async for event in app.events.all():
                print(event.event_type, event.text)

    anyio.run(once, backend=BACKEND)
"""


async def test_what_a_bots_own_file_defines_comes_back(tmp_path: Path, anyio_backend: str) -> None:
    """Its errors and its values are called otherwise in a worker, and are the program's own again here."""
    bot = tmp_path / "bot.py"
    bot.write_text(_BOT.replace("BACKEND", repr(anyio_backend)))
    with soon():
        done = await anyio.run_process([sys.executable, str(bot)], check=False, cwd=ROOT)
    told = done.stdout.decode().splitlines()
    assert "raised a reason" in told, done.stderr.decode()
    assert "message.outbound loud" in told


def test_the_command_itself_can_be_read_by_its_workers() -> None:
    """They run the file that the program was started from, outside of its package."""
    main = ROOT / "outeract_core" / "__main__.py"
    assert callable(runpy.run_path(str(main), run_name="__mp_main__")["main"])


async def _held_up(bot: Talk, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the turns of two applications do for which there is one process, with the deadlines that they have then."""
    to_process.current_default_process_limiter().total_tokens = 1
    done: list[Any] = []

    async def noted(name: str, _call: Any, value: MessageSnapshot) -> Any:
        done.append("begins")
        await until(lambda: len(bot.core._workers.running()) == 2 or "ends" in done)
        await let_go_on()
        done.append("ends")
        return value.text, None

    async def ready(_name: str) -> None:
        done.append(anyio.current_effective_deadline())

    monkeypatch.setattr(endings, "ready", ready)
    monkeypatch.setattr(endings, "elsewhere", noted)
    for name in ("one", "two"):
        app = bot.core.app(name)
        where = app.connect("console", name=name)
        app.on("message.inbound", name=name, process=True, timeout=PATIENCE)(computing.where)
        body = b'{"user": "ann", "text": "hi", "n": 1}'
        await bot.core.ingest(where.webhook_id, where.webhook_secret, body=body)
    async with anyio.create_task_group() as group:
        group.start_soon(bot.core.serve)
        await until(lambda: len(bot.terminal.texts) == 2)
        group.cancel_scope.cancel()
    return done


async def test_no_time_of_a_run_goes_by_before_it_has_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while those of other applications compute, nor while one is started and reads the program's file."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        done = await _held_up(bot, monkeypatch)
    assert done == [math.inf, "begins", "ends"] * 2
