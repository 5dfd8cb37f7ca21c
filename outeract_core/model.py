"""The nouns: what the store holds, as frozen values.

Knows: the fields of every entity and what may be derived from them alone.
Does not know: where they are stored, how they are fetched, which platform they came from.

Ids are UUIDv7; times are timezone-aware UTC. Values compare by content.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NewType, TypeAlias, TypeVar
from uuid import UUID, uuid5

from attrs import field, frozen

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
    "Node",
    "NodeType",
    "Organisation",
    "OrganisationId",
    "PlatformConnection",
    "PlatformUser",
    "PlatformUserId",
    "PlatformUserKind",
    "Status",
    "User",
    "UserId",
]

Json: TypeAlias = Any
T = TypeVar("T")
OrganisationId = NewType("OrganisationId", UUID)
AppId = NewType("AppId", UUID)
ConnectionId = NewType("ConnectionId", UUID)
UserId = NewType("UserId", UUID)
PlatformUserId = NewType("PlatformUserId", UUID)
EventId = NewType("EventId", UUID)
FileId = NewType("FileId", UUID)

PlatformUserKind = Literal["person", "system", "group", "channel"]
NodeType = Literal["event", "user", "platform_user", "file"]
Status = Literal[
    "queued", "sent", "delivered", "read", "failed", "unknown", "cancelled", "received", "processed"
]


@frozen
class Organisation:
    """A top-level tenant."""

    id: OrganisationId
    name: str
    created_at: datetime


@frozen
class Application:
    """The isolated container: one per product, environment or customer."""

    id: AppId
    organisation_id: OrganisationId
    name: str
    config: Json
    created_at: datetime


@frozen
class PlatformConnection:
    """One account on one platform. `config` holds secrets by reference only (`env:NAME`)."""

    id: ConnectionId
    app_id: AppId
    platform: str
    name: str
    account: str | None
    config: Json
    status: str
    webhook_id: str
    webhook_secret: str = field(repr=False)
    created_at: datetime

    @property
    def webhook_path(self) -> str:
        """The path to register with the platform; it holds the secret, so do not log it."""
        return f"/webhooks/{self.webhook_id}/{self.webhook_secret}"


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


@frozen
class PlatformUser:
    """An identity on one connection: a person, the bot itself, a group or a channel."""

    id: PlatformUserId
    app_id: AppId
    user_id: UserId
    platform_connection_id: ConnectionId
    platform: str
    external_id: str
    kind: PlatformUserKind
    name: str | None
    profile_picture_url: str | None
    aliases: tuple[Alias, ...]
    created_at: datetime


@frozen
class DeliveryState:
    """The fold over an outbound message's child events; it never moves backwards."""

    status: Status
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str | None = None


@frozen
class Event:
    """Something that happened: immutable, ordered by `position` within its application.

    `payload` is the normalised content, `raw` the platform's own item; both are decoded on
    first use. `delivery` is set on what was sent, `processed_at` on what a handler has handled.
    """

    id: EventId
    app_id: AppId
    event_type: str
    position: int
    connection_id: ConnectionId | None
    platform: str | None
    occurred_at: datetime
    created_at: datetime
    origin_event_id: EventId | None = None
    delivery: DeliveryState | None = None
    processed_at: datetime | None = None
    payload_json: str = field(default="{}", repr=False)
    raw_json: str | None = field(default=None, repr=False)

    @cached_property
    def payload(self) -> Json:
        """The normalised content; what it holds depends on the event type."""
        return json.loads(self.payload_json)

    @cached_property
    def raw(self) -> Json:
        """The platform's own item as received, or None when the connection does not keep it."""
        return None if self.raw_json is None else json.loads(self.raw_json)

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
        """Delivery status of what was sent; `received` or `processed` for everything else."""
        if self.delivery is not None:
            return self.delivery.status
        return "received" if self.processed_at is None else "processed"

    @property
    def external_message_id(self) -> str | None:
        """The platform's id of the message that this event is, or is about."""
        value = self.payload.get("external_message_id") if isinstance(self.payload, dict) else None
        return None if value is None else str(value)


@frozen
class EventSchema:
    """JSON Schema that payloads of a custom event type must satisfy."""

    name: str
    description: str | None
    json_schema: Json
    version: int
    created_at: datetime


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


@frozen
class Edge:
    """A typed arrow between two nodes of one application; there is one of each type between two."""

    app_id: AppId
    source_node_id: UUID
    source_node_type: NodeType
    target_node_id: UUID
    target_node_type: NodeType
    edge_type: str
    created_at: datetime

    @property
    def id(self) -> UUID:
        """It follows from the ends and the type (a UUIDv5), so it is the same whenever it is read."""
        return uuid5(self.source_node_id, f"{self.edge_type}/{self.target_node_id}")
