"""A document as one line of text, any stretch of which can be made a document again.

Knows: how to lay a tree out in runs, each with the containers it stands in, and to rebuild a part.
Does not know: limits, markup, which cut is a good one.

Rebuilding a stretch opens every style, link, quote and list again that it begins in; an ordered
list goes on with the number of the item that it begins in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import mutable

from .._domain.values.classes import frozen
from .document import (
    Block,
    Bullets,
    Code,
    CodeBlock,
    Document,
    Heading,
    Inline,
    Link,
    Paragraph,
    Quote,
    Rule,
    Span,
    Str,
    Table,
)
from .document import Break as LineBreak
from .flatten import label_is_url
from .graphemes import boundary

__all__ = ["Layout", "Run"]

_SOLID = "\ufffc"
"""Stands in the line for a node without text, such as a rule."""


@frozen(eq=False)
class _Frame:
    """A container that runs stand in; two runs stand in the same one when it is the same object.

    `node` is None for the item `number` of a list.
    """

    node: Any
    number: int = 0

    def rebuild(self, children: tuple[Any, ...]) -> Any:
        """The container with these children instead of all it had."""
        match self.node:
            case None:
                return self.number, children
            case Bullets(_, start):
                first = None if start is None else children[0][0]
                return Bullets(tuple(blocks for _, blocks in children), first)
            case Span(style):
                return Span(style, children)
            case Link(url):
                return Link(url, children)
            case Heading(level):
                return Heading(level, children)
            case Quote():
                return Quote(children)
            case _:
                return Paragraph(children)


Path: TypeAlias = tuple[_Frame, ...]


@mutable(eq=False)
class Run:
    """A leaf, its place in the line, and the containers around it from the outermost in.

    leaf    a `Str`, `Code` or `CodeBlock`, of which a part can be taken, or any other node whole.
    whole   it cannot be cut.
    bare    nothing is around it any more that could be given up.
    """

    start: int
    text: str
    leaf: Inline | Block
    path: Path
    whole: bool = False
    bare: bool = False

    @property
    def end(self) -> int:
        """Where the next run starts."""
        return self.start + len(self.text)

    @property
    def token(self) -> object | None:
        """What had better not be cut: the link that it is in, or the inline code that it is."""
        link = next((frame for frame in self.path if isinstance(frame.node, Link)), None)
        return link or (self.leaf if isinstance(self.leaf, Code) else None)

    def strip(self) -> None:
        """Give up everything around it: what does not fit with its markup may fit without."""
        self.path, self.bare = (_Frame(Paragraph(())),), True
        match self.leaf:
            case Str() | Code() | CodeBlock() | Link():
                self.leaf, self.whole = Str(self.text), False
            case Rule():
                self.leaf = Str("─")
            case LineBreak():
                pass
            case _:
                self.leaf = Str("")

    def part(self, start: int, end: int) -> Inline | Block:
        """The leaf between two places of the line."""
        if self.whole or (start <= self.start and end >= self.end):
            return self.leaf
        text = self.text[max(0, start - self.start) : end - self.start]
        match self.leaf:
            case Table(_, language, rows):
                return Table(text, language, rows)
            case CodeBlock(_, language):
                return CodeBlock(text, language)
            case Code():
                return Code(text)
            case _:
                return Str(text)


class Layout:
    """A document laid out: `text` is the whole line, `blocks` where blocks may be parted in it.

    `short` tells whether a link's address is short enough to be repeated behind every piece of its
    label; another's becomes text that can be cut.
    """

    def __init__(self, document: Document, short: Callable[[Link], bool]) -> None:
        self._short = short
        self._length = 0
        self._headed = False
        self.runs: list[Run] = []
        self.blocks: list[int] = []
        self._seams: list[int] = []
        for block in document:
            self._block(block, ())
        self.text = "".join(run.text for run in self.runs)
        self._starts = [run.start for run in self.runs]
        self._seam_set = frozenset(self._seams)

    # ── laying out ────────────────────────────────────────────────────────────────────────────

    def _block(self, block: Block, path: Path) -> None:
        match block:
            case Quote(blocks) if blocks:
                inside = (*path, _Frame(block))
                for inner in blocks:
                    self._block(inner, inside)
            case Bullets(items, start) if items:
                self._items(items, start or 0, (*path, _Frame(block)))
            case _:
                self._leaf_block(block, path)

    def _items(self, items: tuple[tuple[Block, ...], ...], start: int, path: Path) -> None:
        for number, item in enumerate(items, start):
            inside = (*path, _Frame(None, number))
            for block in item or (Paragraph(()),):
                self._block(block, inside)

    def _leaf_block(self, block: Block, path: Path) -> None:
        here = self._length
        self._seams.append(here)
        if not self._headed:
            self.blocks.append(here)
        self._headed = isinstance(block, Heading)
        match block:
            case Paragraph(children) | Heading(_, children):
                self._inlines(children, (*path, _Frame(block)))
            case CodeBlock(text):
                self._add(text, block, path)
        if self._length == here:
            self._add(_SOLID, block, path, whole=True)

    def _inlines(self, nodes: tuple[Inline, ...], path: Path) -> None:
        for node in nodes:
            match node:
                case Str(text) | Code(text):
                    self._add(text, node, path)
                case LineBreak():
                    self._add("\n", node, path, whole=True)
                case Span(_, children):
                    self._inlines(children, (*path, _Frame(node)))
                case Link():
                    self._link(node, path)

    def _link(self, link: Link, path: Path) -> None:
        spelt = label_is_url(link)
        if not self._short(link):
            self._inlines(link.children, path)
            if not spelt:
                self._add(f" ({link.url})", Str(f" ({link.url})"), path)
        elif spelt:
            label = link.url.removeprefix("mailto:")
            self._add(label, link, path, whole=True)
        else:
            self._inlines(link.children, (*path, _Frame(link)))

    def _add(self, text: str, leaf: Inline | Block, path: Path, whole: bool = False) -> None:
        if text:
            self.runs.append(Run(self._length, text, leaf, path, whole))
            self._length += len(text)

    # ── looking around ────────────────────────────────────────────────────────────────────────

    def at(self, place: int) -> Run:
        """The run that the character at `place` belongs to."""
        return self.runs[bisect_right(self._starts, place) - 1]

    def between(self, start: int, end: int) -> Sequence[Run]:
        """The runs that have characters from `start` to before `end`."""
        first = bisect_right(self._starts, start) - 1
        return self.runs[first : bisect_right(self._starts, end - 1)]

    def seam(self, place: int) -> int:
        """Where the next block after `place` starts, or the end."""
        at = bisect_right(self._seams, place)
        return self._seams[at] if at < len(self._seams) else len(self.text)

    def splits_token(self, place: int) -> bool:
        """Whether a cut before `place` goes through a link or inline code."""
        token = self.at(place).token
        return token is not None and self.at(place - 1).token is token

    def cuttable(self, place: int, since: int = 0) -> bool:
        """Whether a cut before `place` breaks no character and nothing that must stay whole.

        `since`: a place before it that was cut; what comes first there begins a character.
        """
        if place <= 0 or place >= len(self.text) or place in self._seam_set:
            return True
        run = self.at(place)
        return not (run.whole and place > run.start) and boundary(self.text, place, since)

    # ── rebuilding ────────────────────────────────────────────────────────────────────────────

    def slice(self, start: int, end: int) -> Document:
        """The document from `start` to before `end`; what must stay whole is in it or not."""
        if end <= start:
            return ()
        found = [
            (run.part(start, end), run.path)
            for run in self.between(start, end)
            if not run.whole or (run.start >= start and run.end <= end)
        ]
        return _built(found, 0)


def _built(pieces: list[tuple[Inline | Block, Path]], depth: int) -> tuple[Any, ...]:
    """The nodes at `depth`: neighbours in the same container are put into it together."""
    nodes: list[Any] = []
    at = 0
    while at < len(pieces):
        leaf, path = pieces[at]
        first, at = at, at + 1
        if len(path) == depth:
            nodes.append(leaf)
            continue
        frame = path[depth]
        while at < len(pieces) and len(pieces[at][1]) > depth and pieces[at][1][depth] is frame:
            at += 1
        nodes.append(frame.rebuild(_built(pieces[first:at], depth + 1)))
    return tuple(nodes)
