"""The unit of work that decides how a person is made unreadable, and begins with it.

Knows: what a person has left where; that structure and counts stay; that the erasure is an event.
Does not know: how content leaves the log (`tombstones.py`, piece by piece: `erasing.py`); what of others' events is theirs
(`quotes.py`); the bytes of files (the caller drops those that nobody uses any more).

Erased are: events with an edge to the person or their platform users, and what was said about those
(edits, reactions, transcripts, statuses, a handler's failure at one of them), what was done because of
those (the bot's answers, in groups too, events of the host's own), and so on in turn; messages of theirs
that others have passed on; names, pictures, addresses, aliases, link codes; files attached to nothing
else. Of what others have said goes what quotes or names them. Kept are: the edges, times and types of all
of it, and the platform's ids of messages, because without them a message delivered again would come
back to life.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._domain.rules.redaction import TELLING
from ..._domain.values import stored
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ...events import RESERVED
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import append, link
from ..writing import identity, outbox, tombstones
from ..writing.files import picture_of
from . import erasing, quotes
from .quotes import Change, Look, Rules

TYPES: Statement[tuple[int, int]] = statement("events_of_types")
SOURCES: Statement[tuple[int]] = statement("merged_persons")
RAW_ERASE: Statement[Any] = statement("raw_erase")
PERSON_ERASE: Statement[Any] = statement("person_erase")
PUSER_ERASE: Statement[Any] = statement("puser_erase")
ALIAS_ERASE: Statement[Any] = statement("alias_erase")
CODE_ERASE: Statement[Any] = statement("link_code_erase")
PROFILE_ERASE: Statement[Any] = statement("profile_erase")
UNSENT: Statement[tuple[int, int, int, int, str]] = statement("outbox_of_events")
LANE: Statement[tuple[int, int, int | None, str]] = statement("outbox_of_lane")

_STRUCTURE = ("user.merged", "user.unmerged", *tombstones.OWN)


@frozen
class Erased:
    """What was done: the `user.erased` event, counts, and the hashes of bytes to drop."""

    event: int
    events: int
    quotes: int
    files: int
    hashes: tuple[str, ...]


def persons(tx: Tx, app: int, person: int) -> tuple[list[int], list[int]]:
    """Who is erased: the person with whoever was merged into them, and their platform users.

    Raises BadInput for the system user, and for a user that is merged into another.
    """
    facts = tx.one(identity.PERSON, id=person)
    if facts is None or facts[2]:
        raise BadInput("the application's system user is no person and cannot be erased")
    if facts[3] is not None:
        raise BadInput("this user is merged into another: erase that one, or unmerge before")
    found = _with_sources(tx, app, person)
    return found, [row[0] for one in found for row in tx.all(identity.PUSERS, person=one)]


def erase(
    tx: Tx, app: int, person: int, conns: Mapping[int, Conn], rules: Rules, seen: Look
) -> Erased:
    """Make a person unreadable; `conns` by number, `seen`: what names them, as far as was looked.

    Raises BadInput as `persons` does, and for what a rule of the host's must not do.
    """
    people, pusers = persons(tx, app, person)
    for puser in pusers:
        _cancel(tx, conns, puser)
    pictures = [one for one in (picture_of(tx, puser) for puser in pusers) if one is not None]
    fresh = quotes.begin(tx, app, pusers)
    seen = quotes.look_on(tx, app, seen if seen.called == fresh.called else fresh)
    touched = _closed(
        tx, _touching(tx, [*people, *pusers, *pictures]) | quotes.passed_on(tx, seen, rules)
    )
    changes = quotes.changes(tx, seen, rules, touched)
    touched = _closed(
        tx, touched | {one.event for one in changes if one.payload is None}, about=True
    )
    touched |= _failures(tx, [one.event for one in changes])
    events, own = _by_rule(tx, touched, rules)
    kept = [one for one in changes if one.event not in touched]
    return _erased(tx, app, (people, pusers, pictures), conns, events, [*kept, *own])


def _erased(
    tx: Tx, app: int, who: tuple[list[int], list[int], list[int]], conns: Mapping[int, Conn],
    events: list[int], changes: list[Change],
) -> Erased:  # fmt: skip
    people, pusers, pictures = who
    _take_back(tx, conns, events)
    files = sorted({*tombstones.unheld(tx, events), *pictures})
    facts = tx.one(identity.PERSON, id=people[0])
    assert facts is not None  # noqa: S101 - `persons` has seen it
    payload = {
        "user_id": str(stored.uid(facts[1], "person", "")), "events": len(events),
        "quotes": len(changes), "files": len(files),
    }  # fmt: skip
    event = append(tx, app, "user.erased", encode(payload))
    assert event is not None  # noqa: S101 - it has no dedupe key
    link(tx, event, "about", people[0])
    erasing.decide(tx, events, changes, event)
    tombstones.forget_tries(tx, _beside(tx, events))
    _names(tx, people, pusers)
    hashes = tombstones.drop_files(tx, files)
    erasing.carry_on(tx)
    return Erased(event, len(events), len(changes), len(files), hashes)


def _kept_deliveries(tx: Tx, puser: int) -> None:
    """Bodies that were kept, because they were not understood, and that name this platform user."""
    for conn, name in tx.all(quotes.NAMES, puser=puser):
        bare = name.removeprefix("+")  # platforms write phone numbers without it
        if len(bare) >= TELLING:
            tx.run(RAW_ERASE, conn=conn, name=bare.encode())


def _with_sources(tx: Tx, app: int, person: int) -> list[int]:
    """The person and everybody who was merged into them."""
    lo, hi = span(app)
    found = [person]
    for one in found:
        found += [row[0] for row in tx.all(SOURCES, person=one, lo=lo, hi=hi)]
    return found


def _cancel(tx: Tx, conns: Mapping[int, Conn], puser: int) -> None:
    """What was still to be sent to them is not sent; what is under way ends by itself."""
    for row, conn, event, verb in tx.all(LANE, lane=puser):
        if event is not None and verb == "send":
            outbox.cancel(tx, conns[conn], event, "the recipient was erased")
        else:
            outbox.remove(tx, row, puser)


def _take_back(tx: Tx, conns: Mapping[int, Conn], events: list[int]) -> None:
    """What others were still to be told of their words is not sent."""
    for row, lane, conn, event, verb in tx.all(UNSENT, events=events):
        if verb == "send":
            outbox.cancel(tx, conns[conn], event, "what it would have said was erased")
        else:
            outbox.remove(tx, row, lane)


# ── what goes ─────────────────────────────────────────────────────────────────────────────────


def _touching(tx: Tx, nodes: list[int]) -> set[int]:
    """Events with an edge to the person."""
    return {source for source, _type, _target in tx.expand(nodes, None, inward=True)}


def _closed(tx: Tx, events: set[int], *, about: bool = False) -> set[int]:
    """With what was said about those, and (unless `about` alone) done because of them, in turn."""
    types = ["origin", "about"] if about else ["origin", "about", "triggered_by"]
    found, front = set(events), set(events)
    while front:
        further = set() if about else _answers(tx, front) | _of_joined(tx, front)
        front = _sources(tx, front, types) | further
        front -= found
        found |= front
    return found


def _sources(tx: Tx, events: Collection[int], types: list[str]) -> set[int]:
    kinds = [tx.kind(name) for name in types]
    return {source for source, _t, _d in tx.expand(sorted(events), kinds, inward=True)}


def _of_joined(tx: Tx, events: Collection[int]) -> set[int]:
    """What was done in turns that were given these with later messages of the same sender."""
    return _sources(tx, _sources(tx, events, ["joined_to"]), ["triggered_by"])


def _beside(tx: Tx, events: Collection[int]) -> list[int]:
    """Messages that were in one turn with these: what is kept of its failure may quote them all."""
    last = _sources(tx, events, ["joined_to"])
    kinds = [tx.kind("joined_to")]
    return sorted(last | {d for _s, _t, d in tx.expand(sorted(last), kinds, inward=False)})


def _answers(tx: Tx, events: Collection[int]) -> set[int]:
    """The bot's own answers to them. What others have answered is theirs: see `quotes.py`."""
    return {
        key
        for key, name in _typed(tx, _sources(tx, events, ["reply_to"]))
        if name == "message.outbound"
    }


def _failures(tx: Tx, events: list[int]) -> set[int]:
    """Where handlers have failed at what quotes the person: a traceback may quote it again."""
    told = _typed(tx, _sources(tx, events, ["origin"]))
    return {key for key, name in told if name in ("system.handler_failed", "system.loop_stopped")}


def _by_rule(tx: Tx, events: set[int], rules: Rules) -> tuple[list[int], list[Change]]:
    """Those that go, and those of the host's own that its rules keep, in part or whole."""
    gone, own = [], []
    for key, name in _typed(tx, events):
        if name in _STRUCTURE:
            continue
        rule = "replace" if name.startswith(RESERVED) else rules.of(name)
        change = None if rule == "replace" else quotes.by_rule(tx, key, name, rule)
        if rule == "replace" or (change is not None and change.payload is None):
            gone.append(key)
        elif change is not None:
            own.append(change)
    return gone, own


def _typed(tx: Tx, events: Collection[int]) -> list[tuple[int, str]]:
    rows = tx.by_keys(TYPES, sorted(events))
    return [(key, tx.kind_name(kind)) for key, kind in rows]


def _names(tx: Tx, people: list[int], pusers: list[int]) -> None:
    for person in people:
        tx.run(PERSON_ERASE, id=person)
    for puser in pusers:
        _kept_deliveries(tx, puser)
        tx.run(PUSER_ERASE, id=puser, unknown=f"erased:{puser}")
        tx.run(PROFILE_ERASE, puser=puser)
        tx.run(ALIAS_ERASE, puser=puser)
        tx.run(CODE_ERASE, puser=puser)
    tx.forget()
