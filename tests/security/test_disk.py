"""The disk as an attacker finds it: other accounts of the machine, planted links, changed bytes."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outeract_core import App, Outeract
from outeract_core._domain.values.digests import Digest
from outeract_core._io.disk import private
from outeract_core._io.disk.file_store import Folder
from outeract_core.content import Attachment, Content
from outeract_core.errors import BadInput, ChecksumMismatch, FileError, NotOurFile
from outeract_core.model import PlatformConnection
from tests.support.store.platform import connect, said, take

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has rights of another kind"),
]
DATA = b"what nobody else should read"
NO_DIGESTS = [
    "/etc/passwd", "../../../etc/passwd", "", ".", "..", "a" * 63, "a" * 65, "A" * 64, "g" * 64,
    "a" * 63 + "\n", "a" * 62 + "/x", "a" * 64 + "\0", "١" * 64, None, 7, b"a" * 64, ["a" * 64],
]  # fmt: skip


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """A program's umask, from "all may read" to "nobody may do anything"."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def rights(path: Path) -> str:
    """The rights of a file or folder, in octal."""
    return oct(stat.S_IMODE(path.lstat().st_mode))


async def test_everything_on_the_disk_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    """Database, log, files, folders, locks, exports and backups are 0600 and 0700 whatever the umask."""
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o755)
    async with Outeract(place / "bot.db") as core:
        app = core.app("support")
        plain = connect(core, app)
        await app.files.add(DATA)
        await take(core, plain, said("m1"))
        await core.pump()
        await app.export(place / "a.ndjson")
        await app.export(place / "a.ndjson.gz")
        await core.backup(place / "copy.db")
        async with Outeract(place / "other.db") as other:
            await other.import_app(place / "a.ndjson")
            found = list(place.rglob("*"))
            names = {path.name for path in found}
            assert {"bot.db", "bot.db-wal", "bot.db-shm", "copy.db", "other.db"} <= names
            for path in found:
                assert rights(path) == ("0o700" if path.is_dir() else "0o600"), path


@pytest.mark.parametrize("name", NO_DIGESTS, ids=repr)
async def test_the_folder_refuses_what_is_no_digest(tmp_path: Path, name: object) -> None:
    """Whatever reaches the folder as a name and is no SHA-256 opens, moves and deletes nothing."""
    folder = Folder(str(tmp_path / "bot.db"))
    stored = folder.keep(DATA)
    before = sorted(tmp_path.rglob("*"))
    for act in (folder.path, folder.read, folder.open, folder.verified, folder.drop):
        with pytest.raises(FileError, match="no SHA-256"):
            act(name)  # type: ignore[arg-type]
    assert sorted(tmp_path.rglob("*")) == before
    assert folder.read(stored.sha256) == DATA


async def test_a_row_that_names_a_host_file_reads_sends_and_deletes_nothing(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """Even when the database itself says that a file's bytes are at a path, they are not read from there."""
    secret = tmp_path / "host.txt"
    secret.write_bytes(DATA)
    sent = await app.send((plain, "ann"), Content("see", files=(Attachment(b"x", "x.txt"),)))
    (file,) = await app.files.of(sent.id)
    changed = {"sha": str(secret), "uid": file.id.bytes}
    await core.runtime.write(lambda tx: tx.script("DROP TRIGGER IF EXISTS file_digest_change"))
    await core.runtime.write(
        lambda tx: tx.dynamic("UPDATE file SET sha256 = :sha WHERE uid = :uid", changed)
    )
    for act in (app.files.read, app.files.path):
        with pytest.raises(FileError, match="no SHA-256"):
            await act(file)
    await core.pump()
    assert (await sent.state()).status == "failed"
    assert secret.read_bytes() == DATA


async def test_bytes_are_compared_with_their_digest_when_they_are_read(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """Changed bytes are told, never given out: not to the host, a platform, an export or a backup."""
    file = await app.files.add(DATA)
    path = await app.files.path(file)
    sent = await app.send((plain, "ann"), Content("see", files=(Attachment(DATA, "x.txt"),)))
    path.write_bytes(DATA.replace(b"nobody", b"anyone"))
    for act in (app.files.read, app.files.path):
        with pytest.raises(ChecksumMismatch, match="bring it back from a backup"):
            await act(file)
    assert (await app.export(tmp_path / "a.ndjson")).missing == 1
    assert (await core.backup(tmp_path / "copy.db")).missing == 1
    await core.pump()
    assert (await sent.state()).status in ("failed", "sent")  # the test platform reads no bytes
    again = await app.files.add(DATA)
    assert await app.files.read(again) == await app.files.read(file) == DATA


async def test_what_was_verified_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    """Same size, same time of change: still noticed, since the system's own mark cannot be set back."""
    folder = Folder(str(tmp_path / "bot.db"))
    digest = folder.keep(DATA).sha256
    path = folder.verified(digest)
    times = path.stat()
    path.write_bytes(DATA[::-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ChecksumMismatch):
        folder.verified(digest)


async def test_a_link_in_place_of_bytes_is_not_followed(app: App, tmp_path: Path) -> None:
    """A link to a host file, in place of the bytes or of their folder, gives out nothing."""
    (tmp_path / "host").mkdir()
    file = await app.files.add(DATA)
    path = await app.files.path(file)
    path.rename(tmp_path / "host" / path.name)
    path.symlink_to(tmp_path / "host" / path.name)
    with pytest.raises(FileError, match="link"):
        await app.files.read(file)
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path / "host", target_is_directory=True)
    with pytest.raises(FileError, match="link"):
        await app.files.read(file)
    with pytest.raises(FileError, match="link"):
        await app.files.add(DATA)


async def test_a_pipe_in_place_of_bytes_does_not_hang(app: App) -> None:
    """What is no plain file is refused at once, also what would wait for somebody to write."""
    file = await app.files.add(DATA)
    path = await app.files.path(file)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileError, match="no plain file"):
        await app.files.read(file)


async def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    """A link under the name of a new file leads nowhere: what it points to stays as it is."""
    host = tmp_path / "host.txt"
    host.write_bytes(DATA)
    (tmp_path / "new").symlink_to(host)
    (tmp_path / "dangling").symlink_to(tmp_path / "not there")
    for name in ("new", "dangling"):
        with pytest.raises(FileExistsError):
            private.created(tmp_path / name)
    with pytest.raises(NotOurFile, match="leads to nothing"):
        Outeract(tmp_path / "dangling")
    assert host.read_bytes() == DATA
    assert not (tmp_path / "not there").exists()


async def test_an_export_replaces_a_link_and_not_what_it_points_to(
    app: App, tmp_path: Path
) -> None:
    """An export that is told to write to a link makes a file there; the target is untouched."""
    host = tmp_path / "host.txt"
    host.write_bytes(DATA)
    (tmp_path / "a.ndjson").symlink_to(host)
    await app.export(tmp_path / "a.ndjson")
    assert host.read_bytes() == DATA
    assert not (tmp_path / "a.ndjson").is_symlink()


async def test_names_of_unfinished_files_cannot_be_foreseen(tmp_path: Path) -> None:
    """Two unfinished files never have the same name, which is long enough not to be guessed."""
    folder = Folder(str(tmp_path / "bot.db"))
    for name in (folder.part, lambda: private.beside(tmp_path / "a.ndjson")):
        one, other = name(), name()
        assert one != other
        assert len(one.name.rpartition("-")[2]) == 16


async def test_a_backup_does_not_follow_a_link(core: Outeract, app: App, tmp_path: Path) -> None:
    """Bytes that were replaced by a link are missing from a backup, copied or linked."""
    file = await app.files.add(DATA)
    path = await app.files.path(file)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert (await core.backup(tmp_path / "one.db")).missing == 1
    assert (await core.backup(tmp_path / "two.db", files="link")).missing == 1


async def test_a_digest_is_what_it_says() -> None:
    """The type is made of a digest and of nothing else; text that is one stays text."""
    text = hashlib.sha256(DATA).hexdigest()
    assert Digest(text) == text
    for name in NO_DIGESTS:
        with pytest.raises(FileError):
            Digest(name)
    assert not issubclass(FileError, BadInput)
