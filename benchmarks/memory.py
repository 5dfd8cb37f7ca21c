"""How much memory this process holds, and which of it is nobody's garbage.

Knows: what the system tells of it. Does not know: what it is used for.
"""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """The most memory that this process has held, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def memory_now() -> float:
    """What this process holds now, in MB; the peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_memory()
    return round(pages * resource.getpagesize() / 1e6, 1)


def put_aside() -> None:
    """What the benchmark holds by now (prepared rows, bodies) is not looked through by anybody's
    garbage collection in what follows: ours, the floor's and the peers' find the same heap.
    """
    gc.collect()
    gc.freeze()
