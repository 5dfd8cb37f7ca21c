"""The nouns: what the log holds, as frozen values. Tenants and ids are in `tenancy.py`.

Knows: the fields of every entity and what may be derived from them alone.
Does not know: where they are stored, how they are fetched, which platform they came from.

Ids are UUIDv7; times are timezone-aware UTC. Values compare by content.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, partial
from typing import TypeAlias, TypeVar
from uuid import UUID, uuid5

from attrs import field

from ._domain.values import stored
from ._domain.values.classes import frozen
from .tenancy import (
    PLATFORM_USER_KINDS,
    STATUSES,
    AppId,
    Application,
    ConnectionId,
    DeliveryState,
    EventId,
    EventSchema,
    FileId,
    Json,
    Names,
    NodeType,
    Organisation,
    OrganisationId,
    PartState,
    PlatformConnection,
    PlatformUserId,
    PlatformUserKind,
    Status,
    UserId,
)

__all__ = [
    "Alias",
    "AppId",
    "Application",
    "ConnectionId",
    "DeliveryState",
    "Edge",
    "Event",
    "EventId",
    "EventSchema",
    "File",
    "FileId",
    "Json",
    "Names",
    "Node",
    "NodeType",
    "Organisation",
    "OrganisationId",
    "PartState",
    "PlatformConnection",
    "PlatformUser",
    "PlatformUserId",
    "PlatformUserKind",
    "Status",
    "User",
    "UserId",
    "node_type",
]

T = TypeVar("T")


@frozen
class User:
    """A person across platforms, or the application's one system user."""

    id: UserId
    app_id: AppId
    name: str | None
    system_user: bool
    merged_into: UserId | None
    created_at: datetime


@frozen
class Alias:
    """Another name of a platform user on its connection, e.g. `bsuid` or `username`."""

    type: str
    value: str


_PlatformUserRow: TypeAlias = tuple[
    int, bytes, bytes, int, str, PlatformUserKind, str | None, str | None, int
]


@frozen(repr=False)
class PlatformUser:
    """An identity on one connection: a person, the bot itself, a group or a channel.

    It is its row, out of which every property is made when it is asked for.
    """

    _row: _PlatformUserRow
    _names: Names = field(eq=False)
    aliases: tuple[Alias, ...] = ()

    def __repr__(self) -> str:
        return f"PlatformUser(id={self.id}, platform={self.platform!r}, kind={self.kind!r}, name={self.name!r})"

    @cached_property
    def id(self) -> PlatformUserId:
        """Its public id."""
        return PlatformUserId(stored.uid(self._row[1], "puser", self._row[0]))

    @property
    def app_id(self) -> AppId:
        """The application that it belongs to."""
        return self._names.app_id

    @cached_property
    def user_id(self) -> UserId:
        """The person above it, or the application's system user."""
        return UserId(stored.uid(self._row[2], "person", self._row[0]))

    @property
    def platform_connection_id(self) -> ConnectionId:
        """The connection that it was met on."""
        return stored.behind(self._row[3], self._names.connections, "puser", self._row[0])[0]

    @property
    def platform(self) -> str:
        """The adapter's name."""
        return stored.behind(self._row[3], self._names.connections, "puser", self._row[0])[1]

    @property
    def external_id(self) -> str:
        """What the platform calls it."""
        return self._row[4]

    @property
    def kind(self) -> PlatformUserKind:
        """`person`, `system`, `group` or `channel`."""
        return stored.word(self._row[5], PLATFORM_USER_KINDS, "puser", self._row[0])

    @property
    def name(self) -> str | None:
        """Its name as the platform shows it, if it was ever told."""
        return self._row[6]

    @property
    def profile_picture_url(self) -> str | None:
        """Where its picture is, if that was ever told."""
        return self._row[7]

    @property
    def created_at(self) -> datetime:
        """When it was met first."""
        return stored.moment(self._row[8], "puser", self._row[0])


_EventRow: TypeAlias = tuple[
    int, bytes, int | None, int, int, int, str, str | None,
    Status | None, int | None, int | None, int | None, int | None, str | None,
    int | None, bytes | None, int | None,
]  # fmt: skip


@frozen(repr=False)
class Event:
    """Something that happened: immutable, ordered by `position` within its application.

    It is its row, out of which every property is made when it is asked for, and the larger ones kept.
    """

    _row: _EventRow
    _names: Names = field(eq=False)

    def __repr__(self) -> str:
        return f"Event(id={self.id}, event_type={self.event_type!r}, position={self.position})"

    @cached_property
    def id(self) -> EventId:
        """Its public id."""
        return EventId(stored.uid(self._row[1], "event", self._row[0]))

    @property
    def app_id(self) -> AppId:
        """The application that it belongs to."""
        return self._names.app_id

    @property
    def event_type(self) -> str:
        """What kind of thing happened, e.g. `message.inbound`."""
        return stored.behind(self._row[3], self._names.event_types, "event", self._row[0])

    @property
    def position(self) -> int:
        """Its place in the order of the application's log."""
        return self._row[0]

    @property
    def connection_id(self) -> ConnectionId | None:
        """The connection that it happened on; None for what happened here."""
        where = self._where
        return None if where is None else where[0]

    @property
    def platform(self) -> str | None:
        """That connection's platform."""
        where = self._where
        return None if where is None else where[1]

    @property
    def _where(self) -> tuple[ConnectionId, str] | None:
        if self._row[2] is None:
            return None
        return stored.behind(self._row[2], self._names.connections, "event", self._row[0])

    @property
    def occurred_at(self) -> datetime:
        """When it happened, as the platform tells."""
        return stored.moment(self._row[4], "event", self._row[0])

    @property
    def created_at(self) -> datetime:
        """When it was stored."""
        return stored.moment(self._row[5], "event", self._row[0])

    @property
    def payload_json(self) -> str:
        """`payload` as the text that is stored."""
        return self._row[6]

    @property
    def raw_json(self) -> str | None:
        """`raw` as the text that is stored."""
        return self._row[7]

    @property
    def erased(self) -> bool:
        """Whether its content was dropped, by an erasure or a rule of retention."""
        return self._row[6] == '{"erased":true}'

    @property
    def delivery(self) -> DeliveryState | None:
        """Where a message that was sent stands; None for everything else."""
        status, sent, delivered, read, failed, reason = self._row[8:14]
        if status is None:
            return None
        word = stored.word(status, STATUSES, "delivery", self._row[0])
        at = partial(stored.maybe_moment, table="delivery", row=self._row[0])
        return DeliveryState(word, at(sent), at(delivered), at(read), at(failed), reason)

    @property
    def processed_at(self) -> datetime | None:
        """When a handler was through with it; None before, and when none has wanted it."""
        return stored.maybe_moment(self._row[14], "processed", self._row[0])

    @property
    def origin_event_id(self) -> EventId | None:
        """The event that this one is about, e.g. the message of a status; None for messages."""
        origin = self._row[15]
        return None if origin is None else EventId(stored.uid(origin, "event", self._row[0]))

    @cached_property
    def payload(self) -> Json:
        """The normalised content; what it holds depends on the event type."""
        return stored.value(self.payload_json, "event", self._row[0])

    @cached_property
    def raw(self) -> Json:
        """The platform's own item as received, or None when the connection does not keep it."""
        raw = self.raw_json
        return None if raw is None else stored.value(raw, "event", self._row[0])

    def payload_as(self, into: type[T]) -> T:
        """The payload as an object of your own class (attrs, dataclass, …), by cattrs.

        Raises InvalidEvent with every fault and its path.
        """
        from .structure import structure

        return structure(self.payload, into)

    @property
    def text(self) -> str:
        """The message's text (a caption counts); empty when there is none."""
        message = self.payload.get("message") if isinstance(self.payload, dict) else None
        text = message.get("text") if isinstance(message, dict) else None
        return text if isinstance(text, str) else ""

    @property
    def status(self) -> Status:
        """Delivery status of what was sent; `received`, `processed`, or `failed` (a handler has used up
        its attempts, see `App.retry`) for everything else.
        """
        if self._row[8] is not None:
            return stored.word(self._row[8], STATUSES, "delivery", self._row[0])
        if self._row[14] is None:
            return "received" if self._row[16] is None else "failed"
        return "processed"

    @property
    def failed_at(self) -> datetime | None:
        """When a handler gave it up, or its delivery failed; None unless that is so."""
        at = self._row[16] if self._row[8] is None else self._row[12]
        return stored.maybe_moment(at, "delivery", self._row[0])

    @property
    def external_message_id(self) -> str | None:
        """The platform's id of the message that this event is, or is about."""
        value = self.payload.get("external_message_id") if isinstance(self.payload, dict) else None
        return None if value is None else str(value)


@frozen
class File:
    """Bytes kept beside the database, by content. `status`: pending, stored, failed or erased."""

    id: FileId
    app_id: AppId
    filename: str | None
    mime_type: str | None
    size: int | None
    sha256: str | None
    status: str
    url: str | None
    created_at: datetime


Node: TypeAlias = Event | User | PlatformUser | File


_TYPES: dict[type, NodeType] = {
    Event: "event",
    PlatformUser: "platform_user",
    User: "user",
    File: "file",
}


def node_type(node: Node) -> NodeType:
    """`event`, `user`, `platform_user` or `file`."""
    return next(name for kind, name in _TYPES.items() if isinstance(node, kind))


@frozen(repr=False)
class Edge:
    """A typed arrow between two nodes of one application; there is one of each type between two."""

    source: Node
    edge_type: str
    target: Node
    _drawn: int | None = None

    def __repr__(self) -> str:
        return f"Edge({self.source_node_id} -{self.edge_type}-> {self.target_node_id})"

    @property
    def app_id(self) -> AppId:
        """The application that both ends belong to."""
        return self.source.app_id

    @property
    def source_node_id(self) -> UUID:
        """Where it begins."""
        return self.source.id

    @property
    def source_node_type(self) -> NodeType:
        """What it begins at."""
        return node_type(self.source)

    @property
    def target_node_id(self) -> UUID:
        """Where it ends."""
        return self.target.id

    @property
    def target_node_type(self) -> NodeType:
        """What it ends at."""
        return node_type(self.target)

    @property
    def created_at(self) -> datetime:
        """When it was drawn: with its source, unless later."""
        at = self._drawn
        return self.source.created_at if at is None else stored.moment(at, "edge", "")

    @property
    def id(self) -> UUID:
        """It follows from the ends and the type (a UUIDv5), so it is the same whenever it is read."""
        return uuid5(self.source_node_id, f"{self.edge_type}/{self.target_node_id}")
