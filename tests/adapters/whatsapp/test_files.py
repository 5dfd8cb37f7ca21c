"""Which files WhatsApp takes is known beforehand, and is what the platform itself says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from outeract_adapters.whatsapp.send import MEDIA
from outeract_core import App, Attachment, Content, Outeract
from outeract_core.errors import Unsupported
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
    sent = await app.send(heard, Content(files=[Attachment(b"x", "file", mime)]))
    await core.pump()
    assert (await sent.state()).status == "sent"
