"""Files that earlier versions wrote: they open, answer the same, are whole, and move on.

Knows: what version 0.1.0 answered of its own file, as it noted it then.
Does not know: how a migration does it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import App, Outeract
from outeract_core._cli import main
from tests.support.older import OLDER

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A copy of the file, its bytes included."""
    shutil.copytree(OLDER / "0.1.0", tmp_path / "older")
    return tmp_path / "older" / "store.db"


@pytest.fixture
def answers() -> dict[str, Any]:
    """What the version that wrote it answered."""
    found: dict[str, Any] = json.loads((OLDER / "0.1.0" / "answers.json").read_text("utf-8"))
    return found


@pytest.fixture
async def app(file: Path) -> AsyncIterator[App]:
    """The application in it."""
    async with Outeract(file) as core:
        yield core.app("support", organisation="acme")


async def test_the_log_is_the_same(app: App, answers: dict[str, Any]) -> None:
    """Each event: its id, type, payload, status and time."""
    events = [one async for one in app.events.all()]
    told = [
        [str(one.id), one.event_type, one.payload, one.status, one.occurred_at.isoformat()]
        for one in events
    ]
    assert json.loads(json.dumps(told)) == answers["events"]


async def test_conversations_their_pages_and_people_are_the_same(
    app: App, answers: dict[str, Any]
) -> None:
    """With whom, how many, what was said there, and which person it is."""
    recent = (await app.conversations.recent(first=100)).nodes
    told = [[one.peer.external_id, one.inbound, one.outbound, one.unread] for one in recent]
    assert told == answers["conversations"]
    for one in recent:
        page = await (await app.conversations.of(one.peer)).page(first=100)
        said = [[str(event.id), event.text] for event in page.nodes]
        assert said == answers["pages"][one.peer.external_id]
        person = await app.people.user_of(one.peer)
        assert str(person.id) == answers["users"][one.peer.external_id]


async def test_a_walk_and_a_search_find_the_same(app: App, answers: dict[str, Any]) -> None:
    """What hangs together with the first message sent, and who said a word."""
    first = next(
        event for event in [one async for one in app.events.all()]
        if event.event_type == "message.outbound"
    )  # fmt: skip
    walk = await app.graph.walk(first, direction="both", depth=4)
    assert sorted(str(event.id) for event in walk.events) == answers["walk"]
    hits = (await app.search("whatsapp", first=100)).nodes
    assert sorted(str(hit.event.id) for hit in hits) == answers["search"]


async def test_it_moves_on(file: Path, tmp_path: Path, answers: dict[str, Any]) -> None:
    """It is exported, imported elsewhere, and there says the same."""
    async with Outeract(file) as core:
        await core.app("support", organisation="acme").export(tmp_path / "moved.ndjson")
    async with Outeract(tmp_path / "new.db") as core:
        there = await core.import_app(tmp_path / "moved.ndjson")
        told = [[str(one.id), one.payload] async for one in there.events.all()]
    assert told == [[event[0], event[2]] for event in answers["events"]]


def test_the_doctor_finds_it_whole(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every page and row is read, and the schema is the one that a new file has."""
    main(["doctor", str(file), "--deep", "--json"])
    told = json.loads(capsys.readouterr().out)["file"]
    assert (told["integrity"], told["strange"], told["projections"]) == ([], [], [])
