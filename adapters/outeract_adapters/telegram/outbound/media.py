"""Outbound files: as what Telegram shows each, and which go together as an album.

Knows: the methods for files, their limits and MIME types, what an album may hold.
Does not know: captions, recipients, requests.

Bot API: pictures 10 MB, all else 50 MB; an album has 2 to 10 pictures and videos, or documents, or
pieces of audio. What does not fit its kind is sent as a document.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from outeract_core.adapter import Outgoing, OutgoingFile
from outeract_core.errors import Rejected

__all__ = ["ALBUM", "MEDIA", "SMALLER", "Shown", "groups", "shown"]

_KB, _MB = 1024, 1024 * 1024
_AUDIO = ("audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/m4a", "audio/mp3")
MEDIA: dict[str, tuple[int, tuple[str, ...]]] = {
    "image": (10 * _MB, ("image/jpeg", "image/png", "image/webp", "image/gif")),
    "video": (50 * _MB, ("video/mp4",)),
    "audio": (50 * _MB, _AUDIO),
    "voice": (50 * _MB, ("audio/ogg", *_AUDIO)),
    "document": (50 * _MB, ()),
    "sticker": (512 * _KB, ("image/webp", "application/x-tgsticker", "video/webm")),
}
"""Bot API, sending files. A GIF is sent as an animation, which may have 50 MB."""
SMALLER = {
    ("sticker", "application/x-tgsticker"): 64 * _KB,
    ("sticker", "video/webm"): 256 * _KB,
}
"""The sticker page: what moves may have less. Of what is too large Telegram makes a document."""

ALBUM = 10
_TOGETHER = {"photo": "seen", "video": "seen", "document": "document", "audio": "audio"}
_WORDLESS = frozenset({"sticker", "video_note"})
_NAMES = {"image": "photo"}
_METHODS = {
    "photo": "sendPhoto", "video": "sendVideo", "audio": "sendAudio", "voice": "sendVoice",
    "document": "sendDocument", "sticker": "sendSticker", "animation": "sendAnimation",
    "video_note": "sendVideoNote",
}  # fmt: skip


@frozen
class Shown:
    """A file and the field it is sent in: `photo`, `video`, `document`, …"""

    field: str
    file: OutgoingFile

    @property
    def method(self) -> str:
        """The method that sends it alone."""
        return _METHODS[self.field]

    @property
    def captioned(self) -> bool:
        """Whether it can have a caption."""
        return self.field not in _WORDLESS

    @property
    def as_document(self) -> Shown:
        """The same file, shown as a document."""
        return evolve(self, field="document")


def shown(outgoing: Outgoing) -> list[Shown]:
    """The files, each as what it can be shown as.

    `metadata["send_as"]`: `photo`, `animation`, `video_note`, … for all of them. Raises Rejected.
    """
    wish = outgoing.metadata.get("send_as")
    if wish is not None and wish not in _METHODS:
        raise Rejected(f'metadata["send_as"] must be one of {", ".join(sorted(_METHODS))}')
    return [Shown(wish or _fitting(file), file) for file in outgoing.files]


def _fitting(file: OutgoingFile) -> str:
    mime = file.mime_type.partition(";")[0].strip().lower()
    if mime == "image/gif" and file.kind in ("image", "video"):
        return "animation"
    size, types = MEDIA.get(file.kind, MEDIA["document"])
    size = SMALLER.get((file.kind, mime), size)
    if file.kind not in MEDIA or file.size > size or (types and mime not in types):
        return "document"
    return _NAMES.get(file.kind, file.kind)


def groups(files: list[Shown]) -> Iterator[list[Shown]]:
    """Neighbours that make an album together; every other file alone. The order is kept."""
    run: list[Shown] = []
    for file in files:
        kind = _TOGETHER.get(file.field)
        fits = run and kind is not None and kind == _TOGETHER.get(run[-1].field)
        if run and (not fits or len(run) == ALBUM):
            yield run
            run = []
        run.append(file)
    if run:
        yield run
