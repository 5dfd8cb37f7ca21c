"""The query behind `context()`: the last messages of a view as they stand, and what happened between them.

Knows: presses and commands, the host's own events that belong into a history, who did each.
Does not know: how any of it is shown (`_domain/transcript`).

What is no message but belongs into a history has an edge `context_user`, `context_assistant`,
`context_tool` or `context_system` to the conversation's platform user, and in a thread its `in_thread`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._domain.transcript.turns import Happened
from ..._domain.values.classes import frozen
from ..._domain.values.ids import span, to_ms
from ...conversation import ROLES, Role
from ...driver import Statement, Tx
from ...model import Event, PlatformUser
from ...standing import Standing
from ..engine.statements import statement
from ..records import rows
from ..writing.custom import CONTEXT
from . import views
from .views import View

HAPPENED: Statement[tuple[int]] = statement("happened_with")
IN_THREAD: Statement[tuple[int, int]] = statement("happened_in_thread")


@frozen
class History:
    """Oldest first. `happened` are those between and after the messages."""

    messages: tuple[Standing, ...]
    happened: tuple[Happened, ...]


def history(tx: Tx, app: int, view: View, limit: int) -> History:
    """At most `limit` messages, and of each other kind of turn at most as many: O(limit × sources)."""
    messages = views.messages(tx, app, view, True, None, limit)[::-1]
    lo, hi = span(app)
    since = messages[0].position if len(messages) == limit else lo
    roles = dict(_found(tx, view, since, hi, limit))
    for message in messages:  # also of a file whose presses have no such edge yet
        roles |= {press.position: "user" for press in message.presses}
    return History(tuple(messages), tuple(_happened(tx, app, view, roles)))


def _found(tx: Tx, view: View, lo: int, hi: int, limit: int) -> Iterable[tuple[int, Role]]:
    """The keys of what happened, each with its role."""
    numbers = {role: tx.known_kind(CONTEXT + role) for role in ROLES}
    if view.thread is not None:
        yield from _in_thread(tx, view.thread, numbers, lo, hi, limit)
        return
    for role, number in numbers.items():
        for peer in view.peers if number is not None else ():
            found = tx.all(HAPPENED, source=peer, type=number, lo=lo, hi=hi, limit=limit)
            yield from ((row[0], role) for row in found)


def _in_thread(
    tx: Tx, root: int, numbers: Mapping[Role, int | None], lo: int, hi: int, limit: int
) -> Iterable[tuple[int, Role]]:
    params: dict[str, int | None] = {CONTEXT + role: number for role, number in numbers.items()}
    params |= {"source": root, "thread": tx.known_kind("in_thread"), "lo": lo, "hi": hi}
    roles = {number: role for role, number in numbers.items()}
    for key, kind in tx.all(IN_THREAD, **params, limit=limit):
        yield key, roles[kind]


def _happened(tx: Tx, app: int, view: View, roles: Mapping[int, Role]) -> Iterable[Happened]:
    keys = sorted(roles)
    events = [one for one in rows.events(tx, app, keys) if _within(view, one)]
    senders = _senders(tx, app, keys)
    for event in events:
        yield Happened(event, roles[event.position], senders.get(event.position))


def _within(view: View, event: Event) -> bool:
    return view.since <= to_ms(event.occurred_at) < view.until


def _senders(tx: Tx, app: int, keys: Sequence[int]) -> dict[int, PlatformUser]:
    kind = tx.known_kind("sent_by")
    who = {source: target for source, _t, target in tx.expand(keys, [kind or 0], inward=False)}
    people = sorted(set(who.values()))
    known = dict(zip(people, rows.platform_users(tx, app, people), strict=True))
    return {source: known[target] for source, target in who.items()}
