"""What engines write differently stands in the statements as macros, and nowhere else.

Knows: every named statement, as it is written. Does not know: what the statements do, other engines.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outeract_core._store.engine import statements
from outeract_core._store.engine.dialect import SQLITE, lists, translated
from tests.support.store.another_engine import OTHER

ROOT = Path(__file__).resolve().parents[2] / "outeract_core" / "_store"
OWN = re.compile(r"carray|json_each\(|typeof\(|CROSS JOIN|\bx''|\bunnest\(|\bANY\(", re.IGNORECASE)
"""What is written in one dialect only."""


@pytest.mark.parametrize("name", sorted(statements.written()))
def test_no_statement_is_written_for_one_engine(name: str) -> None:
    """What has a macro is written with it; and translated, no macro is left."""
    file, sql = statements.written()[name]
    assert not OWN.search(re.sub(r"--[^\n]*", "", sql)), f"{file}: {name}"
    for dialect in (SQLITE, OTHER):
        bare = re.sub(r"'(?:[^']|'')*'|--[^\n]*", "", statements.texts(dialect)[name])
        assert not re.search(r"[{}]", bare)


TRANSLATED = {
    "FROM {each keys} j": (
        "FROM carray(:keys) j",
        "FROM (SELECT value FROM unnest(CAST(:keys AS bigint[])) u(value)) j",
    ),
    "FROM {each names text} n": (
        "FROM carray(:names) n",
        "FROM (SELECT value FROM unnest(CAST(:names AS text[])) u(value)) n",
    ),
    "id {in keys} AND NOT t {in kinds}": (
        "id IN (SELECT value FROM carray(:keys)) AND NOT t IN (SELECT value FROM carray(:kinds))",
        "id = ANY(:keys) AND NOT t = ANY(:kinds)",
    ),
    "FROM a {pin b x ON x.n IN (\n  SELECT 1) AND x.s = '}'}": (
        "FROM a CROSS JOIN b x ON x.n IN (\n  SELECT 1) AND x.s = '}'",
        "FROM a CROSS JOIN LATERAL (SELECT * FROM b x WHERE x.n IN (\n  SELECT 1) AND x.s = '}' OFFSET 0) x",
    ),
    "{pin b x ON EXISTS (SELECT 1 FROM c {pin d y ON {is_text y.n}}) AND x.k {in keys}}": (
        "CROSS JOIN b x ON EXISTS (SELECT 1 FROM c CROSS JOIN d y ON typeof(y.n) = 'text')"
        " AND x.k IN (SELECT value FROM carray(:keys))",
        "CROSS JOIN LATERAL (SELECT * FROM b x WHERE EXISTS (SELECT 1 FROM c CROSS JOIN LATERAL"
        " (SELECT * FROM d y WHERE is_text(y.n) OFFSET 0) y) AND x.k = ANY(:keys) OFFSET 0) x",
    ),
    "SET body = {empty}, headers = '{}' -- as {} was": (
        "SET body = x'', headers = '{}' -- as {} was",
        "SET body = '', headers = '{}' -- as {} was",
    ),
}


@pytest.mark.parametrize("sql", TRANSLATED)
def test_each_dialect_has_its_own_text(sql: str) -> None:
    """A macro is what the dialect says, within another too; in texts and remarks a brace is a brace."""
    assert (translated(sql, SQLITE), translated(sql, OTHER)) == TRANSLATED[sql]


MALFORMED = {
    "SELECT {each}": "each",
    "SELECT {each :keys}": "each",
    "SELECT {each keys blob}": "each",
    "SELECT {in keys, kinds}": "in",
    "FROM {pin event e}": "pin",
    "FROM {pin event ON e.seq = 1}": "pin",
    "SELECT {is_text}": "is_text",
    "SELECT {empty bytes}": "empty",
    "SELECT {eahc keys}": "eahc",
    "SELECT {}": "no macro",
    "SELECT {each keys": "not closed",
    "SELECT keys}": "closes nothing",
}


@pytest.mark.parametrize("sql", MALFORMED)
def test_what_is_no_macro_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    """By the file, the statement and what was written there."""
    monkeypatch.setattr(statements, "written", lambda: {"one": ("some.sql", sql)})
    with pytest.raises(ValueError, match=r"some\.sql: statement one: ") as told:
        statements.texts.__wrapped__()
    assert MALFORMED[sql] in str(told.value)


def test_a_statement_knows_its_lists() -> None:
    """So that an engine binds them as arrays, whoever runs it."""
    assert lists("FROM {each keys} j WHERE t {in kinds} OR {in keys} AND :name") == (
        "keys",
        "kinds",
    )
    for name, (_file, sql) in statements.written().items():
        for one in lists(sql):
            bare = re.sub(rf"\{{(?:each|in) {one}(?: text)?\}}", "", sql)
            assert not re.search(rf":{one}\b", bare), f"{name}: a list is no value"
