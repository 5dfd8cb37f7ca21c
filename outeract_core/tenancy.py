"""Ids, who owns what (organisations, applications, connections, schemas), how far a message has come.

Knows: the kinds of ids, the fields of a tenant, how a secret is named, the status of a part. Hosts find all of it in `outeract_core.model`.
Does not know: what happens in an application (`model.py`), where anything is stored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NewType, TypeAlias, get_args
from uuid import UUID

from attrs import field, fields

from ._domain.values.classes import frozen
from .errors import BadInput, MissingSecret

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
PLATFORM_USER_KINDS, STATUSES = frozenset(get_args(PlatformUserKind)), frozenset(get_args(Status))


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
class Quotas:
    """How much of the program one application may use, in each process that has set it; None: any amount.

    events_per_minute    what comes in from platforms. Over it webhooks are answered 429, so that the platform
                         delivers again, and polls pause.
    file_bytes_per_hour  inbound files that are fetched. Over it the others wait.
    downloads            files at once.

    Raises BadInput for what is no whole number above zero.
    """

    events_per_minute: int | None = None
    file_bytes_per_hour: int | None = None
    downloads: int | None = None

    def __attrs_post_init__(self) -> None:
        for one in fields(type(self)):
            value = getattr(self, one.name)
            if value is not None and (type(value) is not int or value < 1):
                raise BadInput(
                    f"{one.name} is a whole number above zero, or None, not {value!r:.40}"
                )


Address: TypeAlias = Callable[[str, int], str]
"""address(webhook id, version): the secret in a webhook's path."""


def sealed(_webhook_id: str, _version: int) -> str:
    """The address of a connection that was copied out of the library. Raises MissingSecret."""
    raise MissingSecret("a connection that was unpickled has no address; ask app.connections()")


class Secret:
    """A secret as code names it, or gives it: an argument of `connect`, never shown.

    Text may come from anybody; a `Secret` was written by the program itself. It says nothing in `repr`,
    and one that holds a text cannot be pickled.
    """

    __slots__ = ("name", "scheme")

    def __init__(self, scheme: str, name: str) -> None:
        """`Secret("vault", "bot")`: a name in a source of the host's own (`Outeract(secrets=…)`).

        Raises BadInput for what is no text, or empty.
        """
        for part in (scheme, name):
            if not isinstance(part, str) or not part.strip():
                raise BadInput("a secret is named by text, e.g. Secret.env('TELEGRAM_TOKEN')")
        if ":" in scheme or scheme == "host":
            raise BadInput(f"no source of secrets is called {scheme!r}")
        self.scheme = scheme
        self.name = name

    @classmethod
    def env(cls, name: str) -> Secret:
        """The environment variable `name`, read whenever it is needed."""
        return cls("env", name)

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Secret:
        """The text of a file, read whenever it is needed; a relative path begins where the program did."""
        return cls("file", os.fspath(path))

    @classmethod
    def text(cls, value: str) -> Secret:
        """The secret itself: kept in memory only, to be given again at every start."""
        return cls("text", value)

    @property
    def reference(self) -> str:
        """The name as it is stored. Raises BadInput for a text, which has none."""
        if self.scheme == "text":
            raise BadInput("a secret that was given as text has no name")
        return f"{self.scheme}:{self.name}"

    def __repr__(self) -> str:
        shown = "•••" if self.scheme == "text" else repr(self.name)
        return f"Secret.{self.scheme}({shown})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return (self.scheme, self.name) == (other.scheme, other.name)

    def __hash__(self) -> int:
        return hash((self.scheme, self.name))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[type[Secret], tuple[str, str]]:
        if self.scheme == "text":
            raise TypeError("a secret that was given as text is not pickled; pickle its name")
        return Secret, (self.scheme, self.name)


@frozen
class PlatformConnection:
    """One account on one platform. `config` holds the names of secrets only (`env:NAME`)."""

    id: ConnectionId
    app_id: AppId
    platform: str
    name: str
    account: str | None
    config: Json
    status: str
    webhook_id: str
    created_at: datetime
    webhook_version: int = 1
    _address: Address = field(default=sealed, repr=False, eq=False)

    @property
    def webhook_secret(self) -> str:
        """The secret in the webhook's path; it is in no file, pickle, `asdict` or `repr`.

        Raises MissingSecret while the key is not there that it follows from, and of a copy that was
        unpickled.
        """
        return self._address(self.webhook_id, self.webhook_version)

    @property
    def webhook_path(self) -> str:
        """The path to register with the platform; it holds the secret, so do not log it.

        Raises MissingSecret as `webhook_secret` does.
        """
        return f"/webhooks/{self.webhook_id}/{self.webhook_secret}"

    def __getstate__(self) -> dict[str, Any]:
        names = (one.name for one in fields(PlatformConnection))
        return {name: getattr(self, name) for name in names if name != "_address"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in {**state, "_address": sealed}.items():
            object.__setattr__(self, name, value)


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


@frozen
class Names:
    """What the entities of one application have in common, by the numbers that stand in their rows."""

    app_id: AppId
    connections: Mapping[int, tuple[ConnectionId, str]]
    event_types: Mapping[int, str]
