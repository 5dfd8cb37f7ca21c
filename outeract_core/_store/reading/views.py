"""Queries that read conversations: the list of recent ones, and the messages of one.

Knows: the projection, threads, how several histories are merged by position.
Does not know: how a conversation is shown.

A *source* is one ordered history: the entries of a peer, or the replies in a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from attrs import evolve

from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ...standing import Standing
from ..engine.composed.merging import merged, of_sources
from ..engine.statements import statement
from ..records import nodes
from ..writing.conversations import CountsRow
from ..writing.handlers import peer_of
from . import standing

LOOKED = 32
"""So many of the newest messages of a conversation are looked at for one that was said."""
_RECENT: dict[bool, Statement[CountsRow]] = {
    True: statement("recent_conversations"),
    False: statement("recent_conversations_up"),
}
UNSAID: Statement[tuple[int]] = statement("unsaid")
NEWEST: Statement[tuple[int, int]] = statement("newest_of_many")
TOTAL: Statement[tuple[int]] = statement("conversation_total")
PARTICIPANTS: Statement[tuple[int]] = statement("participants")
PEERS: Statement[tuple[int]] = statement("peers_of_person")
PEERS_OF_UID: Statement[tuple[int]] = statement("peers_of_uid")
ENTRIES: Statement[tuple[int]] = statement("peer_count")
EVENT_TIME: Statement[tuple[int, int]] = statement("event_time")
SPEAKERS: Statement[tuple[int]] = statement("thread_speakers")
_MESSAGES: dict[tuple[str, str, bool], Statement[tuple[int]]] = {
    (table, direction, within): statement(f"{name}_{direction}" + ("_within" if within else ""))
    for table, name in (("peer", "entries"), ("thread", "thread"))
    for direction in ("up", "down")
    for within in (False, True)
}
_ROOTS: dict[bool, Statement[tuple[int]]] = {
    within: statement("thread_root" + ("_within" if within else "")) for within in (False, True)
}
_TIMES: dict[str, Statement[tuple[int, int, int]]] = {
    "peer": statement("peer_times"),
    "thread": statement("thread_times"),
}
_ALWAYS = (-(2**62), 2**62)
_TOGETHER = 8
"""So many histories are merged by one statement; a person on more platforms is rare."""


@frozen
class View:
    """What is read: `peers` (their entries) or the `thread` below a root, within a time window.

    `since` <= occurred < `until`, in milliseconds. `label` names the kind of view.
    """

    label: str
    peers: tuple[int, ...] = ()
    thread: int | None = None
    since: int = _ALWAYS[0]
    until: int = _ALWAYS[1]

    @property
    def within(self) -> bool:
        """Whether a time window is set."""
        return (self.since, self.until) != _ALWAYS

    @property
    def sources(self) -> Iterable[tuple[str, int]]:
        """(table, key) of every history in the view."""
        if self.thread is not None:
            return (("thread", self.thread),)
        return (("peer", peer) for peer in self.peers)


def of_person(tx: Tx, app: int, person: Any) -> View:
    """The conversation with a person across all platforms. Raises NotFound, BadInput."""
    lo, hi = span(app)
    peers = tx.all(PEERS_OF_UID, uid=nodes.uid(person).bytes, lo=lo, hi=hi)
    return View("user", tuple(row[0] for row in peers)) if peers else of(tx, app, person)


def of(tx: Tx, app: int, thing: Any) -> View:
    """The conversation with a platform user, group or channel, or the one an event belongs to.

    A user's is the one across all platforms. Raises NotFound, BadInput.
    """
    key, node_type = nodes.resolve(tx, app, thing, ("platform_user", "user", "event"))
    if node_type == "user":
        return View("user", tuple(row[0] for row in tx.all(PEERS, person=key)))
    if node_type == "event":
        key = peer_of(tx, key)
        if not key:
            raise BadInput("that event belongs to no conversation")
    return View("peer", (key,))


def thread(tx: Tx, app: int, root: Any) -> View:
    """The thread below a message, the message included. Raises NotFound."""
    return View("thread", thread=nodes.key(tx, app, root, "event"))


def messages(
    tx: Tx, app: int, view: View, newest: bool, after: int | None, limit: int
) -> list[Standing]:
    """At most `limit` messages behind `after`, as they stand: O(limit × sources)."""
    params = _params(tx, view, *_behind(app, newest, after), limit)
    if view.thread is None and not 1 <= len(view.peers) <= _TOGETHER:
        return standing.of_keys(tx, app, _keys(tx, view, params, newest))
    params |= {f"source{number}": peer for number, peer in enumerate(view.peers)}
    return standing.of_query(tx, app, _query(view, newest), params, newest)


def _keys(tx: Tx, view: View, params: dict[str, Any], newest: bool) -> list[int]:
    """The keys of the messages of very many peers, asked of each by itself."""
    one = _MESSAGES["peer", "down" if newest else "up", view.within]
    found = [tx.all(one, **params, source=peer) for peer in view.peers]
    return sorted((row[0] for row in chain(*found)), reverse=newest)[: params["limit"]]


def _query(view: View, newest: bool) -> str:
    """The keys of the view's messages in order; a thread's root is part of it, wherever it stands in the log."""
    direction = "down" if newest else "up"
    if view.thread is None:
        one = _MESSAGES["peer", direction, view.within]
        return of_sources(one.sql, len(view.peers), newest)
    return merged(
        [_MESSAGES["thread", direction, view.within].sql, _ROOTS[view.within].sql], newest
    )


def _behind(app: int, newest: bool, after: int | None) -> tuple[int, int]:
    """The keys of an application behind one of them."""
    lo, hi = span(app)
    if after is None:
        return lo, hi
    return (lo, min(after, hi)) if newest else (max(after + 1, lo), hi)


def _params(tx: Tx, view: View, above: int, below: int, limit: int) -> dict[str, Any]:
    params: dict[str, Any] = {"above": above, "below": below, "limit": limit}
    if view.thread is not None:
        params |= {"source": view.thread, **_thread_kinds(tx)}
    if view.within:
        params |= {"since": view.since, "until": view.until}
    return params


def _thread_kinds(tx: Tx) -> dict[str, int | None]:
    """A thread holds more than messages: who reacts or presses in it has said nothing."""
    names = {"thread": "in_thread", "inbound": "message.inbound", "outbound": "message.outbound"}
    return {word: tx.known_kind(name) for word, name in names.items()}


def _root(tx: Tx, view: View) -> dict[int, tuple[int, int]]:
    """The root of the thread by its key, with type and time, if it lies in the window."""
    row = None if view.thread is None else tx.one(EVENT_TIME, seq=view.thread)
    if row is None or view.thread is None or not view.since <= row[1] < view.until:
        return {}
    return {view.thread: row}


def times(tx: Tx, app: int, view: View) -> list[tuple[str, int]]:
    """(event type, time) of every message that was said, in log order; looks at all of them.

    Not what has failed with every part, was cancelled or is not yet due; what was deleted was said.
    """
    found = _all_times(tx, app, view)
    sent = tx.known_kind("message.outbound")
    mine = [event for event, (kind, _at) in found.items() if kind == sent]
    for (event,) in tx.by_keys(UNSAID, mine, now=tx.now):
        del found[event]
    return [(tx.kind_name(kind), at) for _event, (kind, at) in sorted(found.items())]


def _all_times(tx: Tx, app: int, view: View) -> dict[int, tuple[int, int]]:
    lo, hi = span(app)
    params = {"lo": lo, "hi": hi, "since": view.since, "until": view.until}
    found = _root(tx, view)
    for table, key in view.sources:
        more = _thread_kinds(tx) if table == "thread" else {}
        rows = tx.all(_TIMES[table], source=key, **params, **more)
        found.update((event, (kind, at)) for event, kind, at in rows)
    return found


def recent(
    tx: Tx, app: int, conn: int | None, after: int | None, limit: int, newest: bool = True
) -> list[CountsRow]:
    """The conversations by their newest message, from the newest, or up from a place: O(limit × connections)."""
    lo, hi = _behind(app, newest, after)
    return tx.all(_RECENT[newest], app=app, conn=conn, lo=lo, hi=hi, limit=limit, others=limit - 1)


def last_said(tx: Tx, peers: Sequence[int]) -> dict[int, int]:
    """The last message that was said with each, where one of the newest few was."""
    found = tx.by_keys(NEWEST, peers, most=LOOKED)
    unsaid = {row[0] for row in tx.by_keys(UNSAID, [event for _, event in found], now=tx.now)}
    last: dict[int, int] = {}
    for peer, event in found:
        if event not in unsaid:
            last[peer] = max(event, last.get(peer, 0))
    return last


def total(tx: Tx, app: int, conn: int | None) -> int:
    """How many conversations there are."""
    lo, hi = span(app)
    row = tx.one(TOTAL, lo=lo, hi=hi, conn=conn)
    return 0 if row is None else row[0]


def participants(tx: Tx, peer: int, limit: int) -> list[int]:
    """Who has spoken in a group, in the order of their arrival; empty for a direct conversation."""
    return [row[0] for row in tx.all(PARTICIPANTS, peer=peer, limit=limit)]


def speakers(tx: Tx, root: int, limit: int) -> list[int]:
    """Who has spoken in a thread, the bot left out, in the order of their arrival."""
    edges = {"thread": tx.known_kind("in_thread"), "sent_by": tx.known_kind("sent_by")}
    return [row[0] for row in tx.all(SPEAKERS, root=root, limit=limit, **edges)]


def place(tx: Tx, view: View) -> int | None:
    """The peer whose conversation the view lies in; None when it spans several, or is in none."""
    if view.thread is not None:
        return peer_of(tx, view.thread) or None
    return view.peers[0] if len(view.peers) == 1 else None


def count(tx: Tx, app: int, view: View) -> int:
    """How many messages the view holds; looks at all of them."""
    if view.thread is not None or view.within:
        return len(_all_times(tx, app, view))
    lo, hi = span(app)
    rows = [tx.one(ENTRIES, source=peer, lo=lo, hi=hi) for peer in view.peers]
    return sum(row[0] for row in rows if row is not None)


def window(view: View, since: int | None, until: int | None) -> View:
    """The same view within a time window."""
    return evolve(
        view,
        since=_ALWAYS[0] if since is None else since,
        until=_ALWAYS[1] if until is None else until,
    )
