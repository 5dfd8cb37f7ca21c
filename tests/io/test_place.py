"""Where the file is: absolute from the start, noticed when it is gone, refused when it is none.

Knows: folders, odd paths, memory. Does not know: what is in the file.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import apsw
import pytest
from attrs import evolve

from outeract_core import Attachment, Content, Outeract
from outeract_core._io.disk.marks import Marks
from outeract_core._store.engine.wal import EMPTY, Standing
from outeract_core.errors import BadInput, NotOurFile, StoreBroken
from tests.support.bots import talk
from tests.support.patience import soon
from tests.support.store.platform import connect, said, take

pytestmark = pytest.mark.anyio


async def test_a_program_may_change_its_folder(tmp_path: Path, monkeypatch: Any) -> None:
    """Files, backups and new readers go where the file was opened, whatever the folder is now."""
    first, other = tmp_path / "first", tmp_path / "other"
    first.mkdir(), other.mkdir()
    monkeypatch.chdir(first)
    async with Outeract("bot.db") as core:
        app = core.app("a")
        app.connect("console")
        monkeypatch.chdir(other)
        await app.send(("console", "x"), Content(text="f", files=[Attachment(b"abc", "x.txt")]))
        await core.backup("copy.db")
        await app.export("out.jsonl")
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(core.runtime.database.traverse, lambda _tx: None)
        assert core.path == str(first / "bot.db")
    assert list(other.iterdir()) == []
    assert {"bot.db", "bot.db.files", "copy.db", "copy.db.files", "out.jsonl"} <= _names(first)


async def test_a_file_to_send_is_the_one_that_was_named(tmp_path: Path, monkeypatch: Any) -> None:
    """A relative path means what `open` would have read when it was given: outside of a handler, in a
    turn whose files are read when it ends, and for a file that is only kept.
    """
    first, other = tmp_path / "first", tmp_path / "other"
    for folder in (first, other):
        folder.mkdir()
        (folder / "x.txt").write_text(folder.name)
    bot = talk(tmp_path / "bot.db")
    async with bot.core:

        @bot.app.on("message.inbound")
        async def answer(message: Any) -> None:
            await message.reply(Content("f", files=[Attachment("x.txt")]))  # type: ignore[arg-type]
            os.chdir(other)

        monkeypatch.chdir(first)
        attachment = Attachment(Path("x.txt"))
        await bot.says("hello")
        await bot.core.pump()
        assert Path.cwd() == other
        sent = await bot.app.send(("console", "x"), Content("f", files=[attachment]))
        kept = await bot.app.files.add("x.txt")
        (reply, *_) = await bot.events("message.outbound")
        texts = [
            await bot.app.files.read((await bot.app.files.of(event))[0])
            for event in (reply.id, sent.id)
        ]
        assert texts == [b"first", b"first"]
        assert await bot.app.files.read(kept) == b"other"
        assert kept.filename == "x.txt"
        with pytest.raises(BadInput, match="kept already"):
            await bot.app.files.add(kept)  # type: ignore[arg-type]
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    with pytest.raises(BadInput, match="no working directory"):
        Attachment(Path("x.txt"))


async def test_a_secret_s_file_is_looked_for_where_the_program_began(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """`file:token` means the same file after the program has changed its folder."""
    (tmp_path / "token").write_text("s3cret")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    async with Outeract("bot.db") as core:
        monkeypatch.chdir("other")
        assert core.runtime.secrets.follow("file:token") == "s3cret"


async def test_the_home_folder_is_meant(tmp_path: Path, monkeypatch: Any) -> None:
    """`~/bot.db` is no folder called `~`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    async with Outeract("~/bot.db") as core:
        assert core.path == str(tmp_path / "bot.db")
    assert (tmp_path / "bot.db").exists()


@pytest.mark.parametrize("path", ["", "a\0b", b"\xff.db", "\ud800.db", 3, None], ids=repr)
def test_what_is_no_path(path: Any) -> None:
    """It is said what is wrong, before anything is made."""
    with pytest.raises(BadInput):
        Outeract(path)


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "short", "long"])
def test_what_is_no_file_of_ours(tmp_path: Path, kind: str) -> None:
    """A pipe does not hang, and what is there stays as it is."""
    path = tmp_path / "x"
    text = b"some notes" if kind == "short" else b"some notes " * 500
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "device":
        path.write_bytes(text)
    with pytest.raises(NotOurFile):
        Outeract("/dev/null" if kind == "device" else path)
    if kind in ("short", "long"):
        assert path.read_bytes() == text


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed there")
@pytest.mark.parametrize("what", ["removed", "moved", "replaced", "log removed", "cut", "emptied"])
async def test_a_file_that_is_gone_acknowledges_nothing(tmp_path: Path, what: str) -> None:
    """The next delivery is answered with 503, a write raises StoreBroken, and serving ends with it."""
    path = tmp_path / "bot.db"
    bot = talk(path)
    async with bot.core:
        await bot.says("kept")
        await bot.core.backup(tmp_path / "copy.db")
        await bot.says("kept, too")
        _do(path, what, tmp_path / "copy.db")
        body = b'{"user": "ann", "text": "lost?", "n": 9}'
        where = bot.connection
        answer = await bot.core.ingest(where.webhook_id, where.webhook_secret, body=body)
        assert answer.status == 503
        with pytest.raises(StoreBroken, match=r"removed, moved, replaced or written over"):
            await bot.app.emit("order.created", {})
        with soon(), pytest.raises(StoreBroken, match="removed, moved"):
            await bot.core.serve()


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be removed there")
async def test_serving_ends_when_the_file_goes_although_nothing_comes_in(tmp_path: Path) -> None:
    """One exception with what to do, no group."""
    bot = talk(tmp_path / "bot.db")
    async with bot.core, anyio.create_task_group() as group:
        group.start_soon(_unlinked, tmp_path / "bot.db")
        with soon(), pytest.raises(StoreBroken, match="start again"):
            await bot.core.serve()


async def _unlinked(path: Path) -> None:
    await anyio.lowlevel.checkpoint()
    path.unlink()


def _do(path: Path, what: str, copy: Path) -> None:
    if what == "removed":
        path.unlink()
    elif what == "moved":
        path.rename(path.with_name("elsewhere.db"))
    elif what in ("cut", "emptied"):
        os.truncate(path, path.stat().st_size // 4096 * 2048 if what == "cut" else 0)
    elif what == "replaced":
        shutil.move(copy, path)
    else:
        Path(f"{path}-wal").unlink()


async def test_memory_holds_everything_and_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    """`:memory:` receives, answers, searches, keeps bytes, makes a backup; then all of it is gone."""
    monkeypatch.chdir(tmp_path)
    async with Outeract(":memory:") as core:
        app = core.app("support")
        connection = connect(core, app)
        app.on("message.inbound", name="echo")(lambda message: f"re: {message.text}")
        await take(core, connection, said("m1", text="hello world"))
        sent = await app.send((connection, "x"), Content(files=[Attachment(b"abc", "x.txt")]))
        done = await core.pump()
        assert (done.handled, done.sent, done.troubles) == (1, 2, ())
        assert (await sent.state()).status == "sent"
        assert len((await app.search("hello")).nodes) == 2
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(app.emit, "order.created", {"n": number})
                group.start_soon(core.runtime.database.traverse, _count)
        await core.backup("copy.db")
        folder = core.runtime.folder.root
        assert folder.exists()
    assert not folder.exists()
    assert {each.name for each in tmp_path.iterdir()} == {"copy.db", "copy.db.files"}
    async with Outeract("copy.db") as copy:
        assert len((await copy.app("support").search("hello")).nodes) == 2


def _count(tx: Any) -> int:
    return len(tx.script("SELECT seq FROM event"))


async def test_two_memories_never_meet() -> None:
    """Each opening has its own."""
    async with Outeract(":memory:") as one, Outeract(":memory:") as other:
        one.app("a")
        other.app("b")
        assert one.runtime.database.read(_apps) == other.runtime.database.read(_apps) == 1


def _apps(tx: Any) -> int:
    return len(tx.script("SELECT id FROM application"))


class Ticking:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _watched(folder: Path, clock: Ticking) -> Marks:
    for end in ("", "-wal", "-shm"):
        (folder / f"a.db{end}").write_bytes(b"x")
    marks = Marks(str(folder / "a.db"), int, clock)
    assert marks.moved() is None
    return marks


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
@pytest.mark.parametrize("how", ["removed", "moved", "replaced", "its folder moved"])
@pytest.mark.parametrize("looks", [0, 1, 50])
def test_whatever_is_moved_is_noticed_at_the_next_look(
    tmp_path: Path, end: str, how: str, looks: int
) -> None:
    """However long nothing has happened, and the folder alone was looked at."""
    folder, clock = tmp_path / "here", Ticking()
    folder.mkdir()
    marks = _watched(folder, clock)
    for _ in range(looks):
        clock.now += 10.0
        assert marks.moved() is None
    name = folder / f"a.db{end}"
    if how == "removed":
        name.unlink()
    elif how == "moved":
        name.rename(folder / "away")
    elif how == "replaced":
        (folder / "new").write_bytes(b"y")
        (folder / "new").replace(name)
    else:
        folder.rename(tmp_path / "there")
    assert marks.moved() is not None


def test_a_file_that_was_cut_is_noticed(tmp_path: Path) -> None:
    """That it grows, or stays, is nothing, nor that the database has become shorter itself."""
    file, account = tmp_path / "bot.db", [8192]
    file.write_bytes(b"1" * 8192)
    marks = Marks(str(file), lambda: account[0])
    assert marks.moved() is None
    for size, told, found in (
        (12288, 12288, None), (12288, 20480, None), (8192, 8192, None), (4096, 8192, str(file)),
    ):  # fmt: skip
        file.write_bytes(b"2" * size)
        account[0] = told
        assert marks.moved() == found


def test_a_file_that_grows_between_a_look_and_what_it_says_was_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer looks; before it goes on, the checkpointer has written, and has looked too."""
    file = tmp_path / "bot.db"
    file.write_bytes(b"1" * 8192)
    marks = Marks(str(file), lambda: file.stat().st_size)
    assert marks.moved() is None
    stat, looks = os.stat, [1]

    def slow(name: Any, *args: Any, **more: Any) -> os.stat_result:
        found = stat(name, *args, **more)
        if looks and name == str(file):
            looks.clear()
            file.write_bytes(b"2" * 12288)
            assert marks.kept()
        return found

    monkeypatch.setattr(os, "stat", slow)
    assert marks.moved() is None
    assert marks.moved() is None


FAR = Standing(own=5, heads=10, schema=3, lineage=7)
OLDER = {
    "a commit of ours": evolve(FAR, own=4), "none of ours": evolve(FAR, own=0),
    "heads": evolve(FAR, heads=9), "schema": evolve(FAR, schema=2),
    "a backup": evolve(FAR, lineage=8), "a younger backup": evolve(FAR, own=9, heads=99, lineage=8),
    "nothing": EMPTY,
}  # fmt: skip


@pytest.mark.parametrize("older", OLDER)
def test_what_is_behind_is_noticed_and_stays_so(tmp_path: Path, older: str) -> None:
    """What is written into it afterwards makes it no better, and that one cannot tell is not held against it."""
    told: list[Standing | None] = [EMPTY]
    file, clock = tmp_path / "a.db", Ticking()
    file.write_bytes(b"x")
    marks = Marks(str(file), int, clock, lambda: told[0], sleep=_never, lineage=7)
    for standing in (EMPTY, None, FAR, None, FAR, evolve(FAR, own=6, heads=11, schema=4)):
        told[0] = standing
        _written(file)
        assert marks.moved() is None
    told[0] = FAR
    _written(file)
    marks = Marks(str(file), int, clock, lambda: told[0], sleep=_never, lineage=7)
    assert marks.moved() is None
    told[0] = OLDER[older]
    assert marks.moved() is None
    _written(file)
    assert not marks.kept()
    told[0] = evolve(FAR, own=99, heads=99)
    _written(file)
    assert marks.moved() == str(file)


def test_what_is_behind_in_the_midst_of_a_checkpoint_is_not_believed_at_once(
    tmp_path: Path,
) -> None:
    """A page of the table is new, another one is still old: a moment later both are."""
    told: list[Standing | None] = [FAR]
    file = tmp_path / "a.db"
    file.write_bytes(b"x")

    def later(_seconds: float) -> None:
        told[0] = FAR

    marks = Marks(str(file), int, Ticking(), lambda: told[0], sleep=later, lineage=7)
    assert marks.moved() is None
    told[0] = evolve(FAR, heads=1)
    _written(file)
    assert marks.moved() is None


def test_what_was_changed_twice_at_one_time_is_looked_into_again(tmp_path: Path) -> None:
    """A file's time is as coarse as its file system: a moment later it is looked into once more, and no more."""
    told: list[Standing | None] = [FAR]
    looks: list[int] = []

    def standing() -> Standing | None:
        looks.append(1)
        return told[0]

    file, clock = tmp_path / "a.db", Ticking()
    file.write_bytes(b"x")
    marks = Marks(str(file), int, clock, standing, sleep=_never, lineage=7)
    assert marks.moved() is None
    for _ in range(100):
        clock.now += 1.0
        assert marks.moved() is None
    assert len(looks) == 3
    _written(file)
    assert marks.moved() is None
    told[0] = EMPTY
    clock.now += 0.1
    assert marks.moved() == str(file)


def _never(_seconds: float) -> None:
    """No time passes."""


def _written(file: Path) -> None:
    """It was written to, and its time shows it."""
    before = file.stat().st_mtime_ns
    os.utime(file, ns=(before, before + 1_000_000))


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be written over there")
@pytest.mark.parametrize("moved", [False, True], ids=["all in the log", "moved into the file"])
@pytest.mark.parametrize(
    "what", ["its backup", "an equal backup", "its past", "another", "no database"]
)
async def test_what_is_written_over_the_file_is_noticed(
    tmp_path: Path, what: str, moved: bool
) -> None:
    """`cp` of whatever is as long or longer: before the next delivery is acknowledged."""
    path, past = tmp_path / "bot.db", tmp_path / "past.db"
    async with talk(path).core:
        pass
    shutil.copy(path, past)
    async with talk(path).core as before:
        await before.app("support").emit("order.created", {})
        await before.backup(tmp_path / "before.db")
    bot = talk(path)
    async with bot.core:
        await bot.says("x" * 9000)
        if moved:
            await bot.core.runtime.database.truncate_log()
        if what == "its backup":
            await bot.core.backup(tmp_path / "copy.db")
        await bot.says("kept, too")
        async with talk(tmp_path / "other.db").core as other:
            for _ in range(20):
                await other.app("support").emit("order.created", {"text": "y" * 9000})
        over = {
            "its backup": "copy.db",
            "an equal backup": "before.db",
            "its past": "past.db",
            "another": "other.db",
        }
        new = (tmp_path / over[what]).read_bytes() if what in over else b"no database" * 9000
        with path.open("r+b") as file:
            file.write(new)
        _written(path)
        where = bot.connection
        body = b'{"user": "ann", "text": "lost?", "n": 9}'
        answer = await bot.core.ingest(where.webhook_id, where.webhook_secret, body=body)
        assert answer.status == 503
        with pytest.raises(StoreBroken, match="written over"):
            await bot.app.emit("order.created", {})


@pytest.mark.parametrize("moved", [False, True], ids=["all in the log", "moved into the file"])
async def test_what_other_programs_do_to_the_file_is_no_replacement(
    tmp_path: Path, moved: bool
) -> None:
    """Its time is set, it is copied, its log is moved into it, its tables are changed, it is made compact."""
    path = tmp_path / "bot.db"
    bot, twin = talk(path), talk(path)
    async with bot.core, twin.core:
        for round_ in range(5):
            await bot.says("x" * 5000)
            await twin.app.emit("order.created", {"n": round_})
            if moved:
                await (bot, twin)[round_ % 2].core.runtime.database.truncate_log()
            _written(path)
            await bot.core.backup(tmp_path / f"copy{round_}.db")
            with closing(apsw.Connection(str(path))) as other:
                other.set_busy_timeout(60_000)
                into = apsw.Connection(str(tmp_path / f"theirs{round_}.db"))
                with closing(into), into.backup("main", other, "main") as backup:
                    backup.step()
                other.execute("PRAGMA wal_checkpoint(PASSIVE)")
                other.execute(f"CREATE TABLE t{round_}(a); DROP TABLE t{round_}")
                if round_ == 2:
                    other.execute("VACUUM")
                other.execute("PRAGMA wal_checkpoint(PASSIVE)")
            for each in (bot, twin):
                await each.app.emit("order.created", {})
                each.core.runtime.database.verify()
    async with talk(tmp_path / "copy4.db").core as copy:
        await copy.app("support").emit("order.created", {})
        await copy.runtime.database.truncate_log()
        await copy.app("support").emit("order.created", {})
        copy.runtime.database.verify()


async def test_a_vacuum_by_another_program_is_no_replacement(tmp_path: Path) -> None:
    """Who gives the room of what was erased back to the disk need not stop the bot."""
    bot = talk(tmp_path / "bot.db")
    async with bot.core:
        for _ in range(3):
            await bot.says("x" * 3000)
        await bot.core.runtime.database.truncate_log()
        before = (tmp_path / "bot.db").stat().st_size
        with closing(apsw.Connection(str(tmp_path / "bot.db"))) as other:
            other.set_busy_timeout(60_000)
            other.execute("CREATE TABLE room(of); INSERT INTO room VALUES (zeroblob(500000))")
            _moved_into(other)
            await bot.says("it is larger now")
            other.execute("DROP TABLE room; VACUUM")
            _moved_into(other)
        await bot.says("and as small as before")
        bot.core.runtime.database.verify()
        assert (tmp_path / "bot.db").stat().st_size < before + 100_000


def _moved_into(db: apsw.Connection) -> None:
    """All of the log, as soon as nobody reads from it."""
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
        pass


def test_two_changes_of_one_moment_are_not_taken_for_one(tmp_path: Path) -> None:
    """A folder whose time is young says nothing: what comes next may have the same time."""
    clock = Ticking()
    marks = _watched(tmp_path, clock)
    seen = tmp_path.stat()
    (tmp_path / "new").write_bytes(b"y")
    (tmp_path / "new").replace(tmp_path / "a.db")
    os.utime(tmp_path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    clock.now += 1.0
    assert marks.moved() is not None


@pytest.mark.parametrize(
    ("second", "is_noticed"), [(1_700_000_000, True), (1_700_000_000.25, False)]
)
def test_where_times_are_whole_seconds_a_folder_is_young_for_longer(
    tmp_path: Path, second: float, is_noticed: bool
) -> None:
    """A second later the same time may stand for another change there; where parts of it are told it does not."""
    clock, time = Ticking(), (int(second * 1e9),) * 2
    marks = _watched(tmp_path, clock)
    os.utime(tmp_path, ns=time)
    for _ in range(2):
        assert marks.moved() is None
        clock.now += 1.0
    (tmp_path / "new").write_bytes(b"y")
    (tmp_path / "new").replace(tmp_path / "a.db-wal")
    os.utime(tmp_path, ns=time)
    assert (marks.moved() is not None) == is_noticed


def test_behind_a_link_every_file_is_looked_at(tmp_path: Path) -> None:
    """The folder of the link says nothing of the folder where the file is."""
    there, here, clock = tmp_path / "there", tmp_path / "here", Ticking()
    there.mkdir(), here.mkdir()
    (there / "a.db").write_bytes(b"x")
    (here / "a.db").symlink_to(there / "a.db")
    marks = Marks(str(here / "a.db"), int, clock)
    for _ in range(5):
        clock.now += 10.0
        assert marks.moved() is None
    (there / "a.db").unlink()
    assert marks.moved() is not None
