"""A host that computes: one thread of it, beside whoever is measured.

Knows: plain Python that never waits. Does not know: who is measured.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_WORDS = {"a": [1, 2, 3] * 20}


@contextmanager
def computing() -> Iterator[None]:
    """As long as it lasts, a thread computes."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            json.loads(json.dumps(_WORDS))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def for_a_while(things: Iterable[T], seconds: float) -> Iterator[T]:
    """One after the other until the time is over; the clock starts with the first."""
    end: float | None = None
    for thing in things:
        now = time.perf_counter()
        end = now + seconds if end is None else end
        if now >= end:
            return
        yield thing
