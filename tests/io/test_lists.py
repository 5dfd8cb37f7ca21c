"""Lists that statements are given: whatever is in them, and when nothing is.

Knows: the port's ways to run a statement, a table of its own. Does not know: the library's statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine.dialect import SQLITE, lists, translated
from outeract_core._store.engine.sqlite import Connection
from outeract_core.driver import Statement

NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
MEMBERS = {"n": NUMBERS, "s": TEXTS, "b": st.binary(max_size=6)}
"""By column, what a list of its values may hold."""


def _statement(sql: str) -> Statement[Any]:
    return Statement("of a test", translated(sql, SQLITE), lists(sql))


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    """A table with a column of each kind."""
    connection = Connection(apsw.Connection(":memory:"), ":memory:", uuid7)
    connection.script("CREATE TABLE t(n INTEGER, s TEXT, b BLOB) STRICT")
    yield connection
    connection.close()


def _filled(db: Connection, column: str, rows: Sequence[Any]) -> None:
    db.script("DELETE FROM t")
    db.many(_statement(f"INSERT INTO t({column}) VALUES (:one)"), [(one,) for one in rows])


@pytest.mark.parametrize("column", MEMBERS)
@given(st.data())
def test_a_list_has_its_members_and_no_others(
    db: Connection, column: str, data: st.DataObject
) -> None:
    """As rows in order; in it and not in it; to change and to delete by; of each kind, the empty one too."""
    members = data.draw(st.lists(MEMBERS[column], max_size=5))
    rows = data.draw(st.lists(MEMBERS[column] | st.sampled_from(members or [None]), max_size=5))
    rows = [row for row in rows if row is not None]
    _filled(db, column, rows)
    inside = [row for row in rows if row in members]
    outside = [row for row in rows if row not in members]
    each = _statement("SELECT k.value FROM {each keys} k")
    assert [row[0] for row in db.all(each, keys=members)] == members
    assert db.by_keys(each, members) == db.all(each, keys=members)
    assert db.one(each, keys=members) == ((members[0],) if members else None)
    within = _statement(f"SELECT {column} FROM t WHERE {column} {{in keys}} ORDER BY rowid")
    without = _statement(f"SELECT {column} FROM t WHERE NOT {column} {{in keys}} ORDER BY rowid")
    assert [row[0] for row in db.all(within, keys=members)] == inside
    assert [row[0] for row in db.all(without, keys=tuple(members))] == outside
    change = _statement(f"UPDATE t SET {column} = {column} WHERE {column} {{in keys}}")
    assert db.changed(change, keys=members) == len(inside)
    gone = _statement(f"DELETE FROM t WHERE {column} {{in keys}}")
    assert db.changed(gone, keys=members) == len(inside)
    add = _statement(f"INSERT INTO t({column}) SELECT k.value FROM {{each keys}} k WHERE true")
    assert db.changed(add, keys=members) == len(members)
    assert [row[0] for row in db.all(_statement(f"SELECT {column} FROM t ORDER BY rowid"))] == [
        *outside, *members,
    ]  # fmt: skip


def test_several_lists_in_one_statement(db: Connection) -> None:
    """Each by its name, beside values; one of them empty."""
    both = _statement(
        "SELECT a.value, b.value FROM {each ones} a {pin (SELECT value FROM {each twos text}) b ON true}"
        " WHERE NOT a.value {in but} AND a.value > :least"
    )
    assert both.lists == ("but", "ones", "twos")
    found = db.all(both, ones=[1, 2, 3], twos=["x", "y"], but=[2], least=1)
    assert found == [(3, "x"), (3, "y")]
    assert len(db.all(both, ones=[1, 2, 3], twos=["x"], but=[], least=0)) == 3
    assert db.all(both, ones=[1, 2, 3], twos=[], but=[], least=0) == []


@pytest.mark.parametrize(
    "crooked",
    [[1, "one"], ["one", 1], [b"one", "one"], [2**63], ["a\0b"], ["\ud800"], [None], [1.5]],
)
def test_what_is_no_list_of_one_kind_is_refused(db: Connection, crooked: list[Any]) -> None:
    """Loudly: no member is lost, cut short or taken for another."""
    _filled(db, "s", ["a", "one"])
    with pytest.raises((TypeError, ValueError, OverflowError)):
        db.run(_statement("DELETE FROM t WHERE s {in keys}"), keys=crooked)
    assert db.all(_statement("SELECT count(*) FROM t")) == [(2,)]
