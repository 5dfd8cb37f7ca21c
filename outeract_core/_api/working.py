"""What receives and what works in an open file: read and made when it is first needed.

Knows: that many a program only writes or looks, that there is one of each, that modules are read beside the event loop.
Does not know: what any of it does (`_inbound/receiver.py`, `workers.py`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .._domain.rules.sharing import HANDLING, OPENED
from .._io.runtime import Runtime
from .._io.threads.aside import loaded
from .._outbound.verbs import acting
from . import later

if TYPE_CHECKING:
    from .._inbound.receiver import Receiver
    from .._outbound.sender import Sender
    from .._store.records.conn import Conn
    from .app import App
    from .workers import Workers

BODY_LIMIT = 8 * 1024 * 1024
"""Bytes of a webhook's body, unless the host says otherwise."""


def receiving() -> type[Receiver]:
    """What `Outeract.ingest` hands bytes to."""
    from .._inbound.receiver import Receiver

    return Receiver


def working() -> type[Workers]:
    """What `Outeract.serve` and `Outeract.pump` have done."""
    from .workers import Workers

    acting(), later.saying(), later.emitting(), later.recovering()  # handlers wait for nothing
    return Workers


class Working:
    """The part of `Outeract` that receives and works; `Outeract` supplies what it needs."""

    runtime: Runtime

    def _at_work(self, body_limit: int) -> None:
        self._limit = body_limit
        self._apps: dict[int, App] = {}
        self._making = threading.RLock()
        self._received: Receiver | None = None
        self._worked: Workers | None = None
        self.runtime.ownership.able, self.runtime.push = self._able, self._push
        self.runtime.report = self._report

    def _able(self) -> dict[int, int]:
        return {key: HANDLING if app.handlers else OPENED for key, app in self._apps.items()}

    # ── here and now, for who has no loop to hold ─────────────────────────────────────────────

    @property
    def _receiver(self) -> Receiver:
        """What takes bytes in."""
        with self._making:
            if self._received is None:
                self._received = receiving()(self.runtime, self._limit)
            return self._received

    @property
    def _workers(self) -> Workers:
        """What polls, runs handlers, fetches and sends."""
        with self._making:
            if self._worked is None:
                self._worked = working()(self.runtime, self._receiver, self._apps)
            return self._worked

    @property
    def _sender(self) -> Sender:
        return self._workers.sender

    def _running(self) -> list[str]:
        """What is run now, by name; asked at the last moment, when nothing is made any more."""
        return [] if self._worked is None else self._worked.running()

    # ── in an event loop, which is not held while modules are read ────────────────────────────

    async def _to_receive(self) -> Receiver:
        if self._received is None:
            await loaded(receiving)
        return self._receiver

    async def _to_work(self) -> Workers:
        if self._worked is None:
            await loaded(working)
        return self._workers

    async def _push(self) -> None:
        await (await self._to_work()).push()

    async def _report(self, conn: Conn, status: str, reason: str) -> None:
        await (await self._to_work()).sender.report(conn, status, reason)
