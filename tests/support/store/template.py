"""A file that a test opens for the first time is a copy of one that was migrated, page by page.

Knows: that twenty migrations take five times as long as all else that opens a file.
Does not know: what the tables are for. A file that holds anything is upgraded by the library itself,
and so is every file of another process (`tests/testing/test_template.py` looks that both are equal).
"""

from __future__ import annotations

import secrets
import threading
from functools import cache

import apsw

from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine import migrations
from outeract_core._store.engine.migrations import migrate, refuse_newer
from outeract_core._store.engine.sqlite import Connection

__all__ = ["quickly"]

_ONE_AT_A_TIME = threading.Lock()
_SHIPPED = migrations.scripts()
"""A test may have the library as it will be, with more of them."""


@cache
def _made() -> apsw.Connection:
    """What is copied."""
    fresh = Connection(apsw.Connection(":memory:"), ":memory:", uuid7)
    migrate(fresh, 0)
    return fresh.db


def quickly(connection: Connection, now: int) -> None:
    """`migrate`, which an empty file does not need."""
    with _ONE_AT_A_TIME:
        if _is_empty(connection):
            with connection.db.backup("main", _made(), "main") as copy:
                copy.step()
            _its_own(connection, now)
    migrate(connection, now)


def _is_empty(connection: Connection) -> bool:
    pages = connection.script("PRAGMA page_count")[0][0]
    ours = not connection.path.startswith("file:/") and migrations.scripts() == _SHIPPED
    return ours and pages <= 1 and not refuse_newer(connection)


def _its_own(connection: Connection, now: int) -> None:
    """No two files have a key or a lineage in common, and each was made at its own time."""
    connection.script("BEGIN IMMEDIATE")
    connection.dynamic(
        "UPDATE meta SET value = :key WHERE name = 'code_key'", {"key": secrets.token_bytes(32)}
    )
    own = secrets.randbits(62) | 1
    connection.dynamic("UPDATE counter SET value = :own WHERE owner = 0", {"own": own})
    connection.dynamic("UPDATE migration SET at = :now", {"now": now})
    connection.script("COMMIT")
