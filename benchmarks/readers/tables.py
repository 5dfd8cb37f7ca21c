"""The library's own tables as SQLAlchemy models, for the tuned ORM and for Core.

Knows: the columns that an event, a platform user and a conversation are made of, and the types that
the library's own objects show them in (UUID, aware time): compared is like with like.
Does not know: what is asked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    Dialect,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class PublicId(TypeDecorator[UUID]):
    """Sixteen bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Into the file."""
        return None if value is None else value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:  # noqa: ARG002
        """Out of it."""
        return None if value is None else UUID(bytes=value)


class Milliseconds(TypeDecorator[datetime]):
    """Milliseconds since 1970."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Into the file."""
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Out of it."""
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


Id = Annotated[UUID, mapped_column(PublicId)]
Moment = Annotated[datetime, mapped_column(Milliseconds)]


class Own(DeclarativeBase):
    """Models over tables that somebody else has made."""


class DeliveryRow(Own):
    """How far a message has come."""

    __tablename__ = "delivery"
    event: Mapped[int] = mapped_column(ForeignKey("event.seq"), primary_key=True)
    status: Mapped[str]
    sent_at: Mapped[Moment | None]
    delivered_at: Mapped[Moment | None]
    read_at: Mapped[Moment | None]
    failed_at: Mapped[Moment | None]
    reason: Mapped[str | None]


class ProcessedRow(Own):
    """When an event was handled."""

    __tablename__ = "processed"
    event: Mapped[int] = mapped_column(ForeignKey("event.seq"), primary_key=True)
    at: Mapped[Moment]


class EventRow(Own):
    """An event, with what has become of it."""

    __tablename__ = "event"
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[Id]
    conn: Mapped[int | None]
    type: Mapped[int]
    occurred_at: Mapped[Moment]
    created_at: Mapped[Moment]
    dk: Mapped[str | None]
    payload: Mapped[str]
    raw: Mapped[str | None]
    delivery: Mapped[DeliveryRow | None] = relationship(viewonly=True)
    processed: Mapped[ProcessedRow | None] = relationship(viewonly=True)


class EntryRow(Own):
    """A message's place in a conversation."""

    __tablename__ = "entry"
    peer: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(primary_key=True)


class EdgeRow(Own):
    """A typed arrow."""

    __tablename__ = "edge"
    dst: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[int] = mapped_column(primary_key=True)
    src: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int | None]


class PersonRow(Own):
    """A user."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Id]


class AliasRow(Own):
    """Another name of a platform user."""

    __tablename__ = "alias"
    conn: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    puser: Mapped[int] = mapped_column(ForeignKey("puser.id"))


class PuserRow(Own):
    """A platform user, with whose it is and what else it is called."""

    __tablename__ = "puser"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[Id]
    person: Mapped[int] = mapped_column(ForeignKey("person.id"))
    conn: Mapped[int]
    ext: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str | None]
    picture: Mapped[str | None]
    created_at: Mapped[Moment]
    whose: Mapped[PersonRow] = relationship(viewonly=True)
    aliases: Mapped[list[AliasRow]] = relationship(viewonly=True)


class ConversationRow(Own):
    """The kept state of a conversation."""

    __tablename__ = "conversation"
    peer: Mapped[int] = mapped_column(ForeignKey("puser.id"), primary_key=True)
    last: Mapped[int] = mapped_column(ForeignKey("event.seq"))
    inbound: Mapped[int]
    outbound: Mapped[int]
    unread: Mapped[int]
    conn: Mapped[int]
    who: Mapped[PuserRow] = relationship(viewonly=True)
    message: Mapped[EventRow] = relationship(viewonly=True)


def reading(world: Path) -> Engine:
    """An engine that only reads, with the same cache as the library's readers."""
    engine = create_engine(f"sqlite:///file:{world}?mode=ro&uri=true")

    def configure(connection: object, _record: object) -> None:
        connection.execute("PRAGMA cache_size = -16384")  # type: ignore[attr-defined]

    event.listen(engine, "connect", configure)
    return engine
