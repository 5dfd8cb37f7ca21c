"""Fits what is to be said to what a platform can show: one message becomes one or more parts.

Knows: content, manifests, which part carries what when not all fits into one.
Does not know: platforms, markup (the adapter's `render` is given), how parts are sent.

The order is template, place, cards, files, text; choices stand on the last text. What a platform
has no place for is said in words where words can say it, and named in `Plan.degraded`; what cannot
be said at all is refused. Nothing is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import evolve, frozen

from ...adapter import Manifest
from ...content import Attachment, Contact, Content, Location
from ...errors import BadInput, Unsupported
from ...text.commonmark import markdown, plain, unpaired
from ...text.document import Block, Break, Document, Paragraph, Span, Str
from ...text.flatten import flatten, visible
from ...text.split import split, unit_length
from .attachments import albums, fit_files
from .choices import fit_choices
from .kinds import kind_of, kind_of_mime, mime_of
from .parts import Part, dump_parts, load_parts

__all__ = [
    "Part",
    "Plan",
    "dump_parts",
    "kind_of",
    "kind_of_mime",
    "load_parts",
    "mime_of",
    "plan",
]

Render = Callable[[Document], str]
_UNLIMITED = 2**40


@frozen
class Plan:
    """What `send` does with a content on one platform.

    parts     in the order in which they are sent.
    degraded  what is shown otherwise than asked for, in a few words each.
    kinds     for each file the kind that it is sent as.
    """

    parts: tuple[Part, ...]
    degraded: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def plan(content: Content, manifest: Manifest, render: Render, sizes: Sequence[int] = ()) -> Plan:
    """Fit `content` to the platform. `sizes`: of its files in bytes, where they are known.

    Raises Unsupported for what the platform has no place and no words for, FileTooLarge, BadInput
    when nothing would be seen.
    """
    planner = _Planner(content, manifest, render, sizes)
    parts = list(planner.parts())
    if not parts:
        raise BadInput("nothing to see in this message: the text is blank")
    parts[0] = evolve(parts[0], reply=True)
    return Plan(tuple(parts), tuple(dict.fromkeys(planner.notes)), planner.kinds)


class _Planner:
    """One content on its way to one platform."""

    def __init__(
        self, content: Content, manifest: Manifest, render: Render, sizes: Sequence[int]
    ) -> None:
        self.notes: list[str] = []
        self._manifest, self._render = manifest, render
        self._measure = unit_length(manifest.text_unit)
        self._shown = render if manifest.text_counts == "rendered" else visible
        self._content = self._without_template(content)
        self.kinds = fit_files(content.files, manifest, sizes, self.notes.append)
        self._choices = fit_choices(self._content, manifest, self.notes.append)
        self._caption = _or(manifest.caption_limit, manifest.text_limit)
        self._interactive = _or(manifest.interactive_limit, manifest.text_limit)
        self._header, self._footer = self._around()

    def parts(self) -> Iterator[Part]:
        """The parts in order."""
        content = self._content
        if content.template is not None:
            yield Part(template=content.template)
        if content.location is not None and self._can("location"):
            yield Part(location=content.location)
        if self._can("contacts"):
            yield from (Part(contacts=(contact,)) for contact in content.contacts)
        body = self._body()
        carried = bool(content.files) and self._captions(body)
        yield from self._files(body if carried else None)
        if not carried:
            yield from self._texts(body)

    def _can(self, capability: str) -> bool:
        return capability in self._manifest.capabilities

    def _size(self, document: Document) -> int:
        return self._measure(self._shown(document))

    def _said(self, document: Document) -> Part:
        return Part(text=self._render(document), plain=flatten(document))

    # ── templates ─────────────────────────────────────────────────────────────────────────────

    def _without_template(self, content: Content) -> Content:
        """Text and choices beside a template are what platforms without templates get instead."""
        if content.template is None:
            return content
        words = (content.text, content.header, content.footer)
        beside = any((*words, content.buttons, content.quick_replies, content.menu))
        if self._can("template"):
            if beside:
                self.notes.append("text and buttons left out beside the template")
            return evolve(
                content, text="", buttons=(), quick_replies=(), menu=None, header=None, footer=None
            )
        if not (content.text or content.files or content.location or content.contacts):
            raise Unsupported(
                f"{self._manifest.platform} has no templates; give text beside the template, "
                "which is sent where there are none"
            )
        self.notes.append("template left out")
        return evolve(content, template=None)

    # ── text ──────────────────────────────────────────────────────────────────────────────────

    def _around(self) -> tuple[str | None, str | None]:
        """Header and footer where the platform has a place for them: beside choices, if short."""
        content, manifest = self._content, self._manifest
        if not self._choices.any:
            return None, None
        header, footer = unpaired(content.header or ""), unpaired(content.footer or "")
        above = len(header) <= manifest.header_limit and not content.files
        below = len(footer) <= manifest.footer_limit
        return (header or None) if above else None, (footer or None) if below else None

    def _body(self) -> Document:
        """All that is said in words, in one document; empty when that is nothing."""
        content = self._content
        blocks: list[Block] = []
        if content.header and not self._header:
            blocks.append(Paragraph((Span("bold", (Str(unpaired(content.header)),)),)))
        blocks += self._document()
        blocks += [_lines(lines) for lines in self._words() if lines]
        if content.footer and not self._footer:
            blocks.append(Paragraph((Str(unpaired(content.footer)),)))
        return tuple(blocks) if flatten(tuple(blocks)).strip() else ()

    def _document(self) -> Document:
        text = unpaired(self._content.text)
        if not text.strip():
            return ()
        if self._content.format == "plain":
            return plain(text)
        read = markdown(text)
        if not self._can("format") and not all(map(_unformatted, read)):
            self.notes.append("formatting as plain text")
        return read

    def _words(self) -> Iterator[Sequence[str]]:
        """Lines for what the platform has no place for."""
        content = self._content
        if content.location is not None and not self._can("location"):
            self.notes.append("location as text")
            yield _place(content.location)
        if content.contacts and not self._can("contacts"):
            self.notes.append("contacts as text")
            yield [_card(contact) for contact in content.contacts]
        yield self._choices.lines

    def _texts(self, body: Document) -> Iterator[Part]:
        """The text in as many parts as it needs; choices, header and footer stand on the last."""
        titles = plain(unpaired(self._choices.titles)) if self._choices.any else ()
        pieces = self._split(body or titles)
        if len(pieces) > 1 and self._header:
            self._header = None
            pieces = self._split(self._body())
        if not pieces and not titles:
            return
        *before, last = pieces or [titles]
        yield from map(self._said, before)
        yield self._with_choices(self._said(last))

    def _split(self, body: Document) -> list[Document]:
        """The pieces of the text; the last keeps to the limit of what has choices below it."""
        if not body:
            return []
        limit = _or(self._manifest.text_limit, None)
        last = self._interactive if self._choices.any else limit
        return split(body, limit, self._measure, self._shown, last)

    def _with_choices(self, part: Part) -> Part:
        choices = self._choices
        return evolve(
            part, buttons=choices.buttons, quick_replies=choices.quick_replies, menu=choices.menu,
            header=self._header, footer=self._footer,
        )  # fmt: skip

    # ── files ─────────────────────────────────────────────────────────────────────────────────

    def _captions(self, body: Document) -> bool:
        """Whether the first file can carry all text and all choices."""
        content, choices = self._content, self._choices
        if self.kinds[0] not in self._manifest.caption_kinds or content.files[0].caption:
            return False
        size = self._size(body) if body else 0
        alone = len(content.files) == 1 and choices.menu is None and size <= self._interactive
        return size <= self._caption and (alone or not choices.any)

    def _files(self, body: Document | None) -> Iterator[Part]:
        """A part for each album; `body` is the caption of the first."""
        files = self._content.files
        for album in albums(files, self.kinds, self._manifest):
            if album[0] == 0 and body is not None:
                carrier = evolve(self._said(body), files=album)
                yield self._with_choices(carrier) if self._choices.any else carrier
            else:
                yield from self._captioned(album, files[album[0]])

    def _captioned(self, album: tuple[int, ...], file: Attachment) -> Iterator[Part]:
        """A file with its own caption, which follows it where it cannot be below it."""
        caption = plain(unpaired(file.caption or ""))
        if not flatten(caption).strip():
            yield Part(files=album)
            return
        taken = self.kinds[album[0]] in self._manifest.caption_kinds
        if taken and self._size(caption) <= self._caption:
            yield evolve(self._said(caption), files=album)
            return
        yield Part(files=album)
        limit = _or(self._manifest.text_limit, None)
        yield from map(self._said, split(caption, limit, self._measure, self._shown))


def _or(limit: int | None, otherwise: int | None) -> int:
    return limit if limit is not None else otherwise if otherwise is not None else _UNLIMITED


def _unformatted(block: Block) -> bool:
    """Whether the block looks the same where nothing can be formatted."""
    return isinstance(block, Paragraph) and all(
        isinstance(node, Str | Break) for node in block.children
    )


def _lines(lines: Sequence[str]) -> Paragraph:
    return Paragraph((Str(unpaired("\n".join(lines))),))


def _place(location: Location) -> list[str]:
    """The place in words, and where to see it on a map."""
    latitude, longitude = (f"{value:.6f}" for value in (location.latitude, location.longitude))
    address = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}"
    return [*(part for part in (location.name, location.address) if part), address]


def _card(contact: Contact) -> str:
    return ", ".join([contact.name, *contact.phones, *contact.emails])
