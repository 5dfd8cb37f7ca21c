"""What of a copy of the whole file is taken out, and what a program does that starts on one.

Knows: what of it belongs to the processes that it was taken from.
Does not know: how it is made (`engine/copying.py`), when it is complete (`_api/maintenance/backup.py`).

A message that was queued when the copy was made may have been sent since, by the program that went
on. So it is *copied*, not queued; the first sender that starts on the copy takes those that are due
by then as *sending*: it may have left, and what then happens is what happens after a crash.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from ..._domain.values.ids import IdSource
from ...driver import Statement, Tx
from ..engine import copying
from ..engine.statements import statement

WRITERS: Statement[Any] = statement("copy_writers")
LEASES: Statement[Any] = statement("copy_leases")
LINEAGE: Statement[Any] = statement("copy_lineage")
OUTBOX: Statement[Any] = statement("copy_outbox")
FILES: Statement[Any] = statement("copy_files")
BYTES: Statement[tuple[str, int | None]] = statement("bytes_of_files")
COPIED: Statement[tuple[int]] = statement("copied_any")
DOUBTED: Statement[Any] = statement("copied_doubted")
QUEUED: Statement[Any] = statement("copied_queued")


def detach(target: Path, ids: IdSource) -> list[tuple[str, int]]:
    """Take out of a copy what belongs to the processes it was taken from.

    Writers' marks, leases; what was queued may have been sent since. It has a lineage of its own, by which it is
    known should it be written over the running original. Returns the hashes and sizes of
    the bytes that the copy's files need.
    """
    return copying.changed(target, ids, _detached)


def _detached(tx: Tx) -> list[tuple[str, int]]:
    for change in (WRITERS, LEASES, OUTBOX, FILES):
        tx.run(change)
    tx.run(LINEAGE, value=secrets.randbits(62) | 1)
    return [(sha256, size or 0) for sha256, size in tx.all(BYTES)]


# ── a program starts on a copy ────────────────────────────────────────────────────────────────


def is_fresh(tx: Tx) -> bool:
    """Whether this is a copy on which nothing has been sent yet."""
    return tx.one(COPIED) is not None


def settle(tx: Tx) -> None:
    """Messages that are due may have been sent by the original; the others it had no time to send."""
    tx.run(DOUBTED, now=tx.now)
    tx.run(QUEUED)
