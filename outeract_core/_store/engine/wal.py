"""The write-ahead log, moved into the file.

Knows: how long a checkpoint may wait for readers, what it means when one is still reading.
Does not know: when a checkpoint is due (`_io/opening.py`), who reads.
"""

from __future__ import annotations

from .sqlite import Connection
from .translating import translated

_MOMENT = 100
"""Milliseconds that a checkpoint waits for readers, so that one does not hold up every write."""


def checkpoint(connection: Connection, mode: str) -> bool:
    """Move the log into the file: mode PASSIVE, RESTART or TRUNCATE. A busy reader is no error.

    False when nothing was done because another checkpoint was under way, in whatever process: SQLite refuses
    two at once, however patient they are.

    TRUNCATE waits for readers as long as a write would; the others for a moment. What a reader that
    stays has held in the log is not counted in `wal_pages`, so the next attempt is due when as much
    has been written again.
    """
    with translated(connection.path):
        patience = connection.script("PRAGMA busy_timeout")[0][0]
        if mode != "TRUNCATE":
            connection.script(f"PRAGMA busy_timeout = {min(_MOMENT, patience)}")
        try:
            busy, pages, _moved = connection.script(f"PRAGMA wal_checkpoint({mode})")[0]
        finally:
            connection.script(f"PRAGMA busy_timeout = {patience}")
    if pages < 0:
        return False
    connection.wal_held = pages if busy else 0
    connection.wal_pages = 0
    return True
