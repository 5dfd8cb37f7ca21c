"""Inbound files: what `getFile` needs, and what is known of each before it is asked.

Knows: the file objects of the Bot API, the largest size of a picture, MIME types it leaves out.
Does not know: messages; how a file is fetched (`outbound/acts.py`).
"""

from __future__ import annotations

from collections.abc import Callable

from outeract_core.errors import ParseError
from outeract_core.events import FileRef

from ..fields import Object, many, number, obj, text

__all__ = ["FILES", "file", "largest", "paid", "photo", "sticker"]

FILES: dict[str, str | None] = {
    "animation": "video/mp4", "audio": "audio/mpeg", "document": None, "video": "video/mp4",
    "video_note": "video/mp4", "voice": "audio/ogg",
}  # fmt: skip
"""Members of a message that hold a file, with the MIME type where Telegram tells none."""


def file(media: Object, mime: str | None = None) -> FileRef:
    """The file behind a media object. Raises ParseError when it has no `file_id`."""
    known = text(media, "file_id")
    if known is None:
        raise ParseError("a file without a file_id")
    size = number(media, "file_size")
    told = (text(media, "mime_type") or "").partition(";")[0].strip() or mime
    sized = size if size is not None and size >= 0 else None
    return FileRef({"file_id": known}, text(media, "file_name"), told, sized)


def photo(media: Object) -> FileRef:
    """The largest size of `photo[]`; Telegram turns every picture into JPEG. Raises ParseError."""
    return file(largest(many(media, "photo")), "image/jpeg")


def largest(sizes: list[Object]) -> Object:
    """The size with the most pixels, wherever it stands; an empty object when there is none."""
    return max(sizes, key=_pixels, default={})


def _pixels(size: Object) -> tuple[int, int]:
    width, height = number(size, "width") or 0, number(size, "height") or 0
    return width * height, number(size, "file_size") or 0


def sticker(media: Object) -> FileRef:
    """A sticker: WebP, WebM or a gzipped animation. Raises ParseError."""
    kinds = {"is_animated": "application/x-tgsticker", "is_video": "video/webm"}
    mime = next((mime for flag, mime in kinds.items() if media.get(flag) is True), "image/webp")
    return file(media, mime)


def paid(media: Object) -> tuple[FileRef, ...]:
    """What of paid media was bought, or is ours to see; a preview has no file."""
    readers: dict[str, Callable[[Object], FileRef]] = {
        "photo": photo,
        "video": lambda one: file(obj(one, "video"), "video/mp4"),
        "live_photo": lambda one: file(obj(one, "live_photo"), "video/mp4"),
    }
    shown = [(readers.get(text(one, "type") or ""), one) for one in many(media, "paid_media")]
    return tuple(reader(one) for reader, one in shown if reader is not None)
