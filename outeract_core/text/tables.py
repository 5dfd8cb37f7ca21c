"""Tables as text: columns aligned for type of one width, or a record a row where they are too wide.

Knows: how wide a character stands, how a table is read where it cannot be drawn.
Does not know: CommonMark, platforms, how long a message may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from unicodedata import combining, east_asian_width

from attrs import evolve

from .document import Block, Break, Document, Inline, Paragraph, Span, Str, Table

__all__ = ["NARROW", "continued", "header", "narrowed", "table", "tables"]

NARROW = 48
"""Columns of one width that a phone shows in a line; a wider table is told row by row."""
Row = tuple[str, ...]


def table(rows: Sequence[Row]) -> Table:
    """A table of rows of cells, the first of them the header; short rows are filled up."""
    most = max(map(len, rows))
    cells = tuple((*map(_line, row), *[""] * (most - len(row))) for row in rows)
    return Table("\n".join((*header(cells), *_aligned(cells[1:], _widths(cells)))), "", cells)


def header(rows: Sequence[Row]) -> tuple[str, str]:
    """The two lines above the rows: the names of the columns, and what underlines them."""
    widths = _widths(rows)
    return next(_aligned(rows[:1], widths)), "─┼─".join("─" * width for width in widths)


def tables(document: Document) -> list[Table]:
    """The tables that stand at the top of a document."""
    return [block for block in document if isinstance(block, Table)]


def narrowed(document: Document, widest: int) -> Document:
    """The document with each table that is wider than `widest` told row by row."""
    return tuple(part for block in document for part in _fitted(block, widest))


def continued(pieces: Iterable[Document]) -> list[Document]:
    """Pieces of a document that was cut: where one goes on with a table, its header stands again."""
    return [_headed(piece) for piece in pieces]


def _headed(piece: Document) -> Document:
    if not piece or not isinstance(piece[0], Table):
        return piece
    first, above = piece[0], header(piece[0].rows)
    if first.text.startswith(above[0]):
        return piece
    return (evolve(first, text="\n".join((*above, first.text))), *piece[1:])


def _fitted(block: Block, widest: int) -> Document:
    if not isinstance(block, Table) or max(map(_width, block.text.split("\n"))) <= widest:
        return (block,)
    names, *rows = block.rows
    return tuple(_record(names, row) for row in rows) or (Paragraph(_named(names)),)


def _record(names: Row, row: Row) -> Paragraph:
    """One row: a line for each cell that says something, under the name of its column."""
    lines: list[Inline] = []
    for name, cell in zip(names, row, strict=True):
        if cell or not any(row):
            lines += [*([Break()] if lines else []), *_said(name, cell)]
    return Paragraph(tuple(lines))


def _said(name: str, cell: str) -> list[Inline]:
    return [Span("bold", (Str(f"{name}:"),)), Str(f" {cell}")] if name else [Str(cell)]


def _named(names: Row) -> tuple[Inline, ...]:
    return (Span("bold", (Str(", ".join(filter(None, names))),)),)


def _aligned(rows: Sequence[Row], widths: Sequence[int]) -> Iterator[str]:
    for row in rows:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        yield " │ ".join(cells).rstrip()


def _widths(rows: Sequence[Row]) -> list[int]:
    return [max(1, *map(_width, column)) for column in zip(*rows, strict=True)]


def _width(text: str) -> int:
    """How many columns a text takes where every character has one, or two."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def _line(cell: str) -> str:
    """A cell in one line, without the stroke that separates cells."""
    return " ".join(cell.replace("│", "|").split())
