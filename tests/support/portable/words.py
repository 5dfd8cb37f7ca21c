"""PostgreSQL's dialect of the statements.

Knows: what each macro is there, and each word of composed queries; that parameters have numbers. Does not know:
which statements there are, the functions that it calls (`schema.py`).
"""

from __future__ import annotations

import re

from attrs import evolve

from tests.support.store.another_engine import OTHER

POSTGRES = evolve(
    OTHER,
    is_text="left({column}, 1) <> chr(1)",  # a number stands there as a text that no text of ours is
    empty="CAST('' AS bytea)",
    json_text='(text_of({doc}, {path}) COLLATE "C")',
    folded="casefold(coalesce({text}, '') COLLATE \"pg_unicode_fast\")",
)
_PIECES = re.compile(r"'(?:[^']|'')*'|--[^\n]*|(?<![:\w]):([a-z_]\w*)")


def numbered(sql: str) -> tuple[str, list[str]]:
    """The statement with `$1`, `$2` … for its parameters, and their names in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PIECES.sub(number, sql), names
