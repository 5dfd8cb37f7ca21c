"""The file itself refuses to change what has happened.

Knows: the triggers, by a connection that goes round the library. Does not know: why one would try.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from outeract_core import App, Outeract
from outeract_core.model import PlatformConnection
from tests.support.store.platform import connect, said, take


@pytest.fixture
def anyio_backend() -> str:
    """The file does not care for loops."""
    return "asyncio"


TOMBSTONE = '{"erased":true}'


@pytest.fixture
async def connection(core: Outeract, app: App) -> PlatformConnection:
    """Two applications, each with a conversation."""
    other = core.app("other")
    first = connect(core, app)
    await take(core, first, said("m1"), said("m2", reply_to="m1"))
    await take(core, connect(core, other, "others"), said("m1", "mallory"))
    return first


@pytest.fixture
def file(
    core: Outeract, connection: PlatformConnection, tmp_path: Path
) -> Iterator[apsw.Connection]:
    """The file, opened as the library opens it, without the library."""
    raw = apsw.Connection(str(tmp_path / "bot.db"))
    raw.set_busy_timeout(1000)
    raw.execute("PRAGMA recursive_triggers = ON")
    raw.execute("PRAGMA foreign_keys = ON")
    yield raw
    raw.close()


def _contents(file: apsw.Connection) -> list[object]:
    return [
        file.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()
        for table in ("event", "edge")
    ]


COLUMNS = ("seq", "id", "conn", "type", "occurred_at", "created_at", "dk", "payload", "raw")
ATTEMPTS = [
    *(f"UPDATE event SET {column} = {column}" for column in COLUMNS),
    "UPDATE event SET payload = '{}'",
    "UPDATE event SET payload = '{\"erased\":true}', raw = NULL",
    "UPDATE OR REPLACE event SET seq = (SELECT max(seq) FROM event)",
    "DELETE FROM event",
    "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
    "INSERT OR REPLACE INTO event SELECT seq, id, conn, type, 0, 0, dk, '{}', NULL FROM event",
    "REPLACE INTO event SELECT seq + 1000, id, conn, type, 0, 0, dk, '{}', NULL FROM event",
    "REPLACE INTO event SELECT seq + 1000, randomblob(16), conn, type, 0, 0, dk, '{}', NULL"
    " FROM event WHERE dk IS NOT NULL",
    "INSERT INTO event SELECT * FROM event WHERE true"
    " ON CONFLICT(seq) DO UPDATE SET payload = '{}'",
    *(f"UPDATE edge SET {column} = {column}" for column in ("dst", "type", "src", "at")),
    "UPDATE OR REPLACE edge SET src = (SELECT max(src) FROM edge)",
    "DELETE FROM edge",
    "DELETE FROM edge WHERE type = (SELECT id FROM kind WHERE name = 'sent_by')",
    "INSERT OR REPLACE INTO edge SELECT dst, type, src, 1 FROM edge",
    "INSERT INTO edge SELECT * FROM edge WHERE true"
    " ON CONFLICT(dst, type, src) DO UPDATE SET at = 1",
]  # fmt: skip


@pytest.mark.parametrize("sql", ATTEMPTS)
@pytest.mark.anyio
async def test_the_log_cannot_be_changed(file: apsw.Connection, sql: str) -> None:
    """Every way of changing or removing an event or an edge is refused, and nothing has changed."""
    before = _contents(file)
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute(sql)
    assert _contents(file) == before


@pytest.mark.anyio
async def test_the_log_can_be_added_to(file: apsw.Connection) -> None:
    """The triggers stop changes only: a new event and a new edge go in."""
    file.execute(
        "INSERT INTO event SELECT max(seq) + 1, randomblob(16), conn, type, 1, 1, 'new', '{}', NULL"
        " FROM event"
    )
    file.execute("INSERT INTO edge SELECT dst, type, src + 77, at FROM edge LIMIT 1")


@pytest.mark.anyio
async def test_the_library_opens_with_recursive_triggers(core: Outeract) -> None:
    """Without them REPLACE would delete rows unseen: the library's own connection has them on."""
    database = core.runtime.database
    assert database.write_now(lambda tx: tx.script("PRAGMA recursive_triggers")) == [(1,)]
    assert database.write_now(lambda tx: tx.script("PRAGMA foreign_keys")) == [(1,)]


# ── the one way in which content leaves ───────────────────────────────────────────────────────


def _event(file: apsw.Connection, kind: str = "message.inbound", app: int = 1) -> int:
    rows = file.execute(
        "SELECT e.seq FROM event e JOIN kind k ON k.id = e.type"
        " WHERE k.name = ? AND e.seq >> 40 = ? ORDER BY e.seq", (kind, app),
    ).fetchall()  # fmt: skip
    return int(str(rows[0][0]))


def _erased_event(
    file: apsw.Connection, app: int, key: int = 999, kind: str = "user.erased"
) -> int:
    file.execute(
        "INSERT INTO event SELECT (? << 40) + ?, randomblob(16), NULL, id, 1, 1, NULL, '{}', NULL"
        " FROM kind WHERE name = ?", (app, key, kind),
    )  # fmt: skip
    return (app << 40) + key


@pytest.mark.anyio
async def test_an_erasure_needs_its_event(file: apsw.Connection) -> None:
    """A row in `erasure` must name a later event of the same application that says so."""
    one, other = _event(file), _event(file, app=2)
    foreign, own = _erased_event(file, 2), _erased_event(file, 1)
    after = _erased_event(file, 1, 1000, "message.inbound")
    for event, by in ((one, 12345), (one, one), (one, foreign), (other, one), (after, own)):
        with pytest.raises(apsw.ConstraintError, match=r"user\.erased"):
            file.execute("INSERT INTO erasure(event, raw_only, by) VALUES (?, 0, ?)", (event, by))
    file.execute("INSERT INTO erasure(event, raw_only, by) VALUES (?, 0, ?)", (other, foreign))
    assert file.execute("SELECT event FROM erasure").fetchall() == [(other,)]


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{}', raw = NULL",
        "payload = '{\"erased\":true}', raw = 'x'",
        "payload = '{\"erased\":true}'",
        "raw = NULL",
        "payload = '{\"erased\":true}', raw = NULL, occurred_at = 0",
        "payload = '{\"erased\":true}', raw = NULL, created_at = 0",
        "payload = '{\"erased\":true}', raw = NULL, dk = NULL",
        "payload = '{\"erased\":true}', raw = NULL, dk = 'x'",
        "payload = '{\"erased\":true}', raw = NULL, conn = NULL",
        "payload = '{\"erased\":true}', raw = NULL, conn = conn + 1",
        "payload = '{\"erased\":true}', raw = NULL, type = type + 1",
        "payload = '{\"erased\":true}', raw = NULL, id = randomblob(16)",
        "payload = '{\"erased\":true}', raw = NULL, seq = seq + 1000",
    ],
)
@pytest.mark.anyio
async def test_an_erasure_may_only_leave_the_tombstone(file: apsw.Connection, change: str) -> None:
    """Even an event named by an erasure changes to the tombstone only, and in nothing else."""
    event = _event(file)
    file.execute("INSERT INTO erasure VALUES (?, 0, ?)", (event, _erased_event(file, 1)))
    before = _contents(file)
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute(f"UPDATE event SET {change} WHERE seq = ?", (event,))
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute("DELETE FROM event WHERE seq = ?", (event,))
    assert _contents(file) == before


RAW = "INSERT INTO erasure VALUES (?, 1, ?)"


@pytest.mark.anyio
async def test_retention_may_drop_the_raw_item_alone(file: apsw.Connection) -> None:
    """Named so by `system.retention_applied`, an event loses its raw item and nothing else."""
    event = _event(file)
    person = _erased_event(file, 1, 998)
    rule = _erased_event(file, 1, kind="system.retention_applied")
    with pytest.raises(apsw.ConstraintError, match=r"user\.erased"):
        file.execute(RAW, (event, person))
    file.execute(RAW, (event, rule))
    before = _contents(file)
    for change in (
        "payload = '{}', raw = NULL", "payload = ?, raw = NULL", "raw = '{}'", "payload = payload",
        "raw = NULL, dk = NULL", "raw = NULL, seq = seq + 1000", "raw = NULL, created_at = 0",
    ):  # fmt: skip
        bound = (TOMBSTONE, event) if "?" in change else (event,)
        with pytest.raises(apsw.ConstraintError, match="immutable"):
            file.execute(f"UPDATE event SET {change} WHERE seq = ?", bound)
    assert _contents(file) == before
    (payload,) = file.execute("SELECT payload FROM event WHERE seq = ?", (event,)).fetchall()
    file.execute("UPDATE event SET raw = NULL WHERE seq = ?", (event,))
    rows = file.execute("SELECT payload, raw FROM event WHERE seq = ?", (event,)).fetchall()
    assert rows == [(*payload, None)]
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute("UPDATE event SET raw = NULL WHERE seq = ?", (event,))


MARKED = "INSERT INTO erasure VALUES (?, 2, ?)"


@pytest.mark.parametrize(
    "change",
    [
        "payload = '{}'",
        "raw = '{}'",
        "payload = json_set(payload, '$.type', 'other')",
        "payload = json_set(payload, '$.more', 1)",
        "payload = json_remove(payload, '$.type')",
        "raw = json_set(raw, '$.id', 'other')",
        "payload = '{\"erased\":true}', raw = NULL",
        "payload = payload",
        "raw = '[erased]'",
        "payload = json_set(payload, '$.type', '[erased]'), dk = 1",
    ],
)
@pytest.mark.anyio
async def test_a_value_that_changes_says_so(file: apsw.Connection, change: str) -> None:
    """An event out of which values may be taken loses no other, gets none, and nothing else changes."""
    event = _event(file)
    file.execute(MARKED, (event, _erased_event(file, 1)))
    before = _contents(file)
    with pytest.raises(apsw.Error):
        file.execute(f"UPDATE event SET {change} WHERE seq = ?", (event,))
    assert _contents(file) == before
    file.execute(
        "UPDATE event SET payload = json_set(payload, '$.message.text', '[erased]'), raw = NULL"
        " WHERE seq = ?", (event,),
    )  # fmt: skip


@pytest.mark.anyio
async def test_a_rule_of_retention_takes_no_single_values(file: apsw.Connection) -> None:
    """Only the erasure of a person may."""
    rule = _erased_event(file, 1, kind="system.retention_applied")
    with pytest.raises(apsw.ConstraintError, match=r"user\.erased"):
        file.execute(MARKED, (_event(file), rule))


@pytest.mark.parametrize("kind", ["user.erased", "system.retention_applied"])
@pytest.mark.anyio
async def test_the_record_of_an_erasure_cannot_be_erased(file: apsw.Connection, kind: str) -> None:
    """What says that content has gone stays readable, whoever would erase it."""
    record, by = _erased_event(file, 1, 998, kind), _erased_event(file, 1)
    with pytest.raises(apsw.ConstraintError, match="stays readable"):
        file.execute("INSERT INTO erasure VALUES (?, 0, ?)", (record, by))
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute("UPDATE event SET payload = ?, raw = NULL WHERE seq = ?", (TOMBSTONE, record))


@pytest.mark.anyio
async def test_an_erasure_touches_what_it_names(file: apsw.Connection) -> None:
    """The named event becomes the tombstone; its neighbour, not named, stays refused."""
    event = _event(file)
    file.execute("INSERT INTO erasure VALUES (?, 0, ?)", (event, _erased_event(file, 1)))
    change = "UPDATE event SET payload = ?, raw = NULL WHERE seq "
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute(change + "<> ?", (TOMBSTONE, event))
    file.execute(change + "= ?", (TOMBSTONE, event))
    rows = file.execute("SELECT payload, raw FROM event WHERE seq = ?", (event,)).fetchall()
    assert rows == [(TOMBSTONE, None)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM erasure",
        "UPDATE erasure SET event = event + 1",
        "UPDATE erasure SET raw_only = 1",
        "INSERT OR REPLACE INTO erasure SELECT event, raw_only, by FROM erasure",
    ],
)
@pytest.mark.anyio
async def test_an_erasure_is_itself_final(file: apsw.Connection, sql: str) -> None:
    """What was erased by what cannot be rewritten."""
    file.execute("INSERT INTO erasure VALUES (?, 0, ?)", (_event(file), _erased_event(file, 1)))
    with pytest.raises(apsw.ConstraintError, match="immutable"):
        file.execute(sql)
