"""How long the write-ahead log is, told without being told at each commit.

Knows: that what a connection has written can be had at no cost, that the log itself has to be asked, and that it begins
anew by itself once all of it was moved into the file.
Does not know: SQLite's interface, when a checkpoint is due.

SQLite would call at each commit, and each call waits for Python's lock beside a host that computes.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Log"]

_SOON = 512
"""Pages after which the log is asked again: what others have written, or moved, is seen by then."""


class Log:
    """The log as one connection has seen it.

    written   pages that this connection has written into it, ever; what else is told with them does not matter.
    asked     pages that are in it, and how many of them a checkpoint has moved; negative where there is none.
    """

    def __init__(
        self, written: Callable[[], tuple[int, int]], asked: Callable[[], tuple[int, int]]
    ) -> None:
        self._written, self._asked = written, asked
        self._held = self._known = self._last = 0
        self._then = -_SOON - 1

    @property
    def pages(self) -> int:
        """What a checkpoint has to move, but for what a reader had held at the last one."""
        self._last = self._written()[0]
        grown = self._last - self._then
        if grown > _SOON:
            self._ask()
            grown = 0
        return self._known + grown

    def checkpointed(self, held: int) -> None:
        """There was a checkpoint; so many pages stayed in the log for a reader."""
        self._held, self._known, self._then = held, 0, self._written()[0]

    def put_off(self) -> None:
        """There was none, since something went wrong: the next is due when as much has been written again. Asks nobody."""
        self._known, self._then = 0, self._last

    def _ask(self) -> None:
        pages, moved = self._asked()
        inside = 0 if pages == moved else max(pages, 0)
        self._held = min(self._held, inside)
        self._known, self._then = inside - self._held, self._written()[0]
