"""Two programs that serve one file: one polls, and the other takes over when the first is killed or stopped.

Knows: two processes, a platform on loopback. Does not know: leases.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._store.leases import ownership
from outeract_core.testing import FakePlatform
from tests.support.places import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP there")

BOT = """
import sys
from outeract_core import Outeract
from outeract_core._io.processes import ownership
from outeract_core._inbound.poller import Poller

ownership.TTL, ownership.RENEW, ownership.LOOK = 3_000, 800, 200
Poller.poll.__defaults__ = (1.0,)
core = Outeract(sys.argv[1], allow_private_addresses=True)
app = core.app("support")
app.connect("telegram", token="42:tests", poll=True, base_url=sys.argv[2])
app.on("message.inbound", name="h")(lambda message: "re " + message.text)
print("up", flush=True)
core.run()
"""


class Watching(FakePlatform):
    """It counts how many polls are open at once."""

    open = most = polls = 0
    gate = threading.Lock()

    def respond(self, request: Any) -> Any:
        """Count, then answer."""
        if "getUpdates" not in request.path:
            return super().respond(request)
        with self.gate:
            self.open, self.polls = self.open + 1, self.polls + 1
            self.most = max(self.most, self.open)
        try:
            return super().respond(request)
        finally:
            with self.gate:
                self.open -= 1


@contextmanager
def two(folder: Path, fake: FakePlatform) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Both up, by process id; gone afterwards."""
    (folder / "bot.py").write_text(BOT)
    command = [sys.executable, str(folder / "bot.py"), str(folder / "bot.db"), fake.url]
    started: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for _ in range(2):
            bot = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            started[bot.pid] = bot
            assert bot.stdout is not None
            assert bot.stdout.readline() == b"up\n"
        yield started
    finally:
        for bot in started.values():
            bot.send_signal(signal.SIGCONT)
            bot.kill()
            bot.communicate()


def _owner(file: Path) -> int:
    """The process that works for the application, as the file says."""
    core = Outeract(file)
    found = core.runtime.database.read(lambda tx: tx.all(ownership.ALL))
    core.close()
    apps = [owner for app, _name, owner, _until in found if app]
    return int(apps[0].split(":")[1])


def _said(fake: FakePlatform, text: str, count: int) -> None:
    fake.telegram.say(1001, text)
    assert fake.wait(count, timeout=60)[-1].text == f"re {text}"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_the_other_takes_over(tmp_path: Path, how: signal.Signals) -> None:
    """No poll beside a poll, no message lost, none twice; also when the first comes back."""
    with Watching() as fake, two(tmp_path, fake) as bots:
        _said(fake, "one", 1)
        before = fake.polls
        while fake.polls < before + 3:
            time.sleep(0.05)
        assert fake.most == 1
        owner = _owner(tmp_path / "bot.db")
        bots[owner].send_signal(how)
        _said(fake, "two", 2)
        assert _owner(tmp_path / "bot.db") != owner
        bots[owner].send_signal(signal.SIGCONT)
        before = fake.polls
        for number, text in enumerate(("three", "four", "five"), 3):
            _said(fake, text, number)
        while fake.polls < before + 4:
            time.sleep(0.05)
        assert [m.text for m in fake.sent()] == [
            f"re {w}" for w in ("one", "two", "three", "four", "five")
        ]
        assert fake.most <= 2, "the poll that was under way when it was stopped, and the other's"
