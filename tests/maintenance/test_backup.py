"""A backup: whole or absent, of one moment, and no hindrance to the program that starts on it.

Knows: copies of a store that is written meanwhile. Does not know: how a copy is made.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import apsw
import pytest
from attrs import evolve

from outeract_core import App, Outeract, blocking
from outeract_core._store.transfer import rebuild
from outeract_core.content import Attachment, Content
from outeract_core.errors import BadInput, ReadOnlyStore
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.patience import PATIENCE, soon
from tests.support.store.platform import Plain, connect, events, said, take
from tests.support.store.words import Words

pytestmark = pytest.mark.anyio
OF_PROCESSES = ("outbox", "counter", "lease")


class Forgetful(Plain):
    """The same platform, which neither knows tokens nor can be asked."""

    manifest = evolve(Plain.manifest, platform="forgetful", idempotency="none")


def _tables(path: Path) -> dict[str, list[Any]]:
    """Every row of a file, by table, but for those that belong to processes."""
    file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    names = [
        str(row[0])
        for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if row[0] not in OF_PROCESSES
    ]
    found = {name: sorted(file.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    file.close()
    return found


def _well(path: Path) -> None:
    """P2, P3 and P6: edges with their events, unique dedupe keys, a sound file."""
    file = apsw.Connection(str(path))
    assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    lost = "SELECT count(*) FROM edge WHERE src NOT IN (SELECT seq FROM event)"
    bare = (
        "SELECT count(*) FROM event e JOIN kind k ON k.id = e.type WHERE k.name = 'message.inbound'"
        " AND NOT EXISTS (SELECT 1 FROM edge WHERE src = e.seq)"
    )
    twice = "SELECT count(*) FROM (SELECT conn, dk FROM event WHERE dk IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1)"
    for sql in (lost, bare, twice):
        assert file.execute(sql).fetchall() == [(0,)]
    file.close()


# ── the same ──────────────────────────────────────────────────────────────────────────────────


async def test_a_copy_is_equal_and_opens(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path, clock: ManualClock
) -> None:
    """Every row is the same, files are there, the file is sound and goes on as it is."""
    await take(core, plain, said("m1"), said("m2", "bob", group="g"))
    await app.send((plain, "alice"), Content("see", files=(Attachment(b"data" * 99, "f.txt"),)))
    await core.pump()
    copy = tmp_path / "copies" / "copy.db"
    copy.parent.mkdir()
    done = await core.backup(copy)
    assert (done.path, done.size, done.files, done.missing) == (copy, copy.stat().st_size, 1, 0)
    assert {path.name for path in copy.parent.iterdir()} == {"copy.db", "copy.db.files"}
    assert _tables(copy) == _tables(tmp_path / "bot.db")
    _well(copy)
    shutil.copy(
        tmp_path / "bot.db.key", tmp_path / "copies" / "copy.db.key"
    )  # kept elsewhere till now
    async with Outeract(copy, clock=clock) as again:
        there = again.app("support")
        assert [event.id for event in await events(there)] == [e.id for e in await events(app)]
        sent = next(e for e in await events(there) if e.event_type == "message.outbound")
        assert await there.files.read((await there.files.of(sent.id))[0]) == b"data" * 99
        assert again.runtime.database.read(rebuild.check) == []
        await take(again, connect(again, there), said("m3"))


async def test_a_copy_under_writes_is_of_one_moment(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path, clock: ManualClock
) -> None:
    """All that was acknowledged before is in it, and then a prefix of what came meanwhile."""
    for n in range(50):
        await take(core, plain, said(f"before{n:05}"))
    done = anyio.Event()

    async def write() -> None:
        n = 0
        while not done.is_set():
            await take(core, plain, said(f"meanwhile{n:05}", f"who{n % 7}"))
            n += 1

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        await take(core, plain, said("last"))
        for number in range(3):
            await core.backup(tmp_path / f"copy{number}.db")
        done.set()
    everything = [event.id for event in await events(app)]
    for number in range(3):
        copy = tmp_path / f"copy{number}.db"
        _well(copy)
        async with Outeract(copy, clock=clock) as again:
            there = await events(again.app("support"))
            assert again.runtime.database.read(rebuild.check) == []
        assert [event.id for event in there] == everything[: len(there)]
        assert sum(str(e.external_message_id).startswith("before") for e in there) == 50
        assert "last" in {event.external_message_id for event in there}


async def test_a_copy_holds_nothing_that_was_erased_before(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """What was made unreadable is not in the copy's bytes either."""
    words = Words(tmp_path)
    await take(core, plain, *(said(f"m{n}", text=words.plant(f"{n}") * 50) for n in range(60)))
    await app.people.erase(await app.people.by_external_id(plain, "alice"))
    await core.backup(tmp_path / "copy.db")
    copied = (tmp_path / "copy.db").read_bytes()
    assert b"planted" not in copied


# ── never half, never over something ──────────────────────────────────────────────────────────


async def test_what_is_there_is_not_overwritten(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """Without `overwrite` an existing file is refused and untouched; with it, it is replaced."""
    copy = tmp_path / "copy.db"
    await app.files.add(b"old", filename="old")
    await core.backup(copy)
    before = copy.read_bytes()
    await take(core, plain, said("m1"))
    with pytest.raises(BadInput, match="there already"):
        await core.backup(copy)
    assert copy.read_bytes() == before
    await core.backup(copy, overwrite=True)
    assert _tables(copy) == _tables(tmp_path / "bot.db")
    stray = tmp_path / "copy.db.files" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of an older copy")
    assert (await core.backup(copy, overwrite=True)).files == 1
    assert not stray.exists()


async def test_impossible_targets_are_refused(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """The file itself, under whatever name, a folder, a missing folder, a file in use."""
    file = tmp_path / "bot.db"
    (tmp_path / "link.db").symlink_to(file)
    (tmp_path / "hard.db").hardlink_to(file)
    (tmp_path / "used.db-wal").touch()
    targets = ["bot.db", "bot.db-wal", "link.db", "hard.db", ".", "none/copy.db", "used.db"]
    there = sorted(tmp_path.rglob("*"))
    for name in targets:
        with pytest.raises(BadInput):
            await core.backup(tmp_path / name, overwrite=True)
    await take(core, plain, said("m1"))
    assert set(tmp_path.rglob("*")) - set(there) <= {tmp_path / "bot.db.files"}


async def test_a_failed_copy_leaves_nothing(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """An error or a cancellation on the way leaves an older copy as it was, and no other file."""
    copy = tmp_path / "copy.db"
    await take(core, plain, *(said(f"m{n}", text="x" * 5000) for n in range(200)))
    await core.backup(copy)
    await take(core, plain, said("m"))
    before, there = copy.read_bytes(), sorted(tmp_path.iterdir())

    def fail(_done: int, _total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError):
        await core.backup(copy, overwrite=True, progress=fail)
    with anyio.CancelScope() as scope:

        def cancel(_done: int, _total: int) -> None:
            anyio.from_thread.run_sync(scope.cancel)

        await core.backup(copy, overwrite=True, progress=cancel)
    assert scope.cancelled_caught
    assert copy.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == there


async def test_a_folder_that_cannot_be_written_is_told(core: Outeract, tmp_path: Path) -> None:
    """What the operating system refuses is an error of the library's own."""
    (tmp_path / "copy.db.files").write_text("not a folder")
    app = core.app("support")
    await app.files.add(b"data", filename="f")
    with pytest.raises(ReadOnlyStore):
        await core.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


async def test_progress_reaches_its_total(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """Bytes done only grow, and end at the total, files included."""
    await take(core, plain, *(said(f"m{n}", text="x" * 5000) for n in range(200)))
    await app.files.add(b"x" * 50_000, filename="f")
    told: list[tuple[int, int]] = []
    done = await core.backup(tmp_path / "copy.db", progress=lambda *now: told.append(now))
    assert [each[0] for each in told] == sorted(each[0] for each in told)
    assert told[-1] == (done.size + 50_000, done.size + 50_000)


# ── files ─────────────────────────────────────────────────────────────────────────────────────


async def test_files_can_be_linked_or_left_out(core: Outeract, app: App, tmp_path: Path) -> None:
    """`link` shares the bytes with the original, False brings none, missing ones are counted."""
    file, lost = [await app.files.add(data, filename="f") for data in (b"here", b"lost")]
    core.runtime.folder.path(str(lost.sha256)).unlink()
    linked = await core.backup(tmp_path / "linked.db", files="link")
    copied = await core.backup(tmp_path / "copied.db")
    none = await core.backup(tmp_path / "none.db", files=False)
    assert [(each.files, each.missing) for each in (linked, copied, none)] == [
        (1, 1),
        (1, 1),
        (0, 0),
    ]
    original = core.runtime.folder.path(str(file.sha256))
    name = original.relative_to(core.runtime.folder.root)
    assert (tmp_path / "linked.db.files" / name).samefile(original)
    assert not (tmp_path / "copied.db.files" / name).samefile(original)
    assert (tmp_path / "copied.db.files" / name).read_bytes() == b"here"
    assert not (tmp_path / "none.db.files").exists()


# ── a program that starts on a copy ───────────────────────────────────────────────────────────


async def test_marks_and_leases_stay_behind(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path, clock: ManualClock
) -> None:
    """Handlers and sender of the restored program need not wait for leases of the original."""
    app.on("message.inbound", name="echo")(lambda message: "echo: " + message.text)
    await core.pump()
    await take(core, plain, said("m1"))
    await core.backup(tmp_path / "copy.db")
    file = apsw.Connection(str(tmp_path / "copy.db"))
    assert file.execute("SELECT owner FROM counter WHERE owner < 0").fetchall() == []
    assert file.execute("SELECT owner FROM lease").fetchall() == []
    file.close()
    async with Outeract(tmp_path / "copy.db", clock=clock) as again:
        there = again.app("support")
        connect(again, there)
        there.on("message.inbound", name="echo")(lambda message: "echo: " + message.text)
        assert (await again.pump()).handled == 1


async def test_a_restored_program_doubles_nothing(
    core: Outeract, app: App, tmp_path: Path, clock: ManualClock
) -> None:
    """What was queued may have been sent since: it becomes unknown; what was not due is sent."""
    core.register("forgetful", Forgetful)
    connection = app.connect("forgetful")
    later = clock() + timedelta(hours=1)
    now = await app.send((connection, "ada"), "now")
    then = await app.send((connection, "ada"), "in an hour", not_before=later)
    await core.backup(tmp_path / "copy.db")
    await core.pump()
    assert (await app.events.get(now.id)).status == "sent"
    clock.advance(60)
    async with Outeract(tmp_path / "copy.db", clock=clock) as again:
        again.register("forgetful", Forgetful)
        there = again.app("support")
        fresh = await there.send((connection, "bob"), "after the restore")
        await again.pump()
        found = [(await there.events.get(each.id)).status for each in (now, then, fresh)]
        assert found == ["unknown", "queued", "sent"]
        clock.advance(3600)
        await again.pump()
        assert (await there.events.get(then.id)).status == "sent"


async def test_looking_at_a_copy_settles_nothing(
    core: Outeract, app: App, tmp_path: Path, clock: ManualClock
) -> None:
    """Only a program that sends decides what may have been sent; opening the copy does not."""
    core.register("forgetful", Forgetful)
    connection = app.connect("forgetful")
    then = await app.send(
        (connection, "ada"), "in an hour", not_before=clock() + timedelta(hours=1)
    )
    await core.backup(tmp_path / "copy.db")
    async with Outeract(tmp_path / "copy.db", clock=clock) as look:
        assert len(await events(look.app("support"))) == 1
    clock.advance(7200)
    async with Outeract(tmp_path / "copy.db", clock=clock) as again:
        again.register("forgetful", Forgetful)
        await again.pump()
        assert (await again.app("support").events.get(then.id)).status == "unknown"


async def test_without_a_loop(tmp_path: Path) -> None:
    """The blocking façade makes backups and keeps rules too."""
    await anyio.to_thread.run_sync(_blocking, tmp_path)
    assert (tmp_path / "copy.db").exists()


def _blocking(folder: Path) -> None:
    with blocking.Outeract(folder / "own.db") as core:
        app = core.app("support")
        rule = app.retention.keep("message.*", timedelta(days=90))
        assert app.retention.rules() == [rule]
        assert [each.rule for each in app.retention.apply(dry_run=True)] == [rule]
        assert core.backup(folder / "copy.db").files == 0


# ── writers meanwhile ─────────────────────────────────────────────────────────────────────────


async def test_a_reader_that_stays_does_not_hold_up_writes(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A checkpoint waits a moment for a long read, and not for its end, however patient writes are."""
    seen: list[int] = []

    def restart(pages: int, _idle: bool) -> str | None:
        seen.append(pages)
        return "RESTART" if pages > 300 else None

    async with Outeract(
        tmp_path / "own.db", clock=clock, checkpoints=restart, busy_timeout=2 * PATIENCE
    ) as core:
        app = core.app("support")
        plain = connect(core, app)
        reader = apsw.Connection(str(tmp_path / "own.db"), flags=apsw.SQLITE_OPEN_READONLY)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchall()
        seen.clear()
        with soon():
            for n in range(60):
                await take(core, plain, said(f"m{n}", text="x" * 20_000))
        reader.close()
    attempts = sum(pages > 300 for pages in seen)
    assert 1 <= attempts <= 5
    assert max(seen) < 350
