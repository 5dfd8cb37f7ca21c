"""Units of work of the dispatcher: the cursor, what is handled, retries, whether it still owns.

Knows: which events lie behind the cursor and which of them are done.
Does not know: handlers (only their names), conversations' policies, time to wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import app_of, span
from ...driver import Statement, Tx
from ...errors import LeaseLost
from ..engine.statements import statement
from ..records import attempts
from ..records.log import append, link, target_of

CURSOR: Statement[tuple[int]] = statement("cursor_get")
CURSOR_SET: Statement[Any] = statement("cursor_set")
HANDLED_ADD: Statement[Any] = statement("handled_add")
HANDLED_DROP: Statement[Any] = statement("handled_drop")
HANDLED_BY: Statement[tuple[str, int]] = statement("handled_by")
_Standing: TypeAlias = tuple[str | None, int | None, int | None, int]
"""Who has the lease, where the cursor is, whether the handler has handled any of the events, and whether
any of them has left, or is about to.
"""
STANDING: Statement[_Standing] = statement("turn_standing")
STANDING_OF_MANY: Statement[_Standing] = statement("turn_standing_of_many")
AS_THEY_ARE: Statement[tuple[int, str, int]] = statement("given_as_they_are")
HANDLED: Statement[tuple[int, str]] = statement("handled_list")
RETRY_SET: Statement[Any] = statement("retry_set")
RETRY_DROP: Statement[Any] = statement("retry_drop")
RETRIES: Statement[tuple[int, str, int, int]] = statement("retry_list")
PROCESSED: Statement[Any] = statement("processed_add")
PROCESSED_ALONE: Statement[Any] = statement("processed_alone")
PROCESSED_ALONE_OF_MANY: Statement[tuple[int]] = statement("processed_alone_of_many")
KEPT: Statement[tuple[int]] = statement("kept_unread")
LAST: Statement[tuple[int]] = statement("last_processed")
LEASE: Statement[tuple[str, int]] = statement("lease_get")
LEASE_SET: Statement[Any] = statement("lease_set")
LEASE_DROP: Statement[Any] = statement("lease_drop")
RETRIES_OF: Statement[tuple[int]] = statement("retries_of")
PARK: Statement[Any] = statement("park_add")
PARKED: Statement[tuple[str]] = statement("park_list")
UNPARK: Statement[Any] = statement("park_drop")
FAILURES: Statement[tuple[str]] = statement("failures_of")
PEER_OF: Statement[tuple[int]] = statement("peer_of")

NAME = "handlers"


@frozen
class Backlog:
    """Where the dispatcher left off. `handled` and `retries` by (event, handler)."""

    position: int
    handled: frozenset[tuple[int, str]]
    retries: dict[tuple[int, str], tuple[int, int]]


class Overtaken(Exception):
    """What a turn was given has left the log meanwhile, or is about to: nothing may come of it any more."""


def still_open(tx: Tx, app: int, owner: str, handler: str, events: Sequence[int]) -> bool:
    """Raises LeaseLost unless `owner` holds the lease, and nobody has handled one of them meanwhile.

    False when something of them has left the log, so that one looks whether it was there when it was given.
    """
    asked = {"app": app, "name": NAME, "handler": handler}
    if len(events) == 1:  # nearly always: an array makes a temporary table (decision 47)
        rows = tx.all(STANDING, event=events[0], **asked)
    else:
        rows = tx.by_keys(STANDING_OF_MANY, events, **asked)
    holder, position, handled, left = rows[0]
    done = handled is not None or (position is not None and position >= min(events))
    if holder != owner or done:
        raise LeaseLost("another process runs the handlers of this application now")
    return not left


def still_there(tx: Tx, given: Mapping[int, str]) -> None:
    """Raises Overtaken unless events are what they were when they were given: by event, its payload."""
    for event, payload, leaves in tx.by_keys(AS_THEY_ARE, [*given]):
        if leaves or payload != given[event]:
            raise Overtaken(f"event {event} was erased while a turn with it went on")


def backlog(tx: Tx, app: int) -> Backlog:
    """Everything that a dispatcher must know to go on where another stopped."""
    lo, hi = span(app)
    row = tx.one(CURSOR, app=app, name=NAME)
    position = lo if row is None else row[0]
    return Backlog(
        position,
        frozenset(tx.all(HANDLED, after=position, hi=hi)),
        {(e, h): (attempt, due) for e, h, attempt, due in tx.all(RETRIES, lo=lo, hi=hi)},
    )


def peer_of(tx: Tx, event: int) -> int:
    """The conversation of an event: of its own edges, or of the message that it is about; or 0."""
    row = tx.one(PEER_OF, event=event, sent_to=tx.kind("sent_to"), sent_by=tx.kind("sent_by"))
    if row is not None:
        return row[0]
    origin = target_of(tx, event, "origin")
    return 0 if origin is None else peer_of(tx, origin)


@frozen
class Through:
    """What a handler is through with.

    wanted    by event, the names of all handlers that it is for.
    unread    it wants them to stay unread.
    tried     those that it has raised at before, alone or in a burst.
    """

    handler: str
    wanted: Mapping[int, frozenset[str]]
    unread: bool = False
    tried: Collection[int] = ()


def done(tx: Tx, *turns: Through, handled: bool = True) -> list[int]:
    """Handlers are through with events; those of them that are to be marked read now.

    That is once every handler is through, has handled it, and none wants it to stay unread. `handled`:
    False when they were given up or skipped.
    """
    tx.add(HANDLED_ADD, [(e, one.handler, int(one.unread)) for one in turns for e in one.wanted])
    for one in turns:
        for event in one.tried:
            tx.run(RETRY_DROP, event=event, handler=one.handler)
    if not handled:
        return []
    told = [(event, names, one) for one in turns for event, names in one.wanted.items()]
    alone = _alone(tx, [event for event, names, one in told if names == {one.handler}])
    return [
        event
        for event, names, one in told
        if (not one.unread if event in alone else _through(tx, event, names))
    ]


def _alone(tx: Tx, events: Sequence[int]) -> set[int]:
    """Those of the events that nobody but one handler was ever at: they are processed now. Where it can be hoped for, each
    is: such changes wait together, and what tells of them does not.
    """
    if len(events) == 1 or tx.optimistic:
        return {
            event for event in events if tx.changed_one(PROCESSED_ALONE, event=event, now=tx.now)
        }
    return {row[0] for row in tx.by_keys(PROCESSED_ALONE_OF_MANY, events, now=tx.now)}


def _through(tx: Tx, event: int, names: frozenset[str]) -> bool:
    """Whether this was the last handler that the event was for, and it may be marked read."""
    by = dict(tx.all(HANDLED_BY, event=event))
    stays = any(by.values())
    return names <= by.keys() and _processed(tx, event, stays) and not stays


def joined(tx: Tx, events: Sequence[int]) -> None:
    """One turn was given all of these: what came of it is `triggered_by` the last, and of them all."""
    for event in events[:-1]:
        link(tx, events[-1], "joined_to", event, late=True)


def redone(tx: Tx, event: int, *, unread: bool) -> list[int]:
    """What was given up has been handled after all; the same, unless another handler is at it."""
    busy = (tx.one(RETRIES_OF, event=event) or (0,))[0]
    if busy or not _processed(tx, event, unread) or unread:
        return []
    peer = peer_of(tx, event)
    kept = tx.one(KEPT, peer=peer, event=event)
    last = tx.one(LAST, peer=peer, event=event, before=kept[0] if kept else span(app_of(event))[1])
    return [last[0] if last else event]


def _processed(tx: Tx, event: int, unread: bool) -> bool:
    return tx.changed_one(PROCESSED, event=event, now=tx.now, unread=int(unread))


def may_be_read(tx: Tx, event: int) -> bool:
    """Whether everything before a message of its conversation may be marked read with it.

    Not while one of them waits that was given up, is to be tried again, or was left unread.
    """
    kept = tx.one(KEPT, peer=peer_of(tx, event), event=event)
    return kept is None or kept[0] > event


def advance(tx: Tx, app: int, position: int) -> None:
    """Everything up to `position` is done."""
    tx.run(CURSOR_SET, app=app, name=NAME, position=position)
    tx.run(HANDLED_DROP, lo=span(app)[0], upto=position)


def failed(
    tx: Tx, event: int, handler: str, attempt: int, due: int, error: str, failure: str | None = None
) -> None:
    """Try again at `due`. `failure`: the class of what was raised."""
    attempts.note(tx, event, "handle", handler, attempt, error)
    tx.run(
        RETRY_SET, event=event, handler=handler, attempt=attempt, due=due, error=error,
        failure=failure,
    )  # fmt: skip


def park(
    tx: Tx, app: int, event: int, handler: str, reason: str, told: dict[str, Any],
    failure: str | None = None,
) -> None:  # fmt: skip
    """Given up, and told: as an event about `event`, `system.handler_failed` or `system.loop_stopped`."""
    tx.run(PARK, event=event, handler=handler, reason=reason, now=tx.now, failure=failure)
    tell(tx, app, event, _TOLD[reason], {"handler": handler, **told})


_TOLD = {"failed": "system.handler_failed", "loop": "system.loop_stopped"}


def tell(tx: Tx, app: int, event: int, event_type: str, payload: dict[str, Any]) -> None:
    """An event about what became of a turn with `event`."""
    key = append(tx, app, event_type, encode(payload))
    if key is not None:
        link(tx, key, "origin", event)


def again(tx: Tx, app: int, event: int) -> list[str]:
    """Let what was given up be run again; the handlers. Files of 0.1.0 know them from the events."""
    names = [row[0] for row in tx.all(PARKED, event=event)]
    names = names or [row[0] for row in tx.all(
        FAILURES, event=event, failed=tx.kind("system.handler_failed"),
        retried=tx.kind("system.handler_retried"), origin=tx.kind("origin"),
    )]  # fmt: skip
    tx.run(UNPARK, event=event)
    for name in names:
        tell(tx, app, event, "system.handler_retried", {"handler": name})
    return names
