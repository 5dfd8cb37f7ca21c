"""A database in memory that several connections of one process share.

Knows: SQLite's `memdb` (sqlite.org/inmemorydb.html), by what name and flags it is opened.
Does not know: what is in it, who opens it.
"""

from __future__ import annotations

from urllib.parse import quote

import apsw

_MEMORY = "file:/"


def in_memory(path: str) -> bool:
    """Whether this is the name of one. Paths of files are absolute, and never begin so."""
    return path.startswith(_MEMORY)


def flags_for(path: str) -> int:
    """Only the name of a database in memory is to be read as a URI."""
    return apsw.SQLITE_OPEN_URI if in_memory(path) else 0


def attached(path: str, other: str) -> str:
    """How a connection to `path` names another file; one in memory would look for it in memory."""
    return f"file:{quote(other)}?vfs={apsw.vfs_names()[0]}" if in_memory(path) else other
