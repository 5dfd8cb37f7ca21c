"""An event loop in a thread of its own: what is run there, and how the others wait for it.

Knows: anyio's portal, forks, what a signal does to a thread that waits. Does not know: what is run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import anyio.from_thread
from attrs import Factory

from ..._domain.values.classes import frozen
from ...errors import StoreClosed

_BREATH = 1.0
"""Seconds after which one who waits looks whether there is a signal."""


@frozen
class Loop:
    """An event loop in a thread of its own, which a forked child does not have."""

    portal: anyio.from_thread.BlockingPortal
    pid: int = Factory(os.getpid)

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process in which the loop runs."""
        return self.pid != os.getpid()

    def call(self, run: Callable[..., Any], *args: Any) -> Any:
        """Run it there and wait. Raises StoreClosed in a child, where nobody would answer, and when it has ended.

        Who stops waiting (Ctrl-C) stops the work: it is cancelled there.
        """
        if self.forked:
            raise StoreClosed(
                "this process was forked; open the file after the fork, and close it before"
            )
        try:
            future = self.portal.start_task_soon(run, *args)
        except RuntimeError as error:
            if "portal is not running" in str(error):
                raise StoreClosed("it was closed; open it again with Outeract(path)") from None
            raise
        try:
            return _awaited(future)
        except BaseException:
            future.cancel()
            raise


def _awaited(future: Future[Any]) -> Any:
    """What comes of it. A signal that another thread was given, or that came just before this one began to wait, does
    not end the wait: Python sees it when the wait ends by itself.
    """
    while not future.done():
        with suppress(TimeoutError):
            future.exception(_BREATH)
    return future.result()
