"""Keys into objects: one query per kind of node, however many keys.

Knows: the rows behind events, users, platform users and files.
Does not know: which keys are wanted, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import eq, itemgetter
from typing import Any, TypeVar
from uuid import UUID

from attrs import evolve

from ..._domain.values import stored
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import NotFound
from ...model import (
    Alias,
    AppId,
    ConnectionId,
    Event,
    File,
    FileId,
    Names,
    Node,
    NodeType,
    PlatformUser,
    User,
    UserId,
)
from ..engine.statements import statement
from . import nodes

T = TypeVar("T")

EVENTS: Statement[tuple[Any, ...]] = statement("events_by_key")
APPLICATION_UID: Statement[tuple[bytes]] = statement("application_uid")
CONNECTION_UIDS: Statement[tuple[int, bytes, str]] = statement("connection_uids")
PUSERS: Statement[tuple[Any, ...]] = statement("pusers_by_key")
ALIASES: Statement[tuple[int, str, str]] = statement("aliases_by_key")
PERSONS: Statement[tuple[Any, ...]] = statement("persons_by_key")
FILES: Statement[tuple[Any, ...]] = statement("files_by_key")


def events(tx: Tx, app: int, keys: Sequence[int]) -> list[Event]:
    """The events with these keys, in their order. Raises NotFound when one is not this tenant's."""
    return _made(tx, app, _ordered(_events(tx, app, keys), keys))


def _made(tx: Tx, app: int, rows: Sequence[Any]) -> list[Event]:
    called = names(tx, app, set(map(_TYPE, rows)), set(map(_CONN, rows)))
    return [Event(row, called) for row in rows]


def _events(tx: Tx, app: int, keys: Sequence[int]) -> list[Any]:
    lo, hi = span(app)
    return tx.by_keys(EVENTS, keys, lo=lo, hi=hi, **_kinds(tx))


def _kinds(tx: Tx) -> dict[str, Any]:
    return {
        "inbound": tx.known_kind("message.inbound"),
        "outbound": tx.known_kind("message.outbound"), "origin": tx.known_kind("origin"),
    }  # fmt: skip


def names(tx: Tx, app: int, types: set[int], conns: set[int | None]) -> Names:
    """What these types and connections are called. It is only ever added to, so it is kept for good."""
    known: Names | None = tx.recall(("names", app))
    if known is None or not known.connections.keys() >= conns - {None}:
        known = Names(*_tenant(tx, app), {} if known is None else known.event_types)
        tx.remember(("names", app), known)
    if known.event_types.keys() >= types:
        return known
    told = {number: tx.kind_name(number) for number in types}
    known = evolve(known, event_types={**known.event_types, **told})
    tx.remember(("names", app), known)
    return known


def names_in(
    tx: Tx, app: int, events: Sequence[Any], changes: Sequence[Any], people: Sequence[Any]
) -> Names:
    """What rows of events, of changes and of platform users speak of."""
    types = set(map(_TYPE, events)).union(row[2] for row in changes)
    conns = set(map(_CONN, events)).union(map(_TYPE, people))
    return names(tx, app, types, conns)


def _tenant(tx: Tx, app: int) -> tuple[AppId, dict[int, tuple[ConnectionId, str]]]:
    """An application's id, and by number the id and the platform of its connections."""
    row = tx.one(APPLICATION_UID, app=app)
    if row is None:
        raise NotFound("no such application")
    connections = {
        number: (ConnectionId(stored.uid(uid, "connection", number)), platform)
        for number, uid, platform in tx.all(CONNECTION_UIDS, app=app)
    }
    return AppId(stored.uid(row[0], "application", app)), connections


def platform_users(tx: Tx, app: int, keys: Sequence[int]) -> list[PlatformUser]:
    """The platform users with these keys, in their order. Raises NotFound."""
    if not keys:
        return []
    lo, hi = span(app)
    found = tx.by_keys(PUSERS, keys, lo=lo, hi=hi)
    people = people_of(found, names(tx, app, set(), {row[3] for row in found}))
    return _in_order({one._row[0]: one for one in people}, keys)  # noqa: SLF001 - its key


def people_of(found: Sequence[Any], called: Names) -> list[PlatformUser]:
    """The platform users of rows of which each holds one of their other names, or none."""
    of = {row[0]: row[:9] for row in found}
    named = sorted((row[0], *row[9:]) for row in found if row[9] is not None)
    if not named:
        return [PlatformUser(row, called) for row in of.values()]
    aliases: dict[int, tuple[Alias, ...]] = {}
    for key, kind, value in named:
        aliases[key] = (*aliases.get(key, ()), Alias(kind, value))
    return [PlatformUser(row, called, aliases.get(key, ())) for key, row in of.items()]


def users(tx: Tx, app: int, keys: Sequence[int]) -> list[User]:
    """The users with these keys, in their order. Raises NotFound."""
    lo, hi = span(app)
    return [_user(row) for row in _ordered(tx.by_keys(PERSONS, keys, lo=lo, hi=hi, app=app), keys)]


def files(tx: Tx, app: int, keys: Sequence[int]) -> list[File]:
    """The files with these keys, in their order. Raises NotFound."""
    lo, hi = span(app)
    return [filed(row) for row in _ordered(tx.by_keys(FILES, keys, lo=lo, hi=hi, app=app), keys)]


_CONN, _TYPE = itemgetter(2), itemgetter(3)
FILE_STATUSES = ("pending", "stored", "failed", "erased")
_MANY: dict[str, Callable[[Tx, int, Sequence[int]], Sequence[Node]]] = {
    "event": events,
    "platform_user": platform_users,
    "user": users,
    "file": files,
}


def entities(tx: Tx, app: int, keys: Sequence[int]) -> dict[int, Node]:
    """The nodes with these keys, whatever they are; what is no node of the application is left out."""
    found: dict[int, Node] = {
        event.position: event for event in _made(tx, app, _events(tx, app, keys))
    }
    others = [key for key in keys if key not in found]
    kinds = nodes.kinds(tx, others)
    for node_type, many in _MANY.items():
        some = [key for key in others if kinds.get(key) == node_type]
        found.update(zip(some, many(tx, app, some), strict=True))
    return found


def event(tx: Tx, app: int, key: int) -> Event:
    """One event. Raises NotFound."""
    return events(tx, app, [key])[0]


def platform_user(tx: Tx, app: int, key: int) -> PlatformUser:
    """One platform user. Raises NotFound."""
    return platform_users(tx, app, [key])[0]


def user(tx: Tx, app: int, key: int) -> User:
    """One user. Raises NotFound."""
    return users(tx, app, [key])[0]


def file(tx: Tx, app: int, key: int) -> File:
    """One file. Raises NotFound."""
    return files(tx, app, [key])[0]


def node(tx: Tx, app: int, key: int, node_type: NodeType) -> Node:
    """One node of any type. Raises NotFound."""
    return _MANY[node_type](tx, app, [key])[0]


def _ordered(rows: list[tuple[Any, ...]], keys: Sequence[int]) -> Sequence[tuple[Any, ...]]:
    """The rows in the order of their keys, which is how they nearly always come."""
    if len(rows) == len(keys) and all(map(eq, map(itemgetter(0), rows), keys)):
        return rows
    return _in_order({row[0]: row for row in rows}, keys)


def _in_order(found: Mapping[int, T], keys: Sequence[int]) -> list[T]:
    try:
        return [found[key] for key in keys]
    except KeyError:
        raise NotFound("no such node in this application") from None


@lru_cache(maxsize=1024)
def _shared(uid: bytes) -> UUID:
    """The id of an application, which many rows have in common."""
    return stored.uid(uid, "application", "")


def _user(row: Any) -> User:
    return User(
        id=UserId(stored.uid(row[1], "person", row[0])), app_id=AppId(_shared(row[2])), name=row[3],
        system_user=bool(row[4]), merged_into=None if row[5] is None else UserId(stored.uid(row[5], "person", row[0])),
        created_at=stored.moment(row[6], "person", row[0]),
    )  # fmt: skip


def filed(row: Any) -> File:
    """The file of a row."""
    return File(
        id=FileId(stored.uid(row[1], "file", row[0])), app_id=AppId(_shared(row[2])), filename=row[3],
        mime_type=row[4], size=row[5], sha256=row[6],
        status=stored.word(row[7], FILE_STATUSES, "file", row[0]),
        url=f"sha256:{row[6]}" if row[7] == "stored" else None, created_at=stored.moment(row[8], "file", row[0]),
    )  # fmt: skip
