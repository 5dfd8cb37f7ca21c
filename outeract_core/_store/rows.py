"""Keys into objects: one query per kind of node, however many keys.

Knows: the rows behind events, users, platform users and files.
Does not know: which keys are wanted, or why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from attrs import frozen

from .._ids import from_ms, span
from ..driver import Statement, Tx
from ..errors import NotFound
from ..model import (
    Alias,
    AppId,
    ConnectionId,
    DeliveryState,
    Event,
    EventId,
    File,
    FileId,
    Node,
    NodeType,
    PlatformUser,
    PlatformUserId,
    User,
    UserId,
)
from .statements import statement

EVENTS: Statement[tuple[Any, ...]] = statement("events_by_key")
ORIGINS: Statement[tuple[int, bytes]] = statement("origins_by_key")
APPLICATION_UID: Statement[tuple[bytes]] = statement("application_uid")
CONNECTION_UIDS: Statement[tuple[int, bytes, str]] = statement("connection_uids")
PUSERS: Statement[tuple[Any, ...]] = statement("pusers_by_key")
ALIASES: Statement[tuple[int, str, str]] = statement("aliases_by_key")
PERSONS: Statement[tuple[Any, ...]] = statement("persons_by_key")
FILES: Statement[tuple[Any, ...]] = statement("files_by_key")


@frozen
class Scope:
    """What the events of one application have in common: its id, its connections by number."""

    app_id: AppId
    connections: dict[int | None, tuple[ConnectionId | None, str | None]]


def events(tx: Tx, app: int, keys: Sequence[int]) -> list[Event]:
    """The events with these keys, in their order. Raises NotFound when one is not this tenant's."""
    if not keys:
        return []
    found = {row[0]: row for row in _rows(tx, EVENTS, keys, *span(app))}
    about = [key for key, row in found.items() if tx.kind_name(row[3]) not in _MESSAGES]
    origins = _origins(tx, about) if about else {}
    scope = _scope(tx, app)
    return [_event(tx, scope, _have(found, key), origins.get(key)) for key in keys]


def _origins(tx: Tx, keys: list[int]) -> dict[int, EventId]:
    """What these events are about; messages are about nothing."""
    rows = tx.all(ORIGINS, keys=json.dumps(keys), origin=tx.known_kind("origin"))
    return {key: EventId(UUID(bytes=uid)) for key, uid in rows}


def _scope(tx: Tx, app: int) -> Scope:
    """Kept until the file changes; `tenants.connect` drops what its own writer has kept."""
    known: Scope | None = tx.recall(("scope", app))
    if known is not None:
        return known
    row = tx.one(APPLICATION_UID, app=app)
    if row is None:
        raise NotFound("no such application")
    connections: dict[int | None, tuple[ConnectionId | None, str | None]] = {None: (None, None)}
    for number, uid, platform in tx.all(CONNECTION_UIDS, app=app):
        connections[number] = (ConnectionId(UUID(bytes=uid)), platform)
    scope = Scope(AppId(UUID(bytes=row[0])), connections)
    tx.remember(("scope", app), scope)
    return scope


def platform_users(tx: Tx, app: int, keys: Sequence[int]) -> list[PlatformUser]:
    """The platform users with these keys, in their order. Raises NotFound."""
    if not keys:
        return []
    found = {row[0]: row for row in _rows(tx, PUSERS, keys, *span(app), app=app)}
    aliases: dict[int, list[Alias]] = {}
    for puser, kind, value in sorted(tx.all(ALIASES, keys=json.dumps(list(keys)))):
        aliases.setdefault(puser, []).append(Alias(kind, value))
    return [_platform_user(_have(found, key), aliases.get(key, [])) for key in keys]


def users(tx: Tx, app: int, keys: Sequence[int]) -> list[User]:
    """The users with these keys, in their order. Raises NotFound."""
    found = {row[0]: row for row in _rows(tx, PERSONS, keys, *span(app), app=app)}
    return [_user(_have(found, key)) for key in keys]


def files(tx: Tx, app: int, keys: Sequence[int]) -> list[File]:
    """The files with these keys, in their order. Raises NotFound."""
    found = {row[0]: row for row in _rows(tx, FILES, keys, *span(app), app=app)}
    return [_file(_have(found, key)) for key in keys]


_MESSAGES = ("message.inbound", "message.outbound")
_MANY: dict[str, Callable[[Tx, int, Sequence[int]], Sequence[Node]]] = {
    "event": events,
    "platform_user": platform_users,
    "user": users,
    "file": files,
}


def entities(tx: Tx, app: int, kinds: dict[int, str]) -> dict[int, Node]:
    """The nodes of any kind with these keys; `kinds`: the node type of each."""
    found: dict[int, Node] = {}
    for node_type, many in _MANY.items():
        keys = [key for key, kind in kinds.items() if kind == node_type]
        found.update(zip(keys, many(tx, app, keys), strict=True))
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


def _rows(
    tx: Tx, statement: Statement[tuple[Any, ...]], keys: Sequence[int], lo: int, hi: int, **more: Any
) -> list[tuple[Any, ...]]:  # fmt: skip
    return tx.all(statement, keys=json.dumps(list(keys)), lo=lo, hi=hi, **more)


@lru_cache(maxsize=1024)
def _shared(uid: bytes) -> UUID:
    """The id of an application or connection, which many rows have in common."""
    return UUID(bytes=uid)


def _have(found: dict[int, Any], key: int) -> Any:
    if key not in found:
        raise NotFound("no such node in this application")
    return found[key]


def _event(tx: Tx, scope: Scope, row: Any, origin: EventId | None) -> Event:
    connection, platform = scope.connections[row[2]]
    return Event(
        id=EventId(UUID(bytes=row[1])), app_id=scope.app_id, event_type=tx.kind_name(row[3]),
        position=row[0], connection_id=connection, platform=platform,
        occurred_at=from_ms(row[4]), created_at=from_ms(row[5]), origin_event_id=origin,
        delivery=None if row[8] is None else _delivery(row), processed_at=_time(row[14]),
        payload_json=row[6], raw_json=row[7],
    )  # fmt: skip


def _delivery(row: Any) -> DeliveryState:
    sent, delivered, read, failed = map(_time, row[9:13])
    return DeliveryState(row[8], sent, delivered, read, failed, row[13])


def _platform_user(row: Any, aliases: list[Alias]) -> PlatformUser:
    return PlatformUser(
        id=PlatformUserId(UUID(bytes=row[1])), app_id=AppId(_shared(row[2])),
        user_id=UserId(UUID(bytes=row[3])), platform_connection_id=ConnectionId(_shared(row[4])),
        platform=row[5], external_id=row[6], kind=row[7], name=row[8],
        profile_picture_url=row[9], aliases=tuple(aliases), created_at=from_ms(row[10]),
    )  # fmt: skip


def _user(row: Any) -> User:
    return User(
        id=UserId(UUID(bytes=row[1])), app_id=AppId(_shared(row[2])), name=row[3],
        system_user=bool(row[4]), merged_into=None if row[5] is None else UserId(UUID(bytes=row[5])),
        created_at=from_ms(row[6]),
    )  # fmt: skip


def _file(row: Any) -> File:
    return File(
        id=FileId(UUID(bytes=row[1])), app_id=AppId(_shared(row[2])), filename=row[3],
        mime_type=row[4], size=row[5], sha256=row[6], status=row[7],
        url=f"sha256:{row[6]}" if row[7] == "stored" else None, created_at=from_ms(row[8]),
    )  # fmt: skip


def _time(ms: int | None) -> Any:
    return None if ms is None else from_ms(ms)
