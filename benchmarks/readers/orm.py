"""SQLAlchemy's ORM as a bot's author writes it: three models, relationships, loops.

Knows: a schema of its own (users, platform users, messages), filled from the measured file.
Does not know: the library's tables once it is filled.

A page is a filter with `order_by(created_at.desc())`, a deep page an offset, the list a grouped
query, a chain the relationship followed step by step. Each call has a session of its own, in line.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKey, Index, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from . import CHAIN, LINK, PAGE, STEPS, Read, Targets


class Model(DeclarativeBase):
    """What the author's models have in common."""


class UserModel(Model):
    """A person."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    platform_users: Mapped[list[PlatformUserModel]] = relationship(back_populates="user")


class PlatformUserModel(Model):
    """An account of theirs."""

    __tablename__ = "platform_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    platform: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    user: Mapped[UserModel] = relationship(back_populates="platform_users")
    messages: Mapped[list[MessageModel]] = relationship(back_populates="platform_user")


class MessageModel(Model):
    """What was said, by either side."""

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    platform_user_id: Mapped[int | None] = mapped_column(ForeignKey("platform_users.id"))
    direction: Mapped[str]
    payload: Mapped[str]
    read: Mapped[bool]
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"), index=True)
    created_at: Mapped[datetime]
    platform_user: Mapped[PlatformUserModel | None] = relationship(back_populates="messages")
    reply_to: Mapped[MessageModel | None] = relationship(remote_side="MessageModel.id")
    __table_args__ = (Index("messages_platform_user", "platform_user_id"),)


_MOMENT = "strftime('%Y-%m-%d %H:%M:%f', e.created_at / 1000.0, 'unixepoch')"
_FILL = f"""
INSERT INTO users SELECT id, name FROM world.person;
INSERT INTO platform_users SELECT p.id, p.person, c.platform, p.ext, p.name
FROM world.puser p JOIN world.connection c ON c.id = p.conn;
INSERT INTO messages SELECT e.seq, CAST(e.dk AS TEXT), n.peer,
  CASE k.name WHEN 'message.inbound' THEN 'in' ELSE 'out' END, e.payload,
  n.event <= v.read_upto, NULL, {_MOMENT}
FROM world.entry n JOIN world.event e ON e.seq = n.event JOIN world.kind k ON k.id = e.type
JOIN world.conversation v ON v.peer = n.peer ORDER BY e.seq;
INSERT INTO messages SELECT e.seq, NULL, NULL, 'in', e.payload, 1, g.dst, {_MOMENT}
FROM world.event e JOIN world.kind k ON k.id = e.type LEFT JOIN world.edge g ON g.src = e.seq
AND g.type = (SELECT id FROM world.kind WHERE name = '{LINK}') WHERE k.name IN {STEPS};
ANALYZE;
"""


def fill(world: Path, path: Path) -> None:
    """The author's file, with what the measured one holds; kept while it is younger than that."""
    engine = create_engine(f"sqlite:///{path}")
    Model.metadata.create_all(engine)
    engine.dispose()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("ATTACH ? AS world", (f"{world}",))
    db.executescript(f"BEGIN; {_FILL} COMMIT;")
    db.close()


class Idiomatic:
    """As the tutorials have it."""

    name = "orm_idiomatic"
    notes = "own tables, filled by SQL; offset for the deep page, GROUP BY for the list"

    def __init__(self, path: Path, targets: Targets) -> None:
        self._engine = create_engine(f"sqlite:///{path}")
        self._targets = targets

    def reads(self) -> dict[str, Read]:
        """Page, deep page, list, timeline, chain."""
        before = self._count_from(self._targets.deep)
        return {
            "page": Read(partial(self._page, 0), _ids),
            "deep_page": Read(partial(self._page, before), _ids),
            "list": Read(self._list, lambda found: [last.id for _who, last, _unread in found]),
            "timeline": Read(self._timeline, _ids),
            "chain": Read(self._chain, _ids),
        }

    def _page(self, offset: int) -> list[MessageModel]:
        with Session(self._engine) as session:
            newest = MessageModel.created_at.desc(), MessageModel.id.desc()
            messages = (
                select(MessageModel)
                .where(MessageModel.platform_user_id == self._targets.peer)
                .order_by(*newest)
                .offset(offset)
                .limit(PAGE)
            )
            return list(session.scalars(messages))

    def _list(self) -> list[tuple[PlatformUserModel | None, MessageModel, int]]:
        """The last message of each conversation and what is unread in it, then those messages."""
        with Session(self._engine) as session:
            unread = func.sum((MessageModel.direction == "in") & ~MessageModel.read)
            newest = (
                select(func.max(MessageModel.id).label("last"), unread.label("unread"))
                .where(MessageModel.platform_user_id.is_not(None))
                .group_by(MessageModel.platform_user_id)
                .subquery()
            )
            rows = session.execute(
                select(MessageModel, newest.c.unread)
                .join(newest, newest.c.last == MessageModel.id)
                .order_by(MessageModel.id.desc())
                .limit(PAGE)
            )
            return [(last.platform_user, last, count) for last, count in rows]

    def _timeline(self) -> list[MessageModel]:
        with Session(self._engine) as session:
            messages = (
                select(MessageModel)
                .join(MessageModel.platform_user)
                .where(PlatformUserModel.user_id == self._targets.person_key)
                .order_by(MessageModel.created_at.desc(), MessageModel.id.desc())
                .limit(PAGE)
            )
            return list(session.scalars(messages))

    def _chain(self) -> list[MessageModel]:
        with Session(self._engine) as session:
            found = [session.get_one(MessageModel, self._targets.end)]
            while len(found) <= CHAIN and (before := found[-1].reply_to) is not None:
                found.append(before)
            return found

    def _count_from(self, deep: int) -> int:
        with Session(self._engine) as session:
            behind = select(func.count()).where(
                MessageModel.platform_user_id == self._targets.peer, MessageModel.id >= deep
            )
            return session.scalars(behind).one()

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()


def _ids(messages: Sequence[Any]) -> list[int]:
    return [message.id for message in messages]
