"""SQL by name: reads `sql/statements/*.sql` once and hands out typed statements.

Knows: the file format (`-- name: NAME`, then SQL up to the next name).
Does not know: what a statement does, which database runs it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from ...driver import Statement

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def texts() -> dict[str, str]:
    """Every statement's text by name."""
    found: dict[str, str] = {}
    for file in sorted((Path(__file__).parents[1] / "sql" / "statements").glob("*.sql")):
        pieces = _NAME.split(file.read_text("utf-8"))
        for name, sql in zip(pieces[1::2], pieces[2::2], strict=True):
            if name in found:
                raise ValueError(f"statement {name} stands twice")
            found[name] = sql.strip().removesuffix(";")
    return found


def statement(name: str) -> Statement[Any]:
    """The statement called `name`; assign it to a `Statement[Row]` to give its rows a type."""
    return Statement(name, texts()[name])
