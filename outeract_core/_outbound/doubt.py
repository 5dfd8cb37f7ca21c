"""Rows that were left while sending: what may have been sent stays so until there is proof.

Knows: which proofs there are (a receipt told by others, the platform's answer when it is asked), and
when absence is one: not before the request can no longer have arrived, and just before it leaves again.
Does not know: how a platform is asked (its adapter), how a settlement is written.
"""

from __future__ import annotations

from typing import Any

from .._domain.rules.delivery import backoff
from .._domain.rules.guard import guarded
from .._domain.values.ids import jitter
from .._domain.values.sinks import plainly
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.writing import outbox
from .._store.writing.claims import Row
from ..adapter import Sent
from ..errors import (
    MissingSecret,
    StoreError,
    Throttled,
    Transient,
    Unauthorised,
    UnknownPlatform,
)
from .outgoing import outgoing, receipt
from .settle import Next, Settle

LOOKS = 5
"""How often it is asked in vain."""
QUIET = 270_000
"""Milliseconds after the end of a request during which a slow platform may still carry it out."""
_PATIENCE = 3_600_000
_LEFT = "the program ended between the request and its receipt, or this is a copy of its file"


class Doubt:
    """Resolves what was left while sending."""

    def __init__(self, runtime: Runtime, settle: Settle) -> None:
        self._runtime = runtime
        self._settle = settle

    async def resolve(self, conn: Conn, row: Row) -> Next | None:
        """What follows for a row that is *sending*, or None when it may leave (again) now."""
        if row.done in row.receipts:
            return await self._settle.known(conn, row)
        if row.sandbox or self._settle.harmless(conn, row):
            return None
        pending = (row.arrives or 0) - self._runtime.now()
        if pending > 0:
            return await self._settle.postponed(row, pending, outbox.PENDING)
        if not self._settle.can_ask(conn, row):
            return await self._settle.unknown(conn, row, _LEFT)
        return await self._asked(conn, row)

    async def _asked(self, conn: Conn, row: Row) -> Next | None:
        """Ask the platform. Whatever is no clear answer is none."""
        adapter: Any = self._runtime.ready(conn)
        try:
            with guarded:
                question = adapter.find(outgoing(row, row.done, self._runtime.folder))
            told = await self._runtime.http.run(question, by=row.conn)
            sent: Sent | None = None if told is None else receipt(told)
        except (StoreError, UnknownPlatform, MissingSecret):
            raise
        except (Transient, Throttled, Unauthorised) as error:
            return await self._unanswered(conn, row, error)
        except Exception as error:
            return await self._settle.unknown(
                conn, row, f"it could not be looked up: {plainly(error)}"
            )
        if sent is not None:
            return await self._settle.done(conn, row, sent)
        quiet = (row.arrives or 0) + QUIET - self._runtime.now()
        if quiet > 0:
            return await self._settle.postponed(row, quiet, "not there yet: asked once more later")
        return None

    async def _unanswered(self, conn: Conn, row: Row, error: Any) -> Next:
        """No answer this time: asked again a few times, and then nobody knows."""
        looks = row.looks + 1
        late = row.arrives is not None and self._runtime.now() > row.arrives + _PATIENCE
        if looks >= LOOKS or late:
            reason = f"it could not be looked up, {looks} times: {error.reason}"
            return await self._settle.unknown(conn, row, reason, error.code)
        after = error.after if isinstance(error, Throttled) else None
        seconds = backoff(looks + 2, jitter()) if after is None else after
        return await self._settle.postponed(row, int(seconds * 1000), error.reason, looks)
