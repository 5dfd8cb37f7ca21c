"""A handler is registered: what was asked of it is checked, and the file learns that there is one.

Knows: what may be asked, that a name is taken only once, what counts as now.
Does not know: when handlers run, what a turn is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from ..._domain.rules.patterns import checked, doubt
from ..._domain.values.ids import to_ms
from ..._handlers.handler import Handler, burst_of, milliseconds, whole
from ..._io.runtime import Runtime
from ..._io.tenant import Tenant
from ..._store.reading import enrolment
from ..._store.writing import tenants
from ..._store.writing.enrolment import Enrolment, enrol
from ...errors import BadInput

H = TypeVar("H", bound=Callable[..., Any])
Since: TypeAlias = Literal["beginning"] | datetime | timedelta


class Listening(Protocol):
    """The application that listens."""

    runtime: Runtime
    tenant: Tenant
    handlers: list[Handler]
    opened: int | None


def registered(
    app: Listening, pattern: str, *, name: str | None, overlap: str | None, attempts: int,
    burst: int | tuple[int, int] | None, settle: float, own: bool, bots: bool,
    timeout: float | None, chain: int, since: Since | None, process: bool,
) -> Callable[[H], H]:  # fmt: skip
    """What registers a function as it was asked for by `App.on`. Raises BadInput, StoreError."""
    checked(pattern)
    if warning := doubt(pattern):
        app.runtime.log.warning("handlers", warning)
    limits, quiet = burst_of(burst), milliseconds(settle, "settle")
    whole(attempts, "attempts"), whole(chain, "chain")
    if timeout is not None and not milliseconds(timeout, "timeout"):
        raise BadInput("timeout is a number of seconds above 0, or None")
    if overlap not in (None, *tenants.CONFIG["overlap"]):
        raise BadInput(f"overlap is one of {', '.join(tenants.CONFIG['overlap'])}")
    past = _past(since, app.runtime.now())

    def register(call: H) -> H:
        handler = Handler(
            name or call.__qualname__, pattern, call, overlap, attempts, limits, quiet, own, bots,
            timeout, chain, process,
        )  # fmt: skip
        if process:
            _for_a_process(handler)
        if any(known.name == handler.name for known in app.handlers):
            raise BadInput(f"a handler called {handler.name} is there already; give name=")
        _enrol(app, handler, past)
        app.handlers.append(handler)
        app.runtime.wake("handlers")
        return call

    return register


def _enrol(app: Listening, handler: Handler, since: int | None) -> None:
    """Let the file know a handler that it does not know; what it leaves behind is told, once."""
    database, key = app.runtime.database, app.tenant.key
    new = database.read(
        lambda tx: enrolment.unknown(tx, key, handler, app.opened, since)
    )  # fmt: skip
    if new is None or not database.write_now(lambda tx: enrol(tx, key, new), app=key):
        return
    if new.left_behind:
        app.runtime.log.warning("handlers", _left(new))


def _for_a_process(handler: Handler) -> None:
    """Raises BadInput when a worker process could not run it."""
    if handler.awaited:
        raise BadInput(f"{handler.name} is async; process=True is for plain functions that compute")
    from ..._handlers.elsewhere import fit

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
