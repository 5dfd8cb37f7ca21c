"""What handlers have yet to do: events sorted into lanes, what is open, how far the cursor may move.

Knows: patterns, overlap policies, the order within a lane, retries.
Does not know: the store, time (it is handed over), how a turn is run.

A lane is one handler in one conversation. An event is *open* until every handler that wants it is
through; the cursor stands just before the first open event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import Factory, define, frozen

from .._domain.rules.patterns import fits
from .._store.writing.handlers import Arrived, Backlog

_FULL, _DEEP = 20_000, 1_000
_SHORTEST, _LONGEST = 0.02, 1.0


@frozen
class Handler:
    """A function of the host. `attempts`: how often it may raise before the event is parked."""

    name: str
    pattern: str
    call: Callable[[Any], Any]
    overlap: str | None = None
    attempts: int = 5

    def wants(self, event_type: str) -> bool:
        """Whether the pattern fits."""
        return fits(self.pattern, event_type)


@define(eq=False)
class Lane:
    """What one handler has to do in one conversation, in order. `due`: not before, in ms."""

    handler: Handler
    queue: deque[Arrived] = Factory(deque)
    running: bool = False
    due: int = 0


@define(eq=False)
class Lanes:
    """The lanes of one application. `handlers`: the live list; `overlap`: the default policy."""

    handlers: list[Handler]
    overlap: Callable[[], str]
    read_to: int = 0
    cursor: int = 0
    _open: dict[int, set[str]] = Factory(dict)
    _lanes: dict[tuple[str, int], Lane] = Factory(dict)
    _retries: dict[tuple[int, str], tuple[int, int]] = Factory(dict)
    _done_before: frozenset[tuple[int, str]] = frozenset()

    @property
    def full(self) -> bool:
        """Whether so much is open that reading on would only cost memory."""
        return len(self._open) >= _FULL

    @property
    def deep(self) -> bool:
        """Whether so much is open that what is read now is old when its turn comes."""
        return len(self._open) >= _DEEP

    def load(self, backlog: Backlog) -> None:
        """Begin where another process has left off."""
        self.read_to = self.cursor = backlog.position
        self._retries = dict(backlog.retries)
        self._done_before = backlog.handled
        self._open.clear()
        self._lanes.clear()

    def wanted(self, event_type: str) -> list[Handler]:
        """The handlers of an event type."""
        return [handler for handler in self.handlers if handler.wants(event_type)]

    def place(self, arrived: Arrived) -> None:
        """The next event of the log, into the lane of every handler that wants it."""
        self.read_to = arrived.event
        for handler in self.wanted(arrived.type):
            if (arrived.event, handler.name) in self._done_before:
                continue
            self._open.setdefault(arrived.event, set()).add(handler.name)
            alone = self._policy(handler) == "concurrent"
            key = (handler.name, -arrived.event if alone else arrived.peer)
            lane = self._lanes.setdefault(key, Lane(handler))
            lane.queue.append(arrived)
            lane.due = max(lane.due, self._retry(arrived.event, handler)[1])

    def ready(self, now: int) -> list[Lane]:
        """The lanes that may run now; those with nothing left are forgotten."""
        for key in [k for k, lane in self._lanes.items() if not lane.queue and not lane.running]:
            del self._lanes[key]
        return [lane for lane in self._lanes.values() if not lane.running and lane.due <= now]

    def pause(self, now: int) -> float:
        """Seconds until a lane may run that is not running."""
        waits = [lane.due - now for lane in self._lanes.values() if not lane.running]
        return min([max(ms / 1000, _SHORTEST) for ms in waits] + [_LONGEST])

    def take(self, lane: Lane) -> list[Arrived]:
        """What the next turn of a lane is given: one event, or a burst of messages."""
        batch = [lane.queue.popleft()]
        if self.attempts(batch[0].event, lane.handler):
            return batch  # alone, so that one poison message does not take others with it
        if self._policy(lane.handler) == "burst" and batch[0].type == "message.inbound":
            while lane.queue and lane.queue[0].type == "message.inbound":
                batch.append(lane.queue.popleft())
        return batch

    def attempts(self, event: int, handler: Handler) -> int:
        """How often the handler has raised at an event."""
        return self._retry(event, handler)[0]

    def failed(self, lane: Lane, event: int, attempt: int, due: int) -> None:
        """The handler has raised; its lane waits until `due`."""
        self._retries[event, lane.handler.name] = (attempt, due)
        lane.due = due

    def names(self, batch: Sequence[Arrived]) -> dict[int, frozenset[str]]:
        """By event, the names of all handlers that it is for."""
        return {a.event: frozenset(h.name for h in self.wanted(a.type)) for a in batch}

    def low_after(self, handler: Handler, events: Iterable[int]) -> int:
        """How far the cursor may move once `handler` is through with `events`."""
        done = set(events)
        for event, names in self._open.items():
            if names - {handler.name} if event in done else names:
                return event - 1
        return self.read_to

    def settled(self, handler: Handler, events: Iterable[int]) -> None:
        """`handler` is through with `events`, and that is committed."""
        for event in events:
            self._retries.pop((event, handler.name), None)
            names = self._open.get(event, set())
            names.discard(handler.name)
            if not names:
                self._open.pop(event, None)
        self.cursor = max(self.cursor, next(iter(self._open), self.read_to + 1) - 1)

    def _retry(self, event: int, handler: Handler) -> tuple[int, int]:
        return self._retries.get((event, handler.name), (0, 0))

    def _policy(self, handler: Handler) -> str:
        return handler.overlap or self.overlap()
