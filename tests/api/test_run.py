"""`run` is what a service manager expects: a signal ends it in order, within a stated time.

Knows: a bot in a process of its own, what its handler does when the signal comes, a platform on loopback.
Does not know: how the end is carried out.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._io.processes.shutdown import MOMENT, Shutdown
from outeract_core._store.writing import outbox
from outeract_core.testing import FakePlatform, ManualClock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")

BOT = """
import asyncio, pathlib, sys, threading, time
from outeract_core import Attachment, Content, Outeract, blocking

path, url, backend, doing, grace = sys.argv[1:]
way = blocking.Outeract if backend == "blocking" else Outeract
core = way(path, allow_private_addresses=True)
app = core.app("support")
app.connect("telegram", token="42:tests", poll=True, base_url=url)

async def hangs(message):
    import anyio
    await anyio.sleep_forever()

async def catches(message):
    import anyio
    while True:
        try:
            await anyio.sleep(1)
        except BaseException:
            pass

async def blocks(message):
    time.sleep(3600)

KINDS = {
    "answers": lambda message: "re " + message.text,
    "sleeps": lambda message: time.sleep(3600),
    "waits": lambda message: threading.Event().wait(),
    "works": lambda message: [None for _ in iter(int, 1)],
    "hangs": hangs,
    "catches": catches,
    "blocks": blocks,
    "uploads": lambda message: Content("a file", files=(Attachment(b"x" * 100_000, filename="a.bin"),)),
}
do = KINDS[doing]

def plain(message):
    print("running", flush=True)
    return do(message)

async def asynchronous(message):
    print("running", flush=True)
    return await do(message)

handler = asynchronous if asyncio.iscoroutinefunction(do) else plain
app.on("message.inbound", name="h")(handler)
if backend == "blocking":
    core.serve(grace=float(grace))
    core.close()
else:
    core.run(backend=backend, grace=float(grace))
"""

PATIENCE = 6.0
"""Seconds for a machine with much else to do; the handlers would take an hour."""
STUCK = ("catches", "blocks")
"""What only the end of the process ends."""


class Slow(FakePlatform):
    """Its answers to messages take `takes` seconds."""

    takes = 0.0

    def respond(self, request: Any) -> Any:
        """Take the time, then answer."""
        if "/send" in request.path:
            time.sleep(self.takes)
        return super().respond(request)


class Bot:
    """The bot's process, told "hello"."""

    def __init__(
        self, folder: Path, fake: FakePlatform, backend: str, doing: str, grace: float
    ) -> None:
        """Start it."""
        self.file = folder / "bot.db"
        (folder / "bot.py").write_text(BOT)
        arguments = [str(self.file), fake.url, backend, doing, str(grace)]
        self.process = subprocess.Popen(
            [sys.executable, str(folder / "bot.py"), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        fake.telegram.say(1001, "hello")

    def running(self) -> None:
        """Its handler runs."""
        out: IO[bytes] | None = self.process.stdout
        assert out is not None
        assert out.readline() == b"running\n"

    def told(self, *signals: signal.Signals) -> tuple[int, float, str]:
        """Its status, the seconds that it took to end, and what it said of that."""
        began = time.monotonic()
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.05)
        _out, errors = self.process.communicate(timeout=30)
        return self.process.returncode, time.monotonic() - began, errors.decode()


@contextmanager
def bot(folder: Path, fake: FakePlatform, *how: Any) -> Iterator[Bot]:
    """A bot, which is gone afterwards."""
    made = Bot(folder, fake, *how)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def again(file: Path, fake: FakePlatform, after: timedelta = timedelta()) -> tuple[Outeract, App]:
    """The next start, so much later."""
    clock = ManualClock(datetime.now(UTC) + after)
    core = Outeract(file, allow_private_addresses=True, clock=clock)
    app = core.app("support")
    app.connect("telegram", token="42:tests", poll=True, base_url=fake.url)
    return core, app


def nobody_holds_anything(file: Path) -> None:
    """Every lease was given back."""
    core = Outeract(file)
    assert core.runtime.database.read(outbox.owners) == []
    core.close()


@pytest.mark.parametrize("backend", ["asyncio", "trio", "blocking"])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, backend: str, told: signal.Signals) -> None:
    """A poll under way is broken off; it stops with status 0, and every lease is given back."""
    with FakePlatform() as fake, bot(tmp_path, fake, backend, "answers", 20) as one:
        assert [m.text for m in fake.wait(1)] == ["re hello"]
        status, took, errors = one.told(told)
    assert (status, errors) == (0, "")
    assert took < PATIENCE
    nobody_holds_anything(one.file)


@pytest.mark.parametrize(
    ("doing", "backend"),
    [(doing, backend) for doing in ("sleeps", "hangs", *STUCK) for backend in ("asyncio", "trio")]
    + [("waits", "asyncio"), ("works", "trio"), ("hangs", "blocking"), ("blocks", "blocking")],
)
def test_a_handler_that_never_returns_does_not_keep_it(
    tmp_path: Path, doing: str, backend: str
) -> None:
    """It ends within its grace and a moment; the turn is rolled back, and run again at the next start."""
    with FakePlatform() as fake:
        with bot(tmp_path, fake, backend, doing, 0.5) as one:
            one.running()
            status, took, errors = one.told(signal.SIGTERM)
        assert took < 0.5 + 2 * MOMENT + PATIENCE
        if doing in STUCK:
            assert (status, "handler h" in errors) == (128 + signal.SIGTERM, True)
        else:
            assert (status, errors) == (0, "")
        nobody_holds_anything(one.file)
        core, app = again(one.file, fake)
        app.on("message.inbound", name="h")(lambda message: f"again {message.text}")
        anyio.run(core.pump)
        core.close()
        assert [m.text for m in fake.sent()] == ["again hello"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_request_under_way_has_its_grace(tmp_path: Path, backend: str) -> None:
    """The platform takes a second to answer: it is waited for, and the message is sent."""
    with Slow() as fake, bot(tmp_path, fake, backend, "answers", 20) as one:
        fake.takes = 1.0
        one.running()
        _asked(fake)
        status, _took, errors = one.told(signal.SIGTERM)
        assert (status, errors) == (0, "")
        assert [m.text for m in fake.sent()] == ["re hello"]
        nobody_holds_anything(one.file)
        assert _types(one.file, fake) == {"message.sent"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGTERM, signal.SIGINT)])
def test_an_upload_that_takes_longer_is_given_up(
    tmp_path: Path, backend: str, signals: tuple[signal.Signals, ...]
) -> None:
    """When its grace is over, or at a second signal: status 0, and the next start settles it."""
    grace = 0.5 if len(signals) == 1 else 60.0
    with FakePlatform() as fake:
        fake.hang(path="sendDocument")
        with bot(tmp_path, fake, backend, "uploads", grace) as one:
            one.running()
            _asked(fake, "sendDocument")
            status, took, errors = one.told(*signals)
        assert (status, errors) == (0, "")
        assert took < 0.5 + MOMENT + PATIENCE
        nobody_holds_anything(one.file)
        assert _types(one.file, fake, timedelta(hours=1)) == {"message.unknown"}
        assert len(fake.sent()) == 1


def _asked(fake: FakePlatform, path: str = "/send") -> None:
    """The request has arrived; with a `Slow` platform it is about to be answered."""
    until = time.monotonic() + 10
    while not any(path in one.path for one in fake.requests) and not isinstance(fake, Slow):
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.3 if isinstance(fake, Slow) else 0.0)


def _types(file: Path, fake: FakePlatform, after: timedelta = timedelta()) -> set[str]:
    """What became of the message, once the next start has had its look so much later."""
    core, app = again(file, fake, after)

    async def look() -> set[str]:
        await core.pump()
        found = (await app.events.page(first=50)).nodes
        return {each.event_type for each in found} & {
            "message.sent", "message.unknown", "message.failed",
        }  # fmt: skip

    types = anyio.run(look)
    core.close()
    return types


def test_a_child_that_was_forked_ends_as_any_other(tmp_path: Path) -> None:
    """What is heard in the parent is not heard in the child: there the signal does what it did."""
    program = """
import os, signal, sys, time
from outeract_core._io.processes.shutdown import Shutdown
with Shutdown(1.0, print):
    pid = os.fork()
    if not pid:
        time.sleep(30)
    time.sleep(0.3)
    os.kill(pid, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20)
    assert done.stdout.split() == [b"-15"]


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_before_there_is_a_loop_is_not_forgotten(signals: int) -> None:
    """Told while it starts, it ends as soon as it has begun, step by step; nobody waits for the grace."""
    taken: list[str] = []
    with Shutdown(60.0, lambda: taken.append("last")) as shutdown:
        for number in range(1, signals + 1):
            signal.raise_signal(signal.SIGTERM)
            while shutdown._reached < number:
                time.sleep(0)

        async def work() -> None:
            done = anyio.Event()
            shutdown.steps(lambda: taken.append("end"), lambda: taken.append("given up"))
            shutdown._via(done.set)  # type: ignore[misc]
            with anyio.fail_after(20):
                await done.wait()

        anyio.run(work)
    assert taken == ["end", "given up"][:signals]


def test_an_error_ends_it_with_that_error(tmp_path: Path) -> None:
    """What stops the work is raised as it is, not wrapped in groups."""
    core = Outeract(tmp_path / "a.db")
    app = core.app("support")
    app.on("message.inbound", name="h")(lambda message: None)
    core.close()
    with pytest.raises(Exception, match="was closed") as caught:
        core.run()
    assert not isinstance(caught.value, BaseExceptionGroup)
