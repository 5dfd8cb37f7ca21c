"""What handlers have yet to do: events sorted into lanes, what is open, how far the cursor may move.

Knows: overlap policies, the order within a lane, retries.
Does not know: the store, time (it is handed over), how a turn is run, what is joined (`bursts.py`).

A lane is one handler in one thread of one conversation. An event is *open* until every handler that
wants it is through; the cursor stands just before the first open event. What came before a handler
began is not for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import Factory

from .._domain.values.classes import define
from .._store.reading.arrivals import AGAIN, Arrived
from .._store.writing.handlers import Backlog
from . import bursts
from .handler import Handler

_FULL, _DEEP = 20_000, 1_000
_SHORTEST, _LONGEST = 0.02, 1.0


@define(eq=False)
class Lane:
    """What one handler has to do in one place, in order. `due`: not before, in ms.

    `held`: something in it may have to wait for what belongs to it.
    """

    handler: Handler
    queue: deque[Arrived] = Factory(deque)
    running: bool = False
    due: int = 0
    held: bool = False


@define(eq=False)
class Lanes:
    """The lanes of one application. `handlers`: those that follow the cursor; `overlap`: the default
    policy; `begins`: behind which event each handler begins, by name; `loads`: how often it was
    begun anew, because what was reckoned before holds no more then.
    """

    handlers: list[Handler]
    overlap: Callable[[], str]
    read_to: int = 0
    cursor: int = 0
    begins: Mapping[str, int] = Factory(dict)
    loads: int = 0
    _open: dict[int, set[str]] = Factory(dict)
    _lanes: dict[tuple[str, int, str], Lane] = Factory(dict)
    _retries: dict[tuple[int, str], tuple[int, int]] = Factory(dict)
    _done_before: set[tuple[int, str]] = Factory(set)
    _taken: set[tuple[int, str]] = Factory(set)

    @property
    def full(self) -> bool:
        """Whether so much is open that reading on would only cost memory."""
        return len(self._open) >= _FULL

    @property
    def deep(self) -> bool:
        """Whether so much is open that what is read now is old when its turn comes."""
        return len(self._open) >= _DEEP

    def load(
        self, backlog: Backlog, handlers: Sequence[Handler], begins: Mapping[str, int]
    ) -> None:
        """Begin where another process has left off, or anew with more handlers; what runs goes on."""
        self.read_to = self.cursor = backlog.position
        self._retries = dict(backlog.retries)
        self._done_before = set(backlog.handled)
        self.handlers, self.begins = list(handlers), begins
        self._open.clear()
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.running}
        for lane in self._lanes.values():
            lane.queue.clear()

    def asked(self, event_type: str) -> bool:
        """Whether any handler's pattern fits, so that an event is worth a look."""
        return event_type == AGAIN or any(handler.wants(event_type) for handler in self.handlers)

    def wanted(self, arrived: Arrived) -> list[Handler]:
        """The handlers that an event is for."""
        begins, event = self.begins, arrived.event
        there = [h for h in self.handlers if event > begins.get(h.name, 0)]
        if arrived.again:
            return [handler for handler in there if handler.name == arrived.again]
        return [handler for handler in there if handler.takes(arrived)]

    def place(self, arrived: Arrived) -> None:
        """The next event of the log, into the lane of every handler that it is for."""
        self.read_to = arrived.event
        for handler in self.wanted(arrived):
            if (arrived.event, handler.name) in self._done_before:
                continue
            self._open.setdefault(arrived.event, set()).add(handler.name)
            if (arrived.event, handler.name) in self._taken:
                continue
            lane = self._lanes.setdefault(self._key(handler, arrived), Lane(handler))
            lane.queue.append(arrived)
            lane.due = max(lane.due, self._retry(arrived.event, handler)[1])
            lane.held = lane.held or bool(arrived.album or handler.settle)

    def _key(self, handler: Handler, arrived: Arrived) -> tuple[str, int, str]:
        if self._policy(handler) != "concurrent":
            return handler.name, arrived.peer, arrived.thread
        if arrived.album and arrived.spoken:
            names = arrived.thread, str(arrived.sender), arrived.album
            return handler.name, arrived.peer, "\0".join(names)
        return handler.name, -arrived.event, ""

    def ready(self, now: int) -> Iterator[Lane]:
        """The lanes that may run now, for as long as one looks; those with nothing left are forgotten."""
        through: list[tuple[str, int, str]] = []
        try:
            for key, lane in self._lanes.items():
                if lane.running:
                    continue
                if not lane.queue:
                    through.append(key)
                elif self.may(lane, now):
                    yield lane
        finally:
            for key in through:
                del self._lanes[key]

    def may(self, lane: Lane, now: int) -> bool:
        """Whether the lane has something that is due."""
        return bool(lane.queue) and self._until(lane, now) <= now

    def pause(self, now: int) -> float:
        """Seconds until a lane may run that is not running."""
        pause = _LONGEST
        for lane in self._lanes.values():
            if not lane.running:
                pause = min(pause, (self._until(lane, now) - now) / 1000)
                if pause <= _SHORTEST:
                    return _SHORTEST
        return pause

    def settling(self, now: int) -> int | None:
        """Milliseconds until the next lane is whole that waits for nothing else; None: there is none."""
        held = [one for one in self._lanes.values() if one.held and one.queue and not one.running]
        return min((self._until(one, now) - now for one in held if one.due <= now), default=None)

    def _until(self, lane: Lane, now: int) -> int:
        """Not before this time; something stored in the future (the clock went back) waits no more."""
        if not lane.held or not lane.queue or lane.queue[0].at > now:
            return lane.due
        handler = lane.handler
        held = bursts.waits_until(lane.queue, self._next(lane), handler.settle, handler.burst)
        return max(lane.due, held)

    def take(self, lane: Lane) -> list[Arrived]:
        """What the next turn of a lane is given: one event, or a burst of messages."""
        batch = self._next(lane)
        self._taken |= {(arrived.event, lane.handler.name) for arrived in batch}
        if len(batch) == 1:
            return [lane.queue.popleft()]
        taken = {arrived.event for arrived in batch}
        left = [arrived for arrived in lane.queue if arrived.event not in taken]
        lane.queue.clear()
        lane.queue.extend(left)
        return batch

    def give_back(self, lane: Lane, batch: Sequence[Arrived]) -> None:
        """Its turn has not come to an end: it is the next again, in the order of the log."""
        self._taken -= {(arrived.event, lane.handler.name) for arrived in batch}
        lane.queue.extendleft(reversed(batch))

    def _next(self, lane: Lane) -> list[Arrived]:
        handler = lane.handler
        burst = handler.burst if self._policy(handler) == "burst" else None
        return bursts.batch(lane.queue, burst, lambda a: self.tried(a.event, handler))

    def attempts(self, event: int, handler: Handler) -> int:
        """How often the handler has raised at an event."""
        return self._retry(event, handler)[0]

    def tried(self, event: int, handler: Handler) -> bool:
        """Whether a turn with the event has failed: it comes alone from then on."""
        return (event, handler.name) in self._retries

    def failed(self, lane: Lane, events: Iterable[int], attempt: int, due: int) -> None:
        """The handler has raised at them; its lane waits until `due`."""
        self._retries |= {(event, lane.handler.name): (attempt, due) for event in events}
        lane.due = due

    def names(self, batch: Sequence[Arrived]) -> dict[int, frozenset[str]]:
        """By event, the names of all handlers that it is for."""
        return {a.event: frozenset(h.name for h in self.wanted(a)) for a in batch}

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
            self._taken.discard((event, handler.name))
            if event > self.read_to:  # begun anew meanwhile: it is yet to be read again
                self._done_before.add((event, handler.name))
            names = self._open.get(event, set())
            names.discard(handler.name)
            if not names:
                self._open.pop(event, None)
        self.cursor = max(self.cursor, next(iter(self._open), self.read_to + 1) - 1)

    def _retry(self, event: int, handler: Handler) -> tuple[int, int]:
        return self._retries.get((event, handler.name), (0, 0))

    def _policy(self, handler: Handler) -> str:
        return handler.overlap or self.overlap()
