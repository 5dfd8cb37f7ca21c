"""Several queries in one statement: each gets its own rows back, as it gives them.

Knows: types of columns, rows of any kind. Does not know: messages.
"""

from __future__ import annotations

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._store.engine.composed.together import Arm, Together

_OF = {
    "n": st.none() | st.integers(-(2**63), 2**63 - 1),
    "b": st.none() | st.binary(max_size=4),
    "t": st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=4),
}


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, list[tuple[object, ...]]]:
    """The types of a query's columns, and its rows."""
    columns = draw(st.text("nbt", min_size=1, max_size=6))
    rows = draw(st.lists(st.tuples(*(_OF[kind] for kind in columns)), max_size=4))
    return columns, rows


@settings(max_examples=200, deadline=None)
@given(st.lists(answers(), min_size=1, max_size=5))
def test_each_query_has_its_rows_back(asked: list[tuple[str, list[tuple[object, ...]]]]) -> None:
    """Whatever their columns are, in the order in which it gives them."""
    arms = [Arm(_sql(columns, rows), columns) for columns, rows in asked]
    made = Together({}, arms)
    found = made.apart(apsw.Connection(":memory:").execute(made.sql).fetchall())
    assert found == [rows for _columns, rows in asked]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("nbt", min_size=1, max_size=6), min_size=1, max_size=5))
def test_a_column_has_one_type(columns: list[str]) -> None:
    """As engines demand that type their columns: no query puts a text where another has a number."""
    value = {"n": "1", "b": "x'01'", "t": "'a'"}
    arms = [Arm("SELECT " + ", ".join(value[kind] for kind in each), each) for each in columns]
    rows = apsw.Connection(":memory:").execute(Together({}, arms).sql).fetchall()
    for column in zip(*rows, strict=True):
        assert len({type(one) for one in column if one is not None}) <= 1


def test_what_several_read_from_is_asked_once() -> None:
    """A common table is the same for all of them, also where its query would not give the same twice."""
    common = {"thrown(value)": "SELECT random() UNION ALL SELECT random()"}
    made = Together(
        common, [Arm("SELECT value FROM thrown", "n"), Arm("SELECT value FROM thrown", "n")]
    )
    first, second = made.apart(apsw.Connection(":memory:").execute(made.sql).fetchall())
    assert first == second


def _sql(columns: str, rows: list[tuple[object, ...]]) -> str:
    """The query that gives these rows."""
    if not rows:
        return "SELECT " + ", ".join("NULL" for _ in columns) + " WHERE 0 -- none"
    return "VALUES " + ", ".join(f"({', '.join(map(apsw.format_sql_value, row))})" for row in rows)
