"""A connection to a file of SQLite, opened as every one is.

Knows: flags and pragmas, the oldest SQLite that is safe, whose file is refused; by what name a database in memory is
opened that several connections share (`memdb`, sqlite.org/inmemorydb.html).
Does not know: transactions (`sqlite.py`), when a file is opened.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

import apsw

from ..._domain.values.ids import IdSource
from ..._domain.values.paths import shown_path
from ...errors import OldSQLite, ReadOnlyStore, StoreError
from .foreign import refuse_database, refuse_path
from .sqlite import Connection
from .translating import translated
from .writer import Writer

Some = TypeVar("Some", bound=Connection)

OLDEST = (3, 51, 3)
TEXTS = 256
"""Prepared statements that a connection keeps: each text that adds rows is one for each size of a set."""
_SYNCHRONOUS = {"full": "FULL", "normal": "NORMAL"}
_MEMORY = "file:/"


def check_sqlite(version: str | None = None) -> None:
    """Raises OldSQLite below 3.51.3 (WAL-reset corruption race, sqlite.org/wal.html#walresetbug)."""
    found = version or apsw.sqlite_lib_version()
    if tuple(int(part) for part in found.split(".")) < OLDEST:
        raise OldSQLite(
            f"SQLite {found} can corrupt a file that two processes write; "
            "3.51.3 is needed: pip install -U 'apsw>=3.53'"
        )


def open_writer(path: str, vfs: str | None, durability: str, busy_ms: int, ids: IdSource) -> Writer:
    """The one writing connection. Raises StoreError and its kinds."""
    check_sqlite()
    if durability not in _SYNCHRONOUS:
        raise StoreError(f"durability is 'full' or 'normal', not {durability!r}")
    with translated(path):
        if not in_memory(path):
            refuse_path(path)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | flags_for(path)
        db = apsw.Connection(path, flags, vfs, TEXTS)
        connection = configured(Writer(db, path, ids), busy_ms)
        if connection.db.readonly("main"):
            raise ReadOnlyStore(
                f"{shown_path(path)} is read-only; check the rights of it and its folder"
            )
        refuse_database(path, connection.script)
        connection.script("PRAGMA journal_mode = WAL")
        connection.script(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
        connection.hard = False if durability == "normal" else None
        connection.script("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;")
        connection.script("PRAGMA cache_size = -65536; PRAGMA secure_delete = ON")
    return connection


def configured(connection: Some, busy_ms: int) -> Some:
    """The connection, set up as every one is."""
    db = connection.db
    db.set_busy_timeout(busy_ms)
    db.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    db.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # a plan is made once, not for each value anew
    db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)  # a trigger of another program calls nothing
    db.create_scalar_function("casefold", _casefold, 1, deterministic=True)
    connection.script("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON")
    return connection


def _casefold(*text: Any) -> str:
    """Text without its case, whatever the alphabet; as bytes, since it may hold half a surrogate."""
    return str(text[0], "utf-8", "replace").casefold()


def in_memory(path: str) -> bool:
    """Whether this is the name of one. Paths of files are absolute, and never begin so."""
    return path.startswith(_MEMORY)


def flags_for(path: str) -> int:
    """Only the name of a database in memory is to be read as a URI."""
    return apsw.SQLITE_OPEN_URI if in_memory(path) else 0


def attached(path: str, other: str) -> str:
    """How a connection to `path` names another file; one in memory would look for it in memory."""
    return f"file:{quote(other)}?vfs={apsw.vfs_names()[0]}" if in_memory(path) else other
