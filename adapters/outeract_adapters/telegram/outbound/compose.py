"""One part of a message as calls of methods; nearly always a single one.

Knows: the method and parameters of every kind of outbound message, where words and keyboards go.
Does not know: HTTP, answers, what is tried when a call is refused (`send.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve, field, frozen

from outeract_core.adapter import Outgoing, OutgoingFile
from outeract_core.content import Contact, Location
from outeract_core.errors import Rejected

from ..fields import Object, Place, address, split_id, utf16
from . import aside
from .cards import card
from .keyboards import listing, markup, titles
from .markup import escape, styled
from .media import Shown, groups, shown

__all__ = ["CAPTION", "TEXT", "Step", "steps", "words"]

TEXT, CAPTION = 4096, 1024
"""Bot API, sendMessage and captions: UTF-16 units after the markup has been read."""

_FLAGS = ("disable_notification", "protect_content", "allow_paid_broadcast")
_CAPTION_FLAGS = {"photo", "video", "animation"}
_PREVIEW = {
    "is_disabled": bool, "url": str, "prefer_small_media": bool, "prefer_large_media": bool,
    "show_above_text": bool,
}  # fmt: skip


@frozen
class Words:
    """A text twice: in HTML, and as a reader sees it."""

    html: str = ""
    plain: str = ""

    def __bool__(self) -> bool:
        return bool(self.plain.strip() or self.html.strip())

    @property
    def size(self) -> int:
        """UTF-16 units that a reader sees."""
        return utf16(self.plain)


@frozen
class Step:
    """One call. `slot`: the parameter that the words stand in; `media` is an album's first caption.

    `shown`: its files, each as what it goes as.
    """

    method: str
    params: Object = field(factory=dict)
    files: tuple[tuple[str, OutgoingFile], ...] = ()
    slot: str = ""
    words: Words = field(factory=Words)
    marked: bool = True
    shown: tuple[Shown, ...] = ()

    @property
    def replying(self) -> Object:
        """What it answers, as Telegram is told."""
        told: Object = self.params.get("reply_parameters") or {}
        return told

    @property
    def body(self) -> Object:
        """The parameters with the words in their place."""
        if not self.slot or not self.words:
            return self.params
        if self.slot != "media":
            return {**self.params, **self._said(self.slot)}
        first, *rest = self.params["media"]
        return {**self.params, "media": [{**first, **self._said("caption")}, *rest]}

    def _said(self, slot: str) -> Object:
        if self.marked:
            return {slot: self.words.html, "parse_mode": "HTML"}
        return {slot: self.words.plain}

    def with_(self, **params: Any) -> Step:
        """The same with these parameters; what is None is left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return evolve(self, params={**self.params, **given})

    def without(self, *names: str) -> Step:
        """The same without these parameters."""
        kept = {name: value for name, value in self.params.items() if name not in names}
        return evolve(self, params=kept)

    @property
    def as_documents(self) -> Step:
        """The same with its files as documents, which are looked into by nobody."""
        kept = self.without("show_caption_above_media")
        other = _files([one.as_document for one in self.shown])
        params = {**kept.params, **other.params}
        return evolve(
            kept, method=other.method, params=params, files=other.files, shown=other.shown
        )


def steps(outgoing: Outgoing) -> list[Step]:
    """What to call, in order. Raises Rejected when there is nothing to say or it cannot be said."""
    if outgoing.template is not None:
        raise Rejected("Telegram has no templates")
    place, keyboard = address(outgoing.to.address), markup(outgoing)
    made = [*_things(outgoing), *_told(outgoing, keyboard, place)]
    if not made:
        raise Rejected("an empty message: Telegram takes no empty text")
    if keyboard is not None:
        made[-1] = made[-1].with_(reply_markup=keyboard)
    invited, private = aside.invited(place, outgoing), aside.around(place, outgoing)
    made[0] = made[0].with_(reply_parameters=invited or _reply(outgoing, place))
    options = {**_options(outgoing, place), **private, "reply_parameters": invited}
    return [step.with_(**options) for step in made]


# ── words and files ───────────────────────────────────────────────────────────────────────────


def words(outgoing: Outgoing) -> list[Words]:
    """Header, text, rows of a menu with descriptions, footer: in one if they fit into one."""
    rows = listing(outgoing)
    header, footer = outgoing.header or "", outgoing.footer or ""
    parts = [
        Words(styled("bold", escape(header)), header),
        Words(outgoing.text, outgoing.plain),
        Words(escape(rows), rows),
        Words(styled("italic", escape(footer)), footer),
    ]
    parts = [part for part in parts if part]
    whole = Words(
        "\n\n".join(part.html for part in parts), "\n\n".join(part.plain for part in parts)
    )
    return parts if whole.size > TEXT else [whole] if whole else []


def _told(outgoing: Outgoing, keyboard: Object | None, place: Place) -> Iterator[Step]:
    """Files with the text as their caption; what does not fit there follows as messages.

    There are no ephemeral albums: each of their files goes alone.
    """
    said, found = words(outgoing), shown(outgoing)
    files = [[one] for one in found] if place.user is not None else [*groups(found)]
    if keyboard is not None and not said and not _holds(outgoing, files):
        named = titles(outgoing) or "…"
        said = [Words(escape(named), named)]
    captioned = len(said) == 1 and files and _takes_caption(files, said[0], keyboard)
    for number, group in enumerate(files):
        step = _files(group)
        yield _captioned(step, group, outgoing, said[0]) if captioned and number == 0 else step
    for part in () if captioned else said:
        yield Step("sendMessage", _previewed(outgoing), slot="text", words=part)


def _holds(outgoing: Outgoing, files: list[list[Shown]]) -> bool:
    """Whether something without words can carry the keyboard; an album cannot."""
    if files:
        return len(files[-1]) == 1
    return outgoing.location is not None or bool(outgoing.contacts)


def _takes_caption(files: list[list[Shown]], said: Words, keyboard: Object | None) -> bool:
    stuck = keyboard is not None and len(files[-1]) > 1
    return files[0][0].captioned and said.size <= CAPTION and not stuck


def _captioned(step: Step, group: list[Shown], outgoing: Outgoing, said: Words) -> Step:
    above = outgoing.metadata.get("show_caption_above_media") is True
    if above and len(group) == 1 and group[0].field in _CAPTION_FLAGS:
        step = step.with_(show_caption_above_media=True)
    return evolve(step, slot="media" if len(group) > 1 else "caption", words=said)


def _files(group: list[Shown]) -> Step:
    """One file by its method, several as an album.

    Bot API, "Sending files": `attach://` names the part of the form with the bytes.
    """
    if len(group) == 1:
        one = group[0]
        return Step(one.method, files=((one.field, one.file),), shown=(one,))
    media = [{"type": one.field, "media": f"attach://file{n}"} for n, one in enumerate(group)]
    named = tuple((f"file{n}", one.file) for n, one in enumerate(group))
    return Step("sendMediaGroup", {"media": media}, named, shown=tuple(group))


# ── places and cards ──────────────────────────────────────────────────────────────────────────


def _things(outgoing: Outgoing) -> Iterator[Step]:
    if outgoing.location is not None:
        yield _location(outgoing.location)
    for contact in outgoing.contacts:
        yield _contact(contact)


def _location(place: Location) -> Step:
    """A point, or a venue when it has a name. Raises Rejected when it is no place on Earth."""
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise Rejected(f"({place.latitude}, {place.longitude}) is no place on Earth")
    point = {"latitude": place.latitude, "longitude": place.longitude}
    title = place.name or place.address
    if not title:
        return Step("sendLocation", point)
    where = place.address or f"{place.latitude}, {place.longitude}"
    return Step("sendVenue", {**point, "title": title, "address": where})


def _contact(contact: Contact) -> Step:
    """A card; one without a number is told in words, since Telegram wants a number."""
    if not contact.phones:
        said = "\n".join([contact.name, *contact.emails])
        return Step("sendMessage", slot="text", words=Words(escape(said), said))
    first, _, last = contact.name.strip().partition(" ")
    told = {"phone_number": contact.phones[0], "first_name": first or contact.phones[0]}
    return Step("sendContact", told).with_(last_name=last.strip() or None, vcard=card(contact))


# ── around it ─────────────────────────────────────────────────────────────────────────────────


def _options(outgoing: Outgoing, place: Place) -> Object:
    """Where and how: the topic, and what `metadata` asks for."""
    asked = outgoing.metadata
    given: Object = {name: True for name in _FLAGS if asked.get(name) is True}
    if asked.get("silent") is True:
        given["disable_notification"] = True
    for name, kind in (("message_effect_id", str), ("direct_messages_topic_id", int)):
        if type(asked.get(name)) is kind:
            given[name] = asked[name]
    return {**given, "message_thread_id": _thread(outgoing, place)}


def _thread(outgoing: Outgoing, place: Place) -> int | None:
    """The topic. "General" (1) is written to by naming none."""
    asked = outgoing.metadata.get("message_thread_id")
    if type(asked) is int:
        return asked if asked > 1 else None
    root = _named(outgoing.thread)
    return root[0] if root and root[1].chat == place.chat and root[0] > 1 else None


def _reply(outgoing: Outgoing, place: Place) -> Object | None:
    """The message that is answered; if it is gone, the answer is sent without it.

    After a group has become a supergroup its old messages cannot be referred to.
    """
    named = _named(outgoing.reply_to)
    if named is None:
        return None
    known, there = named
    if there.user is not None:
        return None
    if place.user is not None:
        return {"message_id": known} if there.chat == place.chat else None
    told: Object = {"message_id": known, "allow_sending_without_reply": True}
    if isinstance(place.chat, str) or there.chat == place.chat:
        return told
    moved = str(there.chat) in (outgoing.to.external_id, *outgoing.to.aliases.values())
    return None if moved or there.business else {"message_id": known, "chat_id": there.chat}


def _named(external_id: str | None) -> tuple[int, Place] | None:
    """The message meant, or None: a press and a vote have ids too, but nothing that can be quoted."""
    try:
        return None if external_id is None else split_id(external_id)
    except Rejected:
        return None


def _previewed(outgoing: Outgoing) -> Object:
    """`metadata["link_preview"]`: False for none, or an object with LinkPreviewOptions."""
    asked = outgoing.metadata.get("link_preview")
    if asked is False:
        return {"link_preview_options": {"is_disabled": True}}
    if not isinstance(asked, dict):
        return {}
    known = {name: asked[name] for name, kind in _PREVIEW.items() if type(asked.get(name)) is kind}
    return {"link_preview_options": known} if known else {}
