"""What a platform can show of a content: its files, choices and places, and all the rest in words.

Knows: what a manifest has a place for, and what stands in words instead.
Does not know: how much fits into one message (`layout.py`), how anything is marked up.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ...adapter import Manifest
from ...content import Attachment, Contact, Content, Location, Template
from ...text.commonmark import markdown, plain, unpaired
from ...text.document import Block, Document, Paragraph, Span, Str
from ...text.flatten import flatten
from ...text.tables import NARROW, narrowed
from ..values.classes import frozen
from .attachments import fit_files
from .choices import Choices, fit_choices
from .losses import losses

__all__ = ["Shown", "show"]

HEADER_INSIDE = "header in the text"


@frozen
class Shown:
    """A content as the platform shows it.

    files, kinds    for each file the kind that it is sent as.
    template, location, contacts   where the platform has a place for them.
    choices         what there is to press; `header` and `footer` stand beside it.
    text            what is said in words, as a document, without header and footer.
    header, footer  as they were given; `above`, `below`: whether they have a place of their own.
    notes           what is shown otherwise than asked for.
    """

    files: tuple[Attachment, ...]
    kinds: tuple[str, ...]
    choices: Choices
    text: Document
    template: Template | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    header: str = ""
    footer: str = ""
    above: bool = False
    below: bool = False
    notes: tuple[str, ...] = ()

    @property
    def body(self) -> Document:
        """All that is said in words, in one document; empty when that is nothing."""
        blocks: list[Block] = []
        if self.header and not self.above:
            blocks.append(Paragraph((Span("bold", (Str(self.header),)),)))
        blocks += self.text
        if self.footer and not self.below:
            blocks.append(Paragraph((Str(self.footer),)))
        return tuple(blocks) if flatten(tuple(blocks)).strip() else ()

    @property
    def header_inside(self) -> Shown:
        """The same with the header in the text, for when it has to stand above several messages."""
        return evolve(self, above=False, notes=(*self.notes, HEADER_INSIDE))


def show(content: Content, manifest: Manifest, sizes: Sequence[int]) -> Shown:
    """What the platform shows of `content`. `sizes`: of its files in bytes, where they are known.

    Raises Unsupported, FileTooLarge, BadInput.
    """
    kinds, about_files = fit_files(content.files, manifest, sizes)
    choices, about_choices = fit_choices(content, manifest)
    text, about_text = _text(content, manifest)
    lines, about_places = _in_words(content, manifest)
    words = [*text, *(_paragraph(one) for one in (*lines, choices.lines) if one)]
    notes = (*about_files, *about_choices, *about_text, *about_places)
    location, contacts = _placed(content, manifest)
    shown = Shown(
        content.files, kinds, choices, tuple(words), content.template, location, contacts, notes=notes
    )  # fmt: skip
    return _around(shown, content, manifest) if choices.any or _words_around(content) else shown


def _text(content: Content, manifest: Manifest) -> tuple[Document, tuple[str, ...]]:
    text = unpaired(content.text)
    if not text.strip():
        return (), ()
    whole = plain(text) if content.format == "plain" else markdown(text)
    widest = NARROW if "format" in manifest.capabilities else 0
    return narrowed(whole, widest), tuple(losses(whole, manifest))


def _placed(
    content: Content, manifest: Manifest
) -> tuple[Location | None, tuple[Contact, ...]]:  # fmt: skip
    """Place and cards, where the platform has room for them."""
    location = content.location if "location" in manifest.capabilities else None
    return location, content.contacts if "contacts" in manifest.capabilities else ()


def _in_words(content: Content, manifest: Manifest) -> tuple[list[Sequence[str]], tuple[str, ...]]:
    """Lines for the place and the cards that the platform has no room for."""
    lines: list[Sequence[str]] = []
    notes: list[str] = []
    if content.location is not None and "location" not in manifest.capabilities:
        lines.append(_place(content.location))
        notes.append("location as text")
    if content.contacts and "contacts" not in manifest.capabilities:
        lines.append([_card(contact) for contact in content.contacts])
        notes.append("contacts as text")
    return lines, tuple(notes)


def _place(location: Location) -> list[str]:
    """The place in words, and where to see it on a map."""
    latitude, longitude = (f"{value:.6f}" for value in (location.latitude, location.longitude))
    address = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}"
    return [*(part for part in (location.name, location.address) if part), address]


def _card(contact: Contact) -> str:
    return ", ".join([contact.name, *contact.phones, *contact.emails])


def _paragraph(lines: Sequence[str]) -> Paragraph:
    return Paragraph((Str(unpaired("\n".join(lines))),))


def _words_around(content: Content) -> bool:
    return bool(content.header or content.footer)


def _around(shown: Shown, content: Content, manifest: Manifest) -> Shown:
    """Header and footer, in their own place where there is one: beside choices, if short."""
    header, footer = unpaired(content.header or ""), unpaired(content.footer or "")
    beside = shown.choices.any
    above = beside and len(header) <= manifest.header_limit and not content.files
    below = beside and len(footer) <= manifest.footer_limit
    notes = [*shown.notes]
    if header and not above:
        notes.append(HEADER_INSIDE)
    if footer and not below:
        notes.append("footer in the text")
    return evolve(shown, header=header, footer=footer, above=above, below=below, notes=tuple(notes))
