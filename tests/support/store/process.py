"""Another process that uses the same file: what it can be asked to do, and how a test steers it.

Knows: `python -m tests.support.store.process VERB PATH …`, one line of text in each direction per step.
Does not know: what is tested.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import apsw

from outeract_core import Outeract
from outeract_core._io.processes import ownership
from outeract_core._store.transfer import erasing
from outeract_core._store.writing import claims
from tests.support.patience import PATIENCE
from tests.support.places import ROOT
from tests.support.store import claimed
from tests.support.store.opening import opened, put
from tests.support.store.platform import connect, said, take


class Other:
    """The other process, seen from the test. It is stopped after a minute, come what may."""

    def __init__(self, verb: str, path: Path, *arguments: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.store.process", verb, str(path), *arguments],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def hear(self) -> str:
        """The next line that it says; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: it gets no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def ended(self) -> int:
        """Its exit status."""
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        """Make sure that it is gone."""
        self._watch.cancel()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def other(verb: str, path: Path, *arguments: str) -> Iterator[Other]:
    """Another process that does `verb` with the file."""
    process = Other(verb, path, *arguments)
    try:
        yield process
    finally:
        process.stop()


# ── inside the other process ──────────────────────────────────────────────────────────────────


def say(*words: object) -> None:
    """A line for the test."""
    print(*words, flush=True)  # noqa: T201 - this is how it talks


def lock(path: Path) -> None:
    """Hold the write lock."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")
    say("locked")
    sys.stdin.readline()
    connection.execute("COMMIT")
    say("free")


def write(path: Path, prefix: str, count: str) -> None:
    """Write `count` rows, one commit each, and say each when it is acknowledged."""
    with opened(path, busy_timeout=PATIENCE) as database:
        say("open")
        sys.stdin.readline()
        for number in range(int(count)):
            database.write_now(put(f"{prefix}{number}"))
            say(f"{prefix}{number}")


def facts(path: Path, count: str) -> None:
    """Take the same `count` messages that all others take too."""

    async def main() -> None:
        async with Outeract(path, busy_timeout=PATIENCE) as core:
            connection = connect(core, core.app("support"))
            say("open")
            sys.stdin.readline()
            for number in range(int(count)):
                await take(core, connection, said(f"m{number}", f"person {number % 3}"))

    anyio.run(main)


def handle(path: Path) -> None:
    """Run a handler on what there is, own the application on, and give it back when told."""

    async def main() -> None:
        async with Outeract(path, busy_timeout=PATIENCE) as core:
            app = core.app("support")
            connect(core, app)

            @app.on("message.inbound", name="echo")
            async def echo(message: Any) -> str:
                return f"from {message.text}"

            async with core.runtime.ownership.session(serving=True):
                say((await core.pump()).handled)
                await anyio.to_thread.run_sync(sys.stdin.readline)
        say("closed")

    anyio.run(main)


def sending(path: Path) -> None:
    """Claim the queued message and begin its request, then wait to be killed."""
    core = Outeract(path, busy_timeout=PATIENCE)
    connect(core, core.app("support"))
    owner, shares = core.runtime.owner, {conn.id: 1 for conn in core.runtime.conns()}

    def unit(tx: Any) -> None:
        ((row,),) = claims.claim(tx, owner, shares, 120_000)
        claimed.begin(tx, row, 120_000, 0)

    core.runtime.database.write_now(unit)
    say("sending")
    sys.stdin.readline()


def import_(path: Path, source: str) -> None:
    """Import an application, and say each block that is in the file."""

    async def main() -> None:
        async with Outeract(path, busy_timeout=PATIENCE) as core:
            await core.import_app(source, progress=lambda done, of: say(done, of))

    anyio.run(main)


def erase(path: Path, who: str) -> None:
    """Erase somebody, and wait before each piece until told to go on."""
    real = erasing.carry_on

    def told(tx: Any) -> bool:
        say("piece")
        sys.stdin.readline()
        return real(tx)

    erasing.carry_on = told
    _erase(path, who)


def erased(path: Path, who: str) -> None:
    """Erase somebody when told, without a pause; say how many events that took."""
    _erase(path, who, "open")


def _erase(path: Path, who: str, *first: str) -> None:
    async def main() -> None:
        async with Outeract(path, busy_timeout=PATIENCE) as core:
            app = core.app("support")
            connection = connect(core, app)
            puser = await app.people.by_external_id(connection, who)
            for word in first:
                say(word)
                sys.stdin.readline()
            say((await app.people.erase(puser)).events)

    anyio.run(main)


def talk(path: Path, who: str, count: str) -> None:
    """Somebody says `count` things, one commit each, and each is said here too."""

    async def main() -> None:
        async with Outeract(path, busy_timeout=PATIENCE) as core:
            connection = connect(core, core.app("support"))
            say("open")
            sys.stdin.readline()
            for number in range(int(count)):
                await take(core, connection, said(f"talk {number}", who, f"talkedof{number}"))
            say("done")

    anyio.run(main)


VERBS: dict[str, Callable[..., None]] = {
    "lock": lock,
    "write": write,
    "facts": facts,
    "handle": handle,
    "sending": sending,
    "import": import_,
    "erase": erase,
    "erased": erased,
    "talk": talk,
}

if __name__ == "__main__":
    ownership.TTL = 1000 * int(PATIENCE)  # who is slow has not gone away
    VERBS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
