"""The part of `Outeract` that reads again what was kept: deliveries that were not understood, and the past.

Knows: which verbs there are. Does not know: how anything is read (`_inbound/receiver.py`, `maintenance/rereading.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from .._io.threads.aside import loaded
from ..model import PlatformConnection
from . import later
from .working import Working

if TYPE_CHECKING:
    from .._store.records.conn import Conn
    from .app import App
    from .maintenance.rereading import Reparsed


class Replaying(Working):
    """What was kept, read again by today's parser."""

    async def replay(self, app: App | None = None) -> tuple[int, int]:
        """Parse kept deliveries again, after an upgrade say: (understood now, still not)."""
        done = left = 0
        for conn in self.runtime.conns(None if app is None else app.key):
            good, bad = await self.replay_connection(conn)
            done, left = done + good, left + bad
        return done, left

    async def replay_connection(
        self, conn: Conn, progress: Callable[[int], None] = lambda _done: None
    ) -> tuple[int, int]:
        """`replay` for one connection; `progress` is told how many are done."""
        done = left = 0
        for state in ("unparsed", "held"):
            good, bad = await (await self._to_receive()).replay(conn, state)
            done, left = done + good, left + bad
            progress(done + left)
        return done, left

    async def reparse(
        self, connection: PlatformConnection | UUID, *, since: datetime | None = None,
        after: int = 0, progress: Callable[[Reparsed], None] | None = None,
    ) -> Reparsed:  # fmt: skip
        """Run today's parser over what was kept of a connection's past (`event.raw`).

        What it understands otherwise than the parser of its time becomes a `message.reparsed`, whose
        origin is the message: its payload is the better one. The log stays as it was; a message as it
        stands shows the newest content. Run twice, nothing is added; broken off, it may be run again.

        since     only what has been received since (an aware time); None: all.
        after     go on behind this position, as `Reparsed.position` tells it.
        progress  called after each step of 500 events.

        Raises BadInput, NotFound, UnknownPlatform.
        """
        reparse = await loaded(later.reparsing)
        return await reparse(self.runtime, connection, since, after, progress)
