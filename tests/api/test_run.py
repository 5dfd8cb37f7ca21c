"""`run` is what a service manager expects: a signal ends it in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from outeract_core import Outeract
from outeract_core._store.writing import outbox
from outeract_core.testing import FakePlatform

BOT = """
import sys
from outeract_core import Outeract

core = Outeract(sys.argv[1])
app = core.app("support")
app.connect("telegram", token="42:tests", poll=True, base_url=sys.argv[2])

@app.on("message.inbound")
async def echo(message):
    return f"re {message.text}"

core.run(backend=sys.argv[3])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, backend: str, told: signal.Signals) -> None:
    """It stops with exit code 0, what was under way is settled, and every lease is given back."""
    (tmp_path / "bot.py").write_text(BOT)
    file = tmp_path / "bot.db"
    with FakePlatform() as fake:
        command = [sys.executable, str(tmp_path / "bot.py"), str(file), fake.url, backend]
        bot = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            fake.telegram.say(1001, "hello")
            assert [m.text for m in fake.wait(1)] == ["re hello"]
            bot.send_signal(told)
            _out, errors = bot.communicate(timeout=20)
        finally:
            bot.kill()
    assert (bot.returncode, errors) == (0, b"")
    core = Outeract(file)
    assert core.runtime.database.read(outbox.owners) == []
    core.close()


def test_an_error_ends_it_with_that_error(tmp_path: Path) -> None:
    """What stops the work is raised as it is, not wrapped in groups."""
    core = Outeract(tmp_path / "a.db")
    app = core.app("support")
    app.on("message.inbound", name="h")(lambda message: None)
    core.close()
    with pytest.raises(Exception, match="was closed") as caught:
        core.run()
    assert not isinstance(caught.value, BaseExceptionGroup)
