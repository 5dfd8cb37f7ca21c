"""Brings a fake platform's webhooks to the bot: in a thread, again and again until they are accepted.

Knows: URLs and callables, and that a refused delivery comes again later, as real platforms do.
Does not know: what is delivered, who signed it.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping
from itertools import count
from threading import Condition, Thread
from typing import TypeAlias
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from ..signing import Signed

__all__ = ["Courier", "Receiver"]

Receiver: TypeAlias = str | Callable[[Mapping[str, str], bytes], object]
"""A URL that gets a POST, or a function of headers and body. It refuses by raising or by returning
a status of 300 or more; anything else it returns is taken as accepted."""

_FIRST_DELAY, _LONGEST_DELAY = 0.05, 1.0
_TIMEOUT = 10.0
_DIRECT = build_opener(ProxyHandler({}))


class Courier:
    """A queue of deliveries and the thread that makes them. `close` gives up what is left."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[tuple[float, int, float, Receiver, Signed]] = []
        self._numbers = count()
        self._busy = self._closed = False
        self._thread: Thread | None = None
        self.refusals = 0
        """How often a delivery was refused, by a status, an exception or no connection."""

    def take(self, to: Receiver, signed: Signed) -> None:
        """Deliver this as soon as possible, behind what was handed in before."""
        with self._changed:
            self._put(0.0, _FIRST_DELAY, to, signed)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is left to deliver; whether that came true in `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._busy), timeout)

    def close(self) -> None:
        """Stop after the delivery that is being made."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_TIMEOUT)

    def _put(self, due: float, delay: float, to: Receiver, signed: Signed) -> None:
        heapq.heappush(self._waiting, (due, next(self._numbers), delay, to, signed))
        self._changed.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            delay, to, signed = job
            accepted = _deliver(to, signed)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if not accepted:
                    self.refusals += 1
                if not accepted and not self._closed:
                    later = time.monotonic() + delay
                    self._put(later, min(2 * delay, _LONGEST_DELAY), to, signed)

    def _next(self) -> tuple[float, Receiver, Signed] | None:
        with self._changed:
            while not self._closed:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    self._busy = True
                    return heapq.heappop(self._waiting)[2:]
                self._changed.wait(wait)
            return None


def _deliver(to: Receiver, signed: Signed) -> bool:
    headers, body = signed
    if callable(to):
        try:
            answer = to(headers, body)
        except Exception:
            return False
        return not (isinstance(answer, int) and answer >= 300)
    request = Request(to, data=body, headers=headers, method="POST")  # noqa: S310 - a test's URL
    try:
        with _DIRECT.open(request, timeout=_TIMEOUT) as answered:
            status: int = answered.status
            return 200 <= status < 300
    except (URLError, OSError):
        return False
