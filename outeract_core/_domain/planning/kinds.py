"""What a file is: its MIME type, and how a chat shows it.

Knows: file names, the first bytes of common formats, the kinds of files that chats tell apart.
Does not know: which kinds a platform takes (`plan.py`), how bytes are read.
"""

from __future__ import annotations

from mimetypes import MimeTypes
from pathlib import Path, PurePath

from ...content import Attachment, FileKind

__all__ = ["UNKNOWN", "bare_mime", "kind_of", "kind_of_mime", "mime_of", "moves"]

UNKNOWN = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIXES = {
    ".amr": "audio/amr", ".docx": f"{_OFFICE}.wordprocessingml.document", ".flac": "audio/flac",
    ".heic": "image/heic", ".heif": "image/heif", ".m4a": "audio/mp4", ".md": "text/markdown",
    ".mkv": "video/x-matroska", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".ogv": "video/ogg",
    ".opus": "audio/ogg", ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".tgs": "application/x-tgsticker", ".webp": "image/webp", ".xlsx": f"{_OFFICE}.spreadsheetml.sheet", ".yaml": "application/yaml",
}  # fmt: skip
_ENCODED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/x-wav"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
)


def kind_of(attachment: Attachment) -> FileKind:
    """How the attachment wants to be shown: as it says, else by its MIME type."""
    return attachment.kind or kind_of_mime(mime_of(attachment))


def kind_of_mime(mime: str) -> FileKind:
    """`image`, `video` or `audio` for what chats can show or play, else `document`."""
    main, _, sub = bare_mime(mime).partition("/")
    if main == "image" and not sub.startswith(("svg", "vnd.", "tiff", "x-icon")):
        return "image"
    if main == "video":
        return "video"
    return "audio" if main == "audio" and sub not in ("midi", "x-midi") else "document"


def mime_of(attachment: Attachment) -> str:
    """The MIME type as given, else by the name, else by the first bytes; nothing is read for it.

    `application/octet-stream` when it cannot be told.
    """
    source = attachment.source
    if attachment.mime_type:
        return attachment.mime_type
    if isinstance(source, bytes):
        return _named(attachment.filename) or _sniffed(source)
    if isinstance(source, Path):
        return _named(attachment.filename) or _named(source.name) or UNKNOWN
    return source.mime_type or _named(attachment.filename or source.filename) or UNKNOWN


def bare_mime(mime: str) -> str:
    """`mime` in lower case, without parameters such as `; codecs=opus`."""
    return mime.partition(";")[0].strip().lower()


def moves(head: bytes) -> bool:
    """Whether a picture that begins so is animated: WebP says so in its extended header (VP8X)."""
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return True  # of other formats that is not known
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)


def _named(filename: str | None) -> str | None:
    """By the name's ending, from Python's own table, so that every machine says the same."""
    path = PurePath(filename or "")
    known = _SUFFIXES.get(path.suffix.lower())
    if known or not path.suffix:
        return known
    mime, encoding = MimeTypes().guess_type(f"file{path.suffix.lower()}", strict=False)
    return _ENCODED.get(encoding, UNKNOWN) if encoding else mime


def _sniffed(data: bytes) -> str:
    for offset, mark, mime in _MAGIC:
        if data[offset : offset + len(mark)] == mark:
            return mime
    return UNKNOWN
