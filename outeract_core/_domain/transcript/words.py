"""A message in words, as people see it now: its text, and marks for everything that is no text.

Knows: the members of a message's content, and how each is shown.
Does not know: who else speaks, turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...model import Event, File, PlatformUser
from ...standing import Standing
from ..values.classes import frozen
from .shown import block, inline, mark, name_of


@frozen
class Words:
    """What is shown of something: `before` and `after` are marks, `text` is a person's."""

    before: tuple[str, ...] = ()
    text: str = ""
    after: tuple[str, ...] = ()

    @property
    def lines(self) -> str:
        """All of it; empty when there is nothing to see."""
        first = " ".join([*self.before, *([block(self.text)] if self.text else [])])
        return "\n".join([*([first] if first.strip() else []), *self.after])


def words_of(message: Standing, names: Mapping[Any, str]) -> Words:
    """A message as people see it now."""
    told = message.message
    if not told and not message.files:
        return Words()
    shown = _template_only(message, told)
    text = "" if shown else "\n".join(
        part for part in (told.get("header"), message.text, told.get("footer"), message.transcript)
        if isinstance(part, str) and part
    )  # fmt: skip
    before = [*_quoting(message, names), *_things(message, told)]
    if not (text or before):
        return Words()
    return Words(tuple(before), text, tuple(_after(message, told, names)))


def _template_only(message: Standing, told: Mapping[str, Any]) -> bool:
    """Whether the text beside a template was left to platforms that have none."""
    return isinstance(told.get("template"), Mapping) and "template left out" not in _degraded(
        message
    )


def _degraded(message: Event) -> Sequence[str]:
    told = message.payload.get("degraded") if isinstance(message.payload, dict) else None
    return told if isinstance(told, list) else ()


def _quoting(message: Standing, names: Mapping[Any, str]) -> Iterable[str]:
    if message.message.get("forwarded") is True:
        yield mark("forwarded")
    quoted = message.quoted
    if quoted is not None:
        yield mark("replying to", f"{_whose(quoted, names)}: {glimpse(quoted)}")


def _whose(message: Standing, names: Mapping[Any, str]) -> str:
    if message.event_type == "message.outbound" or message.sender is None:
        return "you" if message.event_type == "message.outbound" else "a message"
    return names.get(message.sender.id) or name_of(
        message.sender.name or message.sender.external_id
    )


def glimpse(message: Standing) -> str:
    """The beginning of a message, in one line and quotation marks."""
    if message.deleted:
        return "a deleted message"
    words = Words(tuple(_things(message, message.message)), message.text)
    text = " ".join([*(one.strip("[]") for one in words.before), message.text])
    return f"“{inline(text, 160)}”"


def _things(message: Standing, told: Mapping[str, Any]) -> Iterable[str]:
    """Marks for what is no text."""
    kind = message.content_type or "text"
    if message.files:
        for file in message.files:
            yield mark(
                f"{_file_kind(file, kind)}:" if file.filename else _file_kind(file, kind),
                file.filename and inline(file.filename),
            )
    elif kind in _SHOWN:
        yield from _SHOWN[kind](told, message)
    elif kind not in ("text", "interactive"):
        yield mark(inline(kind, 40))


def _file_kind(file: File, kind: str) -> str:
    major = (file.mime_type or "").partition("/")[0]
    if kind in ("voice", "sticker", "animation", "video_note"):
        return kind
    return major if major in ("image", "audio", "video") else kind if kind in _FILES else "document"


_FILES = ("image", "video", "audio", "document")


def _place(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    place = told.get("location")
    place = place if isinstance(place, Mapping) else {}
    named = [inline(place[part]) for part in ("name", "address") if place.get(part)]
    where = f"({place.get('latitude')}, {place.get('longitude')})"
    yield mark("location:", ", ".join(named), inline(where))


def _cards(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    cards = told.get("contacts")
    for card in cards if isinstance(cards, list) else []:
        if isinstance(card, Mapping):
            more = [one for part in ("phones", "emails") for one in card.get(part) or [] if one]
            told_of = [card["name"]] if card.get("name") else []
            yield mark("contact:", inline(", ".join(map(str, [*told_of, *more])), 300))


def _template(told: Mapping[str, Any], message: Standing) -> Iterable[str]:
    template = told.get("template")
    if isinstance(template, Mapping) and _template_only(message, told):
        values = [inline(value) for value in _values(template.get("components"))]
        name = inline(template.get("name") or "")
        yield mark(f"template {name}:" if values else f"template {name}", ", ".join(values))


def _values(components: Any) -> Iterable[str]:
    """The texts that were put into a template, wherever a platform keeps them."""
    if isinstance(components, Mapping):
        text = components.get("text")
        if isinstance(text, str):
            yield text
        components = [one for name, one in components.items() if name != "text"]
    if isinstance(components, list | tuple):
        for one in components:
            if isinstance(one, Mapping | list | tuple):
                yield from _values(one)


def _poll(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    poll = told.get("poll")
    options = poll.get("options") if isinstance(poll, Mapping) else None
    some = [inline(one) for one in options] if isinstance(options, list) else []
    yield mark("poll:", " | ".join(some))


def _checklist(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    checklist = told.get("checklist")
    checklist = checklist if isinstance(checklist, Mapping) else {}
    tasks, done = ([*map(inline, some)] if isinstance(some := checklist.get(name), list) else []
                   for name in ("tasks", "done"))  # fmt: skip
    some = [f"{one} ✓" if one in done else one for one in tasks]
    yield mark("checklist:", " | ".join(some))


def _dice(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    dice = told.get("dice")
    yield mark("dice:", inline(dice.get("value") or "") if isinstance(dice, Mapping) else "")


def _order(told: Mapping[str, Any], _message: Standing) -> Iterable[str]:
    order = told.get("order")
    items = order.get("product_items") if isinstance(order, Mapping) else None
    listed = [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []
    some = [
        f"{inline(one.get('quantity') or 1)} × {inline(one.get('product_retailer_id') or '?')}"
        for one in listed
    ]
    yield mark("order:", ", ".join(some))


_SHOWN: dict[str, Callable[[Mapping[str, Any], Standing], Iterable[str]]] = {
    "location": _place,
    "contacts": _cards,
    "template": _template,
    "poll": _poll,
    "checklist": _checklist,
    "dice": _dice,
    "order": _order,
}


def _previews(told: Mapping[str, Any]) -> Iterable[str]:
    """What is shown of links beside the words; nobody here has said it."""
    previews = told.get("previews")
    for one in previews[:_LINKS] if isinstance(previews, list) else []:
        if isinstance(one, Mapping):
            whose = [name_of(str(one[part])) for part in ("name", "title") if one.get(part)]
            text = f"“{inline(one['text'], 160)}”" if one.get("text") else ""
            yield mark("preview:", ": ".join([*whose, *([text] if text else [])]))


_LINKS = 5


def _after(message: Standing, told: Mapping[str, Any], names: Mapping[Any, str]) -> Iterable[str]:
    yield from _previews(told)
    if message.choices:
        menu = told.get("menu")
        under = inline(menu.get("button") or "", 40) if isinstance(menu, Mapping) else ""
        titles = [_choice_title(one.title, one.url, one.description) for one in message.choices]
        yield mark(f"choices under {under}:" if under else "choices:", " | ".join(titles))
    answers = list(_reactions(message, names))
    if answers:
        yield mark("reactions:", "; ".join(answers))
    yield from _doubts(message)


def _reactions(message: Standing, names: Mapping[Any, str]) -> Iterable[str]:
    """Those of others, upon what somebody wrote: they answer it. Upon the bot's they are turns."""
    if message.event_type == "message.outbound":
        return
    author = message.sender and message.sender.id
    for one in message.reactions:
        others = [who for who in one.by if who.id != author]
        if others or one.count > len(one.by):
            yield " ".join([inline(one.emoji, 40), ", ".join(_reactors(others, names))]).strip()


def _choice_title(title: str, url: str | None, description: str | None) -> str:
    more = inline(url or description or "")
    return f"{inline(title)} ({more})" if more else inline(title)


def _reactors(people: Sequence[PlatformUser], names: Mapping[Any, str]) -> list[str]:
    some = ["you" if one.kind == "system" else names.get(one.id, "somebody") for one in people[:10]]
    return [*some, f"{len(people) - 10} more"] if len(people) > 10 else some


def _doubts(message: Standing) -> Iterable[str]:
    """Where it is not certain that all of it was seen."""
    arrived = sum(part.status in ("sent", "delivered", "read") for part in message.parts)
    if message.status == "unknown":
        yield mark("it is not known whether this arrived")
    elif message.status in ("failed", "cancelled") and arrived:
        yield mark(f"only {arrived} of {len(message.parts)} parts of this arrived")
