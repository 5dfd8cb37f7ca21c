"""What one can say: the content of an outbound message, the same for every platform.

Knows: text, files, buttons, menus, places, contacts, templates, and how they become a payload.
Does not know: what a platform can show of it; `_domain/planning/plan.py` fits it to a platform's manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, TypeAlias

from attrs import asdict, field, fields

from ._domain.values.classes import frozen
from .errors import BadInput
from .model import File

__all__ = [
    "Attachment",
    "Button",
    "Choice",
    "Contact",
    "Content",
    "Location",
    "Menu",
    "MenuRow",
    "Template",
]

FileKind = Literal["image", "video", "audio", "voice", "document", "sticker"]


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...]:
    return tuple(values or ())


def _placed(source: str | Path | bytes | File) -> Path | bytes | File:
    """A path as it is meant now, whatever the working directory is later. Raises BadInput."""
    if not isinstance(source, str | Path):
        return source
    try:
        return Path(source).absolute()
    except OSError as error:
        raise BadInput(
            f"there is no working directory ({error.strerror}), so {source} leads nowhere"
        ) from None


@frozen
class Attachment:
    """An outbound file. `source`: a path, the bytes themselves, or a `File` of this application.

    A relative path is made absolute when the attachment is made, as `open` would take it there; it is
    read when the message is committed. `kind` chooses how the platform shows it; None lets the MIME
    type decide.
    """

    source: Path | bytes | File = field(repr=False, converter=_placed)
    filename: str | None = None
    mime_type: str | None = None
    kind: FileKind | None = None
    caption: str | None = None


@frozen
class Button:
    """A button. A press comes back as `message.action` with this `id`; a `url` opens a page instead."""

    id: str
    title: str
    url: str | None = None


@frozen
class MenuRow:
    """One choice of a menu."""

    id: str
    title: str
    description: str | None = None
    section: str | None = None


@frozen
class Menu:
    """A list to choose one row from. `button` is the label that opens it."""

    button: str
    rows: tuple[MenuRow, ...] = field(converter=_tuple)


@frozen
class Location:
    """A place, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@frozen
class Contact:
    """A business card. `phones` in E.164."""

    name: str
    phones: tuple[str, ...] = field(default=(), converter=_tuple)
    emails: tuple[str, ...] = field(default=(), converter=_tuple)
    user_id: str | None = None


@frozen
class Template:
    """A message that the platform has approved beforehand; `components` in the platform's own form."""

    name: str
    language: str = "en"
    components: tuple[Mapping[str, Any], ...] = field(default=(), converter=_tuple)


BLANK = " \t\r\n\f\v\u00a0\u200b\u2060\ufeff"
"""What a text of nothing else says nothing with."""


@frozen
class Content:
    """Everything that one message says. A plain `str` is `Content(text=…)`.

    `format`: `plain` shows the text as it stands, `markdown` reads CommonMark (extra `markdown`). A text
    has at most 2,000,000 characters, 1,048,576 of them markdown; a longer one raises BadInput.
    """

    text: str = ""
    format: Literal["plain", "markdown"] = "plain"
    files: tuple[Attachment, ...] = field(default=(), converter=_tuple)
    buttons: tuple[Button, ...] = field(default=(), converter=_tuple)
    quick_replies: tuple[Button, ...] = field(default=(), converter=_tuple)
    menu: Menu | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = field(default=(), converter=_tuple)
    template: Template | None = None
    header: str | None = None
    footer: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        _bounded(self)
        around = self.buttons or self.quick_replies or self.menu or self.header or self.footer
        if around and not (
            self.text or self.files or self.location or self.contacts or self.template
        ):
            raise BadInput("an empty message: give text, files, a location, contacts or a template")

    @classmethod
    def of(cls, value: ContentLike) -> Content:
        """`value` as content: a str becomes plain text. Raises BadInput for anything else."""
        if isinstance(value, Content):
            return value
        if isinstance(value, str):
            return cls(text=value)
        raise BadInput(f"content must be str or Content, not {type(value).__name__}")

    @property
    def only_text(self) -> bool:
        """Whether it says a text as it stands and nothing beside it, as most messages do."""
        return self.format == "plain" and _BESIDE(self) == _NOTHING_BESIDE

    @property
    def blank(self) -> bool:
        """Whether it says nothing at all. That is no reply, and cannot be sent."""
        if self.text.strip(BLANK):
            return False
        shown = (self.files, self.location, self.contacts, self.template, self.header, self.footer)
        pressed = (self.buttons, self.quick_replies, self.menu)
        return not any((*shown, *pressed))

    @property
    def weight(self) -> int:
        """How much there is to be read and cut: characters, those of markdown many times over."""
        texts = (self.text, self.header, self.footer, *(one.caption for one in self.files))
        shown = sum(len(text) for text in texts if isinstance(text, str))
        return shown * (_MARKDOWN if self.format == "markdown" else 1)

    @property
    def type(self) -> str:
        """The payload's `type`: what the message mainly is."""
        if self.template:
            return "template"
        if self.files:
            return self.files[0].kind or "document"
        if self.location:
            return "location"
        if self.contacts:
            return "contacts"
        return "interactive" if (self.buttons or self.menu or self.quick_replies) else "text"

    def message(self) -> dict[str, Any]:
        """The `message` member of an outbound payload; files are edges, so they are not in it."""
        if self.only_text and not self.metadata:
            return {"type": "text", "role": "assistant", "text": self.text}
        told = {
            name: _plain(value)
            for name in _MEMBERS
            if (value := getattr(self, name)) not in _NOTHING
        }
        if told.get("format") == "plain":
            del told["format"]
        return {"type": self.type, "role": "assistant", "text": self.text, **told}


_LONGEST = {"plain": 2_000_000, "markdown": 1_048_576}
_MARKDOWN = 50
"""A character of markdown costs about as much as so many of plain text."""


def _bounded(content: Content) -> None:
    """Raises BadInput for text that is longer than is ever split into messages."""
    longest = _LONGEST.get(content.format, _LONGEST["plain"])
    for name in ("text", "header", "footer"):
        text = getattr(content, name)
        if isinstance(text, str) and len(text) > longest:
            raise BadInput(
                f"the {name} has {len(text):,} characters, and a message takes at most {longest:,} of "
                f"{content.format}: send it as a file, or in several messages"
            )


_NOTHING: tuple[Any, ...] = (None, (), {}, "")
_BESIDE = attrgetter(
    "files", "buttons", "quick_replies", "menu", "location", "contacts", "template", "header",
    "footer",
)  # fmt: skip
_NOTHING_BESIDE = ((), (), (), None, None, (), None, None, None)
_MEMBERS = tuple(one.name for one in fields(Content) if one.name != "files")


def _plain(value: Any) -> Any:
    """A member as JSON can say it; what holds nothing is left out."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    return asdict(value, filter=lambda _a, inner: inner not in _NOTHING)


ContentLike: TypeAlias = str | Content


# ── what was offered ──────────────────────────────────────────────────────────────────────────


@frozen
class Choice:
    """Something to press: a button, a quick reply, or a row of a menu (`kind`)."""

    id: str
    title: str
    kind: Literal["button", "quick_reply", "row"] = "button"
    url: str | None = None
    description: str | None = None


def offered(message: Mapping[str, Any]) -> Iterable[Choice]:
    """The choices in a message's content."""
    kinds: tuple[tuple[str, Literal["button", "quick_reply"]], ...] = (
        ("buttons", "button"), ("quick_replies", "quick_reply"),
    )  # fmt: skip
    for member, kind in kinds:
        for one in _objects(message.get(member)):
            yield _choice(one, kind)
    menu = message.get("menu")
    for row in _objects(menu.get("rows") if isinstance(menu, Mapping) else None):
        yield _choice(row, "row")


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _choice(told: Mapping[str, Any], kind: Literal["button", "quick_reply", "row"]) -> Choice:
    url, description = told.get("url"), told.get("description")
    return Choice(
        str(told.get("id") or ""), str(told.get("title") or ""), kind,
        url if isinstance(url, str) else None,
        description if isinstance(description, str) else None,
    )  # fmt: skip
