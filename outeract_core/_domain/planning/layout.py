"""What is shown, laid out as parts: one request's worth each, in the order in which they are sent.

Knows: limits, which part carries what when not all fits into one.
Does not know: why something is shown as it is (`showing.py`), how parts are sent.

The order is template, place, cards, files, text; choices stand on the last text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve

from ...adapter import Manifest
from ...text.commonmark import plain, unpaired
from ...text.document import Document, Table
from ...text.flatten import flatten, visible
from ...text.split import split, unit_length
from ...text.tables import continued, header, tables
from ..values.classes import frozen
from .attachments import albums
from .losses import unformatted
from .parts import Part
from .showing import Shown

__all__ = ["Render", "Room", "lay_out"]

Render = Callable[[Document], str]
_UNLIMITED = 2**40


def lay_out(
    shown: Shown, manifest: Manifest, render: Render
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The parts in order, none when there is nothing to see; and notes on what was moved.

    `render`: a document as markup.
    """
    room = Room(manifest, render)
    carried = bool(shown.files) and _captions(shown, room)
    if not carried:
        shown = _several(shown, room)
    texts = () if carried else _texts(shown, room)
    return (*_cards(shown), *_files(shown, room, carried), *texts), shown.notes


@frozen
class Room:
    """How much of a document one message holds, in the platform's own unit."""

    manifest: Manifest
    render: Render

    @property
    def text(self) -> int:
        """What a message holds."""
        return _or(self.manifest.text_limit, None)

    @property
    def caption(self) -> int:
        """What stands below a file."""
        return _or(self.manifest.caption_limit, self.manifest.text_limit)

    @property
    def interactive(self) -> int:
        """What stands above choices."""
        return _or(self.manifest.interactive_limit, self.manifest.text_limit)

    def size(self, document: Document) -> int:
        """How long a document is there."""
        return unit_length(self.manifest.text_unit)(self._counted(document))

    def said(self, document: Document, *, reply: bool = False) -> Part:
        """A part that says it."""
        return Part(
            text=self.render(document), plain=flatten(document), reply=reply,
            literal=all(map(unformatted, document)),
        )  # fmt: skip

    def split(self, document: Document, last: int | None = None) -> list[Document]:
        """The document in pieces that fit; the last one within `last`, where that is given."""
        if not document:
            return []
        above = max(map(self._header, tables(document)), default=0)
        measure, limit = unit_length(self.manifest.text_unit), self.text
        if not above or self.size(document) <= (limit if last is None else min(limit, last)):
            return split(document, limit, measure, self._counted, last)
        room = max(limit // 2, limit - above)
        left = None if last is None else max(last // 2, last - above)
        return continued(split(document, room, measure, self._counted, left))

    def _header(self, table: Table) -> int:
        """How much the header of a table takes, wherever it stands again."""
        return self.size((evolve(table, text="\n".join((*header(table.rows), ""))),))

    def _counted(self, document: Document) -> str:
        rendered = self.manifest.text_counts == "rendered"
        return self.render(document) if rendered else visible(document)


def _or(limit: int | None, otherwise: int | None) -> int:
    return limit if limit is not None else otherwise if otherwise is not None else _UNLIMITED


# ── template, place, cards ────────────────────────────────────────────────────────────────────


def _cards(shown: Shown) -> Iterator[Part]:
    if shown.template is not None:
        yield Part(template=shown.template)
    if shown.location is not None:
        yield Part(location=shown.location)
    yield from (Part(contacts=(contact,)) for contact in shown.contacts)


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def _captions(shown: Shown, room: Room) -> bool:
    """Whether the first file can carry all text and all choices."""
    files, choices = shown.files, shown.choices
    if shown.kinds[0] not in room.manifest.caption_kinds or files[0].caption:
        return False
    size = room.size(shown.body) if shown.body else 0
    alone = len(files) == 1 and choices.menu is None and size <= room.interactive
    return size <= room.caption and (alone or not choices.any)


def _files(shown: Shown, room: Room, carried: bool) -> Iterator[Part]:
    """A part for each album; the first has the text as its caption where it carries it."""
    for album in albums(shown.files, shown.kinds, room.manifest):
        if album[0] == 0 and carried:
            yield _with_choices(evolve(room.said(shown.body), files=album), shown)
        else:
            yield from _captioned(album, shown, room)


def _captioned(album: tuple[int, ...], shown: Shown, room: Room) -> Iterator[Part]:
    """A file with its own caption, which follows it where it cannot be below it."""
    caption = plain(unpaired(shown.files[album[0]].caption or ""))
    if not flatten(caption).strip():
        yield Part(files=album)
        return
    taken = shown.kinds[album[0]] in room.manifest.caption_kinds
    if taken and room.size(caption) <= room.caption:
        yield evolve(room.said(caption), files=album)
        return
    yield Part(files=album)
    yield from map(room.said, room.split(caption))


# ── text ──────────────────────────────────────────────────────────────────────────────────────


def _texts(shown: Shown, room: Room) -> Iterator[Part]:
    """The text in as many parts as it needs; choices, header and footer stand on the last."""
    titles, pieces = _titles(shown), _pieces(shown, room)
    if not pieces and not titles:
        return
    *before, last = pieces or [titles]
    yield from map(room.said, before)
    yield _with_choices(room.said(last), shown)


def _titles(shown: Shown) -> Document:
    """What to say above choices where nothing is said."""
    return plain(unpaired(shown.choices.titles)) if shown.choices.any else ()


def _pieces(shown: Shown, room: Room) -> list[Document]:
    last_holds = room.interactive if shown.choices.any else None
    return room.split(shown.body or _titles(shown), last_holds)


def _several(shown: Shown, room: Room) -> Shown:
    """A header that has a place of its own stands in the text when that takes several messages."""
    moved = shown.header and shown.above and len(_pieces(shown, room)) > 1
    return shown.header_inside if moved else shown


def _with_choices(part: Part, shown: Shown) -> Part:
    choices = shown.choices
    if not choices.any:
        return part
    return evolve(
        part, buttons=choices.buttons, quick_replies=choices.quick_replies, menu=choices.menu,
        header=(shown.header or None) if shown.above else None,
        footer=(shown.footer or None) if shown.below else None,
    )  # fmt: skip
