"""A copy of the whole file while it is read and written, and what a program does that starts on one.

Knows: one snapshot into a new file, what of it belongs to the processes that it was taken from.
Does not know: folders, names, when a copy is complete (`_api/maintenance/backup.py`).

A message that was queued when the copy was made may have been sent since, by the program that went
on. So it is *copied*, not queued; the first sender that starts on the copy takes those that are due
by then as *sending*: it may have left, and what then happens is what happens after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..._domain.values.ids import IdSource
from ...driver import Statement, Tx
from ..engine import sqlite
from ..engine.memory import attached
from ..engine.reader import open_reader
from ..engine.statements import statement
from ..engine.translating import translated

WRITERS: Statement[Any] = statement("copy_writers")
LEASES: Statement[Any] = statement("copy_leases")
OUTBOX: Statement[Any] = statement("copy_outbox")
FILES: Statement[Any] = statement("copy_files")
BYTES: Statement[tuple[str, int | None]] = statement("bytes_of_files")
COPIED: Statement[tuple[int]] = statement("copied_any")
DOUBTED: Statement[Any] = statement("copied_doubted")
QUEUED: Statement[Any] = statement("copied_queued")

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


def _size(reader: sqlite.Connection) -> int:
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


def detach(target: Path, ids: IdSource) -> list[tuple[str, int]]:
    """Take out of a copy what belongs to the processes it was taken from.

    Writers' marks, leases; what was queued may have been sent since. Returns the hashes and sizes of
    the bytes that the copy's files need.
    """
    copy = sqlite.open_writer(str(target), None, "full", _BUSY, ids)
    try:
        with translated(str(target)):
            copy.script("BEGIN IMMEDIATE")
            for change in (WRITERS, LEASES, OUTBOX, FILES):
                copy.run(change)
            found = [(sha256, size or 0) for sha256, size in copy.all(BYTES)]
            copy.commit()
            copy.script("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    return found


# ── a program starts on a copy ────────────────────────────────────────────────────────────────


def is_fresh(tx: Tx) -> bool:
    """Whether this is a copy on which nothing has been sent yet."""
    return tx.one(COPIED) is not None


def settle(tx: Tx) -> None:
    """Messages that are due may have been sent by the original; the others it had no time to send."""
    tx.run(DOUBTED, now=tx.now)
    tx.run(QUEUED)
