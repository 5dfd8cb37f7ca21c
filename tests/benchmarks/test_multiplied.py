"""A large world is one that the library could have written: each message once more is a message like the first."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import apsw
import pytest

from benchmarks.ground import world
from benchmarks.measure import Options
from outeract_core import Outeract
from outeract_core._store.transfer import rebuild

SIZE, TIMES = 200, 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    """Two hundred messages, said three times."""
    folder = tmp_path_factory.mktemp("multiplied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "WEBHOOKS", SIZE)
        return world.ready(Options(SIZE * TIMES, 1, folder, folder, peers=False))


def test_the_projection_follows_from_the_log(made: world.World) -> None:
    """Conversations, their counts and entries are those that the events and edges give."""

    async def look() -> None:
        async with Outeract(made.path, search=None) as core:
            assert core.runtime.database.read(rebuild.check) == []
            of = await core.app("bench").people.platform_user(made.ids["largest"])
            talk = await core.app("bench").conversations.of(of)
            page = await talk.page(first=1, total=True)
            assert page.total_count == made.counts["largest"] > SIZE * TIMES / 20

    anyio.run(look)


def test_every_message_is_one_of_its_own(made: world.World) -> None:
    """Keys, ids, numbers and times: none is there twice, and all parts of a message say the same."""
    db = apsw.Connection(str(made.path), apsw.SQLITE_OPEN_READONLY)
    rows = db.execute(
        "SELECT seq, id, dk, occurred_at, created_at, payload, raw FROM event WHERE conn IS NOT NULL ORDER BY seq"
    ).fetchall()
    assert len(rows) == SIZE * TIMES
    assert len({row[1] for row in rows}) == len(rows)
    for place, (_seq, uid, dk, occurred, created, payload, raw) in enumerate(rows, 1):
        number, chat = map(int, dk.split(":"))
        update, said = json.loads(raw), json.loads(payload)
        message = update["message"]
        assert update["update_id"] == message["message_id"] == number
        assert message["chat"]["id"] == message["from"]["id"] == chat
        assert occurred == message["date"] * 1000
        assert said["external_message_id"] == dk
        assert said["message"]["text"] == message["text"]
        assert int.from_bytes(uid[:6], "big") == created
        assert (number - 1) // SIZE == (place - 1) // SIZE
    assert sorted(int(row[2].split(":")[0]) for row in rows) == list(range(1, len(rows) + 1))
    db.close()


def test_what_comes_next_gets_the_next_key(made: world.World, tmp_path: Path) -> None:
    """The file goes on as any other: a new message has a key behind all others, and is sound."""
    copy = world.copied(made, tmp_path)

    async def go_on() -> None:
        async with Outeract(copy, search=None) as core:
            app = core.app("bench")
            last = (await app.events.page(first=1)).nodes[0].position
            await app.emit("bench.step", {})
            assert (await app.events.page(first=1)).nodes[0].position > last
            assert core.runtime.database.read(rebuild.check) == []

    anyio.run(go_on)
