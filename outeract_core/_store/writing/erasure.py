"""The unit of work that makes a person unreadable.

Knows: what a person has left where; that structure and counts stay; that the erasure is an event.
Does not know: how content leaves the log (`tombstones.py`); the bytes of files (the caller drops
those that nobody uses any more).

Erased are: events with an edge to the person or their platform users, and what was said about those,
and about that in turn (edits, reactions, transcripts, statuses, a handler's failure at one of them); names, pictures, addresses, aliases, link codes; files
attached to nothing else. Kept are: the edges, times and types of all of it, and the platform's ids of
messages, because without them a message delivered again would come back to life.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from ..._domain.values import stored
from ..._domain.values.codec import encode
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import append, link
from . import identity, outbox, tombstones
from .files import picture_of

TYPES: Statement[tuple[int, int]] = statement("events_of_types")
SOURCES: Statement[tuple[int]] = statement("merged_persons")
NAMES: Statement[tuple[int, str]] = statement("names_of_puser")
RAW_ERASE: Statement[Any] = statement("raw_erase")
PERSON_ERASE: Statement[Any] = statement("person_erase")
PUSER_ERASE: Statement[Any] = statement("puser_erase")
ALIAS_ERASE: Statement[Any] = statement("alias_erase")
CODE_ERASE: Statement[Any] = statement("link_code_erase")
PROFILE_ERASE: Statement[Any] = statement("profile_erase")
LANE: Statement[tuple[int, int, int | None, str]] = statement("outbox_of_lane")

_TELLING = 5
"""A shorter name stands in too many bodies to say whose they are."""
_STRUCTURE = ("user.merged", "user.unmerged", *tombstones.OWN)


@frozen
class Erased:
    """What was done: the `user.erased` event, counts, and the hashes of bytes to drop."""

    event: int
    events: int
    files: int
    hashes: tuple[str, ...]


def erase(tx: Tx, app: int, person: int, conns: Mapping[int, Conn]) -> Erased:
    """Make a person unreadable; `conns` by number. Raises BadInput for the system user."""
    facts = tx.one(identity.PERSON, id=person)
    if facts is None or facts[2]:
        raise BadInput("the application's system user is no person and cannot be erased")
    if facts[3] is not None:
        raise BadInput("this user is merged into another: erase that one, or unmerge before")
    persons = _with_sources(tx, app, person)
    pusers = [row[0] for one in persons for row in tx.all(identity.PUSERS, person=one)]
    for puser in pusers:
        _cancel(tx, conns, puser)
    pictures = [one for one in (picture_of(tx, puser) for puser in pusers) if one is not None]
    events = _events(tx, [*persons, *pusers, *pictures])
    files = sorted({*tombstones.unheld(tx, events), *pictures})
    payload = {
        "user_id": str(stored.uid(facts[1], "person", "")),
        "events": len(events),
        "files": len(files),
    }
    event = append(tx, app, "user.erased", encode(payload))
    assert event is not None  # noqa: S101 - it has no dedupe key
    link(tx, event, "about", person)
    tombstones.bury(tx, events, event)
    _names(tx, persons, pusers)
    return Erased(event, len(events), len(files), tombstones.drop_files(tx, files))


def _kept_deliveries(tx: Tx, puser: int) -> None:
    """Bodies that were kept, because they were not understood, and that name this platform user."""
    for conn, name in tx.all(NAMES, puser=puser):
        bare = name.removeprefix("+")  # platforms write phone numbers without it
        if len(bare) >= _TELLING:
            tx.run(RAW_ERASE, conn=conn, name=bare)


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


def _events(tx: Tx, nodes: list[int]) -> list[int]:
    """Events that touch the person, and what was said about those."""
    found = front = {source for source, _type, _target in tx.expand(nodes, None, inward=True)}
    about = [tx.kind("origin"), tx.kind("about")]
    while front:
        front = {s for s, _t, _d in tx.expand(sorted(front), about, inward=True)} - found
        found |= front
    rows = tx.all(TYPES, keys=json.dumps(sorted(found)))
    return [key for key, kind in rows if tx.kind_name(kind) not in _STRUCTURE]


def _names(tx: Tx, persons: list[int], pusers: list[int]) -> None:
    for person in persons:
        tx.run(PERSON_ERASE, id=person)
    for puser in pusers:
        _kept_deliveries(tx, puser)
        tx.run(PUSER_ERASE, id=puser, unknown=f"erased:{puser}")
        tx.run(PROFILE_ERASE, puser=puser)
        tx.run(ALIAS_ERASE, puser=puser)
        tx.run(CODE_ERASE, puser=puser)
    tx.forget()
