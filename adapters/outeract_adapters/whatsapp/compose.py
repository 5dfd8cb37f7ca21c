"""One part of a message as bodies of `POST /messages`; nearly always a single one.

Knows: the body of every kind of outbound message, recipients, what must be told separately.
Does not know: uploads, HTTP, what a tap is called (`choices.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from outeract_core.adapter import Outgoing, Recipient
from outeract_core.content import Contact, Location, Template
from outeract_core.errors import Rejected

from ..meta import Object
from . import choices
from .markup import bold
from .people import BSUID, phone

__all__ = ["CAPTION", "Media", "address", "bodies"]

CAPTION = 1024
_TEXT = 4096
_CAPTIONED = frozenset({"image", "video", "document"})
_TOKEN = 512
_LINKED = re.compile(r"https?://", re.IGNORECASE)


@frozen
class Media:
    """A file that Meta already has (`{"id": …}`) or fetches itself (`{"link": …}`)."""

    type: str
    object: Object

    @property
    def header(self) -> Object | None:
        """Above buttons; sound and stickers cannot stand there."""
        return {"type": self.type, self.type: self.object} if self.type in _CAPTIONED else None


def bodies(outgoing: Outgoing, media: Media | None) -> list[Object]:
    """What to post, in order. Raises Rejected when there is nothing to say or nobody to tell."""
    said = list(_said(outgoing, media))
    if not said:
        raise Rejected("an empty message: WhatsApp takes no empty text")
    around = {"messaging_product": "whatsapp", **address(outgoing.to)}
    whole = [{**around, **body, **_token(outgoing)} for body in said]
    if outgoing.reply_to:
        whole[0]["context"] = {"message_id": outgoing.reply_to}
    return whole


def address(to: Recipient) -> Object:
    """Whom a body goes to. Raises Rejected when that is no number, user id or group.

    Cloud API: a BSUID stands in `recipient`, a number or a group in `to`, which wins over it.
    """
    if to.kind in ("group", "channel"):
        return {"recipient_type": "group", "to": to.address}
    if BSUID.fullmatch(to.address) or to.address == to.aliases.get("bsuid"):
        return {"recipient_type": "individual", "recipient": to.address}
    number = phone(to.address)
    if number is None:
        raise Rejected(
            f"{to.address!r:.60} is no WhatsApp user: give a number like +16505551234 or a BSUID"
        )
    return {"recipient_type": "individual", "to": number}


def _token(outgoing: Outgoing) -> Object:
    """Meta gives it back in every status of the message: how a lost answer is found again."""
    return {"biz_opaque_callback_data": outgoing.token[:_TOKEN]}


# ── what is said ──────────────────────────────────────────────────────────────────────────────


def _said(outgoing: Outgoing, media: Media | None) -> Iterator[Object]:
    if outgoing.template is not None:
        yield {"type": "template", "template": _template(outgoing.template)}
        return
    if outgoing.location is not None:
        yield {"type": "location", "location": _location(outgoing.location)}
    if outgoing.contacts:
        yield {"type": "contacts", "contacts": [_contact(one) for one in outgoing.contacts]}
    if choices.wanted(outgoing):
        yield from _choices(outgoing, media)
    else:
        yield from _plainly(outgoing, media, "")


def _choices(outgoing: Outgoing, media: Media | None) -> Iterator[Object]:
    """Interactive, if need be with the file before it; as text where nothing interactive fits."""
    header = media.header if media else None
    found = choices.interactive(outgoing, header)
    if found is None and header is not None:
        found, header = choices.interactive(outgoing), None
    if found is None:
        yield from _plainly(outgoing, media, choices.lines(outgoing))
        return
    if media is not None and header is None:
        yield _file(media, "")
    yield {"type": "interactive", "interactive": found}


def _plainly(outgoing: Outgoing, media: Media | None, more: str) -> Iterator[Object]:
    """Text, or a file with the text as its caption; a caption that does not fit follows it."""
    header = bold(outgoing.header) if outgoing.header else ""
    parts = [part for part in (header, outgoing.text, more, outgoing.footer) if part]
    whole = "\n\n".join(parts)
    if media is not None:
        captioned = media.type in _CAPTIONED and len(whole) <= CAPTION
        yield _file(media, whole if captioned else "")
        if captioned:
            return
    for text in [whole] if len(whole) <= _TEXT else parts:
        if text:
            yield {"type": "text", "text": {"body": text, "preview_url": _preview(outgoing, text)}}


def _preview(outgoing: Outgoing, text: str) -> bool:
    """As `metadata` says; otherwise whenever there is a link to preview."""
    asked = outgoing.metadata.get("preview_url")
    return asked if isinstance(asked, bool) else _LINKED.search(text) is not None


def _file(media: Media, caption: str) -> Object:
    told = {**media.object, "caption": caption} if caption else media.object
    return {"type": media.type, media.type: told}


def _location(place: Location) -> Object:
    told: Object = {"latitude": place.latitude, "longitude": place.longitude}
    named = {"name": place.name, "address": place.address}
    return told | {name: value for name, value in named.items() if value}


def _contact(contact: Contact) -> Object:
    """A card. Cloud API: the name needs `formatted_name` and one more part."""
    first, _, last = contact.name.strip().partition(" ")
    name = {"formatted_name": contact.name, "first_name": first or contact.name}
    card: Object = {"name": {**name, "last_name": last.strip()} if last.strip() else name}
    if contact.phones:
        card["phones"] = [_phone(number) for number in contact.phones]
    if contact.emails:
        card["emails"] = [{"email": email} for email in contact.emails]
    return card


def _phone(number: str) -> Object:
    """With the `wa_id` the card gets a button to write to them."""
    known = phone(number)
    return {"phone": number, "wa_id": known[1:]} if known else {"phone": number}


def _template(template: Template) -> Object:
    told: Object = {"name": template.name, "language": {"code": template.language}}
    if template.components:
        parts: list[Any] = [dict(component) for component in template.components]
        told["components"] = parts
    return told
