"""What Telegram makes of a file that is uploaded: it is refused, or shown as what was asked for, or as less.

Knows: the most bytes of each kind, formats, how large a picture may be drawn.
Does not know: methods, messages. Source: Bot API 10.3, "Sending files", sendPhoto and sendSticker; the
sticker page; TDLib's words for what is too big.
"""

from __future__ import annotations

import struct

from .record import Upload
from .telegram_chats import RefusedError

__all__ = ["shown_as", "together"]

_KB, _MB = 1024, 1024 * 1024
_LARGEST, _PHOTO = 50 * _MB, 10 * _MB
_SIDES, _RATIO = 10_000, 20
_SIDE_OF_STICKER = 512
_TYPES = {
    "video": ("video/mp4",),
    "video_note": ("video/mp4",),
    "animation": ("image/gif", "video/mp4"),
    "audio": ("audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"),
    "voice": ("audio/ogg", "audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"),
}
"""What each can be; another type "may be sent as a document"."""
_ALBUM = {"photo": "seen", "video": "seen", "document": "document", "audio": "audio"}
_MOVING = {
    "application/x-tgsticker": (64 * _KB, b"\x1f\x8b"),
    "video/webm": (256 * _KB, b"\x1aE\xdf\xa3"),
}
_STILL = 512 * _KB


def shown_as(kind: str, upload: Upload) -> str:
    """The field of the message that the file stands in. Raises RefusedError."""
    size, mime = len(upload.data), upload.mime_type.partition(";")[0].strip().lower()
    if size > _LARGEST:
        raise RefusedError(413, "Request Entity Too Large")
    if not size:
        raise RefusedError(400, "Bad Request: file must be non-empty")
    if kind == "photo":
        _drawn(upload.data)
    if kind == "sticker":
        return kind if _is_sticker(mime, upload.data) else "document"
    return kind if mime in _TYPES.get(kind, (mime,)) else "document"


def together(fields: list[str]) -> None:
    """Raises RefusedError unless these can be one album: Bot API, sendMediaGroup."""
    for kind in fields:
        if kind not in _ALBUM:
            raise RefusedError(400, "Bad Request: type of file can't be used in an album")
        if _ALBUM[kind] != _ALBUM[fields[0]]:
            alone = kind if _ALBUM[kind] != "seen" else fields[0]
            told = f"Bad Request: {alone} can't be mixed with other media types"
            raise RefusedError(400, told)


def _drawn(data: bytes) -> None:
    """A picture as sendPhoto takes it: 10 MB, both sides together 10000, one at most 20 times the other."""
    if len(data) > _PHOTO:
        raise RefusedError(
            400, f"Bad Request: file of size {len(data)} bytes is too big for a photo; "
            f"the maximum size is {_PHOTO} bytes",
        )  # fmt: skip
    sides = _sides(data)
    if sides is None:
        raise RefusedError(400, "Bad Request: IMAGE_PROCESS_FAILED")
    if not all(sides) or sum(sides) > _SIDES or max(sides) > _RATIO * min(sides):
        raise RefusedError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")


def _is_sticker(mime: str, data: bytes) -> bool:
    """Whether it is shown as a sticker: WebP that fits 512 × 512, or what moves and is small."""
    if mime in _MOVING:
        most, begins = _MOVING[mime]
        return len(data) <= most and data.startswith(begins)
    sides = _sides(data) if data[8:12] == b"WEBP" else None
    return sides is not None and max(sides) <= _SIDE_OF_STICKER and len(data) <= _STILL


def _sides(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture, as its head says; None when it is none that is known."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", data, 16)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return struct.unpack_from("<HH", data, 6)
        if data.startswith(b"\xff\xd8"):
            return _of_jpeg(data)
        return _of_webp(data) if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
    except struct.error:
        return None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """In the first frame header: SOF0 to SOF15, but for tables (C4, C8, CC)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        mark, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return None


def _of_webp(data: bytes) -> tuple[int, int] | None:
    """RFC 9649: the extended header, the lossless one, the lossy one."""
    if data[12:16] == b"VP8X":
        (canvas,) = struct.unpack_from("6s", data, 24)
        return 1 + int.from_bytes(canvas[:3], "little"), 1 + int.from_bytes(canvas[3:], "little")
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if data[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
