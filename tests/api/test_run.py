"""`run` is what a service manager expects: a signal ends it in order, within a stated time.

Knows: a bot in a process of its own, what its handler does when the signal comes, a platform on loopback.
Does not know: how the end is carried out.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._io.processes import shutdown
from outeract_core._io.processes.shutdown import Shutdown
from outeract_core._store.writing import outbox
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.patience import BRIEFLY, PATIENCE, soon, until_now

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")

BOT = """
import asyncio, pathlib, sys, threading, time
from outeract_core import Attachment, Content, Outeract, blocking
from outeract_core._inbound.poller import Poller
from outeract_core._io.processes import shutdown

HOUR = 3600.0
path, url, backend, doing, grace = sys.argv[1:]
Poller.poll.__defaults__ = (HOUR,)
shutdown.LAST_WORDS = HOUR
if doing not in ("catches", "blocks"):
    shutdown.MOMENT = HOUR
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
    time.sleep(HOUR)

KINDS = {
    "answers": lambda message: "re " + message.text,
    "sleeps": lambda message: time.sleep(HOUR),
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

HOUR = 3600.0
"""Seconds that a handler, a poll, a platform and a grace take that must not be waited for: so whoever
waits for them hangs, and whoever does not may be as slow as the machine is.
"""
STUCK = ("catches", "blocks")
"""What only the end of the process ends."""


class Slow(FakePlatform):
    """It answers no message before it is let go."""

    asked, go = threading.Event(), threading.Event()

    def respond(self, request: Any) -> Any:
        """Wait, then answer."""
        if "/send" in request.path:
            self.asked.set()
            assert self.go.wait(PATIENCE)
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

    def told(self, *signals: signal.Signals) -> tuple[int, str]:
        """Its status, and what it said of its end."""
        for number in signals:
            self.process.send_signal(number)
        _out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors.decode()


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
    with FakePlatform() as fake, bot(tmp_path, fake, backend, "answers", HOUR) as one:
        assert [m.text for m in fake.wait(1, timeout=PATIENCE)] == ["re hello"]
        assert one.told(told) == (0, "")
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
            status, errors = one.told(signal.SIGTERM)
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
    """The platform answers when the signal is there: it is waited for, and the message is sent."""
    Slow.asked.clear(), Slow.go.clear()
    with Slow() as fake, bot(tmp_path, fake, backend, "answers", HOUR) as one:
        assert fake.asked.wait(PATIENCE)
        threading.Timer(4 * BRIEFLY, fake.go.set).start()
        assert one.told(signal.SIGTERM) == (0, "")
        assert [m.text for m in fake.sent()] == ["re hello"]
        nobody_holds_anything(one.file)
        assert _types(one.file, fake) == {"message.sent"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGTERM, signal.SIGINT)])
def test_an_upload_that_takes_longer_is_given_up(
    tmp_path: Path, backend: str, signals: tuple[signal.Signals, ...]
) -> None:
    """When its grace is over, or at a second signal: status 0, and the next start settles it."""
    grace = 0.5 if len(signals) == 1 else HOUR
    with FakePlatform() as fake:
        fake.hang(path="sendDocument")
        with bot(tmp_path, fake, backend, "uploads", grace) as one:
            until_now(lambda: any("sendDocument" in asked.path for asked in fake.requests))
            assert one.told(*signals) == (0, "")
        nobody_holds_anything(one.file)
        assert _types(one.file, fake, timedelta(hours=1)) == {"message.unknown"}
        assert len(fake.sent()) == 1


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
    there, here = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(here, b"x")  # what came before it is a whole process is forgotten by Python itself
        time.sleep(3600)
    os.read(there, 1)
    os.kill(pid, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=PATIENCE)
    assert done.stdout.split() == [b"-15"]


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_before_there_is_a_loop_is_not_forgotten(
    signals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told while it starts, it ends as soon as it has begun, step by step; nobody waits for the grace."""
    monkeypatch.setattr(shutdown, "MOMENT", HOUR)
    taken: list[str] = []
    with Shutdown(HOUR, lambda: taken.append("last")) as ends:
        for number in range(1, signals + 1):
            signal.raise_signal(signal.SIGTERM)
            until_now(lambda number=number: ends._reached >= number)  # type: ignore[misc]

        async def work() -> None:
            done = anyio.Event()
            ends.steps(lambda: taken.append("end"), lambda: taken.append("given up"))
            ends._via(done.set)  # type: ignore[misc]
            with soon():
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
