"""Rounds of work until nothing more is due within a given time.

Knows: how long is waited between two rounds. Does not know: what a round does (`workers.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .._domain.values.ids import to_ms
from .._io.runtime import Runtime
from .pumped import Pumped, together

_SHORTEST, _LONGEST = 0.02, 1.0
"""Seconds between two rounds: a row may be due and yet wait for its connection."""


async def drain(
    runtime: Runtime, pump: Callable[[], Awaitable[Pumped]], timeout: float  # noqa: ASYNC109
) -> Pumped:  # fmt: skip
    """`pump` again and again while anything falls due within `timeout` seconds; all rounds as one."""
    until = runtime.steady() + int(timeout * 1000)
    total, idle = await pump(), _SHORTEST
    while (due := total.next_due) is not None:
        left = until - runtime.steady()
        wait = to_ms(due) - runtime.now()
        if left <= 0 or wait > left:
            break
        pause = min(max(wait / 1000, idle), max(left / 1000, 0), _LONGEST)
        await runtime.wait("outbox", pause, runtime.heard("outbox"))
        before, total = total, together(total, await pump())
        idle = _SHORTEST if _moved(before, total) else min(idle * 2, _LONGEST)
    return total


def _moved(before: Pumped, after: Pumped) -> bool:
    done = ("handled", "sent", "failed", "unknown", "fetched", "parked")
    return any(getattr(before, name) != getattr(after, name) for name in done)
