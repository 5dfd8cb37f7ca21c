"""What a message holds, whatever its type: text, files, places, cards, orders.

Knows: the body of every message type of the Cloud API.
Does not know: who said it, when, in reply to what; envelopes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from outeract_core.errors import ParseError
from outeract_core.events import FileRef

from ..meta import Object, many, obj, text
from .people import phone

__all__ = ["Said", "read"]

_MEDIA = frozenset({"mime_type", "sha256"})
"""Members by which an object says that it is a file."""
_MOST, _DEEPEST = 30, 6


@frozen
class Said:
    """The normalised content. `more`: members of the payload beside type and text."""

    type: str
    text: str = ""
    more: dict[str, Any] = field(factory=dict)
    files: tuple[FileRef, ...] = ()


def read(item: Object) -> Said:
    """The content of a message, or of the message inside an edit. Raises ParseError.

    A type that is not known yet is kept whole under `content`, with what it says as its text.
    """
    kind = text(item, "type")
    if kind is None:
        raise ParseError("a message without a type")
    return _READERS.get(kind, _unknown)(kind, item)


def _text(kind: str, item: Object) -> Said:
    body = item.get("text")
    said = body.get("body") if isinstance(body, dict) else None
    if not isinstance(said, str):
        raise ParseError("a text message without text.body")
    return Said(kind, said)


def _unknown(kind: str, item: Object) -> Said:
    content = item.get(kind)
    said = text(content, "text") or text(content, "body") or text(content, "caption") or ""
    return Said(kind, said, {"content": content}, tuple(_files(content, 0))[:_MOST])


def _interactive(kind: str, item: Object) -> Said:
    """Only what is no reply comes here: Meta also sends interactive messages with nothing in them."""
    return Said(kind, "", {"content": item.get(kind)})


def _order(kind: str, item: Object) -> Said:
    order = obj(item, "order")
    if not order:
        raise ParseError("an order without content")
    return Said(kind, text(order, "text") or "", {"order": order})


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _media(kind: str, item: Object) -> Said:
    media = obj(item, kind)
    ref = _file(media)
    if ref is None and not item.get("errors"):
        raise ParseError(f"{kind} without a media id")
    voice = kind == "audio" and media.get("voice") is True
    more = {"animated": True} if media.get("animated") is True else {}
    files = () if ref is None else (ref,)
    return Said("voice" if voice else kind, text(media, "caption") or "", more, files)


def _file(media: Object) -> FileRef | None:
    """The file behind a media id. A `url` beside it dies after 5 minutes, so only the id is kept."""
    named, url = media.get("id"), text(media, "url")
    known = str(named) if type(named) is int else text(media, "id")
    handle = {"id": known} if known else {"url": url} if url else None
    if handle is None:
        return None
    size = media.get("file_size")
    return FileRef(
        handle,
        text(media, "filename"),
        (text(media, "mime_type") or "").partition(";")[0].strip() or None,
        size if type(size) is int and size >= 0 else None,
        _hex(text(media, "sha256")),
    )


def _files(content: Any, depth: int) -> Iterator[FileRef]:
    """The files in content of a kind to come: whatever has the id of a media and says its type."""
    if isinstance(content, list) and depth < _DEEPEST:
        for one in content:
            yield from _files(one, depth + 1)
    if not isinstance(content, dict):
        return
    if _MEDIA & content.keys():
        if (ref := _file(content)) is not None:
            yield ref
    elif depth < _DEEPEST:
        yield from _files(list(content.values()), depth + 1)


def _hex(sha256: str | None) -> str | None:
    """Webhooks carry the digest as base64; None when it is not that of 32 bytes."""
    try:
        digest = base64.b64decode(sha256 or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


# ── places and cards ──────────────────────────────────────────────────────────────────────────


def _location(kind: str, item: Object) -> Said:
    place = obj(item, "location")
    latitude, longitude = _degrees(place, "latitude"), _degrees(place, "longitude")
    told: Object = {"latitude": latitude, "longitude": longitude}
    told |= {name: found for name in ("name", "address", "url") if (found := text(place, name))}
    return Said(kind, "", {"location": told})


def _degrees(place: Object, member: str) -> float:
    value = place.get(member)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ParseError(f"a location without {member}")
    number = float(value)
    if not -180 <= number <= 180:
        raise ParseError(f"{member} {number} is no place on Earth")
    return number


def _contacts(kind: str, item: Object) -> Said:
    cards = [_card(contact) for contact in many(item, "contacts")]
    if not cards:
        raise ParseError("a contacts message without contacts")
    return Said(kind, "", {"contacts": cards})


def _card(contact: Object) -> Object:
    """A business card; the name may be missing altogether."""
    name = obj(contact, "name")
    parts = (text(name, part) for part in ("first_name", "middle_name", "last_name"))
    shown = text(name, "formatted_name") or " ".join(part for part in parts if part)
    card: Object = {"name": shown or text(contact, "org", "company") or ""}
    phones = [found for one in many(contact, "phones") if (found := _number(one))]
    emails = [found for one in many(contact, "emails") if (found := text(one, "email"))]
    card |= {"phones": phones, "emails": emails}
    if user_id := next((text(one, "user_id") for one in many(contact, "phones")), None):
        card["user_id"] = user_id
    return card


def _number(entry: Object) -> str | None:
    return phone(entry.get("wa_id")) or phone(entry.get("phone")) or text(entry, "phone")


_READERS: dict[str, Callable[[str, Object], Said]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "order": _order,
}
