"""What a dispatcher reads of the log: the next events, and where each belongs.

Knows: by whom an event is, in which conversation and thread, of which album; what a glance costs.
Does not know: handlers, lanes, what is done already (`handlers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from attrs import evolve

from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values.classes import define, frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...model import Event
from ...standing import Standing
from ..engine.statements import statement
from ..records import rows
from ..records.log import BLOCKED, target_of
from ..writing.handlers import peer_of
from .standing import of_keys

FEED: Statement[tuple[int, int, int]] = statement("feed")
ENDS: Statement[
    tuple[int, int | None, int | None, int | None, int | None, int | None, int | None]
] = statement("ends_of_events")
THREADS: Statement[tuple[int, str]] = statement("threads_of_events")
ORIGIN_THREADS: Statement[tuple[int, str]] = statement("threads_of_origins")
GLANCE: Statement[tuple[int, Any, Any, int | None]] = statement("messages_at_a_glance")

BEFORE: Statement[tuple[int]] = statement("told_before")
BEFALLEN: Statement[tuple[int]] = statement("befallen")
LEAVING: Statement[tuple[int]] = statement("leaving")

_MESSAGES, _INBOUND, _ALBUM = "message.", "message.inbound", "media_group_id"
AGAIN = "system.handler_retried"
"""Says that a handler is to be run again at the event that this one is about."""


@frozen
class Arrived:
    """An event behind the cursor, and what its lane and its turn are known by.

    event, type   its key and its type.
    peer          the conversation that it belongs to, or 0.
    told          it is itself by somebody there, or to them; else it is only about what is.
    old           a status that says again how far a message, or a part of it, has come.
    seen          the event itself, where it was read along.
    thread        what names the thread within it; "" outside of threads.
    lent          it is that of the message that the event is about.
    sender        the platform user who did it, or 0.
    mine          the application itself did it; `bot`: another bot did.
    album         what the parts of one album have in common, or "".
    length        characters of its text.
    at            when it was stored, in ms.
    about         the event that a handler is run again at, and `again`: its name.
    conn          the number of the connection that its conversation is on, None when it has none.
    """

    event: int
    type: str
    peer: int = 0
    seen: Event | None = None
    thread: str = ""
    lent: bool = False
    sender: int = 0
    mine: bool = False
    bot: bool = False
    album: str = ""
    length: int = 0
    at: int = 0
    about: int = 0
    again: str = ""
    conn: int | None = None
    told: bool = False
    old: bool = False

    @property
    def subject(self) -> int:
        """The event that the turn is about."""
        return self.about or self.event

    @property
    def spoken(self) -> bool:
        """Whether it is a message that somebody has sent here."""
        return self.type == _INBOUND


class Fed(NamedTuple):
    """An event of the log, before anybody has looked where it belongs: key, type, when it was stored."""

    event: int
    type: str
    at: int = 0


def feed(tx: Tx, app: int, after: int, limit: int) -> list[Fed]:
    """The next events in commit order."""
    found = tx.all(FEED, after=after, hi=span(app)[1], limit=limit)
    return [Fed(seq, tx.kind_name(kind), at) for seq, kind, at in found]


def look(tx: Tx, app: int, found: Sequence[Fed], *, closely: bool) -> dict[int, Arrived]:
    """The events with where they belong; `closely`: and with what a handler is given."""
    if not found:
        return {}
    repeated = [one for one in found if one.type == AGAIN]
    if repeated:
        rest = look(tx, app, [one for one in found if one.type != AGAIN], closely=closely)
        return rest | {one.event: _repeated(tx, app, one) for one in repeated}
    placed = _placed(tx, found)
    keys = [one.event for one in found]
    if not closely:
        glanced = tx.by_keys(GLANCE, keys)
        return {key: placed[key].arrived(bool(bot), *more) for key, bot, *more in glanced}
    return {
        event.position: _read(placed[event.position], event) for event in rows.events(tx, app, keys)
    }


def anew(tx: Tx, app: int, batch: Sequence[Arrived]) -> dict[int, Event]:
    """The events that turns are about, by what has arrived: where they belong is known already."""
    events = rows.events(tx, app, [one.subject for one in batch])
    return {one.event: event for one, event in zip(batch, events, strict=True)}


def _repeated(tx: Tx, app: int, one: Fed) -> Arrived:
    """In place of the event that it repeats; alone, so that only this is run again."""
    (order,) = rows.events(tx, app, [one.event])
    about = target_of(tx, one.event, "origin")
    if about is None:
        return Arrived(one.event, one.type, at=one.at)
    placed = look(tx, app, [Fed(about, _type_of(tx, app, about))], closely=True)[about]
    name = str(order.payload.get("handler") or "")
    return evolve(placed, event=one.event, type=AGAIN, at=one.at, about=about, again=name)


def _type_of(tx: Tx, app: int, event: int) -> str:
    return rows.event(tx, app, event).event_type


@define(eq=False)
class _Place:
    """Of one event: the conversation, its connection, who did it, whether that is the bot; its thread.

    `own`: its own edges say which conversation it is.
    """

    event: Fed
    peer: int = 0
    conn: int | None = None
    sender: int = 0
    mine: bool = False
    thread: str = ""
    lent: bool = False
    own: bool = False
    old: bool = False

    def arrived(
        self, bot: bool, album: object, length: int | None, seen: Event | None = None
    ) -> Arrived:
        """The event with where it belongs, and with what it says."""
        one = self.event
        return Arrived(
            one.event, one.type, self.peer, seen, self.thread, self.lent, self.sender, self.mine,
            bot and self.conn is not None, str(album or ""), length or 0, one.at, conn=self.conn,
            told=self.own, old=self.old,
        )  # fmt: skip


def _placed(tx: Tx, found: Sequence[Fed]) -> dict[int, _Place]:
    places = {one.event: _Place(one) for one in found}
    _ends(tx, places)
    threads, lent = _threads(tx, found)
    outcomes = [one.event for one in found if one.type in EVENT_STATUS]
    for (key,) in tx.by_keys(BEFORE, outcomes, origin=tx.kind("origin")) if outcomes else ():
        places[key].old = True
    for key, place in places.items():
        place.own = bool(place.peer)
        place.peer = place.peer or peer_of(tx, key)
        place.thread, place.lent = threads.get(key) or lent.get(key, ""), key in lent
    return places


def _ends(tx: Tx, places: dict[int, _Place]) -> None:
    """What the edges of each event say: to whom counts before by whom."""
    kinds = {"sent_to": tx.kind("sent_to"), "sent_by": tx.kind("sent_by")}
    for event, by, by_conn, mine, to, to_conn, home in tx.by_keys(ENDS, list(places), **kinds):
        place = places[event]
        if by is not None:
            place.sender, place.mine = by, bool(mine)
        if to is not None and not home:
            place.peer, place.conn = to, to_conn
        elif by is not None and not mine:
            place.peer, place.conn = by, by_conn


def _threads(tx: Tx, found: Sequence[Fed]) -> tuple[dict[int, str], dict[int, str]]:
    """By event, what names its own thread; else that of the message that it is about."""
    kind = tx.kind("in_thread")
    threads = dict(tx.by_keys(THREADS, [one.event for one in found], in_thread=kind))
    others = [one.event for one in found if one.type != _INBOUND and one.event not in threads]
    if not others:
        return threads, {}
    origin = tx.kind("origin")
    return threads, dict(tx.by_keys(ORIGIN_THREADS, others, origin=origin, in_thread=kind))


def _read(place: _Place, event: Event) -> Arrived:
    known = place.conn is not None and isinstance(event.payload, dict)
    payload = event.payload if known else {}
    message = payload.get("message")
    said = message if isinstance(message, dict) else {}
    text = said.get("text")
    return place.arrived(
        bool(payload.get("sender_is_bot") or said.get("bot")), said.get(_ALBUM),
        len(text) if isinstance(text, str) else 0, event,
    )  # fmt: skip


def befallen(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of the events that were edited, deleted or erased since they were stored; and those of the
    platform users of whom it was ever told that they have blocked the bot, or are gone.
    """
    kinds = {name: tx.kind(f"message.{name}") for name in ("edited", "deleted")}
    rows = tx.by_keys(BEFALLEN, keys, origin=tx.kind("origin"), blocked=tx.kind(BLOCKED), **kinds)
    return {row[0] for row in rows}


def leaving(tx: Tx, keys: Sequence[int]) -> set[int]:
    """Those of the events of which it was decided that they go, and which are still there."""
    return {row[0] for row in tx.by_keys(LEAVING, keys)}


def changed(tx: Tx, app: int, events: Sequence[Event]) -> dict[int, Standing]:
    """These messages as they stand now."""
    keys = [event.position for event in events]
    return {one.position: one for one in of_keys(tx, app, keys, quotes=False)}


def as_it_stands(event: Event, now: Standing | None) -> Event:
    """The event with what it says now in place of what it said."""
    if now is None or now.now.edit is None:
        return event
    payload = encode({**event.payload, "message": dict(now.now.message)})
    row: Any = event._row  # noqa: SLF001 - an event is its row
    return evolve(event, row=(*row[:6], payload, *row[7:]))
