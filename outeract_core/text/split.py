"""Cuts a document into documents that a platform takes, before any markup is written.

Knows: units of length, good places to cut (between blocks, lines, sentences, words, characters).
Does not know: platforms; how a document is written is given as `render`.

Every piece is measured as it will be rendered. Styles, links, quotes, lists and code that a cut
goes through are closed before it and opened again behind it. Only whitespace at cuts is dropped.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Literal

from attrs import evolve

from .._domain.values.interrupt import go_on
from .document import CodeBlock, Document, Link, Paragraph, Str
from .flatten import flatten
from .runs import Layout

__all__ = ["Measure", "split", "unit_length"]

Measure = Callable[[str], int]

_SENTENCE = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]++[」』”]*+")
"""Each run of marks is looked at once, from its first: dots without an end cost what they are long."""
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")
_SPACE = re.compile(r"\s+")
_NO_BREAK = "\u00a0\u2007\u202f"


def unit_length(unit: Literal["characters", "utf16", "bytes"]) -> Measure:
    """How to measure text: in code points, UTF-16 code units or UTF-8 bytes."""
    return {"characters": len, "utf16": _utf16, "bytes": _bytes}[unit]


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def split(
    document: Document,
    limit: int,
    measure: Measure,
    render: Callable[[Document], str],
    last: int | None = None,
) -> list[Document]:
    """`document` in pieces for which `measure(render(piece))` is at most `limit`, in order.

    `last`: a smaller limit that only the last piece must keep to. Pieces without anything to see
    are left out. Only where a single code point without markup exceeds `limit` does a piece.
    """

    def size(piece: Document) -> int:
        return measure(render(piece))

    last = limit if last is None else min(last, limit)
    if size(document) <= last:
        return [document]
    return list(_Cutter(document, limit, last, size).pieces())


class _Cutter:
    """One document on its way into pieces. Places are indices into the layout's line."""

    def __init__(
        self, document: Document, limit: int, last: int, size: Callable[[Document], int]
    ) -> None:
        self._limit, self._last, self._size = limit, last, size
        self._layout = Layout(document, self._short)
        self._text = self._layout.text
        self._total = self._seen()
        self._usual = limit

    def _short(self, link: Link) -> bool:
        """Whether the address takes less than half of a piece."""
        alone = (Paragraph((evolve(link, children=(Str("x"),)),)),)
        return self._size(alone) * 2 <= self._last

    def _seen(self) -> int:
        """Where the last thing ends that can be seen: behind it no piece is needed."""
        for run in reversed(self._layout.runs):
            seen = run.text.rstrip()
            if seen and flatten(self._layout.slice(run.start, run.end)).strip():
                return run.start + len(seen)
        return 0

    def pieces(self) -> Iterator[Document]:
        """The pieces that show something."""
        start = 0
        while start < self._total:
            end, after = self._next(start)
            piece = self._layout.slice(start, end)
            if flatten(piece).strip():
                yield piece
            start = after

    def _next(self, start: int) -> tuple[int, int]:
        """Where the piece that begins at `start` ends, and where the one after it begins."""
        fit = self._fit(start, self._limit)
        self._usual = max(1, fit - start)
        floor, bound = start + (fit - start) // 2, self._limit
        if fit == self._total:
            if self._measured(start, fit) <= self._last:
                return fit, fit
            floor, bound = self._tail(start), self._last
            fit = (floor + fit) // 2
        while fit > start:
            end, after = self._cut(start, floor, fit)
            if end > start and self._measured(start, end) <= self._limit:
                return end, after
            fit = start + (fit - start) // 2
            floor = start + (fit - start) // 2
        return self._forced(start, bound)

    # ── how much fits ─────────────────────────────────────────────────────────────────────────

    def _measured(self, start: int, end: int) -> int:
        go_on()
        return self._size(self._layout.slice(start, end))

    def _fit(self, start: int, limit: int) -> int:
        """The furthest end of a piece from `start`: guesses like the last one, by proportion, halves."""
        low, low_size, high, high_size = start, 0, self._total + 1, 0
        guess, step, turn = min(self._total, start + self._usual), 1, 0
        while high - low > 1:
            size = self._measured(start, guess)
            if size <= limit:
                low, low_size = guess, size
            else:
                high, high_size = guess, size
            if low == self._total:
                break
            room, turn = limit - low_size, turn + 1
            if high > self._total:
                step = max(2 * step, room)
                guess = min(self._total, low + step)
            elif turn % 3:
                guess = low + (high - low) * room // max(1, high_size - low_size)
            else:
                guess = (low + high) // 2
            guess = max(low + 1, min(guess, high - 1))
        return low

    def _tail(self, start: int) -> int:
        """From where on the rest fits into the last piece; `start` when not even its end does."""
        low, high = start, self._total
        while high - low > 1:
            middle = (low + high) // 2
            if self._measured(middle, self._total) <= self._last:
                high = middle
            else:
                low = middle
        return high if high < self._total else start

    # ── where to cut ──────────────────────────────────────────────────────────────────────────

    def _cut(self, start: int, floor: int, fit: int) -> tuple[int, int]:
        """The best place between `floor` and `fit`; a word's end may also be before `floor`."""
        floor = max(floor, start + 1)
        return (
            self._block(floor, fit)
            or self._line(floor, fit)
            or self._sentence(floor, fit)
            or self._word(start, fit)
            or self._character(start, fit)
        )

    def _block(self, floor: int, fit: int) -> tuple[int, int] | None:
        at = bisect_right(self._layout.blocks, fit) - 1
        place = self._layout.blocks[at] if at >= 0 else -1
        return (place, place) if place >= floor else None

    def _line(self, floor: int, fit: int) -> tuple[int, int] | None:
        place = self._text.rfind("\n\n", floor, fit + 2)
        place = place if place >= 0 else self._text.rfind("\n", floor, fit + 1)
        if place < 0:
            return None
        return self._parted(place, _BLANK_LINES)

    def _sentence(self, floor: int, fit: int) -> tuple[int, int] | None:
        found = None
        for match in _SENTENCE.finditer(self._text, floor, min(self._total, fit + 1)):
            place = match.end()
            if place <= fit and not self._layout.splits_token(place):
                found = place
        return None if found is None else self._parted(found, _SPACE)

    def _word(self, start: int, fit: int) -> tuple[int, int] | None:
        inside = None
        for place in range(fit, start, -1):
            char = self._text[place]
            if not char.isspace() or char in _NO_BREAK:
                continue
            if not self._layout.splits_token(place):
                return self._parted(place, _SPACE)
            inside = inside or place
        return None if inside is None else self._parted(inside, _SPACE)

    def _character(self, start: int, fit: int) -> tuple[int, int]:
        while fit > start and not self._layout.cuttable(fit, start):
            fit -= 1
        return fit, fit

    def _parted(self, place: int, gap: re.Pattern[str]) -> tuple[int, int]:
        """A cut at the whitespace at `place`, which is dropped, but never a code block's indents."""
        if isinstance(self._layout.at(place).leaf, CodeBlock):
            return place, place + self._text[place].isspace()
        found = gap.match(self._text, place, self._layout.seam(place))
        return place, found.end() if found else place

    # ── when nothing fits ─────────────────────────────────────────────────────────────────────

    def _forced(self, start: int, bound: int) -> tuple[int, int]:
        """The first character alone; else without its markup; else its first code points."""
        end, furthest = start + 1, start + bound + 1
        while end < furthest and not self._layout.cuttable(end, start):
            end += 1
        if self._measured(start, end) <= bound:
            return end, end
        runs = [run for run in self._layout.between(start, end) if not run.bare]
        for run in runs:
            run.strip()
        if runs:
            return start, start
        end = min(end, max(start + 1, self._fit(start, bound)))
        return end, end
