"""The write-ahead log, moved into the file; and the file by itself, without its log.

Knows: how long a checkpoint may wait for readers, what it means when one is still reading.
Does not know: when a checkpoint is due (`_io/opening.py`), who reads.
"""

from __future__ import annotations

from urllib.parse import quote

import apsw

from ..._domain.values.classes import frozen
from .translating import translated
from .writer import Writer

_MOMENT = 100
"""Milliseconds that a checkpoint waits for readers, so that one does not hold up every write."""


def checkpoint(connection: Writer, mode: str) -> bool:
    """Move the log into the file: mode PASSIVE, RESTART or TRUNCATE. A busy reader is no error.

    False when nothing was done because another checkpoint was under way, in whatever process: SQLite refuses
    two at once, however patient they are.

    TRUNCATE waits for readers as long as a write would; the others for a moment. What a reader that
    stays has held in the log is not counted by `log`, so the next attempt is due when as much has been
    written again.
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
    connection.log.checkpointed(pages if busy else 0)
    return True


@frozen
class Standing:
    """How far the file is by itself, without its log. None of it ever goes back.

    own       the last batch of this writer that a checkpoint has moved into it; 0: none yet.
    heads     what all applications have come to; `schema`: how often tables were changed. -1: there are none.
    lineage   a number that each file has of its own, and each backup; 0: it is older than such numbers.
    """

    own: int = 0
    heads: int = -1
    schema: int = -1
    lineage: int = 0

    def behind(self, known: Standing, lineage: int) -> bool:
        """Whether this is older than what was known, or has another lineage."""
        older = self.own < known.own or self.heads < known.heads or self.schema < known.schema
        return older or (self != EMPTY and self.lineage != lineage)


EMPTY = Standing()
_FAR = """
SELECT coalesce(sum(CASE owner WHEN ? THEN value END), 0), coalesce(sum(CASE WHEN owner > 0 THEN value END), 0),
  coalesce(sum(CASE owner WHEN 0 THEN value END), 0) FROM counter
"""
_AS_IT_LIES = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def without_log(path: str, vfs: str | None, writer: int) -> Standing | None:
    """How far the file is by itself. None: that cannot be told, as while a checkpoint writes into it.

    It is opened as what nobody changes: no lock is taken, and none that this process has is lost by closing it.
    What is no database of ours is empty.
    """
    try:
        db = apsw.Connection(f"file:{quote(path)}?immutable=1", _AS_IT_LIES, vfs)
        try:
            own, heads, lineage = db.execute(_FAR, (-writer,)).fetchall()[0]
            schema = db.execute("PRAGMA schema_version").fetchall()[0][0]
            return Standing(own, heads, schema, lineage)  # type: ignore[arg-type]
        finally:
            db.close(True)
    except (apsw.NotADBError, apsw.SQLError):
        return EMPTY
    except apsw.Error:
        return None
