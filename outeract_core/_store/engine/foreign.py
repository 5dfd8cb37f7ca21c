"""Whose file is it? Asked before anything is written, so that another program's file stays as it is.

Knows: how long an SQLite file is at least, our mark in its header.
Does not know: apsw, the schema.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..._domain.values.paths import shown_path
from ...errors import NotOurFile, ReadOnlyStore

APPLICATION_ID = 0x4F757465  # "Oute", in the file's header
_OWNER = 0o600
_SHORTEST = 512
"""Bytes of the smallest page of SQLite."""


def refuse_path(path: str) -> None:
    """Not an SQLite file: say so before SQLite writes to it. Raises NotOurFile, ReadOnlyStore.

    It is looked at, never opened: closing it would take away the locks that this process has on it
    (sqlite.org/howtocorrupt.html, 2.2), and a pipe would never open. What is as long as a page SQLite
    reads for itself; what is shorter, and not empty, it would take for empty. What is not there is made
    empty, its owner's alone: SQLite gives its log the same rights, and would ask the umask.
    """
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        _made(path)
        return
    except NotADirectoryError:
        return
    except OSError as error:
        raise ReadOnlyStore(f"{shown_path(path)} cannot be looked at: {error.strerror}") from error
    if stat.S_ISDIR(found.st_mode):
        raise NotOurFile(f"{shown_path(path)} is a folder; give the path of a file")
    if not stat.S_ISREG(found.st_mode):
        raise NotOurFile(
            f"{shown_path(path)} is no file but a pipe, socket or device; give another path"
        )
    if 0 < found.st_size < _SHORTEST:
        raise NotOurFile(f"{shown_path(path)} is not an SQLite database; give another path")


def _made(path: str) -> None:
    """An empty file, unless another process was quicker, or the folder is not there (SQLite says so)."""
    if Path(path).is_symlink():
        raise NotOurFile(f"{shown_path(path)} is a link that leads to nothing; take it away")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _OWNER)
    except OSError:
        return
    if hasattr(os, "fchmod"):
        os.fchmod(handle, _OWNER)
    os.close(handle)


def refuse_database(path: str, script: Callable[[str], list[Any]]) -> None:
    """A database of another program. An empty one may become ours. Raises NotOurFile."""
    owner = script("PRAGMA application_id")[0][0]
    version = script("PRAGMA user_version")[0][0]
    tables = script("SELECT count(*) FROM sqlite_master")[0][0]
    if owner != APPLICATION_ID and (tables or owner or version):
        raise NotOurFile(f"{shown_path(path)} belongs to another program; give another path")
