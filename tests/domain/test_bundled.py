"""Rows for several tables as one statement: the tables hold what they would hold otherwise.

Knows: tables with keys and what is done when one is there already. Does not know: whose tables they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine.composed import bundled
from outeract_core._store.engine.composed.bundled import Bundle
from outeract_core._store.engine.dialect import lists
from outeract_core._store.engine.migrations import migrate
from outeract_core._store.engine.opening import open_writer
from outeract_core._store.engine.sets import MOST, widened
from outeract_core._store.engine.statements import texts, written

_TABLES = """
CREATE TABLE first(id INTEGER PRIMARY KEY, word TEXT, half REAL, bits BLOB);
CREATE TABLE counted(id INTEGER PRIMARY KEY, times INTEGER NOT NULL, last TEXT);
CREATE TABLE pair(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
"""
_ADDS = (
    "INSERT INTO first(id, word, half, bits) VALUES (:id, :word, :half, :bits) ON CONFLICT (id) DO NOTHING;",
    "INSERT INTO counted(id, times, last)\nVALUES (:id, 1, :last)\n"
    "ON CONFLICT (id) DO UPDATE SET times = counted.times + excluded.times, last = excluded.last;",
    "INSERT INTO pair(a, b) VALUES (?, 'x') ON CONFLICT (a, b) DO NOTHING",
    "INSERT INTO pair(a, b) VALUES (:a, :a) ON CONFLICT (a, b) DO NOTHING",
)
_CHANGES = (
    (
        "UPDATE counted SET times = times + :by, last = coalesce(:last, last) WHERE id = :id OR times = :by",
        ("by", "last", "id"),
    ),
    ("DELETE FROM first WHERE id >= :id AND id <= :id + :by", ("id", "by")),
    (
        "INSERT INTO counted(id, times, last) SELECT f.id, count(*) + :by, max(f.word) FROM first f WHERE f.id = :id\n"
        "GROUP BY f.id HAVING count(*) = 1 ON CONFLICT (id) DO NOTHING",
        ("by", "id"),
    ),
)
"""Texts of any other kind, with what they are given."""
_KEY = st.integers(1, 5)
_ROW: tuple[st.SearchStrategy[tuple[Any, ...]], ...] = (
    st.tuples(
        _KEY, st.none() | st.text("aé\0'", max_size=3), st.none() | st.floats(allow_nan=False),
        st.none() | st.binary(max_size=3),
    ),
    st.tuples(_KEY, st.none() | st.text(max_size=2)),
    st.tuples(_KEY),
    _KEY.map(lambda key: (key, key)),
)  # fmt: skip


@st.composite
def _adds(draw: st.DrawFn) -> list[tuple[str, list[tuple[Any, ...]]]]:
    kinds = draw(st.lists(st.sampled_from(range(len(_ADDS))), max_size=6))
    return [(_ADDS[kind], draw(st.lists(_ROW[kind], max_size=4))) for kind in kinds]


@st.composite
def _change(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    sql, names = draw(st.sampled_from(_CHANGES))
    values = {
        "id": draw(_KEY),
        "by": draw(st.integers(0, 3)),
        "last": draw(st.none() | st.text(max_size=2)),
    }
    return sql, {name: values[name] for name in names}


def _tables(db: apsw.Connection) -> list[Any]:
    return [db.execute(f"SELECT * FROM {name}").fetchall() for name in ("first", "counted", "pair")]


def _one_by_one(db: apsw.Connection, adds: Sequence[tuple[str, list[tuple[Any, ...]]]]) -> None:
    for sql, rows in adds:
        if rows:
            db.execute(*widened(sql, rows))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_adds(), st.booleans()), max_size=4))
def test_the_tables_are_the_same(transactions: list[tuple[Any, bool]]) -> None:
    """Whatever comes in whatever order, in transactions that are kept and such that are undone."""
    plain, other = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    bundle = Bundle(other.execute)
    for db in (plain, other):
        db.execute(_TABLES)
    for adds, kept in transactions:
        other.execute("BEGIN")
        for sql, rows in adds:
            assert bundle.put(sql, rows)
        if kept:
            bundle.send()
            _one_by_one(plain, adds)
        else:
            bundle.forget()
        other.execute("COMMIT" if kept else "ROLLBACK")
        assert _tables(plain) == _tables(other)


@settings(max_examples=200, deadline=None)
@given(st.lists(_adds() | _change(), max_size=8))
def test_changes_are_made_in_their_order(steps: list[Any]) -> None:
    """Rows that are added, and changes of any kind, with values that a text names more than once."""
    plain, other = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    bundle = Bundle(other.execute)
    for db in (plain, other):
        db.execute(_TABLES)
    for step in steps:
        if isinstance(step, tuple):
            assert bundle.put_one(*step)
            plain.execute(*step)
        else:
            assert all(bundle.put(sql, rows) for sql, rows in step)
            _one_by_one(plain, step)
    bundle.send()
    assert _tables(plain) == _tables(other)


@pytest.mark.parametrize(("id", "made"), [(1, True), (2, False)])
def test_what_must_be_made_is_made_or_nothing_is(id: int, made: bool) -> None:
    """A change that finds no row takes back what was made before it."""
    db = apsw.Connection(":memory:")
    db.execute(_TABLES + "INSERT INTO counted(id, times) VALUES (1, 0)")
    bundle, (sql, _names) = Bundle(db.execute), _CHANGES[0]
    assert bundle.put_one(sql, {"by": 7, "last": "x", "id": 1})
    assert bundle.put_one(sql, {"by": 9, "last": None, "id": id}, must=True)
    with nullcontext() if made else pytest.raises(apsw.ConstraintError, match="not one row"):
        bundle.send()
    assert db.execute("SELECT times FROM counted").fetchall() == [(16 if made else 0,)]


def test_every_statement_of_the_library_can_be_put_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that change something, give nothing back and have few values: SQLite takes each as a trigger's."""
    monkeypatch.setattr(bundled, "_KINDS", 1000)
    writer = open_writer(str(tmp_path / "a.db"), None, "full", 0, uuid7)
    migrate(writer, 0)
    bundle, taken = Bundle(writer.db.execute), set()
    for name, sql in texts().items():
        if not lists(written()[name][1]) and bundle._kind(writer._texts[sql]) is not None:
            taken.add(name)
    assert taken >= {
        "event_new",
        "edge_add",
        "outbox_add",
        "handled_add",
        "processed_alone",
        "cursor_set",
    }
    writer.close()


def test_there_are_no_more_kinds_than_a_row_can_ask() -> None:
    """Each row asks each of them whether it is its own."""
    db = apsw.Connection(":memory:")
    db.execute(_TABLES)
    bundle = Bundle(db.execute)
    told = [
        bundle.put_one(f"DELETE FROM first WHERE id = {n} + :id", {"id": 1}) for n in range(100)
    ]
    assert told == [True] * 60 + [False] * 40


@pytest.mark.parametrize("count", [1, 2, 5, 399])
@pytest.mark.parametrize("times", [1, 4])
def test_however_many_there_are(count: int, times: int) -> None:
    """More than one statement can have go by several."""
    db, steps = apsw.Connection(":memory:"), list[str]()
    db.execute(_TABLES)
    bundle = Bundle(db.execute)
    for number in range(0, times * count, count):
        assert bundle.put(_ADDS[1], [(one, "x") for one in range(number, number + count)])
        assert bundle.put(_ADDS[2], [(one,) for one in range(number, number + count)])
    db.trace_v2(apsw.SQLITE_TRACE_PROFILE, lambda told: steps.append(told["sql"]))
    bundle.send()
    assert len(steps) == -(-2 * times * count // MOST)
    assert [len(rows) for rows in _tables(db)] == [0, times * count, times * count]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO counted(id, times) VALUES (:id, :times) RETURNING id",
        "INSERT INTO counted(id, times) SELECT :id, :times",
        f"INSERT INTO wide({', '.join('abcdefghijk')}) VALUES ({', '.join('?' * 11)})",
    ],
)
def test_what_is_told_or_wide_does_not_wait(sql: str) -> None:
    """Who asks what came of it needs it at once."""
    bundle = Bundle(apsw.Connection(":memory:").execute)
    assert not bundle.put(sql, [tuple(range(11 if "wide" in sql else 2))])


def test_no_more_waits_than_is_held_at_once() -> None:
    """A unit that changes a great deal makes it as it goes."""
    db = apsw.Connection(":memory:")
    db.execute(_TABLES)
    bundle = Bundle(db.execute)
    told = [bundle.put_one(_ADDS[2], {"": number}) for number in range(5000)]
    assert told.index(False) == 4096
    bundle.send()
    assert bundle.put_one(_ADDS[2], {"": 5000})


def test_many_rows_do_not_wait() -> None:
    """They are worth a statement of their own."""
    db = apsw.Connection(":memory:")
    db.execute(_TABLES)
    bundle = Bundle(db.execute)
    assert not bundle.put(_ADDS[2], [(number,) for number in range(401)])
    assert bundle.put(_ADDS[2], [(number,) for number in range(400)])
