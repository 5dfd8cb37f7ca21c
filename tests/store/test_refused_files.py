"""Files that cannot or must not be opened: each reason is a class of its own and says what to do.

Knows: versions, foreign files, rights, migrations. Does not know: what is in the tables.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.engine import migrations, opening
from outeract_core.errors import (
    NewerSchema,
    NotOurFile,
    OldSQLite,
    OuteractError,
    ReadOnlyStore,
    StoreBusy,
    StoreError,
)
from tests.support.patience import BRIEFLY
from tests.support.store.opening import names, opened, put, raw
from tests.support.store.vfs import disk

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "bot.db"


def _refused(path: Path, error: type[StoreError], match: str) -> StoreError:
    """Open it, through the façade and through the door; both say the same."""
    with pytest.raises(error, match=match):
        Outeract(path)
    with pytest.raises(error, match=match) as caught, opened(path):
        pass
    assert str(path) in str(caught.value) or error is OldSQLite
    return caught.value


# ── SQLite itself ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["3.51.2", "3.9.99", "3.50.4", "2.99.99"])
def test_an_old_sqlite_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """An SQLite that can corrupt a shared file is refused with the way out; no file is made."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    _refused(path, OldSQLite, "pip install -U 'apsw")
    assert not path.exists()


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "3.100.0", "4.0"])
def test_a_newer_sqlite_is_welcome(version: str) -> None:
    """Versions compare as numbers, not as text."""
    opening.check_sqlite(version)


# ── foreign files ─────────────────────────────────────────────────────────────────────────────


def _text(path: Path) -> None:
    path.write_text("Dear diary, this is no database.\n" * 100)


def _almost(path: Path) -> None:
    path.write_bytes(b"SQLite format 3")


def _one_byte(path: Path) -> None:
    path.write_bytes(b"S")


def _damaged(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)


def _folder(path: Path) -> None:
    path.mkdir()


def _foreign_tables(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("CREATE TABLE invoices(id INTEGER PRIMARY KEY)")


def _foreign_id(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("PRAGMA application_id = 252006673")


def _foreign_version(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize(
    "make",
    [_text, _almost, _one_byte, _damaged, _folder, _foreign_tables, _foreign_id, _foreign_version],
)
def test_what_is_not_ours_is_refused_untouched(path: Path, make: Callable[[Path], None]) -> None:
    """Another program's file, a text, a folder: NotOurFile, and not one byte of it is changed."""
    make(path)
    before = None if path.is_dir() else path.read_bytes()
    _refused(path, NotOurFile, "give another path|damaged|give the path of a file")
    assert (None if path.is_dir() else path.read_bytes()) == before


def test_an_empty_file_is_taken(path: Path) -> None:
    """A file of no bytes (as `mktemp` makes it) becomes a store."""
    path.touch()
    with opened(path) as database:
        database.write_now(put("n"))
        assert database.read(names) == {"n"}


def test_a_newer_file_is_refused_untouched(path: Path) -> None:
    """A file of a later library is NewerSchema, with the command that helps; it is not changed."""
    with opened(path) as database:
        database.write_now(put("n"))
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    _refused(path, NewerSchema, r"schema 99, .*upgrade with pip install -U outeract-core")
    assert path.read_bytes() == before


# ── rights ────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _unprivileged() -> Iterator[Path]:
    """A folder, and this process without the rights of root while it is looked at."""
    migrations.scripts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder
        folder.chmod(0o700)


@contextmanager
def _nobody() -> Iterator[None]:
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such rights here")
@pytest.mark.parametrize("new", [True, False])
def test_a_folder_without_write_rights_is_read_only(new: bool) -> None:
    """Where no file can be made, with or without one there: ReadOnlyStore, naming folder or rights."""
    with _unprivileged() as folder:
        path = folder / "bot.db"
        if not new:
            with opened(path):
                pass
            path.chmod(0o444)
        folder.chmod(0o555)
        with _nobody():
            _refused(path, ReadOnlyStore, "folder|rights")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no such rights here")
def test_a_file_without_read_rights_is_said_to_be_so() -> None:
    """A file that may not even be read is ReadOnlyStore too, not somebody else's file."""
    with _unprivileged() as folder:
        path = folder / "bot.db"
        with opened(path):
            pass
        path.chmod(0o000)
        folder.chmod(0o555)
        with _nobody():
            _refused(path, ReadOnlyStore, "rights")


def test_a_file_that_the_system_opens_for_reading_only(path: Path) -> None:
    """When SQLite falls back to reading, the store says so at once instead of at the first write."""
    with opened(path):
        pass
    with disk() as failing:
        failing.read_only = True
        with pytest.raises(ReadOnlyStore, match="folder"), opened(path, vfs=failing.name):
            pass


def test_a_missing_folder_is_named(path: Path) -> None:
    """A path in a folder that does not exist is refused with the hint at the folder."""
    _refused(path.parent / "nowhere" / "bot.db", ReadOnlyStore, "its folder exists")


# ── another writer ────────────────────────────────────────────────────────────────────────────


def test_a_lock_held_too_long_is_busy_and_passes(path: Path) -> None:
    """Past the busy timeout a write is StoreBusy (try again), leaves nothing, and works later."""
    with opened(path, busy_timeout=BRIEFLY) as database, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="try again") as caught:
            database.write_now(put("blocked"))
        assert caught.value.again
        assert database.read(names) == set()
        other.execute("ROLLBACK")
        database.write_now(put("free"))
        assert database.read(names) == {"free"}


def test_opening_a_file_that_is_locked_is_busy(path: Path) -> None:
    """A file whose lock is held while it is opened is busy, not broken."""
    with opened(path):
        pass
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy), opened(path, busy_timeout=BRIEFLY):
            pass


# ── migrations ────────────────────────────────────────────────────────────────────────────────


def test_the_first_opening_makes_the_file_ours(path: Path) -> None:
    """A new file carries our id, its schema version and a dated record of each migration."""
    with opened(path):
        pass
    with raw(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchall() == [(0x4F757465,)]
        newest = len(migrations.scripts())
        assert connection.execute("PRAGMA user_version").fetchall() == [(newest,)]
        rows = connection.execute("SELECT number, at > 0 FROM migration").fetchall()
        assert rows == [(n, 1) for n in range(1, newest + 1)]


def test_a_second_opening_changes_nothing(path: Path) -> None:
    """Opening and closing a file of this version again leaves every byte as it was."""
    with opened(path) as database:
        database.write_now(put("n"))
    before = path.read_bytes()
    for _ in range(2):
        with opened(path) as database:
            assert database.read(names) == {"n"}
    assert path.read_bytes() == before


BAD = "CREATE TABLE half(id INTEGER); INSERT INTO nowhere VALUES (1)"
GOOD = "CREATE TABLE whole(id INTEGER)"


def _with(monkeypatch: pytest.MonkeyPatch, *scripts: str) -> None:
    """The library as it will be when these migrations have been added."""
    whole = (*_SHIPPED, *scripts)
    monkeypatch.setattr(migrations, "scripts", lambda: whole)


_SHIPPED = migrations.scripts()


def test_a_first_migration_that_fails_leaves_an_empty_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When making the file fails, it has no table and no version, and opens as new later."""
    with monkeypatch.context() as patch:
        _with(patch, BAD)
        _refused(path, StoreError, "nowhere")
    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchall() == [(0,)]
        assert connection.execute("PRAGMA user_version").fetchall() == [(0,)]
        assert connection.execute("PRAGMA application_id").fetchall() == [(0,)]
    with opened(path) as database:
        database.write_now(put("n"))


def test_an_upgrade_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two new migrations the second fails: neither has left a trace, the old library reads on."""
    with opened(path) as database:
        database.write_now(put("n"))
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        _with(patch, GOOD, BAD)
        _refused(path, StoreError, "nowhere")
    assert path.read_bytes() == before
    with opened(path) as database:
        assert database.read(names) == {"n"}


def test_an_upgrade_keeps_what_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new migration runs once on an old file; the old library then refuses the file."""
    with opened(path) as database:
        database.write_now(put("n"))
    with monkeypatch.context() as patch:
        _with(patch, GOOD)
        for _ in range(2):
            with opened(path) as database:
                assert database.read(names) == {"n"}
                assert database.read(lambda tx: tx.script("SELECT * FROM whole")) == []
    _refused(path, NewerSchema, "upgrade")


def test_every_refusal_is_one_of_the_librarys_errors() -> None:
    """All of them are OuteractErrors, so that a host can catch them by their root."""
    for error in (OldSQLite, NewerSchema, NotOurFile, ReadOnlyStore, StoreBusy):
        assert issubclass(error, StoreError)
        assert issubclass(error, OuteractError)
    assert apsw.Error not in StoreError.__mro__
