"""A whole life on every platform, one person erased, and every byte looked through for what was theirs.

Knows: where a store and its copies keep bytes. Does not know: how anything is kept or erased.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from outeract_core import Outeract
from outeract_core.testing import FakePlatform, ManualClock, SequentialIds
from tests.support.life import Life, Person, lived
from tests.support.needles import contents

pytestmark = pytest.mark.anyio
KEPT = {"event.dk", "receipt.ext", "waiting.ext", "send_key.key"}
"""Columns with ids of messages, which an erasure leaves: a platform may have put a person's id into them."""


@define
class Log(logging.Handler):
    """Every record as it would be written, tracebacks too."""

    lines: list[str]

    def __attrs_pre_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))

    __hash__ = logging.Handler.__hash__


@define
class World:
    """A life, where it is kept, and what was logged of it."""

    life: Life
    ann: Person
    bob: Person
    folder: Path
    log: list[str]

    def found(self, owner: str, *more: Path) -> set[str]:
        """What of theirs stands in the store, or in its copies."""
        return self.life.needles.found(owner, contents(self.folder, *more))

    def stems(self, owner: str) -> set[str]:
        """All that is theirs."""
        return set(self.life.needles.stems[owner])

    async def erase(self) -> Any:
        """Ann is erased."""
        telegram = self.life.conns["telegram"]
        ann = await self.life.app.people.by_external_id(telegram, str(self.ann.telegram))
        return await self.life.app.people.erase(ann)


@pytest.fixture
def log() -> Iterator[list[str]]:
    """The root logger at DEBUG."""
    handler, root = Log([]), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock, log: list[str]) -> AsyncIterator[World]:
    """The life of two people and the bot, searched once."""
    folder = tmp_path / "store"
    folder.mkdir()
    with FakePlatform(clock=clock) as fake:
        async with Outeract(
            folder / "bot.db", clock=clock, ids=SequentialIds(), allow_private_addresses=True,
            transcribe=lambda path, _type: path.read_bytes().decode()[9:40], console=lambda _m: {},
        ) as core:  # fmt: skip
            app = core.app("support", transcription="enabled", link_code_auto_detect="enabled")
            life, ann, bob = await lived(core, app, fake, clock)
            await app.search("indeed")
            yield World(life, ann, bob, folder, log)


async def test_the_life_is_all_there(world: World) -> None:
    """What is looked for below has been there: else nothing found would prove nothing."""
    for who in ("ann", "bob"):
        assert world.stems(who) - world.found(who) == {"forged"}
        assert world.found(f"{who}'s ids") == world.stems(f"{who}'s ids")


async def test_nothing_of_the_erased_is_anywhere(world: World, tmp_path: Path) -> None:
    """Database, its log, index, files, a fresh export and a backup: no word, name or file of theirs."""
    await world.erase()
    copies = tmp_path / "copies"
    copies.mkdir()
    await world.life.app.export(copies / "all.jsonl.gz")
    await world.life.core.backup(copies / "copy.db")
    assert world.found("ann", copies) == set()
    world.life.core.close()
    assert world.found("ann", copies) == set()


async def test_no_id_of_the_erased_is_in_a_row(world: World) -> None:
    """Nor an id or username of theirs, but for the ids of messages, by which they stay known."""
    await world.erase()
    assert world.life.needles.found("ann's ids", _rows(world.life.core)) == set()


async def test_all_of_the_others_is_still_there(world: World) -> None:
    """An erasure takes no word, name, file or id of anybody else's."""
    before, ids = world.found("bob"), world.found("bob's ids")
    await world.erase()
    assert world.found("bob") == before
    assert world.found("bob's ids") == ids


async def test_no_secret_is_anywhere(world: World, tmp_path: Path) -> None:
    """No token, signing secret or link code: on disk, in copies, in any line of the log at DEBUG."""
    copies = tmp_path / "copies"
    copies.mkdir()
    await world.life.app.export(copies / "all.jsonl.gz")
    await world.life.core.backup(copies / "copy.db")
    logged = [line.encode() for line in world.log]
    for owner in ("secrets", "handed", "codes"):
        assert world.found(owner, copies) == set(), owner
        assert world.life.needles.found(owner, logged) == set(), owner


async def test_no_word_is_in_a_log(world: World) -> None:
    """At DEBUG too, nothing that people wrote; but a handler that quotes them in what it raises is
    told as it raised it.
    """
    await world.erase()
    logged = [line.encode() for line in world.log if "cannot bear" not in line]
    assert len(logged) > 100
    assert world.life.needles.found("ann", logged) == set()


def _rows(core: Outeract) -> list[bytes]:
    """Every value of every table, but for the ids of messages."""

    def read(tx: Any) -> list[bytes]:
        found = []
        tables = tx.script("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for (table,) in tables:
            columns = [row[1] for row in tx.script(f"PRAGMA table_info({table})")]
            wanted = [one for one in columns if f"{table}.{one}" not in KEPT]
            rows = tx.script(f"SELECT {', '.join(wanted)} FROM {table}")
            found += [b"\n".join(map(_bytes, row)) for row in rows]
        return found

    return core.runtime.database.read(read)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
