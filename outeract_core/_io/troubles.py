"""What goes wrong with single connections while a round of work runs, for its report.

Knows: who listens, and that a report stays short. Does not know: what went wrong, who works, the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from attrs import field

from .._domain.values.classes import frozen

Wrong: TypeAlias = dict[tuple[int, str, str], None]
"""Connection, what was done with it, why that went wrong: each once, in order."""
MOST = 100
"""What a report has at most; each is in the log, too."""


@frozen
class Troubles:
    """Tells whoever listens meanwhile."""

    _listeners: list[Wrong] = field(factory=list)

    def add(self, conn: int, doing: str, reason: str) -> None:
        """`reason`: without secrets."""
        for wrong in self._listeners:
            if len(wrong) < MOST:
                wrong[conn, doing, reason] = None

    @contextmanager
    def listening(self) -> Iterator[Wrong]:
        """What goes wrong within."""
        wrong: Wrong = {}
        self._listeners.append(wrong)
        try:
            yield wrong
        finally:
            self._listeners[:] = [one for one in self._listeners if one is not wrong]
