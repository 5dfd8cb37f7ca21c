"""Queries that read messages as they stand: a page of them with what has happened to each.

Knows: the events and edges about a message, its files, its receipts, what it quotes; that a whole page
is read with a few statements, each of them once.
Does not know: what those events come to (`outeract_core/standing.py`), which messages are wanted.

`standing(tx, app, keys)` is for everybody who shows or handles messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from attrs import define, field

from ..._domain.values import stored
from ...driver import Statement, Tx
from ...model import Event, File, PlatformUser
from ...standing import KINDS, Around, Change, Standing
from ...tenancy import STATUSES
from ..engine.statements import statement
from ..records import rows

_Change = tuple[int, int, int, int, str, int | None, int]

CHANGES: Statement[_Change] = statement("changes_of_messages")
RECEIPTS: Statement[tuple[int, int, Any, str]] = statement("receipts_of_messages")
NOT_YET: Statement[tuple[int, int]] = statement("not_yet_due")

MOST = 1000
"""Events about one message that are looked at: its newest."""


def standing(tx: Tx, app: int, keys: Sequence[int]) -> dict[int, Standing]:
    """The messages with these keys as they stand now. Raises NotFound for a key of somebody else."""
    return {one.position: one for one in of_events(tx, app, rows.events(tx, app, keys))}


def of_events(
    tx: Tx, app: int, events: Sequence[Event], *, quotes: bool = True,
    people: Mapping[int, PlatformUser] = MappingProxyType({}),
) -> list[Standing]:  # fmt: skip
    """The same of events that are read already, in their order; `quotes`: with what they quote; `people`:
    who has been read by the same query.
    """
    keys = [event.position for event in events]
    found = _found(tx, app, keys, people)
    quoted = _quoted(tx, app, found.quotes) if quotes and found.quotes else {}
    sent = [event for event in events if event._row[8] is not None]  # noqa: SLF001 - asked of every one
    receipts, due = _receipts(tx, sent), _due(tx, sent)
    eventful = {*found.changes, *found.attached, *quoted, *receipts, *due, *found.quotes}
    plain = _Plain(found.people)  # most messages have nothing around them but who said them
    around = [plain[found.senders.get(key, 0)] for key in keys]
    for number, key in enumerate(keys) if eventful else ():
        if key in eventful:
            around[number] = Around(
                around[number].sender, tuple(found.changes.get(key, ())), found.files_of(key),
                tuple(receipts.get(key, ())), quoted.get(found.quotes.get(key, 0)), due.get(key),
            )  # fmt: skip
    return list(map(Standing.of, events, around))


class _Plain(dict[int, Around]):
    """What stands around a message that nothing has happened to, by who said it."""

    def __init__(self, people: Mapping[int, PlatformUser]) -> None:
        self._people = people

    def __missing__(self, sender: int) -> Around:
        around = self[sender] = Around(self._people.get(sender))
        return around


@define
class _Found:
    """What stands around some messages, by their keys. `attached`: files by what brought them."""

    senders: dict[int, int] = field(factory=dict)
    quotes: dict[int, int] = field(factory=dict)
    attached: dict[int, list[int]] = field(factory=lambda: defaultdict(list))
    changes: dict[int, list[Change]] = field(factory=lambda: defaultdict(list))
    people: dict[int, PlatformUser] = field(factory=dict)
    files: dict[int, File] = field(factory=dict)

    def files_of(self, key: int) -> Mapping[int, tuple[File, ...]]:
        """The files of a message and of its edits."""
        if not self.attached:
            return {}
        brought = (key, *(change.position for change in self.changes.get(key, ())))
        return {
            one: tuple(self.files[file] for file in self.attached[one] if file in self.files)
            for one in brought
            if one in self.attached
        }


def _found(tx: Tx, app: int, keys: Sequence[int], known: Mapping[int, PlatformUser]) -> _Found:
    found = _Found()
    changes = tx.by_keys(CHANGES, keys, most=MOST, **_kinds(tx)) if keys else []
    edited = tx.known_kind("message.edited")
    _ends(tx, [*keys, *(row[1] for row in changes if row[2] == edited)], found)
    people = {*found.senders.values(), *(row[5] for row in changes if row[5] is not None)}
    others = sorted(people - known.keys())
    found.people = {**known, **_by_key(others, rows.platform_users(tx, app, others))}
    if found.attached:
        files = sorted({file for some in found.attached.values() for file in some})
        found.files = _by_key(files, rows.files(tx, app, files))
    for key, position, kind, at, payload, who, done in changes:
        by = None if who is None else found.people[who]
        change = Change(position, tx.kind_name(kind), at, payload, by, bool(done))
        found.changes[key].append(change)
    return found


def _ends(tx: Tx, keys: Sequence[int], found: _Found) -> None:
    """Who said it, what is attached, what is quoted."""
    names = {tx.known_kind(name): name for name in ("sent_by", "attachment", "reply_to")}
    types = [number for number in names if number is not None]
    for source, kind, target in tx.expand(keys, types, inward=False):
        if names[kind] == "sent_by":
            found.senders[source] = target
        elif names[kind] == "reply_to":
            found.quotes[source] = target
        else:
            found.attached[source].append(target)


def _kinds(tx: Tx) -> dict[str, int | None]:
    """The numbers that the statement speaks of, by its own words for them."""
    told = {name.partition(".")[2]: tx.known_kind(name) for name in (*KINDS, *_OUTCOMES)}
    return {**told, "origin": tx.known_kind("origin"), "sent_by": tx.known_kind("sent_by")}


_OUTCOMES = ("message.sent", "message.failed", "message.cancelled", "message.unknown")


def _by_key(keys: Sequence[int], nodes: Iterable[Any]) -> dict[int, Any]:
    return dict(zip(keys, nodes, strict=True))


def _quoted(tx: Tx, app: int, quotes: Mapping[int, int]) -> dict[int, Standing]:
    """The quoted messages, without what they quote in turn."""
    keys = sorted(set(quotes.values()))
    events = rows.events(tx, app, keys)
    return {one.position: one for one in of_events(tx, app, events, quotes=False)}


def _receipts(tx: Tx, sent: Sequence[Event]) -> dict[int, list[tuple[int, Any, str]]]:
    """(part, status, external id) of what the platform has accepted, by message, in order."""
    found: dict[int, list[tuple[int, Any, str]]] = {}
    for event, part, status, name in tx.by_keys(RECEIPTS, [one.position for one in sent]):
        status = stored.word(status, STATUSES, "receipt", event)
        found.setdefault(event, []).append((part, status, name))
    for several in found.values():
        several.sort()
    return found


def _due(tx: Tx, sent: Sequence[Event]) -> dict[int, int]:
    """The times before which messages are not sent, where they are still to come."""
    queued = [one.position for one in sent if one.status == "queued"]
    return dict(tx.by_keys(NOT_YET, queued, now=tx.now))
