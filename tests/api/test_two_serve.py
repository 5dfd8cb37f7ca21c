"""Two programs that serve one file: one polls, and the other takes over when the first is killed or stopped.

Knows: two processes, a platform on loopback. Does not know: leases.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._store.leases import ownership
from outeract_core.testing import FakePlatform
from tests.support.patience import PATIENCE, until_now
from tests.support.places import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP there")

BOT = """
import sys
from outeract_core import Outeract
from outeract_core._io.processes import ownership
from outeract_core._inbound.poller import Poller

ownership.TTL, ownership.RENEW, ownership.LOOK = int(sys.argv[3]), 800, 200
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
def two(folder: Path, fake: FakePlatform, ttl: int) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Both up, by process id; gone afterwards. `ttl`: milliseconds after which who is silent has gone."""
    (folder / "bot.py").write_text(BOT)
    command = [sys.executable, str(folder / "bot.py"), str(folder / "bot.db"), fake.url, str(ttl)]
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
    assert fake.wait(count, timeout=PATIENCE)[-1].text == f"re {text}"


TTL = {signal.SIGKILL: 3_600_000, signal.SIGSTOP: 8_000, signal.SIGTERM: 3_600_000}
"""Only of one that was stopped nobody but the clock can tell: the others may be as slow as they are."""


@pytest.mark.parametrize("how", TTL)
def test_the_other_takes_over(tmp_path: Path, how: signal.Signals) -> None:
    """No poll beside a poll, no message lost, none twice; also when the first comes back."""
    with Watching() as fake, two(tmp_path, fake, TTL[how]) as bots:
        _said(fake, "one", 1)
        before = fake.polls
        until_now(lambda: fake.polls >= before + 3)
        assert fake.most == 1
        owner = _owner(tmp_path / "bot.db")
        bots[owner].send_signal(how)
        _said(fake, "two", 2)
        assert _owner(tmp_path / "bot.db") != owner
        bots[owner].send_signal(signal.SIGCONT)
        before = fake.polls
        for number, text in enumerate(("three", "four", "five"), 3):
            _said(fake, text, number)
        until_now(lambda: fake.polls >= before + 4)
        assert [m.text for m in fake.sent()] == [
            f"re {w}" for w in ("one", "two", "three", "four", "five")
        ]
        assert fake.most <= 2, "the poll that was under way when it was stopped, and the other's"
