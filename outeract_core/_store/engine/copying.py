"""A copy of a whole file of SQLite, and one unit on it before anybody opens it.

Knows: one snapshot into a new file, how far it has come, how a copy is left as one file.
Does not know: what of a copy is to be changed (`transfer/copies.py`), folders, names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..._domain.values.ids import IdSource
from ...driver import Tx
from .opening import attached, open_writer
from .reader import open_reader
from .sqlite import Connection
from .translating import translated

T = TypeVar("T")
_OFTEN = 20_000
"""Steps of SQLite's machine between two reports: some milliseconds."""
_BUSY = 5_000


def snapshot(
    path: str, vfs: str | None, target: Path, ids: IdSource, told: Callable[[int, int], None]
) -> None:
    """Write one snapshot of the file at `path` to `target`, a new file, in order and without gaps.

    `told(done, total)` in bytes, now and then; what it raises ends the copy. Raises StoreError.
    """
    reader = open_reader(path, vfs, _BUSY, ids)
    try:
        with translated(path):
            total = _size(reader)
            reader.script("PRAGMA query_only = OFF")
            reader.db.set_progress_handler(partial(_tell, target, total, told), _OFTEN)
            into = attached(path, str(target))
            reader.dynamic("VACUUM INTO :target", {"target": into})
    finally:
        reader.close()


def _size(reader: Connection) -> int:
    pages, free, size = (
        reader.script(f"PRAGMA {name}")[0][0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    total: int = (pages - free) * size
    return total


def _tell(target: Path, total: int, told: Callable[[int, int], None]) -> bool:
    """Report; False lets SQLite go on."""
    told(target.stat().st_size, total)
    return False


def changed(target: Path, ids: IdSource, unit: Callable[[Tx], T]) -> T:
    """Run a unit on a copy that nobody has opened, and leave it one file without a log."""
    copy = open_writer(str(target), None, "full", _BUSY, ids)
    try:
        with translated(str(target)):
            copy.script("BEGIN IMMEDIATE")
            found = unit(copy)
            copy.commit()
            copy.script("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    return found
