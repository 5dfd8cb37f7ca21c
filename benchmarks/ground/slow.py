"""A fake platform that takes its time: slow answers, requests that are carried out late, answers that never come.

Knows: how long, by chance. Does not know: what is asked (`outeract_core.testing`).
"""

from __future__ import annotations

import random
from typing import Any

from outeract_core.testing import FakePlatform

_ANSWERS = ((0.80, 0.0, 0.05), (0.95, 0.2, 1.5), (0.995, 3.0, 9.0), (1.0, 35.0, 36.0))
"""Up to which chance an answer takes between how many seconds; the last outlast an adapter's patience."""
_LATE = 0.05
"""How often a request waits before it is carried out."""


class SlowPlatform(FakePlatform):
    """All three platforms behind one URL, slow by chance."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)

    def respond(self, request: Any) -> Any:
        """Carry it out, perhaps late, and answer, perhaps much later."""
        with self._world.changed:
            late = self._chance.uniform(0.02, 0.4) if self._chance.random() < _LATE else 0.0
            dice = self._chance.random()
            least, most = next((low, high) for upto, low, high in _ANSWERS if dice < upto)
            slow = self._chance.uniform(least, most)
        self._wait(late)
        answer = super().respond(request)
        self._wait(slow)
        return answer

    def _wait(self, seconds: float) -> None:
        """The world may end meanwhile."""
        if seconds:
            with self._world.changed:
                self._world.changed.wait_for(lambda: self._world.closed, seconds)
