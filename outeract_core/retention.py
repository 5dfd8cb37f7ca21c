"""Rules of retention, as values: what is kept for how long, and what was dropped.

Knows: what a rule says, what never falls under one.
Does not know: how a rule is stored or applied (`app.retention`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from ._domain.values.classes import frozen
from .model import ConnectionId

__all__ = ["Dropped", "RetentionRule"]


@frozen
class RetentionRule:
    """Events of a pattern keep their content for a time after they were stored.

    pattern         `message.inbound`, `message.*` or `*`.
    keep_for        how long, counted from `created_at` of the event.
    connection_id   only events of this connection; None for all.
    raw_only        only the platform's own item goes, the payload stays.
    """

    id: UUID
    pattern: str
    keep_for: timedelta
    connection_id: ConnectionId | None
    raw_only: bool
    created_at: datetime


@frozen
class Dropped:
    """What a rule has dropped, or would drop.

    events       events whose payload and raw item went; with `raw_only` the raw item alone.
    files        files whose bytes went, because nothing that is left shows them.
    deliveries   deliveries, kept because they were not understood, whose bytes went.
    unsent       messages that were old enough and stay until they are sent or given up.
    unhandled    whether more is old enough, and waits until the handlers have handled it.
    """

    rule: RetentionRule
    events: int = 0
    files: int = 0
    deliveries: int = 0
    unsent: int = 0
    unhandled: bool = False
