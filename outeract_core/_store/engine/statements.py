"""SQL by name: reads `sql/statements/*.sql` once and hands out typed statements.

Knows: the file format (`-- name: NAME`, then SQL up to the next name); that macros are translated here,
once, and never when a statement is run.
Does not know: what a statement does, what the macros mean (`dialect.py`).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from ...driver import Statement
from .dialect import SQLITE, Dialect, lists, translated

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def written() -> dict[str, tuple[str, str]]:
    """By a statement's name its file, and its text with the macros."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted((Path(__file__).parents[1] / "sql" / "statements").glob("*.sql")):
        pieces = _NAME.split(file.read_text("utf-8"))
        for name, sql in zip(pieces[1::2], pieces[2::2], strict=True):
            if name in found:
                raise ValueError(f"{file.name}: statement {name} stands twice")
            found[name] = file.name, sql.strip().removesuffix(";")
    return found


@cache
def texts(dialect: Dialect = SQLITE) -> dict[str, str]:
    """Every statement's text by name, as an engine is given it. Raises ValueError for an unknown macro."""
    return {name: _text(name, sql, dialect) for name, (_file, sql) in written().items()}


def _text(name: str, sql: str, dialect: Dialect) -> str:
    try:
        return translated(sql, dialect)
    except ValueError as error:
        raise ValueError(f"{written()[name][0]}: statement {name}: {error}") from error


def statement(name: str) -> Statement[Any]:
    """The statement called `name`; assign it to a `Statement[Row]` to give its rows a type."""
    return Statement(name, texts()[name], lists(written()[name][1]))


def over(name: str, rows: str, table: str, dialect: Dialect = SQLITE, *, beside: str = "") -> str:
    """A statement's text that finds its list `rows` in a table, or in a query in brackets, with the column `value`.

    `beside`: what of the table, as `j`, is given behind all else. Raises ValueError when the list is not read so.
    """
    head, each, tail = written()[name][1].partition(f"FROM {{each {rows}}} j")
    if not each or f"{{each {rows}}}" in tail:
        raise ValueError(f"statement {name} does not read the list {rows} once, as j")
    more = f", {beside}\n" if beside else ""
    return _text(name, f"{head.rstrip() if more else head}{more}FROM {table} j{tail}", dialect)
