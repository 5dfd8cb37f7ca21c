"""Ids, who owns what (organisations, applications, connections, schemas), how far a message has come.

Knows: the kinds of ids, the fields of a tenant, the status of a part. Hosts find all of it in `outeract_core.model`.
Does not know: what happens in an application (`model.py`), where anything is stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NewType, TypeAlias
from uuid import UUID

from attrs import field, frozen

Json: TypeAlias = Any
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
class EventSchema:
    """JSON Schema that payloads of a custom event type must satisfy."""

    name: str
    description: str | None
    json_schema: Json
    version: int
    created_at: datetime


@frozen
class PartState:
    """How far one part of an outbound message has come; `part` counts from 0.

    `external_message_id`: what the platform calls it, as far as it has told.
    """

    part: int
    status: Status
    external_message_id: str | None = None


@frozen
class DeliveryState:
    """The fold over an outbound message's child events; it never moves backwards.

    `parts`: the same by part, in order; the message is as far as its slowest part, and one part that
    failed fails it. Empty for an action (an edit, a reaction, …).
    """

    status: Status
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str | None = None
    parts: tuple[PartState, ...] = field(default=(), eq=False)
