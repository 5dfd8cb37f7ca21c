"""Credentials that came with an event, for its handler: in memory, for minutes, and nowhere else.

Knows: which event they came with, for how long they are kept, how many.
Does not know: what they open, how they were found (`_domain/rules/credentials.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import field

from .._domain.values.classes import define

_MINUTES, _MOST = 30, 1000
"""Slack's `response_url` works for thirty minutes, and nothing else that platforms hand out for longer."""


@define
class Handed:
    """By the keys of events. `steady`: milliseconds that only go forward. For any thread."""

    _steady: Callable[[], int]
    _kept: dict[int, tuple[int, Mapping[str, Any]]] = field(factory=dict, repr=False)
    _gate: threading.Lock = field(factory=threading.Lock, repr=False)

    def keep(self, keys: Iterable[int], found: Mapping[str, Any]) -> None:
        """What came in one request, for each event of it."""
        until, shown = self._steady() + _MINUTES * 60_000, MappingProxyType(dict(found))
        with self._gate:
            self._kept.update(dict.fromkeys(keys, (until, shown)))
            self._forget()

    def of(self, key: int) -> Mapping[str, Any] | None:
        """What came with this event; None when nothing did, it is too long ago, or elsewhere."""
        until, found = self._kept.get(key, (0, None))
        return found if until > self._steady() else None

    def texts(self) -> list[str]:
        """Every text among them, for what must not show any."""
        with self._gate:
            self._forget()
            kept = [found for _, found in self._kept.values()]
        return [text for found in kept for value in found.values() for text in _texts(value)]

    def _forget(self) -> None:
        """What is over, and the oldest of what is too much."""
        now = self._steady()
        for key, (until, _) in list(self._kept.items()):
            if until > now and len(self._kept) <= _MOST:
                break
            del self._kept[key]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return [text for each in inside for text in _texts(each)]
    return [value] if isinstance(value, str) else []
