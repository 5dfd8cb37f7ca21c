"""How running ends: told by signals, in three steps; or by an error that the host should see.

Knows: signals, the thread that counts, groups of errors. Does not know: what runs.

    a signal               ─▶ nothing new begins, what is under way comes to its end
    the grace is over,     ─▶ what is under way is given up
    or a second signal
    a moment later, or     ─▶ the process ends, whatever still runs: an event loop that is blocked,
    a third                   a handler that catches its own cancellation, a thread that hangs
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..._domain.values.sinks import worded
from ...errors import OuteractError
from ..wakeup import Via, call, here

MOMENT = 1.0
"""Seconds that giving up may take."""
LAST_WORDS = 1.0
"""Seconds that the last words of a process may take."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave(status: int) -> None:
    """The process ends now, and nothing else is run in it."""
    os._exit(status)


class Shutdown:
    """`with Shutdown(grace, last) as shutdown`: signals are heard until the block is left.

    grace   seconds between the first step and the second.
    last    the last words: called in a thread when the third step is taken, for a moment at most.

    A signal's handler of Python's may interrupt anything, so it only puts the number into a queue.
    Signals reach the main thread only; in another one nothing is heard here.
    """

    def __init__(self, grace: float, last: Callable[[], None]) -> None:
        self._grace = grace
        self._last = last
        self._heard: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._before: dict[int, Any] = {}
        self._via: Via | None = None
        self._steps: tuple[Callable[[], None], ...] = ()
        self._reached = 0
        self._gate = threading.Lock()
        self._pid = os.getpid()

    def __enter__(self) -> Shutdown:
        try:
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._hear)
        except ValueError:  # not the main thread
            return self
        threading.Thread(target=self._count, name="outeract shutdown", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._heard.put(None)

    def steps(self, end: Callable[[], None], give_up: Callable[[], None]) -> None:
        """What the first and the second step are, on the event loop that runs here.

        A signal may have come before there was a loop: what it asked for is done now.
        """
        with self._gate:
            self._via, self._steps = here(), (end, give_up)
            reached = self._reached
        for step in range(reached):
            self._take(step)

    def _hear(self, number: int, _frame: object) -> None:
        if os.getpid() == self._pid:
            self._heard.put(number)
            return
        signal.signal(number, self._before[number])  # a child that was forked: nobody counts there
        signal.raise_signal(number)

    def _count(self) -> None:
        number = self._heard.get()
        if number is None:
            return
        self._reach()
        if self._ended(self._grace):
            return
        self._reach()
        if not self._ended(MOMENT):
            last = threading.Thread(target=self._last, name="outeract last words", daemon=True)
            last.start()
            last.join(LAST_WORDS)
            leave(128 + number)

    def _reach(self) -> None:
        """The next step is due."""
        with self._gate:
            self._reached += 1
            runs = self._via is not None
        if runs:
            self._take(self._reached - 1)

    def _take(self, step: int) -> None:
        if self._via is not None:
            call(self._via, self._steps[step])

    def _ended(self, seconds: float) -> bool:
        """Whether the block is left within so many seconds, and before another signal."""
        try:
            return self._heard.get(timeout=max(seconds, 0.0)) is None
        except queue.Empty:
            return False


def first(error: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error that the host should see of a group, however deep: one of ours, if there is one."""
    inner = list(_leaves(error))
    ours = [each for each in inner if isinstance(each, OuteractError)]
    chosen = (ours or inner)[0]
    others = {worded(each) for each in inner if each is not chosen}
    for text in sorted(others):
        chosen.add_note(f"at the same time: {text}")
    return chosen


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _leaves(each)
