"""Conversations, each with the last message that was said in it.

Knows: that what has failed with every part, was cancelled or is not yet due was not said (`Standing.said`, but for
what was deleted: that was said, and stands there as deleted).
Does not know: which conversations are wanted.
"""

from __future__ import annotations

__all__ = ["LOOKED", "with_last_said"]

LOOKED = 32
"""So many of the newest messages of a conversation are looked at for one that was said."""


def with_last_said(rows: str, order: str) -> str:
    """The rows of a query that gives `peer` and `last`, and the last that was said as one more column.

    It is `last` itself nearly always, and also where none of the newest `:looked` was said.
    """
    return f"SELECT r.*, {_SAID} FROM ({rows}) r ORDER BY r.last {order}"


def _unsaid(event: str) -> str:
    return f"""EXISTS (SELECT 1 FROM delivery d WHERE d.event = {event} AND (
  d.status IN ('failed', 'cancelled') AND NOT EXISTS (
    SELECT 1 FROM receipt t WHERE t.event = d.event AND t.status IN ('sent', 'delivered', 'read'))
  OR d.status = 'queued' AND EXISTS (
    SELECT 1 FROM outbox o WHERE o.id = d.event AND o.due > :now AND o.attempt = 0 AND o.done = 0)))"""


_SAID = f"""CASE WHEN {_unsaid("r.last")} THEN coalesce((SELECT max(m.event) FROM (
  SELECT n.event FROM entry n WHERE n.peer = r.peer ORDER BY n.event DESC LIMIT :looked) m
  WHERE NOT {_unsaid("m.event")}), r.last) ELSE r.last END AS said"""
