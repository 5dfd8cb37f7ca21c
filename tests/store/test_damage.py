"""Damage reads as StoreCorrupt: whatever column of whatever table holds what cannot be decoded.

Each column of each table is damaged in turn, in every row, and every public read is tried. A new column,
or one that is decoded anew, falls into this table by itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import anyio
import apsw
import attrs
import pytest

from outeract_core import App, Outeract
from outeract_core.errors import OuteractError, StoreCorrupt
from outeract_core.query import type_is
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.store.platform import Plain
from tests.support.transfer import full

_NOT_ROWS = ("search_data", "search_idx", "search_content", "search_docsize", "search_config")
DAMAGE: dict[str, tuple[str, ...]] = {
    "TEXT": ("'{no json'", "CAST(x'ff' AS TEXT)"),
    "BLOB": ("x'00'",),
    "INTEGER": ("4611686018427387904",),
    "ANY": ("x'00'",),
}
"""By the type of a column, what is put there."""
TOLD = {
    ("event", "payload"), ("event", "raw"), ("event", "id"), ("event", "occurred_at"),
    ("event", "created_at"), ("event", "type"), ("event", "conn"), ("puser", "uid"),
    ("puser", "kind"), ("puser", "created_at"), ("puser", "conn"), ("person", "uid"),
    ("person", "created_at"), ("file", "uid"), ("file", "status"), ("file", "created_at"),
    ("connection", "uid"), ("connection", "config"), ("connection", "created_at"),
    ("application", "uid"), ("application", "config"), ("application", "created_at"),
    ("organisation", "uid"), ("organisation", "created_at"), ("retention", "uid"),
    ("retention", "keep"), ("retention", "created_at"), ("delivery", "status"),
    ("delivery", "sent_at"), ("event_schema", "json_schema"), ("event_schema", "created_at"),
    ("edge", "at"), ("processed", "at"), ("raw_delivery", "headers"), ("raw_delivery", "query"),
    ("raw_delivery", "received_at"), ("delivery", "parts"), ("receipt", "part"), ("receipt", "status"),
    ("part", "status"),
}  # fmt: skip
"""Columns that are decoded: their damage must be told, not only be no other error."""


@cache
def sound() -> tuple[Path, tuple[tuple[str, str, str], ...]]:
    """A file that holds a row of everything, and its columns."""
    path = Path(mkdtemp()) / "sound.db"

    async def fill() -> None:
        clock = ManualClock()
        async with Outeract(path, clock=clock, ids=SequentialIds()) as core:
            await full(core, core.app("support"), clock)

    anyio.run(fill)
    db = apsw.Connection(str(path))
    names = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"
    ).fetchall()
    columns = tuple(
        (table, row[1], row[2])
        for (table,) in names
        for row in db.execute(f"PRAGMA table_info({table})")
        if not (
            row[5] and row[2] == "INTEGER"
        )  # another number is another row, which may be anywhere
        if db.execute(f"SELECT count(*) FROM {table} WHERE {row[1]} IS NOT NULL").fetchone()[0]
    )
    db.close()
    return path, columns


def damaged(folder: Path, table: str, column: str, what: str) -> Path:
    """A copy of it in which this column holds that, in every row in which SQLite lets it."""
    copy = folder / "copy.db"
    shutil.copy(sound()[0], copy)
    db = apsw.Connection(str(copy))
    triggers = db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        db.execute(f"DROP TRIGGER {name}")
    where = f"WHERE {column} IS NOT NULL"
    db.execute(f"UPDATE OR IGNORE {table} SET {column} = {what} {where}")
    db.close()
    return copy


# ── every public read ─────────────────────────────────────────────────────────────────────────


def touched(value: Any, depth: int = 3) -> None:
    """Look at everything that a value tells: what is decoded lazily is decoded now."""
    if depth and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            touched(one, depth)
    elif depth and attrs.has(type(value)):
        repr(value)
        for name in dir(type(value)):
            if not name.startswith("_") and not callable(getattr(type(value), name)):
                touched(getattr(value, name), depth - 1)


Read = Callable[[Outeract, App], Awaitable[Any]]


async def every(items: Any) -> list[Any]:
    """All that an async iterator gives."""
    return [item async for item in items]


async def _each_event(core: Outeract, app: App, read: Callable[[Any], Awaitable[Any]]) -> list[Any]:
    """Of each type one."""
    page = await app.events.page(first=100)
    kinds = {event.event_type: event.id for event in page.nodes}
    return [await read(event) for event in kinds.values()]


async def _each_peer(core: Outeract, app: App, read: Callable[[Any], Awaitable[Any]]) -> list[Any]:
    page = await app.conversations.recent()
    return [await read(one.peer) for one in page.nodes[:2]]


READS: dict[str, Read] = {
    "connections": lambda core, app: _soon(app.connections),
    "events.page": lambda core, app: app.events.page(first=100),
    "events.all": lambda core, app: every(app.events.all()),
    "events.get": lambda core, app: _each_event(core, app, app.events.get),
    "events.count": lambda core, app: app.events.count(),
    "recent": lambda core, app: app.conversations.recent(),
    "conversation": lambda core, app: _each_peer(core, app, lambda peer: _conversation(app, peer)),
    "explain": lambda core, app: _each_event(core, app, app.explain),
    "walk": lambda core, app: _each_event(core, app, app.graph.walk),
    "neighbours": lambda core, app: _each_event(core, app, app.graph.neighbours),
    "people": lambda core, app: _each_peer(core, app, lambda peer: _people(app, peer)),
    "files": lambda core, app: _each_event(core, app, app.files.of),
    "deliveries": lambda core, app: app.deliveries(),
    "delivery_counts": lambda core, app: app.delivery_counts(),
    "delivery": lambda core, app: _sent(app),
    "search": lambda core, app: app.search("hello"),
    "retention": lambda core, app: app.retention.rules(),
    "emit": lambda core, app: app.emit("order.created", {"n": 2}),
    "check": lambda core, app: core.check(),
    "replay": lambda core, app: core.replay(),
    "pump": lambda core, app: core.pump(),
}


async def _sent(app: App) -> list[Any]:
    events = await every(app.events.all(type_is("message.outbound")))
    return [await app.delivery(event).state() for event in events[:3]]


async def _soon(call: Callable[[], Any]) -> Any:
    return call()


async def _conversation(app: App, peer: Any) -> list[Any]:
    talk = await app.conversations.of(peer)
    return [await talk.page(), await talk.context(), await talk.analytics()]


async def _people(app: App, peer: Any) -> list[Any]:
    user = await app.people.user(peer)
    return [user, await app.people.platform_users(user), await app.people.user_of(peer)]


async def tried(path: Path) -> Iterator[BaseException]:
    """What opening and reading a file raises, each read by itself."""
    found: list[BaseException] = []
    try:
        core = Outeract(path, clock=ManualClock(), ids=SequentialIds())
    except Exception as error:
        return iter([error])
    try:
        core.register("plain", Plain)
        app = core.app("support")
        for read in READS.values():
            try:
                touched(await read(core, app))
            except Exception as error:
                found.append(error)
    except Exception as error:
        found.append(error)
    finally:
        await core.aclose()
    return iter(found)


def test_the_sound_file_is_read_without_complaint() -> None:
    """Otherwise the table below would prove nothing; and it holds a row for each column that is told."""
    assert {(table, column) for table, column, _kind in sound()[1]} >= TOLD
    for error in anyio.run(tried, sound()[0]):
        assert isinstance(error, OuteractError), repr(error)
        assert not isinstance(error, StoreCorrupt), repr(error)


@pytest.mark.parametrize("part", range(8))
def test_damage_is_told_as_such(tmp_path: Path, part: int) -> None:
    """Nothing but our errors is raised; of what is decoded, StoreCorrupt with table and remedy."""
    cases = [
        (table, column, what)
        for table, column, kind in sound()[1]
        for what in DAMAGE[kind]
        if table not in _NOT_ROWS
    ]
    wrong = []
    for table, column, what in cases[part::8]:
        errors = list(anyio.run(tried, damaged(tmp_path, table, column, what)))
        strange = [error for error in errors if not isinstance(error, OuteractError)]
        wrong += [f"{table}.{column} = {what}: {error!r}" for error in strange[:1]]
        told = [error for error in errors if isinstance(error, StoreCorrupt)]
        if (table, column) in TOLD and not told:
            wrong.append(f"{table}.{column} = {what}: nothing was told")
        wrong += [f"{error}: no remedy" for error in told if "backup" not in str(error)]
    assert wrong == []
