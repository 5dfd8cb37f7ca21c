"""An application in which everything has happened that a file can hold, and ways to compare two files.

Knows: what leaves a row in each table. Does not know: how an export looks.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from outeract_core import Alias, App, Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.transfer import rebuild
from outeract_core._store.transfer.tables import LEFT_OUT, TABLES
from outeract_core._store.writing import delivery, enrolment, handlers
from outeract_core.content import Attachment, Content
from outeract_core.errors import BadChecksum
from outeract_core.events import Fact, FileRef, Party, Unparsed
from outeract_core.model import PlatformConnection
from outeract_core.testing import ManualClock
from tests.support.store.opening import raw
from tests.support.store.platform import Plain, connect, external_name, said, status, take

SPACED = '{\r\n  "spaced" : [ 1.0, 1e2, "\\u00e9\u2028" ]\n}'.encode()
"""JSON that would not be the same if it were read and written again."""
PICTURE = hashlib.sha256(b"a picture").digest() * 30_000


async def full(core: Outeract, app: App, clock: ManualClock) -> PlatformConnection:
    """Fill every table that belongs to an application; its first connection."""
    plain = connect(core, app)
    connect(core, app, "second")
    await app.event_schema("order.created", {"type": "object"}, description="an order")
    await _retention(core, app, plain, clock)
    await _people(core, app, plain, clock)
    await _messages(core, app, plain, clock)
    await _work(core, app, plain, clock)
    return plain


async def _retention(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Rules, what they have dropped, and what they passed by because it is still to be sent."""
    await take(core, plain, said("old", "ann", "an old message"))
    await app.send((plain, "ann"), "much later", not_before=clock() + timedelta(days=1000))
    clock.advance(31 * 86_400)
    await app.retention.keep("message.*", timedelta(days=30), connection_of=plain)
    await app.retention.keep("*", timedelta(days=3000), raw_only=True)
    await app.retention.apply()


async def _people(core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock) -> None:
    """Merges, codes used and refused, an edge between users, an alias, an erasure."""
    named = Party("ann", aliases=(Alias("username", "annie"),))
    await take(core, plain, said("hi ann", named))
    await take(core, plain, *(said(f"hi {who}", who) for who in ("bob", "carol", "dan")))
    ann, bob, carol, dan = [
        await app.people.by_external_id(plain, who) for who in ("ann", "bob", "carol", "dan")
    ]
    await app.people.merge(bob, ann)
    await app.people.activate_link_code(await app.people.link_code(carol), dan)
    with pytest.raises(BadChecksum):
        await app.people.activate_link_code("1234-5678-9012-3456", ann)
    users = [await app.people.user_of(puser) for puser in (ann, carol)]
    await app.edge(users[0], "friend_of", users[1])
    clock.advance(60)
    await take(core, plain, said("from eve", "eve", "a secret of eve"))
    await app.people.erase(await app.people.by_external_id(plain, "eve"))


async def _messages(
    core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock
) -> None:
    """Answers before their messages, groups, statuses, texts of every kind, what is not understood."""
    picture = FileRef({"id": "p1"}, "p.png", "image/png", 100)
    await take(core, plain, said("late", "ann", reply_to="not here yet", files=(picture,)))
    await take(core, plain, said("g1", "ann", group="friends"), said("g2", "bob", group="friends"))
    await take(core, plain, said("not here yet", "dan"), said("w", "dan", thread="never comes"))
    sent = await app.send((plain, "ann"), "hello", key="once")
    await core.pump()
    await take(core, plain, status("read", external_name(f"{sent.id.hex}.0")))
    odd = Fact("message.edited", "e1", {"text": "é\U0001f600"}, raw=SPACED, target="late")
    await take(core, plain, odd)
    await app.mark_read(await app.events.by_external_id(plain, "late"))
    await app.emit("order.created", {"n": 1, "text": "line\u2028separator\x7f\x85"})
    await take(core, plain, Unparsed({"odd": "thing"}, "not understood"))
    clock.advance(60)


async def _work(core: Outeract, app: App, plain: PlatformConnection, clock: ManualClock) -> None:
    """Messages with files that wait, a code that waits, what handlers have left behind."""
    await app.files.add(b"", filename="empty")
    later = clock() + timedelta(days=1000)
    files = (Attachment(PICTURE, "p.png", "image/png"),)
    waits = await app.send((plain, "carol"), Content("see", files=files), not_before=later)
    await app.people.link_code(await app.people.by_external_id(plain, "carol"))
    key = (await app.events.get(waits.id)).position

    def unit(tx: Connection) -> None:
        handlers.advance(tx, app.key, key - 1)
        enrolment.enrol(tx, app.key, enrolment.Enrolment("greet", key - 2, 3, older=True))
        handlers.done(tx, handlers.Through("greet", {key: frozenset({"greet"})}))
        handlers.failed(tx, key, "other", 2, tx.now + 1000, "it failed", "ValueError")
        handlers.park(
            tx,
            app.key,
            key,
            "third",
            "failed",
            {"attempts": 5, "traceback": "it failed"},
            "ValueError",
        )
        delivery.part_ended(tx, key, 0, 1, "unknown")

    await core.runtime.database.write(unit)


def confirm(core: Outeract, app: App) -> App:
    """Let the connections of an imported application be used, as they are."""
    core.register("plain", Plain)
    for connection in app.connections():
        assert connection.status == "disabled"
        app.enable(connection)
    return app


def rows(path: Path, table: str) -> list[Any]:
    """A table as it stands, without what belongs to processes and to the file; types of events and edges by name."""
    with raw(path) as db:
        db.set_busy_timeout(5000)
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        kept = [
            f"(SELECT name FROM kind WHERE id = t.{c})"
            if c == "type" and table in ("event", "edge", "waiting")
            else f"t.{c}"
            for c in columns
            if c not in LEFT_OUT.get(table, ())
        ]
        whose = " WHERE owner > 0" if table == "counter" else ""
        return sorted(db.execute(f"SELECT {', '.join(kept)} FROM {table} t{whose}"), key=repr)


def everything(path: Path) -> dict[str, list[Any]]:
    """All tables that are an application's own, for a file that has one application."""
    names = [*TABLES, "event", "edge", "entry"]
    found = {name: rows(path, name) for name in names}
    with raw(path) as db:
        found["counter"] = db.execute("SELECT * FROM counter WHERE owner > 0").fetchall()
        found["application"] = db.execute("SELECT * FROM application").fetchall()
        found["organisation"] = db.execute("SELECT * FROM organisation").fetchall()
    return found


def is_well(core: Outeract) -> bool:
    """SQLite finds nothing wrong, and the projection is that of the log."""
    database = core.runtime.database
    faults: list[Any] = database.read(rebuild.check)
    faults += [
        r for r in database.read(lambda tx: tx.script("PRAGMA integrity_check")) if r != ("ok",)
    ]
    faults += database.read(lambda tx: tx.script("PRAGMA foreign_key_check"))
    assert faults == []
    return True


def tables_of(path: Path) -> set[str]:
    """Every table of a file, virtual ones and their shadows included."""
    with raw(path) as db:
        return {
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("sqlite_")
        }


def columns_of(path: Path, table: str) -> tuple[str, ...]:
    """The columns of a table, in order."""
    with raw(path) as db:
        return tuple(row[1] for row in db.execute(f"PRAGMA table_info({table})"))


def resealed(lines: list[bytes]) -> bytes:
    """The lines of an export with its checksums made anew, as somebody would who has changed them."""
    digest = hashlib.sha256()
    lines = list(lines)
    for n, line in enumerate(lines):
        if line.startswith((b'{"check":', b'{"end":')):
            ((name, facts),) = json.loads(line).items()
            facts |= {"lines": n, "sha256": digest.hexdigest()}
            lines[n] = json.dumps({name: facts}, separators=(",", ":")).encode() + b"\n"
        digest.update(lines[n])
    return b"".join(lines)


def exported_whole(folder: Path) -> bytes:
    """The export of an application in which everything has happened, made in this folder."""

    async def make() -> None:
        clock = ManualClock()
        async with Outeract(folder / "a.db", clock=clock, durability="normal") as core:
            app = core.app("support")
            await full(core, app, clock)
            await app.export(folder / "a.ndjson")

    anyio.run(make)
    return (folder / "a.ndjson").read_bytes()
