"""What WhatsApp shows as what: the types and the most bytes of a picture, a sticker, a video, a document.

Knows: the table of Meta's page on media; that a sticker which does not move may have less.
Does not know: uploads (what can be had at all), messages. What does not fit is accepted with a 200, and
a status tells later that it has failed (131053).
"""

from __future__ import annotations

from ..record import Upload

__all__ = ["fits"]

_KB, _MB = 1024, 1024 * 1024
_SHOWN = {
    "image": (5 * _MB, ("image/jpeg", "image/png")),
    "audio": (16 * _MB, ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg")),
    "video": (16 * _MB, ("video/mp4", "video/3gpp")),
    "sticker": (500 * _KB, ("image/webp",)),
    "document": (100 * _MB, ()),
}
_STILL = 100 * _KB


def fits(kind: str, upload: Upload) -> bool:
    """Whether the upload can be shown as a message of this type."""
    most, types = _SHOWN.get(kind, (0, ()))
    if kind == "sticker" and not _moves(upload.data):
        most = _STILL
    mime = upload.mime_type.partition(";")[0].strip().lower()
    return len(upload.data) <= most and (not types or mime in types)


def _moves(data: bytes) -> bool:
    """RFC 9649: the bit for an animation in the extended header."""
    return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 2)
