"""Tables: read as text, cut with their header standing again, told row by row where they are too wide."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from outeract_core.text import Table, markdown, to_plain
from outeract_core.text.split import split
from outeract_core.text.tables import continued, narrowed, table

CELL = st.text("abc dé日|│x", max_size=8)
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(CELL, min_size=width, max_size=width).map(tuple), min_size=1, max_size=12
    )
)


def test_a_table_reads_in_columns() -> None:
    """Cells stand below their header, formatting and links as text; a short row is filled up."""
    read = markdown("| name | n |\n|---|--:|\n| **Ann** | 1 |\n| 日本 |")
    assert to_plain(read) == "name │ n\n─────┼──\nAnn  │ 1\n日本 │"
    assert read[0] == table([("name", "n"), ("Ann", "1"), ("日本", "")])


def test_a_wide_table_is_told_row_by_row() -> None:
    """Where a line does not hold a row, each row is a record; empty cells say nothing."""
    read = markdown("| name | note |\n|---|---|\n| Ann | " + "x" * 60 + " |\n| Bob | |")
    assert to_plain(narrowed(read, 48)) == f"name: Ann\nnote: {'x' * 60}\n\nname: Bob"
    assert narrowed(read, 100) == read


@given(ROWS, st.integers(40, 200))
def test_every_piece_of_a_table_has_its_header(rows: list[tuple[str, ...]], limit: int) -> None:
    """However it is cut, at a line or within one: each message says what its columns are."""
    whole = table(rows)
    pieces = continued(split((whole,), limit, len, to_plain))
    if not pieces:
        return
    first = whole.text.split("\n")[0].strip()
    assert all(isinstance(piece[0], Table) for piece in pieces)
    assert all(to_plain(piece).strip().startswith(first) for piece in pieces[:1])
    assert all(first in to_plain(piece) for piece in pieces)


@given(ROWS)
def test_no_cell_is_lost(rows: list[tuple[str, ...]]) -> None:
    """As columns or as records, every word of the table can be read."""
    said = set(
        chain.from_iterable(cell.replace("│", "|").split() for row in rows[1:] for cell in row)
    )
    for document in ((table(rows),), narrowed((table(rows),), 0)):
        assert said <= set(to_plain(document).split())
