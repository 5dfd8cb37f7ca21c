"""After a fork nothing that was open goes on in the child, and nothing there hangs.

Knows: real children. Does not know: servers that fork.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork")

PROGRAM = """
import anyio, json, os, sys
from outeract_core.errors import StoreClosed
path, kind = sys.argv[1:]

def tried(call):
    try:
        call()
    except BaseException as error:
        return type(error).__name__
    return "went on"

if kind == "blocking":
    from outeract_core.blocking import Outeract
    core = Outeract(path)
    app = core.app("a"); conn = app.connect("console")
    event = app.emit("order.created", {})
    verbs = {
        "send": lambda: app.send(("console", "x"), "hi"), "page": lambda: app.events.page(),
        "emit": lambda: app.emit("order.created", {}), "app": lambda: core.app("b"),
        "connect": lambda: app.connect("console"), "connections": lambda: app.connections(),
        "search": lambda: app.search("x"), "pump": core.pump, "serve": core.serve,
        "ingest": lambda: core.ingest(conn.webhook_id, conn.webhook_secret, body=b"{}"),
        "backup": lambda: core.backup(path + ".copy"), "explain": lambda: app.explain(event),
    }
else:
    from outeract_core import Outeract
    core = Outeract(path)
    app = core.app("a"); conn = app.connect("console")
    event = anyio.run(app.emit, "order.created", {})
    run = lambda call: lambda: anyio.run(call)
    verbs = {
        "send": run(lambda: app.send(("console", "x"), "hi")), "page": run(lambda: app.events.page()),
        "emit": run(lambda: app.emit("order.created", {})), "app": lambda: core.app("b"),
        "connect": lambda: app.connect("console"), "connections": app.connections,
        "search": run(lambda: app.search("x")), "pump": run(core.pump), "serve": run(core.serve),
        "ingest": run(lambda: core.ingest(conn.webhook_id, conn.webhook_secret, body=b"{}")),
        "backup": run(lambda: core.backup(path + ".copy")), "explain": run(lambda: app.explain(event)),
        "run": core.run,
    }
pid = os.fork()
if not pid:
    print(json.dumps({name: tried(call) for name, call in verbs.items()}), flush=True)
    print(tried(core.close), flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert tried(verbs["emit"]) == "went on"
print(tried(core.close))
"""


@pytest.mark.parametrize("kind", ["blocking", "async"])
def test_every_verb_raises_storeclosed_in_a_child(tmp_path: Path, kind: str) -> None:
    """At once, reads too; closing does nothing there, and the parent works on."""
    program = [sys.executable, "-c", PROGRAM, str(tmp_path / "bot.db"), kind]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    child, closed, parent = done.stdout.splitlines()
    assert set(json.loads(child).values()) == {"StoreClosed"}, child
    assert (closed, parent) == ("went on", "went on")
