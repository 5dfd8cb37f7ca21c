"""The schema as another program leaves it: what it added, changed or took away is told, and calls nothing."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import apsw
import pytest

from outeract_core import App, Outeract
from outeract_core._cli import main
from outeract_core._store.engine import schema
from outeract_core.errors import StoreError
from outeract_core.model import PlatformConnection
from tests.support.store.opening import raw
from tests.support.store.platform import said, take

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
LOG = "CREATE TABLE stolen(word)"
CHANGES = {
    "a trigger that is not the library's: 'spy'":
        f"{LOG}; CREATE TRIGGER spy AFTER INSERT ON event BEGIN INSERT INTO stolen VALUES (NEW.payload); END",
    "a table that is not the library's: 'stolen'": LOG,
    "a view that is not the library's: 'peep'": "CREATE VIEW peep AS SELECT payload FROM event",
    "a index that is not the library's: 'fast'": "CREATE INDEX fast ON event(created_at)",
    "the trigger event_no_delete was taken away": "DROP TRIGGER event_no_delete",
    "the view search_text was changed":
        "DROP VIEW search_text; CREATE VIEW search_text(event, type, conn, text) AS SELECT 1, 2, 3, 4",
}  # fmt: skip


@pytest.mark.parametrize("told", CHANGES)
async def test_doctor_tells_what_another_program_did_to_the_schema(
    core: Outeract, app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str], told: str
) -> None:
    """A foreign trigger, table, view or index, and one of ours that is gone or another, is a problem."""
    await app.search("words")
    assert core.runtime.database.read(schema.strange) == []
    core.close()
    with raw(tmp_path / "bot.db") as db:
        db.execute(CHANGES[told])
    assert await anyio.to_thread.run_sync(main, ["doctor", str(tmp_path / "bot.db")]) == 1
    assert told in capsys.readouterr().out


async def test_a_foreign_trigger_cannot_call_what_the_program_has(
    core: Outeract, app: App, plain: PlatformConnection, tmp_path: Path
) -> None:
    """`trusted_schema` is off: functions of the program are not to be had from inside the file."""
    with raw(tmp_path / "bot.db") as db:
        db.create_scalar_function("casefold", lambda text: text, 1, deterministic=True)
        db.execute("CREATE TRIGGER spy AFTER INSERT ON person BEGIN SELECT casefold(NEW.name); END")
    assert core.runtime.database.read(lambda tx: tx.script("PRAGMA trusted_schema")) == [(0,)]
    with pytest.raises((StoreError, apsw.Error)):
        await core.runtime.write(
            lambda tx: tx.script(
                "INSERT INTO person(id, uid, name, created_at) VALUES (1, x'00', 'x', 0)"
            )
        )


@pytest.mark.parametrize("name", ["/etc/passwd", "", "A" * 64, "a" * 63, "a" * 65])
async def test_the_file_itself_refuses_what_is_no_digest(
    core: Outeract, app: App, tmp_path: Path, name: str
) -> None:
    """Not even another program can write a path where a digest belongs."""
    file = await app.files.add(b"data")
    with raw(tmp_path / "bot.db") as db, pytest.raises(apsw.ConstraintError, match="SHA-256"):
        db.execute("UPDATE file SET sha256 = ? WHERE uid = ?", (name, file.id.bytes))


async def test_doctor_tells_what_other_accounts_may_read(
    core: Outeract, app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rights that an older version has left are told, with the command that mends them."""
    core.close()
    (tmp_path / "bot.db").chmod(0o644)
    assert await anyio.to_thread.run_sync(main, ["doctor", str(tmp_path / "bot.db")]) == 1
    assert "can be read by other accounts: chmod go=" in capsys.readouterr().out


async def test_a_digest_that_a_platform_announces_is_one_or_none(
    core: Outeract, app: App, plain: PlatformConnection
) -> None:
    """In capitals it is the same; what is none is not kept as a name of bytes."""
    from outeract_core.events import FileRef

    for n, told in enumerate(("A" * 64, "/etc/passwd", "q" * 43 + "=", None)):
        ref = FileRef({"id": "f"}, "f.txt", "text/plain", 1, told)
        await take(core, plain, said(f"m{n}", files=(ref,)))
    found = core.runtime.database.read(lambda tx: tx.script("SELECT sha256 FROM file ORDER BY id"))
    assert found == [("a" * 64,), (None,), (None,), (None,)]


_FILE = "INSERT INTO file(id, uid, status, size, attempt, created_at) VALUES "
UNEXPECTED = [
    "INSERT INTO kind(name) VALUES ('Order Created')",
    "INSERT INTO kind(name) VALUES ('')",
    "INSERT INTO kind(name) VALUES ('a/b')",
    f"INSERT INTO kind(name) VALUES ('{'a' * 1001}')",
    f"{_FILE} (1, x'00', 'stored', 1, 0, 0)",
    f"{_FILE} (1, zeroblob(16), 'stored', -1, 0, 0)",
    f"{_FILE} (1, zeroblob(16), 'elsewhere', 1, 0, 0)",
    f"{_FILE} (1, zeroblob(16), 'pending', 1, -1, 0)",
    "UPDATE file SET size = -1",
    "UPDATE file SET status = '/etc/passwd'",
    "INSERT INTO kind(name) VALUES (x'00')",
    f"{_FILE} (1, zeroblob(16), 'stored', 'much', 0, 0)",
]


@pytest.mark.parametrize("sql", UNEXPECTED)
async def test_the_file_itself_refuses_what_no_reader_expects(
    core: Outeract, tmp_path: Path, sql: str
) -> None:
    """Types that are no names, files without an id, with sizes and statuses that are none: by any program."""
    with raw(tmp_path / "bot.db") as db:
        db.execute(f"{_FILE} (7, zeroblob(16), 'pending', NULL, 0, 0)")
        db.execute("INSERT INTO kind(name) VALUES ('order.created')")
        db.execute("UPDATE file SET size = 0, status = 'stored'")
        with pytest.raises(apsw.ConstraintError):
            db.execute(sql)
