"""Several processes on one file: they wait for each other, see each other, and survive each other.

Knows: real processes, locks, leases, SIGKILL. Does not know: platforms.
"""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core._domain.values.ids import SHIFT
from outeract_core._store.engine.migrations import scripts
from outeract_core.errors import LeaseHeld, StoreBusy
from outeract_core.model import PlatformConnection
from tests.support.patience import BRIEFLY, PATIENCE
from tests.support.store.opening import names, opened, put, raw
from tests.support.store.platform import connect, events, said, take
from tests.support.store.process import other

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and locks are POSIX here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file that they share."""
    return tmp_path / "bot.db"


@pytest.fixture
def anyio_backend() -> str:
    """Processes do not care for loops."""
    return "asyncio"


# ── locks ─────────────────────────────────────────────────────────────────────────────────────


def test_a_writer_waits_for_the_other(path: Path) -> None:
    """A write that finds the file locked waits and goes through as soon as it can."""
    with opened(path, busy_timeout=PATIENCE) as database, other("lock", path) as holder:
        assert holder.hear() == "locked"
        thread = threading.Thread(target=database.write_now, args=(put("mine"),))
        thread.start()
        assert database.read(names) == set()
        holder.go()
        assert holder.hear() == "free"
        thread.join(PATIENCE)
        assert database.read(names) == {"mine"}


def test_a_lock_held_too_long_is_busy(path: Path) -> None:
    """Past the busy timeout the caller is told to try again; when the other has died, it works."""
    with opened(path, busy_timeout=BRIEFLY) as database, other("lock", path) as holder:
        assert holder.hear() == "locked"
        with pytest.raises(StoreBusy) as caught:
            database.write_now(put("mine"))
        assert caught.value.again
        holder.kill()
        database.write_now(put("mine"))
        assert database.read(names) == {"mine"}


# ── writing together ──────────────────────────────────────────────────────────────────────────


def test_writers_share_a_file_and_see_each_other(path: Path) -> None:
    """Two processes and this one write at once, from a file that none had made: nothing is lost."""
    with ExitStack() as stack:
        writers = [stack.enter_context(other("write", path, name, "40")) for name in "ab"]
        database = stack.enter_context(opened(path, busy_timeout=PATIENCE))
        assert [writer.hear() for writer in writers] == ["open", "open"]
        database.changed()
        for writer in writers:
            writer.go()
        for number in range(40):
            database.write_now(put(f"mine{number}"))
        assert [writer.ended() for writer in writers] == [0, 0]
        assert database.changed()
        expected = {f"{name}{number}" for name in ("a", "b", "mine") for number in range(40)}
        assert database.read(names) == expected
    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM migration").fetchall() == [
            (len(scripts()),)
        ]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.anyio
async def test_a_message_delivered_to_all_is_there_once(path: Path) -> None:
    """Three processes take the same messages: each is one event, positions have no gap."""
    async with Outeract(path, busy_timeout=PATIENCE) as core:
        app = core.app("support")
        connection = connect(core, app)
        with ExitStack() as stack:
            takers = [stack.enter_context(other("facts", path, "30")) for _ in range(2)]
            assert [taker.hear() for taker in takers] == ["open", "open"]
            for taker in takers:
                taker.go()
            for number in range(30):
                await take(core, connection, said(f"m{number}", f"person {number % 3}"))
            assert [taker.ended() for taker in takers] == [0, 0]
        found = await events(app)
        assert sorted(str(e.external_message_id) for e in found) == sorted(
            f"m{n}" for n in range(30)
        )
        people = 3 * 2  # each with a user above
        first, last = found[0].position, found[-1].position
        assert last - first <= 30 + people
        assert last & ((1 << SHIFT) - 1) == 2 + 30 + people


def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    """A process killed while it writes loses nothing that it was told to be written."""
    with other("write", path, "n", "100000") as writer:
        assert writer.hear() == "open"
        writer.go()
        acknowledged = [writer.hear() for _ in range(200)]
        writer.kill()
    with opened(path) as database:
        found = database.read(names)
        assert set(acknowledged) <= found
        assert found == {f"n{number}" for number in range(len(found))}
        database.write_now(put("after"))


# ── leases ────────────────────────────────────────────────────────────────────────────────────


async def _mine(path: Path) -> tuple[Outeract, App, PlatformConnection]:
    core = Outeract(path, busy_timeout=PATIENCE)
    app = core.app("support")

    @app.on("message.inbound", name="echo")
    async def echo(message: object) -> str:
        return "from here"

    return core, app, connect(core, app)


@pytest.mark.anyio
@pytest.mark.parametrize("end", ["killed", "closed"])
async def test_one_process_runs_the_handlers(path: Path, end: str) -> None:
    """While another runs them: LeaseHeld, naming it. When it has ended, well or badly: taken over."""
    core, app, connection = await _mine(path)
    async with core:
        await take(core, connection, said("m1"))
        with other("handle", path) as holder:
            assert holder.hear() == "1"
            await take(core, connection, said("m2"))
            with pytest.raises(LeaseHeld, match=f":{holder.pid}:") as caught:
                await core.pump()
            assert caught.value.again
            if end == "killed":
                holder.kill()
            else:
                holder.go()
                assert holder.hear() == "closed"
                assert holder.ended() == 0
            assert (await core.pump()).handled == 1
        replies = await app.events.page(q.type_is("message.outbound"), order="oldest")
        assert [reply.text for reply in replies] == ["from hello", "from here"]
        assert (await core.pump()).handled == 0


@pytest.mark.anyio
async def test_what_a_dead_process_was_sending_is_taken_over(path: Path) -> None:
    """A message that another process began to send and died over is resolved at once, sent once."""
    core, app, connection = await _mine(path)
    async with core:
        sent = await app.send((connection, "alice"), "hi")
        with other("sending", path) as sender:
            assert sender.hear() == "sending"
            assert (await core.pump()).sent == 0
            assert (await app.events.get(sent.id)).status == "queued"
            sender.kill()
        assert (await core.pump()).sent == 1
        assert (await app.events.get(sent.id)).status == "sent"
        receipts = await app.events.page(q.type_is("message.sent"))
        assert len(receipts.nodes) == 1
