"""Which files WhatsApp takes is known beforehand, and is what the platform itself says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outeract_adapters.whatsapp.send import MEDIA
from outeract_core import App, Attachment, Content, File, Outeract
from outeract_core.errors import FileTooLarge, Unsupported
from outeract_core.query import type_is
from outeract_core.testing import FakePlatform, ManualClock
from tests.support.bots import whatsapp, writes

pytestmark = pytest.mark.anyio

REFUSED = [
    ("a.zip", "application/zip"), ("a.csv", "text/csv"), ("a.html", "text/html"),
    ("a.json", "application/json"), ("a.bin", "application/octet-stream"), ("a.webm", "video/webm"),
    ("a.gif", "image/gif"), ("a.flac", "audio/flac"), ("a.svg", "image/svg+xml"),
]  # fmt: skip


@pytest.fixture
async def fake(clock: ManualClock) -> AsyncIterator[FakePlatform]:
    """The platforms."""
    with FakePlatform(clock=clock) as platform:
        yield platform


@pytest.mark.parametrize(("name", "mime"), REFUSED)
async def test_a_type_that_cannot_be_uploaded_is_refused_before_anything_is_written(
    core: Outeract, app: App, fake: FakePlatform, name: str, mime: str
) -> None:
    """With what to convert it to."""
    await writes(core, whatsapp(app, fake), fake, "hi")
    (heard,) = (await app.events.page(type_is("message.inbound"))).nodes
    before = await app.events.count()
    with pytest.raises(Unsupported, match="convert it to"):
        await app.send(heard, Content("f", files=[Attachment(b"x", name, mime)]))
    assert await app.events.count() == before
    assert not [request for request in fake.requests if request.path.endswith("/media")]


@pytest.mark.parametrize(
    "mime", sorted({mime for _size, types in MEDIA.values() for mime in types})
)
async def test_every_type_that_is_taken_is_uploaded(
    core: Outeract, app: App, fake: FakePlatform, mime: str
) -> None:
    """The platform agrees with the adapter's list."""
    await writes(core, whatsapp(app, fake), fake, "hi")
    (heard,) = (await app.events.page(type_is("message.inbound"))).nodes
    kind = "sticker" if mime == "image/webp" else None
    sent = await app.send(heard, Content(files=[Attachment(b"x", "file", mime, kind=kind)]))
    await core.pump()
    assert (await sent.state()).status == "sent"


def _webp(size: int, *, moves: bool) -> bytes:
    """The head of a WebP as its container format has it, and zeros."""
    flags = b"\x02" if moves else b"\x10"
    return (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0" + flags).ljust(size, b"\0")


KB, MB = 1024, 1024 * 1024
SIZES: list[tuple[str, str, str | None, int, bytes, str | None]] = [
    # name, type, kind, bytes, how it begins, what it is sent as (None: not at all)
    ("a.mp4", "video/mp4", None, 16 * MB, b"", "video"),
    ("a.mp4", "video/mp4", None, 16 * MB + 1, b"", "document"),
    ("a.mp4", "video/mp4", None, 100 * MB + 1, b"", None),
    ("a.pdf", "application/pdf", None, 100 * MB, b"", "document"),
    ("a.pdf", "application/pdf", None, 100 * MB + 1, b"", None),
    ("a.png", "image/png", None, 5 * MB, b"", "image"),
    ("a.png", "image/png", None, 5 * MB + 1, b"", "document"),
    ("s.webp", "image/webp", "sticker", 100 * KB, _webp(64, moves=False), "sticker"),
    ("s.webp", "image/webp", "sticker", 100 * KB + 1, _webp(64, moves=False), None),
    ("s.webp", "image/webp", "sticker", 100 * KB + 1, b"RIFF\0\0\0\0WEBPVP8 ", None),
    ("s.webp", "image/webp", "sticker", 500 * KB, _webp(64, moves=True), "sticker"),
    ("s.webp", "image/webp", "sticker", 500 * KB + 1, _webp(64, moves=True), None),
]


@pytest.mark.parametrize("way", ["path", "bytes", "stored"])
@pytest.mark.parametrize(
    ("name", "mime", "kind", "size", "head", "shown"), SIZES,
    ids=[f"{row[0]} {row[3]} {row[5]} {n}" for n, row in enumerate(SIZES)],
)  # fmt: skip
async def test_each_kind_has_its_limit_and_both_say_so(
    core: Outeract, app: App, fake: FakePlatform, tmp_path: Path, name: str, mime: str,
    kind: Any, size: int, head: bytes, shown: str | None, way: str,
) -> None:  # fmt: skip
    """`send` and `can` refuse alike, before anything is written; another kind is told."""
    if way != "path" and size > MB:
        pytest.skip("the same rule with less to carry: see the stickers")
    await writes(core, whatsapp(app, fake), fake, "hi")
    (heard,) = (await app.events.page(type_is("message.inbound"))).nodes
    made = _large(tmp_path / name, head, size)
    source: Any = made.read_bytes() if way == "bytes" else made
    if way == "stored":
        source = await _stored(app, made)
    content = Content(files=[Attachment(source, name, mime, kind=kind)])
    before = await app.events.count()
    if shown is not None:
        prospect = await app.can(heard, content)
        assert (prospect.reasons, prospect.plan.kinds) == ((), (shown,))
        wanted = kind or mime.partition("/")[0].replace("application", "document")
        assert prospect.degraded == (() if shown == wanted else (f"{wanted} as {shown}",))
        return
    with pytest.raises((Unsupported, FileTooLarge)) as refused:
        await app.send(heard, content)
    try:
        reasons = (await app.can(heard, content)).reasons
    except FileTooLarge as error:
        reasons = (str(error),)
    assert reasons == (str(refused.value),)
    assert await app.events.count() == before


def _large(path: Path, head: bytes, size: int) -> Path:
    """A file of so many bytes, which take no room."""
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(size)
    return path


async def _stored(app: App, path: Path) -> File:
    """The same file as the store has it already: it was sent on the console before."""
    app.connect("console")
    sent = await app.send(("console", "ann"), Content(files=[Attachment(path)]))
    found = await app.graph.neighbours(sent.id, types=["attachment"])
    (file,) = [node for node in found.nodes if isinstance(node, File)]
    return file
