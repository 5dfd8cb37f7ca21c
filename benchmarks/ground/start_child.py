"""The program that `start` measures: open a file, look around, walk over its events.

Knows: its file, and for how many seconds it may walk.
Does not know: what is made of its figures.
"""

from __future__ import annotations

import json
import sys
import time

import anyio

from outeract_core import Outeract

from ..memory import memory_now, peak_memory


async def main(path: str, patience: float) -> None:
    """One JSON object: open_ms, at_rest_mb and, after a walk, events, seconds, peak_mb, whole."""
    start = time.perf_counter()
    core = Outeract(path, search=None)
    app = core.app("bench")
    await app.conversations.recent(first=1)
    told = {"open_ms": (time.perf_counter() - start) * 1000, "at_rest_mb": memory_now()}
    if patience:
        events, whole, begin = 0, True, time.perf_counter()
        async for _event in app.events.all():
            events += 1
            if events % 1000 == 0 and time.perf_counter() - begin > patience:
                whole = False
                break
        told |= {"events": events, "seconds": time.perf_counter() - begin, "whole": whole}
        told |= {"peak_mb": peak_memory()}
    await core.aclose()
    print(json.dumps(told))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], float(sys.argv[2]))
