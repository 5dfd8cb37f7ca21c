"""What was kept of the past is read again by today's parser; what it understands better is an event."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from outeract_adapters.slack import Slack
from outeract_core import App, Outeract
from outeract_core._store.transfer import rereading
from outeract_core.adapter import Inbound, Manifest, Settings
from outeract_core.errors import BadInput, NotFound
from outeract_core.events import Fact, FileRef, Party, Unparsed, message
from outeract_core.model import PlatformConnection
from outeract_core.query import type_is
from outeract_core.testing import ManualClock, sign_slack
from outeract_core.text import Document, to_plain

pytestmark = [pytest.mark.anyio, pytest.mark.either_loop]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Owl:
    """A platform whose parser learns: at first it reads the first line only."""

    manifest: ClassVar[Manifest] = Manifest(platform="owl", text_limit=100)
    version: ClassVar[int] = 1

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def verify(self, inbound: Inbound) -> None:
        """Owls sign nothing."""

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        """Letters and their corrections."""
        for letter in inbound.json()["letters"]:
            yield self.fact({"letters": [letter]}, letter)

    def fact(self, raw: Any, letter: Any) -> Fact:
        """One letter."""
        if self.version > 8:
            raise ValueError("this version reads nothing")
        said = letter["text"] if self.version > 1 else letter["text"].split("\n")[0]
        files = [FileRef({"id": letter["file"]})] if self.version > 1 and "file" in letter else []
        about, kind = (
            letter.get("about"),
            "message.edited" if "about" in letter else "message.inbound",
        )
        return Fact(
            kind, letter["id"], message("owl", about or letter["id"], "text", said), raw=raw,
            occurred_at=NOW + timedelta(seconds=letter["at"]), sender=Party(letter["from"]),
            target=about, files=files,
        )  # fmt: skip

    def render(self, document: Document) -> str:
        """Plain."""
        return to_plain(document)

    def send(self, outgoing: Any) -> Any:
        """Owls only come."""
        raise NotImplementedError


@pytest.fixture(autouse=True)
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with the first version."""
    monkeypatch.setattr(Owl, "version", 1)


@pytest.fixture
async def core(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Outeract]:
    """A file with owls."""
    async with Outeract(tmp_path / "owl.db", clock=clock) as opened:
        opened.register("owl", Owl)
        yield opened


@pytest.fixture
def owls(core: Outeract) -> PlatformConnection:
    """A connection to them."""
    return core.app("support").connect("owl")


def letter(id: str, text: str, at: int = 0, **more: Any) -> dict[str, Any]:
    """A letter of Ada's."""
    return {"id": id, "text": text, "at": at, "from": "ada", **more}


async def hear(core: Outeract, owls: PlatformConnection, *letters: Any) -> None:
    """Letters come in."""
    body = json.dumps({"letters": letters}).encode()
    headers = {"content-type": "application/json"}
    answer = await core.ingest(owls.webhook_id, owls.webhook_secret, "POST", headers, {}, body)
    assert answer.status == 200


async def again(app: App) -> list[Any]:
    """Every `message.reparsed`, oldest first."""
    return [event async for event in app.events.all(type_is("message.reparsed"))]


async def page(app: App) -> list[Any]:
    """The messages of the only conversation as they stand."""
    (found,) = (await app.conversations.recent()).nodes
    conversation = await app.conversations.of(found.peer)
    return list((await conversation.page(order="oldest")).nodes)


async def test_what_is_understood_better_is_told(core: Outeract, owls: PlatformConnection) -> None:
    """A better parser adds what it has found, and the message shows it; the log stays as it was."""
    app = core.app("support")
    await hear(core, owls, letter("a", "one\ntwo"), letter("b", "same"))
    Owl.version = 2
    done = await core.reparse(owls)
    assert (done.read, done.changed, done.unreadable) == (2, 1, 0)
    (event,) = await again(app)
    assert event.payload["message"]["text"] == "one\ntwo"
    (before,) = [
        one
        async for one in app.events.all(type_is("message.inbound"))
        if one.payload["external_message_id"] == "a"
    ]
    assert before.payload["message"]["text"] == "one"
    assert event.origin_event_id == before.id
    assert event.payload["of"] == str(before.id)
    assert [one.text for one in await page(app)] == ["one\ntwo", "same"]
    assert [one.edited_at for one in await page(app)] == [None, None]


async def test_the_past_is_read_beside_the_loop(
    core: Outeract, owls: PlatformConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the log, nor the parser, nor the comparison holds it: there may be much of each."""
    await hear(core, owls, letter("a", "one\ntwo"))
    threads: dict[str, int] = {}

    def noted(where: Any, name: str) -> None:
        real = getattr(where, name)

        def note(*args: Any) -> Any:
            threads[name] = threading.get_ident()
            return real(*args)

        monkeypatch.setattr(where, name, note)

    for where, name in ((rereading, "stretch"), (rereading, "otherwise"), (Owl, "fact")):
        noted(where, name)
    Owl.version = 2
    assert (await core.reparse(owls)).changed == 1
    assert threads.keys() == {"stretch", "otherwise", "fact"}
    assert threading.get_ident() not in threads.values()
    monkeypatch.setattr(rereading, "record", None)  # nothing is written: it compares here
    assert (await core.reparse(owls)).changed == 0
    assert threading.get_ident() not in threads.values()


async def test_twice_adds_nothing(core: Outeract, owls: PlatformConnection) -> None:
    """A second run, and a third after a restart of the first one's work, add no event."""
    await hear(core, owls, *(letter(f"m{n}", f"{n}\nmore") for n in range(1200)))
    Owl.version = 2
    assert (await core.reparse(owls)).changed == 1200
    again_ = await core.reparse(owls)
    assert (again_.read, again_.changed) == (1200, 0)
    assert (await core.reparse(owls, after=600)).changed == 0


async def test_a_parser_that_goes_back_is_told_too(
    core: Outeract, owls: PlatformConnection
) -> None:
    """What counts is the newest reading, also when it is that of a former version again."""
    await hear(core, owls, letter("a", "one\ntwo"))
    for version, changed in ((2, 1), (2, 0), (1, 1), (1, 0), (2, 1)):
        Owl.version = version
        assert (await core.reparse(owls)).changed == changed
    assert [one.text for one in await page(core.app("support"))] == ["one\ntwo"]


async def test_what_was_edited_later_stays_the_newest(
    core: Outeract, owls: PlatformConnection
) -> None:
    """The message, its edit and their better readings: the edit's words stand, edited then or later."""
    app = core.app("support")
    await hear(core, owls, letter("a", "one\ntwo"), letter("e", "three\nfour", 5, about="a"))
    Owl.version = 2
    assert (await core.reparse(owls)).changed == 2
    assert [one.text for one in await page(app)] == ["three\nfour"]
    await hear(core, owls, letter("f", "five", 9, about="a"))
    assert [one.text for one in await page(app)] == ["five"]
    assert {event.origin_event_id for event in await again(app)} == {(await page(app))[0].id}


async def test_files_that_were_not_seen_are_fetched(
    core: Outeract, owls: PlatformConnection
) -> None:
    """A file that only the better parser sees is attached once."""
    await hear(core, owls, letter("a", "one", file="F1"))
    Owl.version = 2
    await core.reparse(owls)
    await core.reparse(owls)
    found = [event async for event in core.app("support").events.all(type_is("file.inbound"))]
    assert [event.payload["mime_type"] for event in found] == [None]
    (message_,) = await page(core.app("support"))
    assert len(message_.files) == 1


async def test_what_cannot_be_read_stops_nothing(core: Outeract, owls: PlatformConnection) -> None:
    """Items that the parser refuses are counted; nothing is lost of them, nothing added."""
    await hear(core, owls, letter("a", "one\ntwo"))
    Owl.version = 9
    done = await core.reparse(owls)
    assert (done.read, done.changed, done.unreadable) == (0, 0, 1)
    assert await again(core.app("support")) == []


async def test_only_what_came_since(
    core: Outeract, owls: PlatformConnection, clock: ManualClock
) -> None:
    """`since` leaves out what was received before; progress is told, and leads on from where it was."""
    await hear(core, owls, letter("a", "one\ntwo"))
    clock.advance(3600)
    await hear(core, owls, letter("b", "one\ntwo"))
    Owl.version = 2
    told: list[Any] = []
    done = await core.reparse(owls, since=clock() - timedelta(minutes=5), progress=told.append)
    assert (done.read, done.changed) == (1, 1)
    assert told[-1] == done
    assert (await core.reparse(owls, after=done.position)).read == 0


async def test_wrong_arguments_are_refused(core: Outeract, owls: PlatformConnection) -> None:
    """A time without a zone, and a connection that is not here, are told as such."""
    with pytest.raises(BadInput):
        await core.reparse(owls, since=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(NotFound):
        await core.reparse(uuid4())


async def test_words_that_were_found_later_can_be_searched(
    core: Outeract, owls: PlatformConnection
) -> None:
    """Search finds a message by what a better parser has understood of it."""
    app = core.app("support")
    await hear(core, owls, letter("a", "one\nzebra"))
    Owl.version = 2
    await core.reparse(owls)
    hits = (await app.search("zebra")).nodes
    assert len(hits) == 1


async def test_an_unchanged_parser_changes_nothing(tmp_path: Path) -> None:
    """With the parser that has stored them, no event of Slack's reads otherwise."""
    from tests.support.slack.samples import CONFIG, body_of, samples

    clock = ManualClock()
    async with Outeract(tmp_path / "slack.db", clock=clock) as core:
        slack = core.app("support").connect("slack", **CONFIG)
        for sample in samples().values():
            headers, body = sign_slack(
                body_of(sample), CONFIG["signing_secret"], clock(), form=sample["kind"] != "event"
            )
            await core.ingest(slack.webhook_id, slack.webhook_secret, "POST", headers, {}, body)
        done = await core.reparse(slack)
        assert done.read > 30
        assert (done.changed, done.unreadable) == (0, 0)
        assert Slack
