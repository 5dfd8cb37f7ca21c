"""The fake WhatsApp shows files as Meta's page on media says, and what the adapter plans fits it."""

from __future__ import annotations

import pytest

from outeract_adapters.whatsapp import WhatsApp
from outeract_core.adapter import Manifest
from outeract_core.testing.fakes.limits.whatsapp_files import fits
from outeract_core.testing.fakes.record import Upload
from tests.support.pictures import webp

KB, MB = 1024, 1024 * 1024


@pytest.mark.parametrize(
    ("kind", "mime", "data", "most"),
    [
        ("image", "image/jpeg", b"", 5 * MB), ("video", "video/mp4", b"", 16 * MB),
        ("audio", "audio/ogg; codecs=opus", b"", 16 * MB),
        ("document", "application/pdf", b"", 100 * MB),
        ("sticker", "image/webp", webp(512, 512), 100 * KB),
        ("sticker", "image/webp", webp(512, 512, moves=True), 500 * KB),
    ],
)  # fmt: skip
def test_each_type_of_message_has_its_most(kind: str, mime: str, data: bytes, most: int) -> None:
    """One byte more does not arrive."""
    assert fits(kind, Upload("f", mime, data.ljust(most, b"\0")))
    assert not fits(kind, Upload("f", mime, data.ljust(most + 1, b"\0")))


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("image", "image/webp"), ("image", "application/pdf"), ("video", "audio/ogg"),
     ("sticker", "image/png"), ("audio", "video/mp4"), ("text", "image/png")],
)  # fmt: skip
def test_what_is_of_another_type_does_not_arrive(kind: str, mime: str) -> None:
    """A picture is JPEG or PNG, a sticker WebP."""
    assert not fits(kind, Upload("f", mime, b"x"))


def test_the_adapter_plans_nothing_that_would_not_arrive() -> None:
    """Each kind of its manifest, with each type, at its limit."""
    manifest: Manifest = WhatsApp.manifest
    for kind, (most, mimes) in manifest.media.items():
        shown = "audio" if kind == "voice" else kind
        for mime in mimes:
            data = webp(512, 512, moves=True) if kind == "sticker" else b""
            assert fits(shown, Upload("f", mime, data.ljust(most, b"\0"))), (kind, mime)
    assert manifest.still_sticker is not None
    still = webp(512, 512).ljust(manifest.still_sticker, b"\0")
    assert fits("sticker", Upload("f", "image/webp", still))
