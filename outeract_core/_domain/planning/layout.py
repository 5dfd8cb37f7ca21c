"""What is shown, laid out as parts: one request's worth each, in the order in which they are sent.

Knows: limits, which part carries what when not all fits into one.
Does not know: why something is shown as it is (`showing.py`), how parts are sent.

The order is template, place, cards, files, text; choices stand on the last text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from ...adapter import Manifest
from ...text.commonmark import plain, unpaired
from ...text.document import Document
from ...text.flatten import flatten, visible
from ...text.split import split, unit_length
from .attachments import albums
from .parts import Part
from .showing import Shown

__all__ = ["Render", "lay_out"]

Render = Callable[[Document], str]
_UNLIMITED = 2**40


def lay_out(shown: Shown, manifest: Manifest, render: Render) -> tuple[Part, ...]:
    """The parts in order; none when there is nothing to see. `render`: a document as markup."""
    room = _Room(manifest, render)
    carried = bool(shown.files) and _captions(shown, room)
    return (
        *_cards(shown),
        *_files(shown, room, carried),
        *(() if carried else _texts(shown, room)),
    )


@frozen
class _Room:
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

    def said(self, document: Document) -> Part:
        """A part that says it."""
        return Part(text=self.render(document), plain=flatten(document))

    def split(self, document: Document, last: int | None = None) -> list[Document]:
        """The document in pieces that fit; the last one within `last`, where that is given."""
        measure = unit_length(self.manifest.text_unit)
        return split(document, self.text, measure, self._counted, last) if document else []

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


def _captions(shown: Shown, room: _Room) -> bool:
    """Whether the first file can carry all text and all choices."""
    files, choices = shown.files, shown.choices
    if shown.kinds[0] not in room.manifest.caption_kinds or files[0].caption:
        return False
    size = room.size(shown.body) if shown.body else 0
    alone = len(files) == 1 and choices.menu is None and size <= room.interactive
    return size <= room.caption and (alone or not choices.any)


def _files(shown: Shown, room: _Room, carried: bool) -> Iterator[Part]:
    """A part for each album; the first has the text as its caption where it carries it."""
    for album in albums(shown.files, shown.kinds, room.manifest):
        if album[0] == 0 and carried:
            yield _with_choices(evolve(room.said(shown.body), files=album), shown)
        else:
            yield from _captioned(album, shown, room)


def _captioned(album: tuple[int, ...], shown: Shown, room: _Room) -> Iterator[Part]:
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


def _texts(shown: Shown, room: _Room) -> Iterator[Part]:
    """The text in as many parts as it needs; choices, header and footer stand on the last."""
    titles = plain(unpaired(shown.choices.titles)) if shown.choices.any else ()
    last_holds = room.interactive if shown.choices.any else None
    pieces = room.split(shown.body or titles, last_holds)
    if len(pieces) > 1 and shown.header and shown.above:
        shown = shown.header_inside
        pieces = room.split(shown.body, last_holds)
    if not pieces and not titles:
        return
    *before, last = pieces or [titles]
    yield from map(room.said, before)
    yield _with_choices(room.said(last), shown)


def _with_choices(part: Part, shown: Shown) -> Part:
    choices = shown.choices
    if not choices.any:
        return part
    return evolve(
        part, buttons=choices.buttons, quick_replies=choices.quick_replies, menu=choices.menu,
        header=(shown.header or None) if shown.above else None,
        footer=(shown.footer or None) if shown.below else None,
    )  # fmt: skip
