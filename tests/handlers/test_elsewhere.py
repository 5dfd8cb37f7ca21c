"""A handler that computes runs in a worker process: its answer counts as any other's, and so does each ending.

Knows: functions that a worker can find (`tests/support/computing.py`), the process's number.
Does not know: how long anything takes.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from outeract_core import MessageSnapshot, Outeract, blocking
from outeract_core._handlers import elsewhere
from outeract_core._store.writing import outbox
from outeract_core.errors import BadInput
from outeract_core.testing import FakePlatform
from tests.support import computing
from tests.support.bots import Talk, talk
from tests.support.patience import PATIENCE, Limit, soon, until
from tests.support.places import ROOT

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["pump", "serve"])
def way(request: pytest.FixtureRequest) -> str:
    """How the work is done."""
    found: str = request.param
    return found


async def _worked(bot: Talk, way: str, over: Callable[[], bool]) -> None:
    """Pump once; or serve until it is over."""
    if way == "pump":
        await bot.core.pump()
        return
    async with anyio.create_task_group() as group:
        group.start_soon(bot.core.serve)
        await until(over)
        group.cancel_scope.cancel()


async def test_what_it_returns_is_the_reply(tmp_path: Path, way: str) -> None:
    """It is given the message as a value, in another process, and answers as any handler does."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True)(computing.shout)
    async with bot.core:
        await bot.says("hello")
        await _worked(bot, way, lambda: bool(bot.terminal.texts))
    assert bot.terminal.texts == ["HELLO from ann elsewhere: True"]


async def test_it_can_say_more_than_a_text(tmp_path: Path) -> None:
    """Contents with files and buttons travel too."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True)(computing.rich)
    async with bot.core:
        await bot.says("hello")
        await bot.core.pump()
        assert len(await bot.events("message.outbound")) == 2
    assert "with buttons" in bot.terminal.texts[0]


async def test_workers_are_used_again(tmp_path: Path) -> None:
    """One process for one message after another: starting it is paid once."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True, overlap="queue")(computing.where)
    async with bot.core:
        for _ in range(3):
            await bot.says("x")
        await bot.core.pump()
    assert len(bot.terminal.texts) == 3
    assert len(set(bot.terminal.texts)) == 1
    assert str(os.getpid()) not in bot.terminal.texts


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (computing.raises, ["Unportable: first", "computing.py", "raise Unportable"]),
        (computing.leaves, ["SystemExit: 3"]),
        (computing.dies, ["HandlerDied: h: its worker process ended without an answer"]),
        (computing.gives_a_lambda, ["lambda"]),
        (computing.uses_verbs, ["MessageSnapshot", "reply"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_whatever_becomes_of_it_is_an_ending(
    tmp_path: Path, call: Callable[..., Any], told: list[str]
) -> None:
    """It is told with the traceback from there, given up after its attempts, and the next one runs."""
    bot = talk(tmp_path / "a.db")
    bot.app.on("message.inbound", name="h", process=True, attempts=1)(call)
    bot.app.on("message.inbound", name="well", process=True)(computing.shout)
    async with bot.core:
        await bot.says("hello")
        await bot.core.pump()
        [failed] = await bot.events("system.handler_failed")
        assert all(words in failed.payload_json for words in told)
    assert bot.terminal.texts == ["HELLO from ann elsewhere: True"]


async def test_out_of_time_its_process_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`timeout=` ends what computes, which no thread can; the message has failed."""
    bot, mark, limit = talk(tmp_path / "a.db"), tmp_path / "pid", Limit(monkeypatch, 7.25)
    async with bot.core:
        on = bot.app.on("message.inbound", name="h", process=True, attempts=1, timeout=7.25)
        on(computing.hangs)
        await bot.says(str(mark))
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.pump)
            await until(lambda: mark.exists() and mark.read_text())
            limit.end()
        [failed] = await bot.events("system.handler_failed")
        assert "HandlerTimeout" in failed.payload_json
    assert not _lives(int(mark.read_text()))


async def test_cancelled_nothing_has_happened(tmp_path: Path) -> None:
    """Its process is killed, the turn is rolled back and runs again."""
    bot, mark = talk(tmp_path / "a.db"), tmp_path / "pid"
    bot.app.on("message.inbound", name="h", process=True)(computing.hangs)
    async with bot.core:
        await bot.says(str(mark))
        async with anyio.create_task_group() as group:
            group.start_soon(bot.core.serve)
            await until(lambda: mark.exists() and mark.read_text())
            group.cancel_scope.cancel()
        assert not _lives(int(mark.read_text()))
        assert await bot.events("system.handler_failed") == []
        bot.app.handlers[:] = []
        bot.app.on("message.inbound", name="h", process=True)(computing.where)
        await bot.core.pump()
    assert len(bot.terminal.texts) == 1


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def _awaited(_message: Any) -> None:
    """A coroutine cannot run there."""


class _Callable:
    """An object that holds what cannot travel."""

    def __init__(self) -> None:
        self.inner = lambda: None

    def __call__(self, _message: Any) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda _message: "x", "top level of a module"),
        (_awaited, "is async"),
        (functools.partial(_awaited), "is async"),
        (functools.partial(lambda _message: "x"), "cannot travel"),
        (_Callable(), "cannot travel"),
    ],
    ids=["lambda", "async", "partial of async", "partial of a lambda", "object"],
)
async def test_what_no_process_could_run_is_refused_at_once(
    tmp_path: Path, call: Callable[..., Any], told: str
) -> None:
    """Where it is registered, with what to do; and the file has not learnt its name."""
    bot = talk(tmp_path / "a.db")
    async with bot.core:
        with pytest.raises(BadInput, match=told):
            bot.app.on("message.inbound", name="h", process=True)(call)

        def local(_message: Any) -> None: ...

        with pytest.raises(BadInput, match="top level"):
            bot.app.on("message.inbound", name="h", process=True)(local)
        assert bot.app.handlers == []


async def test_a_partial_of_a_function_travels(tmp_path: Path) -> None:
    """What is bound to it travels with it."""
    bot = talk(tmp_path / "a.db")
    bound = functools.partial(computing.shout)
    bot.app.on("message.inbound", name="h", process=True)(bound)
    async with bot.core:
        await bot.says("hello")
        await bot.core.pump()
    assert bot.terminal.texts == ["HELLO from ann elsewhere: True"]


async def test_no_more_begin_than_processes_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that a run may take does not go by while it waits for a process."""
    monkeypatch.setattr(elsewhere, "AT_ONCE", 1)
    bot = talk(tmp_path / "a.db")

    async def noted(_name: str, _call: Any, value: MessageSnapshot) -> Any:
        running.append(value.text)
        most.append(len(running))
        await anyio.lowlevel.checkpoint()
        running.remove(value.text)
        return value.text, None

    running: list[str] = []
    most: list[int] = []
    monkeypatch.setattr("outeract_core._handlers.endings.elsewhere", noted)
    bot.app.on("message.inbound", name="h", process=True, overlap="concurrent")(computing.where)
    async with bot.core:
        for number in range(5):
            await bot.says(str(number))
        await bot.core.pump()
    assert sorted(bot.terminal.texts) == ["0", "1", "2", "3", "4"]
    assert max(most) == 1


def test_a_program_without_a_loop_has_it_too(tmp_path: Path) -> None:
    """Through the blocking façade, where the handler is given the same value."""
    said: list[Any] = []
    with blocking.Outeract(tmp_path / "a.db", console=said.append) as core:
        app = core.app("support")
        where = app.connect("console")
        app.on("message.inbound", name="h", process=True)(computing.shout)
        body = b'{"user":"ann","text":"hello","n":1}'
        core.ingest(where.webhook_id, where.webhook_secret, body=body)
        core.pump()
    assert [line["text"] for line in said] == ["HELLO from ann elsewhere: True"]


_KILLED = """
import anyio, sys
from pathlib import Path
from tests.support import computing
from tests.support.bots import talk

async def main():
    bot = talk(Path(sys.argv[1]))
    bot.app.on("message.inbound", name="h", process=True)(computing.kills_its_program)
    async with bot.core:
        await bot.says(sys.argv[2])
        await bot.core.pump()

if __name__ == "__main__":
    anyio.run(main)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system tells of no other's end")
async def test_a_worker_ends_with_its_program(tmp_path: Path) -> None:
    """Also when that is killed, and can end nobody any more."""
    mark = tmp_path / "pid"
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "a.db"), str(mark)]
    with soon():
        done = await anyio.run_process(command, check=False, cwd=ROOT)
        assert done.returncode == -signal.SIGKILL
        try:
            worker = os.pidfd_open(int(mark.read_text()))
        except ProcessLookupError:
            return
        await anyio.wait_readable(worker)
        os.close(worker)


_SERVED = """
import sys
from outeract_core._io.processes import shutdown
from outeract_core import Outeract, blocking
from tests.support import computing

if __name__ == "__main__":
    path, url, backend = sys.argv[1:]
    shutdown.MOMENT = shutdown.LAST_WORDS = 3600.0
    core = (blocking.Outeract if backend == "blocking" else Outeract)(path, allow_private_addresses=True)
    app = core.app("support")
    app.connect("telegram", token="42:tests", poll=True, base_url=url)
    app.on("message.inbound", name="h", process=True, attempts=1)(computing.hangs)
    if backend == "blocking":
        core.serve(grace=GRACE)
        core.close()
    else:
        core.run(backend=backend, grace=GRACE)
"""
_GRACE = 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
@pytest.mark.parametrize("whom", ["the program", "every process of it"])
@pytest.mark.parametrize("backend", ["asyncio", "trio", "blocking"])
def test_a_signal_ends_the_program_and_its_workers(tmp_path: Path, backend: str, whom: str) -> None:
    """In order, and not by force in the end, whether a service manager tells one process or all; the turn is run again."""
    os.mkfifo(tmp_path / "pid")
    (tmp_path / "bot.py").write_text(_SERVED.replace("GRACE", str(_GRACE)))
    with FakePlatform() as fake:
        fake.telegram.say(1001, str(tmp_path / "pid"))
        command = [
            sys.executable,
            str(tmp_path / "bot.py"),
            str(tmp_path / "a.db"),
            fake.url,
            backend,
        ]
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:  # fmt: skip
            worker = int((tmp_path / "pid").read_text())
            told = os.kill if whom == "the program" else os.killpg
            told(process.pid, signal.SIGTERM)
            _out, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors) == (0, "")
        assert not _lives(worker)
        _run_again(tmp_path / "a.db", fake)
        assert [m.text for m in fake.sent()] == ["again"]


def _run_again(file: Path, fake: FakePlatform) -> None:
    """The next start, at once: nobody holds a lease, and nothing has failed."""
    core = Outeract(file, allow_private_addresses=True)
    assert core.runtime.database.read(outbox.owners) == []
    app = core.app("support")
    app.connect("telegram", token="42:tests", poll=True, base_url=fake.url)
    app.on("message.inbound", name="h")(lambda _message: "again")
    anyio.run(core.pump)
    core.close()


_BOT = """
import anyio
from pathlib import Path
from outeract_core import Outeract

core = Outeract(Path(__file__).parent / "bot.db")
app = core.app("support")
where = app.connect("console")

@app.on("message.inbound", process=True, attempts=1)
def answer(message):
    return message.text.upper()

async def once():
    body = b'{"user": "ann", "text": "hi", "n": 1}'
    await core.ingest(where.webhook_id, where.webhook_secret, body=body)
    await core.pump()
    async for event in app.events.all():
        print(event.event_type, event.text, event.payload_json)

if __name__ == "__main__":
    anyio.run(once, backend=BACKEND)
else:
    OTHERWISE
"""


@pytest.mark.parametrize(
    ("otherwise", "told"),
    [
        ("pass", "message.outbound HI"),
        ("core.run()", "put what serves behind"),
        ("anyio.run(core.pump)", "put what serves behind"),
    ],
    ids=["guarded", "serves in the worker as well", "pumps there"],
)
async def test_a_bots_own_file_is_read_by_its_workers(
    tmp_path: Path, otherwise: str, told: str, anyio_backend: str
) -> None:
    """Its handlers are found in it. A file that would serve there as well is told so, and does not hang."""
    bot = tmp_path / "bot.py"
    bot.write_text(_BOT.replace("BACKEND", repr(anyio_backend)).replace("OTHERWISE", otherwise))
    with soon():
        done = await anyio.run_process([sys.executable, str(bot)], check=False, cwd=ROOT)
    assert told in done.stdout.decode(), done.stderr.decode()
