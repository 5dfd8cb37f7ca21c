"""Rows of a query as one: the same rows, whatever is in them; and when that is worth it.

Knows: values of every type. Does not know: what asks, threads.
"""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._store.engine.composed.gathered import apart, gathered, worth

_VALUE = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=4)
    | st.text(st.characters(codec="utf-8"), max_size=6)
)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[_VALUE] * width), max_size=5)),
    st.booleans(),
)
def test_the_rows_are_those_of_the_query_in_its_order(
    rows: list[tuple[object, ...]], newest: bool
) -> None:
    """Numbers of 64 bits, fractions to their last digit, bytes, texts with whatever is in them, and nothing."""
    db = apsw.Connection(":memory:")
    width = len(rows[0]) if rows else 1
    names = ", ".join(f"c{at}" for at in range(width))
    db.execute(f"CREATE TABLE t(at INTEGER PRIMARY KEY, {names})")
    places = ", ".join("?" * (width + 1))
    db.executemany(f"INSERT INTO t VALUES ({places})", [(at, *row) for at, row in enumerate(rows)])
    sql = f"SELECT {names} FROM t ORDER BY at{' DESC' if newest else ''};\n"
    asked = db.execute(sql).fetchall()
    ((text,),) = db.execute(gathered(sql, width)).fetchall()
    assert apart(text) == asked
    assert [[type(one) for one in row] for row in apart(text)] == [
        [type(one) for one in row] for row in asked
    ]


@pytest.mark.parametrize(("rows", "is_so"), [(0, 0), (1, 0), (8, 1), (500, 1), (501, 0)])
def test_only_some_rows_are_gathered(rows: int, is_so: int) -> None:
    """Few are as soon fetched, and many would be one long text."""
    assert worth(rows) == bool(is_so)
