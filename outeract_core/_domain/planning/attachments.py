"""Fits files to a platform: the kind that each is sent as, and which of them share a message.

Knows: what a manifest says of media, which kind can stand in for which.
Does not know: captions, texts, bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...adapter import Manifest
from ...content import Attachment
from ...errors import FileTooLarge, Unsupported
from .kinds import bare_mime, kind_of, mime_of

__all__ = ["albums", "fit_files"]

_INSTEAD: dict[str, tuple[str, ...]] = {
    "image": ("document",),
    "video": ("document",),
    "audio": ("document",),
    "voice": ("audio", "document"),
    "sticker": ("image", "document"),
    "document": (),
}


def fit_files(
    files: Sequence[Attachment], manifest: Manifest, sizes: Sequence[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kind that each file is sent as, and a note for each that is another than asked for.

    `sizes` in bytes, where they are known. Raises Unsupported for what the platform does not take,
    FileTooLarge for what only its size keeps out.
    """
    kinds, notes = [], []
    for number, file in enumerate(files):
        wanted = kind_of(file)
        found = _kind(file, wanted, sizes[number] if number < len(sizes) else None, manifest)
        if found != wanted:
            notes.append(f"{wanted} as {found}")
        kinds.append(found)
    return tuple(kinds), tuple(notes)


def _kind(file: Attachment, wanted: str, size: int | None, manifest: Manifest) -> str:
    mime, largest = bare_mime(mime_of(file)), 0
    for kind in (wanted, *_INSTEAD[wanted]):
        limit, mimes = manifest.media.get(kind, (0, ()))
        if not limit or (mimes and mime not in mimes):
            continue
        limit = min(limit, manifest.type_limits.get((kind, mime), limit))
        if size is None or size <= limit:
            return kind
        largest = max(largest, limit)
    platform = manifest.platform
    if largest:
        raise FileTooLarge(
            f"{file.filename or wanted} has {size} bytes; {platform} takes {largest} at most: "
            "make it smaller, or send a link to it"
        )
    if not manifest.media:
        raise Unsupported(f"{platform} takes no files; send a link to it in the text")
    told = mime if mime.isprintable() else ascii(mime)
    raise Unsupported(f"{platform} takes no {wanted} of type {told}: {_accepted(manifest, wanted)}")


def _accepted(manifest: Manifest, wanted: str) -> str:
    """What could be sent instead."""
    _, mimes = manifest.media.get(wanted, (0, ()))
    if mimes:
        return f"convert it to {' or '.join(mimes)}"
    return f"it takes {', '.join(manifest.media)}"


def albums(
    files: Sequence[Attachment], kinds: Sequence[str], manifest: Manifest
) -> list[tuple[int, ...]]:
    """Which files go together, as indices in order: neighbours of kinds that may share a message.

    A file with a caption of its own goes alone, since a message has one text.
    """
    found: list[tuple[int, ...]] = []
    for number, file in enumerate(files):
        before = found[-1] if found else ()
        together = (
            0 < len(before) < manifest.album
            and not file.caption
            and not files[before[0]].caption
            and _together(kinds[before[0]], kinds[number], manifest)
        )
        if together:
            found[-1] = (*before, number)
        else:
            found.append((number,))
    return found


def _together(first: str, second: str, manifest: Manifest) -> bool:
    return any({first, second} <= allowed for allowed in manifest.album_kinds)
