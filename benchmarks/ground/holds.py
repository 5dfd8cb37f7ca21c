"""How long the event loop is held: each callback that it runs is timed, by the wall's clock and the processor's.

Knows: asyncio runs everything through `Handle._run`; a thread that looks on knows where a long one stands.
Does not know: what is run.

The wall's clock also counts what other programs take of the machine, and other threads of the lock; the
processor's counts what this thread itself computed. A wait in line (for a disk, say) is seen by the first alone.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

BUDGET = 0.005
"""Seconds that the loop may be held."""
_LOOK = 0.002


@dataclass
class Holds:
    """The longest hold meanwhile, in seconds, and the longest garbage collection in this thread, which
    `computed` is without: it looks through everything that is alive, the host's tasks above all.
    `where`: the stack of the longest hold beyond the budget.
    """

    wall: float = 0.0
    computed: float = 0.0
    garbage: float = 0.0
    where: list[str] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Holds]:
    """As long as it lasts, every callback of this thread's loop is timed."""
    holds, began = Holds(), [0.0]
    run, over, me = asyncio.Handle._run, threading.Event(), threading.get_ident()

    collecting, collected = [0.0], [0.0]

    def collects(phase: str, _info: Any) -> None:
        if threading.get_ident() != me:
            return
        if phase == "start":
            collecting[0] = time.thread_time()
            return
        took = time.thread_time() - collecting[0]
        collected[0] += took
        holds.garbage = max(holds.garbage, took)

    def timed(handle: Any) -> None:
        wall, computed = time.perf_counter(), time.thread_time() - collected[0]
        began[0] = wall
        run(handle)
        began[0] = 0.0
        if over.is_set():
            return  # this callback has gone on to something else
        holds.wall = max(holds.wall, time.perf_counter() - wall)
        holds.computed = max(holds.computed, time.thread_time() - collected[0] - computed)

    def look() -> None:
        longest = BUDGET
        while not over.wait(_LOOK):
            held = time.perf_counter() - began[0] if began[0] else 0.0
            frame = sys._current_frames().get(me)
            if held > longest and frame is not None:
                longest = held
                stack = traceback.extract_stack(frame)
                holds.where = [f"{at.filename}:{at.lineno} {at.name}" for at in stack[-6:]]

    asyncio.Handle._run = timed  # type: ignore[method-assign]
    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    gc.callbacks.append(collects)
    try:
        yield holds
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.callbacks.remove(collects)
        over.set()
        looking.join()
