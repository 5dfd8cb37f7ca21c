"""What nobody will deliver any more: told when a poll shows that the platform has dropped something.

Knows: how long ago the last poll was, how long a platform keeps what waits.
Does not know: any platform, how items are numbered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .._domain.values.classes import frozen
from .._domain.values.codec import encode
from .._domain.values.ids import from_ms
from .._store.records.conn import Conn
from .._store.records.log import append
from ..adapter import Manifest, Polled
from ..driver import Tx

__all__ = ["Mark", "passed"]

_CURSOR, _AT = "$cursor", "$polled_at"
_RENUMBERED = timedelta(days=7)
"""Bot API, Update: after a week without updates they may be numbered anew, so a jump proves nothing."""


@frozen
class Mark:
    """Where the last poll ended, and when (milliseconds) the platform was last known to have kept all."""

    cursor: Any = None
    at: int | None = None

    @classmethod
    def read(cls, stored: Any) -> Mark:
        """What is stored; a former version stored the cursor alone."""
        if isinstance(stored, dict) and stored.keys() == {_CURSOR, _AT}:
            return cls(stored[_CURSOR], stored[_AT])
        return cls(stored)

    @property
    def stored(self) -> Any:
        """As it is kept: with its time only where that matters."""
        return self.cursor if self.at is None else {_CURSOR: self.cursor, _AT: self.at}


def passed(tx: Tx, conn: Conn, manifest: Manifest, mark: Mark, polled: Polled) -> Mark:
    """The mark after a poll; a `system.gap` when what waited was dropped in the meantime.

    A late poll that yields nothing shows nothing yet: the next item that comes will.
    """
    keeps = manifest.keeps
    if keeps is None:
        return Mark(polled.cursor)
    if mark.at is None or tx.now - mark.at <= keeps * 1000:
        return Mark(polled.cursor, tx.now)
    if polled.skipped is None:
        return Mark(polled.cursor, mark.at)
    if polled.skipped:
        _tell(tx, conn, manifest, mark.at, polled.skipped)
    return Mark(polled.cursor, tx.now)


def _tell(tx: Tx, conn: Conn, manifest: Manifest, since: int, skipped: int) -> None:
    certain = skipped > 0 and tx.now - since < _RENUMBERED.total_seconds() * 1000
    told: dict[str, Any] = {
        "platform": manifest.platform, "reason": "polled_too_late", "certain": certain,
        "from": from_ms(since).isoformat(), "to": from_ms(tx.now).isoformat(),
    }  # fmt: skip
    if certain:
        told["missed"] = skipped
    append(tx, conn.app, "system.gap", encode(told), conn=conn.id, dk=f"gap:{since}")
