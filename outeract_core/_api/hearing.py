"""How a host says which functions answer what: `App.on`.

Knows: what may be asked of a handler, that its name is taken only once, what counts as now.
Does not know: when handlers run, what a turn is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

from .._domain.rules.patterns import checked, doubt
from .._domain.values.ids import to_ms
from .._handlers.elsewhere import fit
from .._handlers.handler import CHAIN, Handler, burst_of, milliseconds, whole
from .._io.runtime import Runtime
from .._io.tenant import Tenant
from .._store.reading import enrolment
from .._store.records import nodes, rows
from .._store.writing import handlers as work
from .._store.writing import tenants
from .._store.writing.enrolment import Enrolment, enrol
from ..driver import Tx
from ..errors import BadInput
from ..model import Event

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
        checked(pattern)
        if warning := doubt(pattern):
            self.runtime.log.warning("handlers", warning)
        limits, quiet = burst_of(burst), milliseconds(settle, "settle")
        whole(attempts, "attempts"), whole(chain, "chain")
        if timeout is not None and not milliseconds(timeout, "timeout"):
            raise BadInput("timeout is a number of seconds above 0, or None")
        if overlap not in (None, *tenants.CONFIG["overlap"]):
            raise BadInput(f"overlap is one of {', '.join(tenants.CONFIG['overlap'])}")
        past = _past(since, self.runtime.now())

        def register(call: H) -> H:
            handler = Handler(
                name or call.__qualname__, pattern, call, overlap, attempts, limits, quiet, own, bots,
                timeout, chain, process,
            )  # fmt: skip
            if process:
                _for_a_process(handler)
            if any(known.name == handler.name for known in self.handlers):
                raise BadInput(f"a handler called {handler.name} is there already; give name=")
            self._enrol(handler, past)
            self.handlers.append(handler)
            self.runtime.wake("handlers")
            return call

        return register

    def _enrol(self, handler: Handler, since: int | None) -> None:
        """Let the file know a handler that it does not know; what it leaves behind is told, once."""
        database, app = self.runtime.database, self.tenant.key
        new = database.read(
            lambda tx: enrolment.unknown(tx, app, handler, self.opened, since)
        )  # fmt: skip
        if new is None or not database.write_now(lambda tx: enrol(tx, app, new), app=app):
            return
        if new.left_behind:
            self.runtime.log.warning("handlers", _left(new))

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


def _for_a_process(handler: Handler) -> None:
    """Raises BadInput when a worker process could not run it."""
    if handler.awaited:
        raise BadInput(f"{handler.name} is async; process=True is for plain functions that compute")
    fit(handler.call)


def _past(since: Since | None, now: int) -> int | None:
    """The time, in ms, from which on the past is asked for; None: not at all. Raises BadInput."""
    if since is None:
        return None
    if since == "beginning":
        return 0
    if isinstance(since, timedelta):
        at, asked = now - since // timedelta(milliseconds=1), since >= timedelta(0)
    elif isinstance(since, datetime):
        at = to_ms(since)
        asked = at <= now
    else:
        raise BadInput(f'since is "beginning", an aware time or a timedelta, not {since!r}')
    if not asked:
        raise BadInput(f"since asks for the past, and {since!r} is yet to come")
    return max(at, 0)


def _left(new: Enrolment) -> str:
    return (
        f"handler {new.handler} is new to this file: {enrolment.in_words(new.left_behind, new.older)} that "
        'it would have wanted are left behind; since="beginning" under a new name= asks for them'
    )
