"""The fake Telegram takes files as Telegram does: bounded, looked into, and less of a thing if need be."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from outeract_core.testing.fakes.record import Upload
from outeract_core.testing.fakes.telegram_chats import RefusedError
from outeract_core.testing.fakes.telegram_files import shown_as, together
from tests.support.pictures import PICTURES, png, webp

KB, MB = 1024, 1024 * 1024
TGS, WEBM = "application/x-tgsticker", "video/webm"


def shown(kind: str, mime: str, data: bytes, size: int = 0) -> str:
    """What becomes of it, at least so many bytes long."""
    return shown_as(kind, Upload("file", mime, data.ljust(size, b"\0")))


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "voice", "document", "sticker"])
def test_nothing_is_larger_than_fifty_megabytes(kind: str) -> None:
    """Whatever it is; and nothing is empty."""
    with pytest.raises(RefusedError, match="Request Entity Too Large") as no:
        shown(kind, "video/mp4", b"x", 50 * MB + 1)
    assert no.value.status == 413
    with pytest.raises(RefusedError, match="must be non-empty"):
        shown(kind, "video/mp4", b"")


@pytest.mark.parametrize(
    ("width", "height", "taken"),
    [
        (90, 90, True), (5000, 5000, True), (5001, 5000, False), (9999, 1, False), (2000, 100, True),
        (2001, 100, False), (100, 2001, False), (0, 90, False), (1, 1, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mime", PICTURES)
def test_a_photo_can_be_drawn(mime: str, width: int, height: int, taken: bool) -> None:
    """Both sides together at most 10000, one at most 20 times the other; in every format."""
    if not width and mime == "image/webp":
        pytest.skip("WebP writes one less than its side")
    data = PICTURES[mime](width, height)
    if taken:
        assert shown("photo", mime, data) == "photo"
        return
    with pytest.raises(RefusedError, match="PHOTO_INVALID_DIMENSIONS"):
        shown("photo", mime, data)


def test_a_photo_is_a_picture_of_ten_megabytes_at_most() -> None:
    """One byte more is told with both sizes; what is no picture, or only the beginning of one, is refused."""
    assert shown("photo", "image/png", png(90, 90), 10 * MB) == "photo"
    with pytest.raises(RefusedError, match="of size 10485761 bytes is too big for a photo"):
        shown("photo", "image/png", png(90, 90), 10 * MB + 1)
    for data in (b"meow", png(9, 9)[:18], b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBPVP8 "):
        with pytest.raises(RefusedError, match="IMAGE_PROCESS_FAILED"):
            shown("photo", "image/jpeg", data)


@pytest.mark.parametrize(
    ("mime", "data", "size", "expected"),
    [
        ("image/webp", webp(512, 512), 512 * KB, "sticker"),
        ("image/webp", webp(512, 512), 512 * KB + 1, "document"),
        ("image/webp", webp(513, 512), 0, "document"),
        ("image/webp", b"meow", 0, "document"),
        ("image/webp", webp(512, 512)[:20], 0, "document"),
        ("image/png", png(512, 512), 0, "document"),
        (TGS, b"\x1f\x8b", 64 * KB, "sticker"), (TGS, b"\x1f\x8b", 64 * KB + 1, "document"),
        (WEBM, b"\x1aE\xdf\xa3", 256 * KB, "sticker"), (WEBM, b"\x1aE\xdf\xa3", 256 * KB + 1, "document"),
        (TGS, b"meow", 0, "document"),
    ],
)  # fmt: skip
def test_what_is_no_sticker_is_shown_as_a_document(
    mime: str, data: bytes, size: int, expected: str
) -> None:
    """Telegram does not refuse it; it shows a file."""
    assert shown("sticker", mime, data, size) == expected


@pytest.mark.parametrize(
    ("kind", "mime", "expected"),
    [
        ("video", "video/mp4", "video"), ("video", "video/quicktime", "document"),
        ("voice", "audio/ogg; codecs=opus", "voice"), ("voice", "audio/wav", "document"),
        ("audio", "audio/mpeg", "audio"), ("audio", "audio/ogg", "document"),
        ("animation", "image/gif", "animation"), ("document", "x/y", "document"),
    ],
)  # fmt: skip
def test_another_type_is_shown_as_a_document(kind: str, mime: str, expected: str) -> None:
    """As the Bot API says of each method."""
    assert shown(kind, mime, b"x") == expected


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        (("photo", "video"), False), (("document", "document"), False), (("audio", "audio"), False),
        (("document", "photo"), True), (("audio", "photo"), True), (("photo", "sticker"), True),
    ],
)  # fmt: skip
def test_an_album_holds_what_goes_together(fields: Any, refused: bool) -> None:
    """Photos and videos, or documents, or pieces of audio."""
    with pytest.raises(RefusedError, match="can't be") if refused else nullcontext():
        together(list(fields))
