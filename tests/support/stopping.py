"""Who waits for a piece of work goes away after so many of its looks.

Knows: how work is told that nobody wants it any more. Does not know: what work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from outeract_core._domain.values.interrupt import STOP


@contextmanager
def left_after(looks: int) -> Iterator[None]:
    """What is done inside looks so often whether it is wanted, and ends with that look."""
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == looks:
            raise InterruptedError

    token = STOP.set(stop)
    try:
        with pytest.raises(InterruptedError):
            yield
    finally:
        STOP.reset(token)
    assert asked == looks
