"""How much of the program an application may use, and what it has used: in this process, window by window.

Knows: limits, windows that begin with the first use, what was told of them.
Does not know: what is counted, what is done to whoever is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from attrs import field

from .._domain.values.classes import define
from ..tenancy import Quotas

What: TypeAlias = Literal["events_per_minute", "file_bytes_per_hour"]
_WINDOWS: dict[What, int] = {"events_per_minute": 60_000, "file_bytes_per_hour": 3_600_000}
"""Milliseconds."""


@define
class _Window:
    """What was used since it began; whether it was told that this is too much."""

    ends: int = 0
    used: int = 0
    told: bool = False


@define
class Meters:
    """By the numbers of applications. `steady`: milliseconds that only go forward.

    `none`: the host has limited nobody, so that nothing need be counted.
    """

    _steady: Callable[[], int]
    none: bool = True
    _quotas: dict[int, Quotas] = field(factory=dict)
    _windows: dict[tuple[int, What], _Window] = field(factory=dict)

    def set(self, app: int, quotas: Quotas | None) -> None:
        """From now on; what was used in this window stays used. None: as before."""
        if quotas is not None:
            self._quotas[app], self.none = quotas, False

    def limit(self, app: int, what: What) -> int | None:
        """How much of it an application may use in a window; None: as much as it likes."""
        quotas = self._quotas.get(app)
        return None if quotas is None else getattr(quotas, what)

    def downloads(self) -> dict[int, int]:
        """How many files at once, for those applications that have such a limit."""
        return {
            app: one.downloads for app, one in self._quotas.items() if one.downloads is not None
        }

    def add(self, app: int, what: What, used: int) -> None:
        """So much was used."""
        if self.limit(app, what) is not None:
            self._window(app, what).used += used

    def left(self, app: int, what: What) -> float:
        """Seconds until it may be used again; 0: now."""
        limit = self.limit(app, what)
        if limit is None:
            return 0.0
        window = self._window(app, what)
        return (window.ends - self._steady()) / 1000 if window.used >= limit else 0.0

    def admit(self, wanted: Mapping[int, int], what: What) -> float:
        """Count what these applications want together; or the seconds to wait, when all of them are over.

        One delivery may be of several: it comes in for those that may have it.
        """
        waits = [self.left(app, what) for app in wanted]
        if waits and all(waits):
            return max(waits)
        for app, count in wanted.items():
            self.add(app, what, count)
        return 0.0

    def untold(self, app: int, what: What) -> bool:
        """Whether this is the first time in this window that somebody asks: it is told once."""
        window = self._window(app, what)
        first, window.told = not window.told, True
        return first

    def _window(self, app: int, what: What) -> _Window:
        now = self._steady()
        window = self._windows.get((app, what))
        if window is None or window.ends <= now:
            window = self._windows[app, what] = _Window(now + _WINDOWS[what])
        return window
