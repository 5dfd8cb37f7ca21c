"""An orphan: a process whose parent has gone, which may be the only one that it worked for.

Knows: that another process is the parent then. Does not know: who the parent is, what is done about it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

PARENT = "OUTERACT_PARENT"
"""In the environment of a process that is to end with its parent: the number of that."""
_LOOK = 1.0
"""Seconds between two looks."""


def orphaned(parent: int, then: Callable[[], object]) -> None:
    """`then` is called, in a thread, when the process `parent` is not the parent any more: it was killed, say."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        then()

    threading.Thread(target=look, name="outeract orphan", daemon=True).start()
