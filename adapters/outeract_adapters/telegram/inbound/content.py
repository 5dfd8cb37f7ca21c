"""What a message holds, whatever its kind: text, files, places, cards, polls, games.

Knows: the members of Message that are content, and which of them stand in for another.
Does not know: who said it, in reply to what; service messages (`messages.py`).

Bot API, Message: an animation also sets `document`, a live photo `photo`, a venue `location`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from outeract_core.errors import ParseError
from outeract_core.events import FileRef

from ..fields import Object, many, number, obj, text
from . import files, rich
from .entities import Entity
from .entities import read as entities_of
from .members import present

__all__ = ["Said", "read"]


@frozen
class Said:
    """The normalised content. `more`: members of the payload beside type and text."""

    type: str
    text: str = ""
    more: dict[str, Any] = field(factory=dict)
    files: tuple[FileRef, ...] = ()
    entities: tuple[Entity, ...] = ()


def read(item: Object) -> Said | None:
    """The content, or None when no member of the message is content. Raises ParseError."""
    held = item.keys() & _READERS.keys()
    for member in _READERS if len(held) > 1 else held:
        if present(item.get(member)):
            return _READERS[member](member, item)
    return None


def _worded(kind: str, item: Object, member: str, more: Object, refs: tuple[FileRef, ...]) -> Said:
    """Content with words of its own: a text or a caption, with the entities in it."""
    member = member if member in item else "text"
    words = item.get(member)
    said = words if isinstance(words, str) else ""
    known = "entities" if member == "text" else f"{member}_entities"
    spoken = tuple(entities_of(said, item, known)) if known in item else ()
    return Said(kind, said, more, refs, spoken)


def _text(member: str, item: Object) -> Said:
    if not isinstance(item[member], str):
        raise ParseError("a text that is no text")
    return _worded(member, item, member, {}, ())


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _file(member: str, item: Object) -> Said:
    media = obj(item, member)
    names = ("duration", "width", "height", "performer", "title")
    more = {name: media[name] for name in names if isinstance(media.get(name), int | str)}
    if item.get("has_media_spoiler") is True:
        more["spoiler"] = True
    return _worded(member, item, "caption", more, (files.file(media, files.FILES[member]),))


def _photo(_: str, item: Object) -> Said:
    more: Object = {"spoiler": True} if item.get("has_media_spoiler") is True else {}
    return _worded("image", item, "caption", more, (files.photo(item),))


def _live_photo(member: str, item: Object) -> Said:
    """A picture that moves: the still one first, then the film."""
    media = obj(item, member)
    still = item if item.get("photo") else media
    moving = files.file(media, "video/mp4")
    both = (files.photo(still), moving) if still.get("photo") else (moving,)
    return _worded("image", item, "caption", {"live": True}, both)


def _sticker(member: str, item: Object) -> Said:
    media = obj(item, member)
    more: Object = {"emoji": text(media, "emoji"), "set_name": text(media, "set_name")}
    if media.get("is_animated") is True or media.get("is_video") is True:
        more["animated"] = True
    return Said(member, text(media, "emoji") or "", more, (files.sticker(media),))


def _paid_media(member: str, item: Object) -> Said:
    media = obj(item, member)
    more: Object = {"stars": number(media, "star_count")}
    return _worded(member, item, "caption", more, files.paid(media))


# ── places and cards ──────────────────────────────────────────────────────────────────────────


def _location(member: str, item: Object) -> Said:
    return Said(member, "", {"location": _degrees(obj(item, member))})


def _venue(member: str, item: Object) -> Said:
    venue = obj(item, member)
    place = _degrees(obj(venue, "location"))
    named = {"name": text(venue, "title"), "address": text(venue, "address")}
    return Said(
        "location", "", {"location": place | {name: one for name, one in named.items() if one}}
    )


def _degrees(place: Object) -> Object:
    told: Object = {}
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = place.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > most:
            raise ParseError(f"a location whose {name} is no place on Earth")
        told[name] = float(value)
    live = number(place, "live_period")
    return told if live is None else {**told, "live_period": live}


def _contact(member: str, item: Object) -> Said:
    """A card. A number that Telegram knows is E.164 without its plus."""
    card, known = obj(item, member), number(item, member, "user_id")
    names = (text(card, "first_name"), text(card, "last_name"))
    phone = text(card, "phone_number")
    if phone is None:
        raise ParseError("a contact without a phone number")
    digits = "".join(char for char in phone if char.isascii() and char.isdigit())
    worldwide = phone.startswith("+") or known is not None
    told: Object = {
        "name": " ".join(name for name in names if name),
        "phones": [f"+{digits}" if worldwide and digits else phone],
        "emails": [],
    }
    if known is not None:
        told["user_id"] = str(known)
    return Said("contacts", "", {"contacts": [told]})


# ── everything else ───────────────────────────────────────────────────────────────────────────


def _poll(member: str, item: Object) -> Said:
    poll = obj(item, member)
    options = [found for one in many(poll, "options") if (found := text(one, "text"))]
    told = {"id": text(poll, "id"), "question": text(poll, "question"), "options": options}
    told["kind"] = text(poll, "type")
    return Said(member, text(poll, "question") or "", {"poll": told})


def _dice(member: str, item: Object) -> Said:
    dice = obj(item, member)
    told = {"emoji": text(dice, "emoji"), "value": number(dice, "value")}
    return Said(member, text(dice, "emoji") or "", {"dice": told})


def _game(member: str, item: Object) -> Said:
    game = obj(item, member)
    said = text(game, "text") or text(game, "title") or ""
    refs = (files.photo(game),) if game.get("photo") else ()
    return Said(member, said, {"game": {"title": text(game, "title")}}, refs)


def _checklist(member: str, item: Object) -> Said:
    checklist = obj(item, member)
    listed = [(found, one) for one in many(checklist, "tasks") if (found := text(one, "text"))]
    told: Object = {"title": text(checklist, "title"), "tasks": [found for found, _one in listed]}
    done = [found for found, one in listed if number(one, "completion_date")]
    if done:
        told["done"] = done
    return Said(member, text(checklist, "title") or "", {"checklist": told})


def _story(member: str, item: Object) -> Said:
    story = obj(item, member)
    told = {"id": number(story, "id"), "chat": number(story, "chat", "id")}
    return Said(member, "", {"story": told})


def _rich(member: str, item: Object) -> Said:
    """A rich message, as the words of its blocks; the blocks themselves are in the raw item."""
    blocks = obj(item, member).get("blocks")
    return Said("text", rich.words(blocks), {"rich": True}, rich.attached(blocks))


def _whole(member: str, item: Object) -> Said:
    """What has no words: kept as it came."""
    return Said(member, text(obj(item, member), "title") or "", {"content": item[member]})


_READERS: dict[str, Callable[[str, Object], Said]] = {
    "rich_message": _rich, "animation": _file, "audio": _file,
    "live_photo": _live_photo, "photo": _photo, "sticker": _sticker, "video": _file,
    "video_note": _file, "voice": _file, "document": _file, "paid_media": _paid_media,
    "story": _story, "checklist": _checklist, "contact": _contact, "dice": _dice, "game": _game,
    "poll": _poll, "venue": _venue, "location": _location, "invoice": _whole,
    "giveaway": _whole, "giveaway_winners": _whole, "text": _text,
}  # fmt: skip
