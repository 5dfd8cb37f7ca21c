"""Files: a node at once, bytes by a retrying job, stored once, never from where they must not come."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from outeract_core import App, Event, File, Outeract, PlatformConnection
from outeract_core.errors import FileError, FileTooLarge, NotFound
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import NUMBER as NUMBER
from tests.support.bots import deliver, whatsapp

pytestmark = pytest.mark.anyio


@define
class Album:
    """A bot that receives files on the fake WhatsApp."""

    core: Outeract
    app: App
    fake: FakePlatform
    connection: PlatformConnection
    clock: ManualClock

    async def receives(
        self, data: bytes, mime: str = "image/jpeg", **more: Any
    ) -> tuple[Event, File]:
        """Somebody sends a file; the message and its node, before any download."""
        media = self.fake.whatsapp.add_media(data, mime)
        kind = mime.partition("/")[0]
        kind = kind if kind in ("image", "audio", "video") else "document"
        about = {"id": media, "mime_type": mime, **more}
        payload = self.fake.whatsapp.say(
            "14155550100", "", phone_number_id=NUMBER, type=kind, **{kind: about}
        )
        await deliver(self.core, self.connection, payload)
        message = (await self.app.events.page(type_is("message.inbound"))).nodes[0]
        return message, (await self.app.files.of(message))[0]


@pytest.fixture
async def album(core: Outeract, app: App, clock: ManualClock) -> AsyncIterator[Album]:
    """An album in an empty store."""
    with FakePlatform(clock=clock) as fake:
        yield Album(core, app, fake, whatsapp(app, fake), clock)


async def test_a_file_is_a_node_before_its_bytes_are_here(album: Album) -> None:
    """The message carries a pending node; the job fetches the bytes; both are told as events."""
    message, file = await album.receives(b"jpeg bytes")
    assert file.status == "pending"
    with pytest.raises(FileError, match="pending"):
        await album.app.files.read(file)
    await album.core.pump()
    file = await album.app.files.get(file)
    assert file.status == "stored"
    assert file.sha256 == hashlib.sha256(b"jpeg bytes").hexdigest()
    assert await album.app.files.read(file) == b"jpeg bytes"
    told = await album.app.graph.walk(message, types=["origin"], direction="in", depth=1)
    assert {e.event_type for e in told.events} >= {"file.inbound", "system.file_stored"}


async def test_the_same_bytes_are_stored_once(album: Album) -> None:
    """Two nodes with equal bytes share one file on disk, made under its own name only."""
    for _ in range(2):
        await album.receives(b"same bytes")
    await album.core.pump()
    folder = Path(f"{album.core.path}.files")
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


async def test_a_download_that_fails_is_tried_again_later(album: Album) -> None:
    """A server error delays the file and never the message."""
    _message, file = await album.receives(b"late bytes")
    album.fake.fail(1, status=500)
    await album.core.pump()
    assert (await album.app.files.get(file)).status == "pending"
    album.clock.advance(3600)
    await album.core.pump()
    assert await album.app.files.read(file) == b"late bytes"


async def test_bytes_that_differ_from_the_announced_checksum_are_refused(album: Album) -> None:
    """A wrong SHA-256 is a failure that is told, and nothing is kept as the file."""
    announced = hashlib.sha256(b"other bytes").digest()
    _message, file = await album.receives(b"bytes", sha256=base64.b64encode(announced).decode())
    await album.core.pump()
    assert (await album.app.files.get(file)).status == "failed"
    failed = (await album.app.events.page(type_is("system.file_failed"))).nodes[0]
    assert "announced" in failed.payload["reason"]


async def test_a_file_over_the_limit_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    """The download stops at the limit; no half of it stays on disk."""
    with FakePlatform(clock=clock) as fake:
        async with Outeract(tmp_path / "b.db", clock=clock, file_limit=1000) as core:
            app = core.app("support")
            album = Album(core, app, fake, whatsapp(app, fake), clock)
            _message, file = await album.receives(b"x" * 5000)
            await core.pump()
            assert (await app.files.get(file)).status == "failed"
            folder = Path(f"{core.path}.files")
            assert not [path for path in folder.rglob("*") if path.is_file()]
            with pytest.raises(FileTooLarge):
                await app.files.add(b"y" * 1001)


async def test_a_recording_is_transcribed_after_its_download(
    tmp_path: Path, clock: ManualClock
) -> None:
    """With transcription on, the host's callable hears each audio file; it may fail for a while."""
    heard: list[str | None] = []

    async def transcribe(path: Path, mime: str | None) -> str:
        heard.append(mime)
        if len(heard) == 1:
            raise RuntimeError("busy")
        return path.read_bytes().decode()

    with FakePlatform(clock=clock) as fake:
        async with Outeract(tmp_path / "b.db", clock=clock, transcribe=transcribe) as core:
            app = core.app("support", transcription="enabled")
            album = Album(core, app, fake, whatsapp(app, fake), clock)
            message, file = await album.receives(b"good morning", "audio/ogg")
            await album.receives(b"no sound", "image/png")
            await core.pump()
            assert (await app.files.get(file)).status == "stored"
            assert await app.events.count(type_is("message.transcribed")) == 0
            clock.advance(3600)
            await core.pump()
            told = (await app.events.page(type_is("message.transcribed"))).nodes
            assert [e.payload["text"] for e in told] == ["good morning"]
            assert told[0].origin_event_id == message.id
            turns = await (await app.conversations.of(message)).context()
            assert "good morning" in turns[0].content
    assert heard == ["audio/ogg", "audio/ogg"]


async def test_the_hosts_own_files_are_nodes_too(app: App, tmp_path: Path) -> None:
    """`files.add` keeps bytes or a file; an unknown id is not found."""
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7")
    node = await app.files.add(path, mime_type="application/pdf")
    assert (node.filename, node.size, node.status) == ("report.pdf", 8, "stored")
    assert (await app.files.path(node)).read_bytes() == b"%PDF-1.7"
    with pytest.raises(NotFound):
        await app.files.get(app.id)
