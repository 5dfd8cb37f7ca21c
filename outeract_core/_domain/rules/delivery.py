"""The life of a delivery as tables: which status follows which, when to try again, what a part becomes.

Knows: ranks, the fold over child events, backoff.
Does not know: tables, clocks, platforms.

    queued ──▶ unknown ──▶ sent ──▶ delivered ──▶ read
       │          │          │          │           │
       ├──────────┴──────────┴──────────┴───────────┴──▶ failed   (stays)
       └──▶ cancelled                                             (stays)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from ..values.classes import frozen

RANK = {
    "queued": 0,
    "unknown": 1,
    "sent": 2,
    "delivered": 3,
    "read": 4,
    "cancelled": 5,
    "failed": 6,
}
"""A status only ever moves to one of a higher rank."""

EVENT_STATUS = {
    "message.sent": "sent",
    "message.delivered": "delivered",
    "message.read": "read",
    "message.failed": "failed",
    "message.unknown": "unknown",
    "message.cancelled": "cancelled",
}
_STAMP = {"sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "failed": "failed_at"}

BACKOFF = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
"""Seconds before the second attempt, the third, … ; the last one repeats."""
ATTEMPTS = 12
"""After so many attempts a transient error is given up."""


@frozen
class Progress:
    """The fold so far. Times in milliseconds."""

    status: str = "queued"
    parts: int = 1
    sent_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    failed_at: int | None = None
    reason: str | None = None


def further(one: str, other: str) -> str:
    """The status of the higher rank."""
    return one if RANK[one] >= RANK[other] else other


def advance(
    progress: Progress, status: str, at: int, reason: str | None, parts: Iterable[str]
) -> Progress:
    """`progress` after one more child event. `parts`: the status of every part that has come to one.

    A message of several parts is as far as its slowest part: unknown when of one part nobody knows,
    and still on its way while another has not left. One failed part fails it. The first time of a
    status stays, and so does the first reason.
    """
    ends = status in ("failed", "cancelled")
    whole = status if ends else _slowest(list(parts), progress.parts)
    reached = further(progress.status, whole)
    stamp = _STAMP.get(status)
    changes: dict[str, Any] = {"status": reached}
    if stamp and RANK[whole] >= RANK[status]:
        before = getattr(progress, stamp)
        changes[stamp] = at if before is None else before
    if status in ("failed", "unknown", "cancelled") and progress.reason is None:
        changes["reason"] = reason
    return evolve(progress, **changes)


def _slowest(reached: list[str], parts: int) -> str:
    if not reached or len(reached) < parts:
        return "queued"
    return min(reached, key=RANK.__getitem__)


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after the failed attempt number `attempt` (from 1); `jitter` in [0, 1)."""
    base = BACKOFF[min(attempt, len(BACKOFF)) - 1]
    return base * (0.75 + 0.5 * jitter)
