"""Checkpoints beside the writer: a thread that moves the log into the file while commits go on.

Knows: a connection of its own, that one checkpoint at a time is enough, that none of them is needed, but for
the one that cuts the log of what was erased.
Does not know: when the log is long (`opening.py`), transactions.

A checkpoint that does not wait for anybody (PASSIVE) moves what it finds; what is written meanwhile is
left for the next one. So the writer's own checkpoint, which has to stop for a moment to begin the log
anew, finds little left to do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext

from .._store.engine import wal
from .._store.engine.writer import Writer

__all__ = ["Beside"]

_AGAIN = 2_048
"""Pages that the log must have grown by before it is worth another checkpoint."""
_BREATH = 0.005
"""Seconds until one tries again whether somebody else's checkpoint is over."""


class Beside:
    """The thread is started when it is first asked for something."""

    def __init__(
        self, open: Callable[[], Writer], patience: float, kept: Callable[[], bool]
    ) -> None:
        """`patience`: seconds that a checkpoint which cuts the log waits for one of another process.
        `kept` is asked before the file is written into, and after: into one that is not ours any more
        nothing is.
        """
        self._open = open
        self._patience = patience
        self._kept = kept
        self._asked = 0
        self._wanted = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._turn = threading.Lock()

    def make(self, connection: Writer, mode: str) -> None:
        """The writer's own checkpoint. One that cuts the log waits for the one beside it, and for that of
        another process: it would be refused, and what was erased would stay in the log.
        """
        if not self._kept():
            return
        cuts = mode == "TRUNCATE"
        until = time.monotonic() + self._patience
        with self._turn if cuts else nullcontext():
            while not wal.checkpoint(connection, mode) and cuts and time.monotonic() < until:
                time.sleep(_BREATH)
        self._kept()

    def ask(self, pages: int) -> None:
        """The log has so many pages. Returns at once; called by the writer only."""
        if pages < self._asked:
            self._asked = 0
        if self._asked and pages - self._asked < _AGAIN:
            return
        self._asked = pages
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="outeract-checkpoints", daemon=True
            )
            self._thread.start()
        self._wanted.release()

    def close(self) -> None:
        """Wait for the checkpoint that is under way, and end."""
        self._closed = True
        if self._thread is not None:
            self._wanted.release()
            self._thread.join()

    def _run(self) -> None:
        try:
            connection = self._open()
        except Exception:
            return  # the writer's own checkpoints do all of it
        while self._next():
            try:
                if self._kept():
                    with self._turn:
                        wal.checkpoint(connection, "PASSIVE")
                    self._kept()
            except Exception:  # noqa: S112 - the log holds everything; the next one tries again
                continue
        connection.close()

    def _next(self) -> bool:
        self._wanted.acquire()
        while not self._closed and self._wanted.acquire(blocking=False):
            pass  # what was asked for in the meantime is done by one checkpoint
        return not self._closed
