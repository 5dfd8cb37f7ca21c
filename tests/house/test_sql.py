"""SQL stands in the statements and in the engine's room, and nowhere else; a second engine would not find it.

Knows: the words with which SQL begins or goes on. Does not know: what a statement does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = [ROOT / "outeract_core", ROOT / "adapters"]
ENGINE = ROOT / "outeract_core" / "_store" / "engine"
MODULES = sorted(
    path for place in PLACES for path in place.rglob("*.py") if ENGINE not in path.parents
)
_SQL = re.compile(
    r"(?<!-)\b(?:SELECT\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b"
    r"|WITH\s+(?:RECURSIVE\b|\w+\s*(?:\([^)]*\)\s*)?AS\b)|PRAGMA\s|VACUUM\b|ANALYZE\b|REINDEX\b"
    r"|(?:CREATE|DROP|ALTER)\s+(?:TEMP\s+|UNIQUE\s+|VIRTUAL\s+)?(?:TABLE|INDEX|TRIGGER|VIEW)\b"
    r"|BEGIN(?:\s+(?:IMMEDIATE|EXCLUSIVE|DEFERRED))?\s*;?$|COMMIT\s*;?$|SAVEPOINT\s"
    r"|ROLLBACK\b|RELEASE\s\w|ATTACH\s|DETACH\s|EXISTS\s*\(|ORDER\s+BY\b|IS\s+(?:NOT\s+)?NULL\b"
    r"|sqlite_schema|sqlite_master|json_(?:object|group_array|set|valid|each)\()"
)


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every text in a module but its docstrings, those behind an assignment included; and its line."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def sql_in(source: str) -> list[str]:
    """Lines in which SQL stands, and the beginning of it."""
    return [f"{n}: {text:.60}" for n, text in _texts(ast.parse(source)) if _SQL.search(text)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_stands_outside(path: Path) -> None:
    """Whoever wants to ask something names a statement, or has it composed by the engine's room."""
    assert sql_in(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "sql",
    [
        'tx.dynamic("SELECT 1", {})',
        'tx.dynamic(f"DELETE FROM {table} WHERE seq = :seq", {})',
        'TEXT = """\n  WITH found(id) AS (VALUES (1))"""',
        'tx.script("PRAGMA user_version")',
        'tx.script(f"PRAGMA {name}")',
        'test = "EXISTS (" + inner + ")"',
        'sql += " ORDER BY seq"',
        'writer.script("SAVEPOINT unit")',
        'x = "BEGIN"',
        'x = "e.raw IS NULL"',
        'x = f"json_set({text}, 1)"',
        'x = "UPDATE event SET raw = 1"',
        'x = "CREATE UNIQUE INDEX a ON b(c)"',
    ],
)
def test_sql_is_seen(sql: str) -> None:
    """However it is put together."""
    assert sql_in(sql)


@pytest.mark.parametrize(
    "text",
    ['"""SELECT is named in a docstring."""', 'x = "please select a row"', 'x = "begin"',
     'x = "it was released"', 'x = "NULL"', 'x = "with the application as it is"'],
)  # fmt: skip
def test_words_are_no_sql(text: str) -> None:
    """Sentences may have such words."""
    assert sql_in(text) == []
