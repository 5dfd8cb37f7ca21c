"""Is the schema of a file the one that this library made? Another program may have added to it.

Knows: what `migrations.py` makes, and what full-text search adds to it.
Does not know: what the tables are for, who asks (the doctor).
"""

from __future__ import annotations

from functools import cache

import apsw

from ..._domain.values.ids import uuid7
from ...driver import Tx
from .migrations import migrate
from .sqlite import own
from .writer import Writer

SEARCH = frozenset(
    f"search_index{part}" for part in ("", "_data", "_idx", "_content", "_docsize", "_config")
)
"""Tables that are made when somebody first searches."""
_ALL = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


@cache
def made() -> dict[tuple[str, str], str]:
    """What a fresh file has, by kind and name."""
    fresh = Writer(apsw.Connection(":memory:"), ":memory:", uuid7)
    migrate(fresh, 0)
    found = {(kind, name): sql for kind, name, sql in fresh.script(_ALL)}
    fresh.close()
    return found


def strange(tx: Tx) -> list[str]:
    """What was added, changed or taken away by another program."""
    wanted = made()
    found = {(kind, name): sql for kind, name, sql in own(tx).script(_ALL) if name not in SEARCH}
    told = [f"a {kind} that is not the library's: {name!a}" for kind, name in found.keys() - wanted]
    told += [f"the {kind} {name} was taken away" for kind, name in wanted.keys() - found]
    told += [
        f"the {kind} {name} was changed"
        for kind, name in found.keys() & wanted
        if found[kind, name] != wanted[kind, name]
    ]
    return sorted(told)
