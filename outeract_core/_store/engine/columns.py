"""The doors of columns: `payload_in(x)` and `payload_out(x)` in SQL, and the same of `raw` and `name`.

Knows: how a door is written in a statement; that where there is no codec nothing is called, because
the text that SQLite is given has no doors in it: they are taken out once for each text.
Does not know: which columns have a door (`_domain/values/at_rest.py`), what a statement is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import apsw

from ..._domain.values.at_rest import Codec, Door

DOORS: tuple[Door, ...] = ("payload", "raw", "name")
_TOKEN = re.compile(rf"\b(?:{'|'.join(DOORS)})_(?:in|out)\(|[()]")
_LONG, _MOST = 20_000, 1_000
"""Characters of a text that is remembered, and how many texts are."""


class Texts(dict[str, str]):
    """By text, the text that SQLite is given."""

    def __missing__(self, sql: str) -> str:
        plain = without(sql)
        if len(sql) <= _LONG:
            if len(self) >= _MOST:
                self.clear()
            self[sql] = plain
        return plain


class Whole(dict[str, str]):
    """Every text as it is: the doors in it are functions."""

    def __missing__(self, sql: str) -> str:
        return sql


PLAIN = Texts()
"""What connections without a codec share."""


def without(sql: str) -> str:
    """The same statement without its doors."""
    if "_in(" not in sql and "_out(" not in sql:
        return sql
    kept, at = list[str](), 0
    doors: list[bool] = []
    for token in _TOKEN.finditer(sql):
        if token[0] == ")":
            is_door = doors.pop()
        else:
            is_door = token[0] != "("
            doors.append(is_door)
        if is_door:
            kept.append(sql[at : token.start()])
            at = token.end()
    return "".join([*kept, sql[at:]])


def fitted(db: apsw.Connection, codec: Codec | None) -> dict[str, str]:
    """What a connection looks its texts up in; with a codec, its functions are there from now on."""
    if codec is None:
        return PLAIN
    for door in DOORS:
        db.create_scalar_function(f"{door}_in", _passing(codec.shut, door), 1)
        db.create_scalar_function(f"{door}_out", _passing(codec.open, door), 1, deterministic=True)
    return Whole()


def _passing(way: Callable[[Door, Any], Any], door: Door) -> Callable[..., Any]:
    """What is nothing stays nothing."""

    def passed(*content: Any) -> Any:
        return None if content[0] is None else way(door, content[0])

    return passed
