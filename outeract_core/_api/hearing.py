"""How a host says which functions answer what: `App.on`.

Knows: what may be asked of a handler, and that its name is taken only once.
Does not know: when handlers run, what a turn is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._domain.rules.patterns import checked, doubt
from .._handlers.handler import Handler, burst_of, milliseconds
from .._io.runtime import Runtime
from .._store.writing import tenants
from ..errors import BadInput

H = TypeVar("H", bound=Callable[..., Any])


class Hearing:
    """The part of `App` that listens. `handlers`: the live list."""

    runtime: Runtime
    handlers: list[Handler]

    def on(
        self,
        pattern: str,
        *,
        name: str | None = None,
        overlap: str | None = None,
        attempts: int = 5,
        burst: int | tuple[int, int] | None = None,
        settle: float = 0.0,
        own: bool = False,
        bots: bool = False,
    ) -> Callable[[H], H]:
        """Register a handler for event types: `message.inbound`, `message.*` or `*`.

        The function, plain or async, is given a `Message`; the text, `Content` or list that it
        returns is its reply. A pattern with `*` means what people did and the host's own events.

        name        what the file remembers it by; the function's, unless given.
        overlap     `burst`, `queue` or `concurrent` instead of the application's.
        attempts    after so many failures the event is parked as `system.handler_failed`.
        burst       what one turn is given at most of what one person wrote in one place: a number
                    of messages, or (messages, characters); 20 and 8,000.
        settle      seconds of quiet before a burst is handed over; 0. An album is given a second to
                    be whole anyway.
        own         also for what the application itself did (its messages, edits, reactions) and
                    for what came of it (statuses).
        bots        also for what other bots say.

        Raises BadInput.
        """
        checked(pattern)
        if warning := doubt(pattern):
            self.runtime.log.warning("handlers", warning)
        limits, quiet = burst_of(burst), milliseconds(settle, "settle")
        if overlap not in (None, *tenants.CONFIG["overlap"]):
            raise BadInput(f"overlap is one of {', '.join(tenants.CONFIG['overlap'])}")

        def register(call: H) -> H:
            handler = Handler(
                name or call.__qualname__, pattern, call, overlap, attempts, limits, quiet, own, bots
            )  # fmt: skip
            if any(known.name == handler.name for known in self.handlers):
                raise BadInput(f"a handler called {handler.name} is there already; give name=")
            self.handlers.append(handler)
            return call

        return register
