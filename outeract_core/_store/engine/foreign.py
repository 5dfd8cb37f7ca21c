"""Whose file is it? Asked before anything is written, so that another program's file stays as it is.

Knows: the first bytes of an SQLite file, our mark in its header.
Does not know: apsw, the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import NotOurFile, ReadOnlyStore

APPLICATION_ID = 0x4F757465  # "Oute", in the file's header
_MAGIC = b"SQLite format 3\0"


def refuse_path(path: str) -> None:
    """Not an SQLite file: say so before SQLite appends to it. Raises NotOurFile, ReadOnlyStore."""
    if Path(path).is_dir():
        raise NotOurFile(f"{path} is a folder; give the path of a file")
    try:
        with Path(path).open("rb") as file:
            head = file.read(len(_MAGIC))
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError as error:
        raise ReadOnlyStore(f"{path} cannot be read; check its rights") from error
    if head and head != _MAGIC:
        raise NotOurFile(f"{path} is not an SQLite database; give another path")


def refuse_database(path: str, script: Callable[[str], list[Any]]) -> None:
    """A database of another program. An empty one may become ours. Raises NotOurFile."""
    owner = script("PRAGMA application_id")[0][0]
    version = script("PRAGMA user_version")[0][0]
    tables = script("SELECT count(*) FROM sqlite_master")[0][0]
    if owner != APPLICATION_ID and (tables or owner or version):
        raise NotOurFile(f"{path} belongs to another program; give another path")
