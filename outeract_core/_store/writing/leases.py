"""Units of work on the leases of outbox rows and downloads: renew them, give them back, free the dead.

Knows: who holds what, until when; that many leases are renewed by one statement.
Does not know: what is done under a lease, who still lives (`_io/leases.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...driver import Statement, Tx
from ..engine.statements import statement
from .claims import Row

OUTBOX_RENEW: Statement[tuple[int]] = statement("outbox_renew")
OUTBOX_RELEASE: Statement[tuple[int]] = statement("outbox_release")
OUTBOX_RELEASE_ALL: Statement[Any] = statement("outbox_release_all")
FILE_RENEW: Statement[tuple[int]] = statement("file_renew")
FILE_RELEASE_ALL: Statement[Any] = statement("file_release_all")


def renew_rows(tx: Tx, keys: Sequence[int], owner: str, lease: int) -> list[int]:
    """Hold these outbox rows for `lease` milliseconds more; those that the owner still has."""
    return [row[0] for row in tx.by_keys(OUTBOX_RENEW, keys, owner=owner, until=tx.now + lease)]


def renew_files(tx: Tx, keys: Sequence[int], owner: str, lease: int) -> list[int]:
    """The same of downloads."""
    return [row[0] for row in tx.by_keys(FILE_RENEW, keys, owner=owner, until=tx.now + lease)]


def release(tx: Tx, rows: Sequence[Row]) -> None:
    """Give back rows of one claim that were not begun; what was taken over meanwhile is left alone."""
    if rows:
        tx.by_keys(OUTBOX_RELEASE, [row.id for row in rows], token=rows[0].token)


def release_owner(tx: Tx, owner: str) -> None:
    """A process is gone: what it held is free again."""
    tx.run(OUTBOX_RELEASE_ALL, owner=owner)
    tx.run(FILE_RELEASE_ALL, owner=owner)
