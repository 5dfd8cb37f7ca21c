"""SQLAlchemy: the same rows into the same tables, as the ORM's guide has it, tuned, and by Core.

Knows: the tables that a message is written to, one session or connection for each thousand messages.
Does not know: how the tables were made; they are the library's, with its indexes and triggers.

`idiomatic`: objects, relationships by key, the conversation looked up and counted on, one commit.
`tuned`: ORM bulk inserts and one upsert. `core`: the same without models.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ..ground.floor import Rows
from ..took import Took

BATCH = 1000


class Mapping(DeclarativeBase):
    """Models over the library's tables."""


class Person(Mapping):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[bytes]
    name: Mapped[str | None]
    system: Mapped[int]
    merged_into: Mapped[int | None]
    created_at: Mapped[int]


class Puser(Mapping):
    __tablename__ = "puser"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[bytes]
    person: Mapped[int]
    conn: Mapped[int]
    ext: Mapped[str]
    address: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str | None]
    picture: Mapped[str | None]
    created_at: Mapped[int]
    named: Mapped[int | None]


class Alias(Mapping):
    __tablename__ = "alias"
    conn: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    puser: Mapped[int]


class Event(Mapping):
    __tablename__ = "event"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[bytes]
    conn: Mapped[int | None]
    type: Mapped[int]
    occurred_at: Mapped[int]
    created_at: Mapped[int]
    dk: Mapped[str | None]
    payload: Mapped[str]
    raw: Mapped[str | None]


class Edge(Mapping):
    __tablename__ = "edge"
    dst: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[int] = mapped_column(primary_key=True)
    src: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[int | None]


class Entry(Mapping):
    __tablename__ = "entry"
    peer: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(primary_key=True)


class Conversation(Mapping):
    __tablename__ = "conversation"
    peer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    inbound: Mapped[int]
    outbound: Mapped[int]
    unread: Mapped[int]
    read_upto: Mapped[int]
    conn: Mapped[int]


_MODELS: dict[str, Any] = {
    model.__tablename__: model for model in (Person, Puser, Alias, Event, Edge, Entry)
}


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    def configure(connection: Any, _record: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON",
                       "recursive_triggers = ON", "cache_size = -65536"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", configure)
    return engine


def written(path: Path, messages: list[Rows], columns: dict[str, list[str]], way: str) -> Took:
    """All messages, a thousand to a commit; `columns`: the names that belong to the rows' values."""
    write: Callable[..., None] = {"idiomatic": _idiomatic, "tuned": _tuned, "core": _core}[way]
    engine = _engine(path)
    batches = list(_batches(messages, columns))
    each = []
    begin = time.perf_counter()
    for batch in batches:
        start = time.perf_counter()
        write(engine, batch)
        each.append(time.perf_counter() - start)
    took = Took(len(messages), time.perf_counter() - begin, each)
    engine.dispose()
    return took


_Batch = dict[str, list[dict[str, Any]]]


def _batches(messages: list[Rows], columns: dict[str, list[str]]) -> Iterator[_Batch]:
    """Rows by table, as the mappings that SQLAlchemy takes; `seen`: (peer, event, conn, inbound)."""
    rest = iter(messages)
    while chunk := list(islice(rest, BATCH)):
        batch: _Batch = {
            table: [
                dict(zip(columns[table], row, strict=True))
                for message in chunk
                for row in message.tables.get(table, ())
            ]
            for table in _MODELS
        }
        batch["seen"] = [
            {"peer": peer, "last": last, "conn": conn, "inbound": inbound, "outbound": 1 - inbound}
            for message in chunk
            for peer, last, conn, inbound in message.entries
        ]
        yield batch


def _idiomatic(engine: Engine, batch: _Batch) -> None:
    with Session(engine) as session:
        for table, model in _MODELS.items():
            session.add_all([model(**row) for row in batch[table]])
        for seen in batch["seen"]:
            known = session.get(Conversation, seen["peer"])
            if known is None:
                session.add(Conversation(**seen, unread=seen["inbound"], read_upto=0))
            else:
                known.last = seen["last"]
                known.inbound += seen["inbound"]
                known.outbound += seen["outbound"]
                known.unread += seen["inbound"]
        session.commit()


def _tuned(engine: Engine, batch: _Batch) -> None:
    with Session(engine) as session:
        for table, model in _MODELS.items():
            if batch[table]:
                session.execute(insert(model), batch[table])
        _count(session.connection(), batch)
        session.commit()


def _core(engine: Engine, batch: _Batch) -> None:
    with engine.begin() as connection:
        for table, model in _MODELS.items():
            if batch[table]:
                made: Table = model.__table__
                connection.execute(made.insert(), batch[table])
        _count(connection, batch)


def _count(connection: Connection, batch: _Batch) -> None:
    """One upsert for each conversation that the batch has touched."""
    touched: dict[int, dict[str, Any]] = {}
    for seen in batch["seen"]:
        row = touched.setdefault(
            seen["peer"], {**seen, "inbound": 0, "outbound": 0, "unread": 0, "read_upto": 0}
        )
        row["last"] = seen["last"]
        row["inbound"] += seen["inbound"]
        row["unread"] += seen["inbound"]
        row["outbound"] += seen["outbound"]
    if touched:
        table = Conversation.__table__.c
        new = upsert(Conversation)
        counted = {
            name: table[name] + new.excluded[name] for name in ("inbound", "outbound", "unread")
        }
        statement = new.on_conflict_do_update(
            index_elements=["peer"], set_={"last": new.excluded.last, **counted}
        )
        connection.execute(statement, list(touched.values()))
