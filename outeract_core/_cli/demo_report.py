"""What the demo has to show: a conversation across platforms, a reply's provenance, the counts.

Knows: how they are printed. Does not know: how they came to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._domain.values.classes import frozen
from ..model import Event


@frozen
class Report:
    """`answered`: inbound messages with a delivered reply. `delivered`: what the platforms took."""

    path: Path
    said: Sequence[tuple[Event, str]]
    merged: int
    graph: str
    counts: dict[str, int]
    inbound: int
    webhooks: int
    answered: int
    delivered: int
    doubled: int

    @property
    def lost(self) -> int:
        """Inbound messages whose reply did not arrive."""
        return self.inbound - self.answered

    @property
    def well(self) -> bool:
        """Whether everything came out as it should."""
        return not self.lost and not self.doubled and self.merged == 1

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "in": self.inbound, "out": self.delivered, "lost": self.lost, "doubled": self.doubled,
            "webhooks": self.webhooks, "merged": self.merged, "counts": self.counts,
            "graph": self.graph,
        }  # fmt: skip

    def story(self) -> list[str]:
        """Lines for people; the last says whether all is well."""
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        word = "ok" if self.well else "NOT OK"
        return [
            "One person, two platforms, linked with a code:",
            *(f"  {_line(event, speaker)}" for event, speaker in self.said), "",
            "Where the first reply comes from (Mermaid):", *self.graph.split("\n"),
            f"In the file: {counts}",
            f"{self.webhooks} webhooks came in, repetitions and statuses included.", "",
            f"{word}: {self.inbound} in, {self.delivered} out, {self.lost} lost, {self.doubled} doubled",
        ]  # fmt: skip


def _line(event: Event, speaker: str) -> str:
    status = f"  [{event.status}]" if event.event_type == "message.outbound" else ""
    text = " ".join(event.text.split())
    return f"{event.occurred_at:%H:%M:%S} {event.platform or '':9} {speaker:>20}: {text}{status}"
