"""A codec in every door of content: a whole life is lived with it, and no word of it is on the disk.

Knows: what people do, and every way in which it is read again. Does not know: statements, doors.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core._domain.values.at_rest import COLUMNS
from outeract_core._io.disk.file_store import Folder
from outeract_core._store.engine.sqlite import Connection
from outeract_core.errors import FileError
from outeract_core.testing import FakePlatform, ManualClock, SequentialIds
from tests.support.life import Life, Person, lived
from tests.support.needles import contents
from tests.support.store.opening import raw
from tests.support.swapped import MARK, Swapped, as_it_was, suited
from tests.support.transfer import full, is_well, rows

pytestmark = pytest.mark.anyio

CLEAR = {
    "alias.value": "the names by which a platform and people find somebody: unique, looked up by SQL",
    "puser.ext": "the same: the platform's id of somebody",
    "puser.address": "the same: where they are reached",
    "event.dk": "the platform's id of a message, by which it is stored once",
    "receipt.ext": "the same, of what was sent",
    "waiting.ext": "the same, of what is not here yet",
    "send_key.key": "the host's own key of a message, by which it is sent once",
    "file.sha256": "the name of bytes is what they come to, so that they are there once",
    "kind.name": "types of events and edges, which filters compare",
}
"""Columns that SQL looks people and messages up by, and so compares: they lie on the disk as they are.
(Views and triggers that see content: `tests/house/test_at_rest.py`.)"""


@define
class World:
    """A life, and where it is kept."""

    life: Life
    ann: Person
    bob: Person
    path: Path

    def readable(self, *places: Path) -> set[str]:
        """Whose words can be read in any file there, and which."""
        found = contents(*places)
        return {
            f"{who}: {what}"
            for who in ("ann", "bob")
            for what in self.life.needles.found(who, found)
        }


@pytest.fixture
def swapped(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """From now on every file that is opened has a codec."""
    monkeypatch.setattr(Connection, "codec", Swapped())
    monkeypatch.setattr(Folder, "codec", Swapped())
    return monkeypatch


@asynccontextmanager
async def _lived(folder: Path, clock: ManualClock) -> AsyncIterator[World]:
    folder.mkdir()
    path = folder / "bot.db"
    Outeract(path).close()
    suited(path)
    with FakePlatform(clock=clock) as fake:
        async with Outeract(
            path, clock=clock, ids=SequentialIds(), allow_private_addresses=True,
            console=lambda _message: {},
        ) as core:  # fmt: skip
            app = core.app("support", link_code_auto_detect="enabled")
            life, ann, bob = await lived(core, app, fake, clock)
            yield World(life, ann, bob, path)


@pytest.fixture
async def world(
    tmp_path: Path, clock: ManualClock, swapped: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """The life of two people and the bot, with a codec."""
    async with _lived(tmp_path / "store", clock) as world:
        yield world


async def told(app: App) -> dict[str, Any]:
    """All that an application answers about its life, in every way in which it can be asked."""
    events = [event async for event in app.events.all(order="oldest")]
    found: dict[str, Any] = {"events": events}
    for event in events:
        found[f"files of {event.id}"] = [
            (file, await app.files.read(file) if file.status == "stored" else None)
            for file in await app.files.of(event)
        ]
        story = await app.explain(event)
        found[f"story of {event.id}"] = ([one.what for one in story.moments], story.pending)
    for name, where in FILTERS.items():
        found[name] = await app.events.count(where)
    summaries = list(await app.conversations.recent(first=100))
    for summary in summaries:
        view = await app.conversations.of(summary.peer)
        found[f"with {summary.peer.id}"] = [
            (one, one.message, one.text, one.now) async for one in view.all()
        ]
        found[f"model of {summary.peer.id}"] = await view.context()
        people = await view.participants()
        found[f"people of {summary.peer.id}"] = [
            (summary.peer, people, [await app.people.user_of(one) for one in people])
        ]
    found["deliveries"] = (await app.deliveries(), await app.delivery_counts())
    found["turns"] = (await app.turns(), await app.turn_counts())
    return found


FILTERS = {
    "all": None,
    "text": q.text_contains("INDEED"),
    "member": q.payload_path("message.text", "contains", "indeed"),
    "there": q.payload_path("message.username", "exists"),
    "failed": q.type_is("system.handler_failed") & q.payload_path("handler", "=", "faulty"),
}


async def test_no_word_of_a_life_is_on_the_disk(world: World, tmp_path: Path) -> None:
    """While it is lived, after, and in a backup: no payload, raw item, name or byte as it was."""
    assert world.readable(world.path.parent) == set()
    copies = tmp_path / "copies"
    copies.mkdir()
    await world.life.core.backup(copies / "copy.db")
    assert world.readable(copies) == set()
    world.life.core.close()
    assert world.readable(world.path.parent) == set()


async def test_every_column_of_content_was_swapped(world: World) -> None:
    """What is in a column with a door has the mark, or says that nothing is there any more."""
    seen = set()
    with raw(world.path) as db:
        for table, columns in COLUMNS.items():
            for column in columns:
                for (value,) in db.execute(
                    f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
                ):
                    text = value.decode("latin-1") if isinstance(value, bytes) else value
                    assert text.startswith(MARK), (table, column, text[:80])
                    seen.add((table, column))
    unused = {
        ("outbox", "parts"), ("outbox", "error"), ("profile", "error"), ("file", "error"),
        ("puser", "picture"), ("erasing", "payload"), ("erasing", "raw"),
    }  # fmt: skip
    lived_through = {(table, column) for table, columns in COLUMNS.items() for column in columns}
    assert lived_through - seen <= unused


async def test_what_lies_clear_is_named(world: World) -> None:
    """Who is found by a name is found by SQL: those columns are on the list, and only those."""
    ids = {who: world.life.needles.stems[f"{who}'s ids"].values() for who in ("ann", "bob")}
    stems = [stem for found in ids.values() for stem in found]
    with raw(world.path) as db:
        tables = [
            row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        clear = {
            f"{table}.{column}"
            for table in tables
            for column in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            for (value,) in db.execute(f"SELECT {column} FROM {table}")
            if any(stem in str(value) for stem in stems)
        }
    assert clear <= set(CLEAR)
    assert {"puser.ext", "puser.address"} <= clear


async def test_all_is_answered_as_without_a_codec(
    world: World, tmp_path: Path, swapped: pytest.MonkeyPatch
) -> None:
    """The same file with its content as it was, opened without a codec, answers the same to everything."""
    before = await told(world.life.app)
    await world.life.app.export(tmp_path / "swapped.jsonl")
    assert is_well(world.life.core)
    world.life.core.close()
    plain = _plain(world, tmp_path, swapped)
    async with Outeract(plain, clock=world.life.clock, allow_private_addresses=True) as core:
        app = core.app("support")
        after = await told(app)
        await app.export(tmp_path / "plain.jsonl")
    assert [name for name in FILTERS if not before[name]] == []
    assert before.keys() == after.keys()
    for name, answer in before.items():
        assert answer == after[name], name
    assert (tmp_path / "swapped.jsonl").read_bytes() == (tmp_path / "plain.jsonl").read_bytes()


def _plain(world: World, tmp_path: Path, swapped: pytest.MonkeyPatch) -> Path:
    """A copy of the store as it would be if there had been no codec; there is none from now on."""
    place = shutil.copytree(world.path.parent, tmp_path / "plain")
    as_it_was(place / "bot.db")
    swapped.setattr(Connection, "codec", None)
    swapped.setattr(Folder, "codec", None)
    return place / "bot.db"


async def test_an_import_passes_the_doors(
    world: World, tmp_path: Path, swapped: pytest.MonkeyPatch
) -> None:
    """What an export brings in lies swapped, and is row for row what an import without a codec writes."""
    await world.life.app.export(tmp_path / "all.jsonl")
    for name in ("swapped", "plain"):
        path = tmp_path / name / "bot.db"
        path.parent.mkdir()
        async with Outeract(path, clock=world.life.clock) as core:
            await core.import_app(tmp_path / "all.jsonl")
            assert is_well(core)
        if name == "swapped":
            assert world.readable(path.parent) == set()
            as_it_was(path)
            swapped.setattr(Connection, "codec", None)
            swapped.setattr(Folder, "codec", None)
    for table in [*COLUMNS, "entry", "conversation", "delivery"]:
        assert rows(tmp_path / "swapped" / "bot.db", table) == rows(path, table), table


async def test_an_erasure_finds_what_is_swapped(world: World) -> None:
    """Who is forgotten is found in what nobody can read, and nothing of theirs is left, nothing else gone."""
    telegram = world.life.conns["telegram"]
    ann = await world.life.app.people.by_external_id(telegram, str(world.ann.telegram))
    erased = await world.life.app.people.erase(ann)
    assert erased.events > 20
    assert erased.quotes > 0
    app, stems = world.life.app, world.life.needles.stems
    said = repr([(event.payload, event.raw) async for event in app.events.all()])
    assert [what for what, stem in stems["ann"].items() if stem in said] == []
    assert [what for what, stem in stems["bob"].items() if stem in said] != []


async def test_whatever_can_be_in_a_file_passes_the_doors(
    tmp_path: Path, clock: ManualClock, swapped: pytest.MonkeyPatch
) -> None:
    """Retention, merges, work that waits: every table is filled, and exported as it is without a codec."""
    Outeract(tmp_path / "bot.db").close()
    suited(tmp_path / "bot.db")
    async with Outeract(tmp_path / "bot.db", clock=clock) as core:
        await full(core, core.app("support"), clock)
        await core.app("support").export(tmp_path / "swapped.jsonl")
        assert is_well(core)
    as_it_was(tmp_path / "bot.db")
    swapped.setattr(Connection, "codec", None)
    swapped.setattr(Folder, "codec", None)
    async with Outeract(tmp_path / "bot.db", clock=clock) as core:
        await core.app("support").export(tmp_path / "plain.jsonl")
    assert (tmp_path / "swapped.jsonl").read_bytes() == (tmp_path / "plain.jsonl").read_bytes()


async def test_a_path_leads_to_nothing_that_could_be_read(world: World) -> None:
    """Bytes are read; where they lie in another form no path to them is handed out."""
    file = await world.life.app.files.add(b"some bytes", filename="a.txt")
    assert await world.life.app.files.read(file) == b"some bytes"
    with pytest.raises(FileError, match="another form"):
        await world.life.app.files.path(file)
