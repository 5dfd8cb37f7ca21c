"""Downloads are claimed as messages are: a kill costs no attempt and no wait, a theft writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import App, Outeract
from outeract_core._io.heartbeat import LEASE
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.writing import claims, files
from outeract_core._store.writing.files import Download
from outeract_core.adapter import Flow
from outeract_core.errors import (
    MissingSecret,
    Rejected,
    Throttled,
    Transient,
    Unauthorised,
    Unreachable,
)
from outeract_core.events import FileRef
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.platform import Plain, kinds, said, take

pytestmark = pytest.mark.anyio
AWAY = LEASE / 1000 + 1


async def _claimed(
    core: Outeract, plain: PlatformConnection, owner: str = "one"
) -> tuple[Download, Any]:
    await take(core, plain, said("m1", files=(FileRef({"id": 1}, "a.txt"),)))
    (download,) = await core.runtime.database.write(
        lambda tx: files.claim(tx, owner, _shares(core), LEASE)
    )
    return download, core.runtime.conns()[0]


ENDS: dict[str, Callable[[Connection, Any, Download], Any]] = {
    "stored": lambda tx, conn, one: files.stored(
        tx, conn, one, 1, "ab" * 32, None, transcribe=False
    ),
    "failed": lambda tx, conn, one: files.failed(tx, conn, one, "no"),
    "again": lambda tx, conn, one: files.again(tx, one, 0, "later"),
    "transcribed": lambda tx, conn, one: files.transcribed(tx, conn, one, "words"),
    "mumbled": lambda tx, conn, one: files.not_transcribed(tx, conn, one, "no"),
    "released": lambda tx, conn, one: files.release(tx, one),
}


@pytest.mark.parametrize("name", ENDS)
async def test_who_has_lost_a_download_settles_nothing(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock, name: str
) -> None:
    """Another process has it: what the first one came to is not written, and its bytes not wanted."""
    database = core.runtime.database
    stale, conn = await _claimed(core, plain)
    clock.advance(AWAY)
    (held,) = await database.write(lambda tx: files.claim(tx, "other", _shares(core), LEASE))
    before = await kinds(app), _row(core)
    assert not await database.write(lambda tx: ENDS[name](tx, conn, stale))
    assert (await kinds(app), _row(core)) == before
    assert await database.write(
        lambda tx: files.stored(tx, conn, held, 1, "ab" * 32, None, transcribe=False)
    )


def _row(core: Outeract) -> Any:
    return core.runtime.database.read(lambda tx: tx.dynamic("SELECT * FROM file", {}))


async def test_a_kill_costs_no_attempt_and_no_wait(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """Twenty processes die over it: the next has it at once, and it is still the first attempt."""
    database = core.runtime.database
    download, _conn = await _claimed(core, plain)
    for number in range(20):
        dead = "one" if number == 0 else str(number)
        await database.write(lambda tx, dead=dead: claims.release_owner(tx, dead))
        (download,) = await database.write(
            lambda tx, n=number: files.claim(tx, str(n + 1), _shares(core), LEASE)
        )
    assert download.attempt == 1


async def test_what_is_held_is_not_due(core: Outeract, app: App, plain: PlatformConnection) -> None:
    """While a file is being fetched nobody finds it due, and nothing is committed."""
    await _claimed(core, plain)
    assert core.runtime.database.read(lambda tx: files.look(tx, _shares(core))) == []
    before = core.runtime.database._batch
    assert await core._workers._downloader.step() == 0
    assert core.runtime.database._batch == before


async def test_a_download_is_held_as_long_as_it_takes(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock, tmp_path: Path
) -> None:
    """A slow one is renewed by the heartbeat; cancelled, it is given back untried."""
    await take(core, plain, said("m1", files=(FileRef({"id": 1}, "a.txt"),)))
    downloader, going = core._workers._downloader, anyio.Event()

    async def slow(_download: Download) -> None:
        going.set()
        await anyio.sleep_forever()

    downloader._one = slow  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:
        group.start_soon(downloader.step)
        await going.wait()
        for _ in range(5):
            clock.advance(LEASE / 2000)
            await downloader._heart.beat()
            found = await core.runtime.database.write(
                lambda tx: files.claim(tx, "x", _shares(core), LEASE)
            )
            assert found == []
        group.cancel_scope.cancel()
    (again,) = await core.runtime.database.write(
        lambda tx: files.claim(tx, "x", _shares(core), LEASE)
    )
    assert again.attempt == 1


def _shares(core: Outeract) -> dict[int, int]:
    """Nine files of each connection."""
    return {conn.id: 9 for conn in core.runtime.conns()}


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (Unreachable("no network"), True),
        (Unauthorised("no such token"), True),
        (Throttled("slow down", after=30), True),
        (Throttled("slow down", after=1e12), True),
        (MissingSecret("no token"), True),
        (Transient("the server broke off"), False),
        (Rejected("it is gone"), False),
    ],
    ids=str,
)
async def test_trouble_of_the_connection_costs_a_file_no_attempt(
    core: Outeract, clock: ManualClock, error: Exception, *, goes_on: bool
) -> None:
    """A day of it, and the file still comes when it is over; what is said of the file itself has an end."""
    well: list[bool] = []

    class Troubled(Plain):
        def fetch(self, handle: Any) -> Flow[Any]:
            yield from ()
            raise Rejected("well again") if well else error

    core.register("troubled", Troubled)
    app = core.app("support")
    troubled = app.connect("troubled")
    await take(core, troubled, said("m1", files=(FileRef({"id": 1}, "a.txt"),)))
    for _ in range(48):
        await core.pump()
        clock.advance(1800)
    assert ("system.file_failed" not in await kinds(app)) == goes_on
    well.append(True)
    clock.advance(3600)
    await core.pump()
    assert "system.file_failed" in await kinds(app)
