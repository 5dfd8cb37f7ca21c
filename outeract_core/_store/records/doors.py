"""What a file keeps of webhooks' addresses and of the key that they follow from: nothing that opens one.

Knows: versions, until when an old address is taken, by which mark a key is known again.
Does not know: the key itself (`_io/secrets/key.py`), requests.
"""

from __future__ import annotations

from typing import Any

from ..._domain.values.classes import frozen
from ...driver import Statement, Tx
from ..engine.statements import statement

DOOR: Statement[tuple[int, int | None, str | None]] = statement("webhook_door")
ROTATE: Statement[Any] = statement("webhook_rotate")
MARK: Statement[tuple[bytes, str]] = statement("key_mark")
MARK_SET: Statement[Any] = statement("key_mark_set")


@frozen
class Door:
    """A connection's address: its `version`; `until`: when the one before ends; `old`: of long ago."""

    version: int
    until: int | None
    old: str | None

    def versions(self, now: int) -> tuple[int, ...]:
        """The versions that are taken now, the newest first."""
        before = self.version > 1 and self.until is not None and now < self.until
        return (self.version, self.version - 1) if before else (self.version,)

    def takes_old(self, now: int) -> bool:
        """Whether an address of an earlier library is still taken."""
        return self.old is not None and (self.until is None or now < self.until)


def door(tx: Tx, conn: int) -> Door | None:
    """The address of a connection as it is now; None when there is no such connection."""
    row = tx.one(DOOR, id=conn)
    return None if row is None else Door(*row)


def rotate(tx: Tx, conn: int, until: int) -> None:
    """A new version from now on; the one before, or the old one, is taken until then."""
    tx.run(ROTATE, id=conn, until=until)


def mark(tx: Tx) -> tuple[bytes, str] | None:
    """By what the file's key is known, and whose it is (`file` or `host`); None before there is one."""
    return tx.one(MARK)


def set_mark(tx: Tx, value: bytes, whose: str) -> None:
    """From now on this is the key."""
    tx.run(MARK_SET, value=value, whose=whose)
