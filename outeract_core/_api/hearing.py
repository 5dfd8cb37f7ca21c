"""How a host says which functions answer what: `App.on`.

Knows: what may be asked of a handler. Does not know: what is nonsense (`registering.py`, read with the first
handler), when handlers run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import UUID

from .._handlers.current import CHAIN
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._store.records import nodes, rows
from .._store.writing import handlers as work
from ..driver import Tx
from ..errors import BadInput
from ..model import Event

if TYPE_CHECKING:
    from .._handlers.handler import Handler

H = TypeVar("H", bound=Callable[..., Any])
Since = Literal["beginning"] | datetime | timedelta


class Hearing:
    """The part of `App` that listens. `handlers`: the live list.

    opened   the position of the newest event when this program opened the application; None once it
             has pumped or served.
    """

    runtime: Runtime
    tenant: Tenant
    handlers: list[Handler]
    opened: int | None

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
        timeout: float | None = None,
        chain: int = CHAIN,
        since: Since | None = None,
        process: bool = False,
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
        bots        also for what other bots say and do.
        timeout     seconds that a run may take. An async function is cancelled then, a plain one is
                    left to itself; nothing of what it did counts, and it counts as a failure.
        chain       how many turns in a row may lead to this one without a person in between; then
                    the event is parked and told as `system.loop_stopped`.
        since       what a handler that the file does not know yet gets of the past: nothing, all
                    (`"beginning"`), or what was stored since an aware time, or within an age
                    (`timedelta`). One that it knows by its name goes on where it was.

        process     run it in a worker process: for a plain function that computes for long. It stands at
                    the top level of a module, is given a `MessageSnapshot`, and says what it returns; it has
                    no store. Cancelled, or out of time, its process is killed; its time begins when it has
                    one. A bot's file that serves
                    does so under `if __name__ == "__main__":`, since the process reads that file too.

        A new handler begins now: where the application stood when this program opened it, or, once
        it pumps or serves, where it stands at this call. How much it leaves behind is logged.

        Raises BadInput, StoreError.
        """
        from .doing.registering import registered

        return registered(
            self, pattern, name=name, overlap=overlap, attempts=attempts, burst=burst, settle=settle,
            own=own, bots=bots, timeout=timeout, chain=chain, since=since, process=process,
        )  # fmt: skip

    async def retry(self, event: Event | UUID) -> tuple[str, ...]:
        """Let the handlers that have given an event up have it once more; their names.

        They get as many attempts as at first, when they are run next. Raises NotFound, and BadInput
        when no handler has given it up, or its content was erased.
        """

        def unit(tx: Tx, app: int) -> tuple[str, ...]:
            key = nodes.key(tx, app, event, "event")
            if rows.event(tx, app, key).erased:
                raise BadInput("its content was erased: there is nothing to handle any more")
            names = work.again(tx, app, key)
            if not names:
                raise BadInput("no handler has given this event up; only that can be run again")
            return tuple(names)

        names = await self.tenant.write(unit)
        self.runtime.wake("handlers")
        return names
