"""What a host may ask of its own process: how long its threads wait for each other.

Knows: that it is measured beside the event loop. Does not know: how, or what is long.
"""

from __future__ import annotations

from typing import Protocol

from .._io.runtime import Runtime
from .._io.threads.aside import aside
from .._io.threads.handover import HandOver


class Core(Protocol):
    """What the verb needs of an opened core."""

    runtime: Runtime


async def hand_over(core: Core) -> HandOver:
    """How long a thread of this program waits for its turn now, and what to do when that is long.

    It is measured between two worker threads, and takes a millisecond, or beside a thread that computes
    some twenty switch intervals. Nothing is changed: `sys.setswitchinterval` is yours to call.
    `serve` asks once a minute and says so in the log, once, when it stays long.
    """
    return await aside(core.runtime.measure)
