"""SQLAlchemy tuned: the library's own tables and indexes, keyset pages, only the columns needed.

Knows: how much can be had from the ORM, and from Core without it.
Does not know: how the rows came to be.

The ORM gives objects with delivery state and processing time, eagerly loaded; Core gives rows with
the same columns. Sessions are per call, statements are built once, reads are in line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal, select, union_all
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload, load_only, selectinload

from . import CHAIN, LINK, PAGE, Read, Targets, said
from .tables import (
    ConversationRow,
    DeliveryRow,
    EdgeRow,
    EntryRow,
    EventRow,
    PersonRow,
    ProcessedRow,
    PuserRow,
    reading,
)

NEEDED = (
    EventRow.seq, EventRow.id, EventRow.conn, EventRow.type, EventRow.occurred_at,
    EventRow.created_at, EventRow.payload, EventRow.raw,
)  # fmt: skip
STATE = (
    DeliveryRow.status, DeliveryRow.sent_at, DeliveryRow.delivered_at, DeliveryRow.read_at,
    DeliveryRow.failed_at, DeliveryRow.reason, ProcessedRow.at,
)  # fmt: skip
_ALWAYS = 2**62


def newest(peer: Any, before: Any) -> Select[Any]:
    """The keys of a page, by the index that holds them in order."""
    keys = select(EntryRow.event.label("seq")).where(EntryRow.peer == peer, EntryRow.event < before)
    return keys.order_by(EntryRow.event.desc()).limit(PAGE)


def causes(start: Any, link: int, inward: bool) -> Any:
    """The keys of a chain or a tree, as a recursive query with their depth."""
    walk = select(start.label("seq"), literal(0).label("d")).cte("walk", recursive=True)
    here, there = (EdgeRow.dst, EdgeRow.src) if inward else (EdgeRow.src, EdgeRow.dst)
    step = select(there, walk.c.d + 1).where(here == walk.c.seq, EdgeRow.type == link)
    return walk.union_all(step.where(walk.c.d < CHAIN))


def link_number(engine: Any) -> int:
    """The number behind the name of the edges of chain and tree."""
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT id FROM kind WHERE name = ?", (LINK,))
        return int(found.scalar_one())


class Tuned:
    """The ORM at its best."""

    name = "orm_tuned"
    notes = "the library's own tables and indexes, ids and times in the types of its objects"

    def __init__(self, world: Path, targets: Targets) -> None:
        self._engine = reading(world)
        self._targets = targets
        self._link = link_number(self._engine)
        self._page_of = self._events(newest(bindparam("peer"), bindparam("before")).subquery())
        branches = [newest(bindparam(f"p{n}"), _ALWAYS).subquery() for n in range(3)]
        merged = union_all(*(select(branch.c.seq) for branch in branches)).subquery()
        self._of_three = self._events(merged).limit(PAGE)
        self._list_of = self._recent()
        self._walks = {
            inward: self._events(causes(bindparam("start"), self._link, inward), ordered=False)
            for inward in (False, True)
        }

    def _events(self, keys: Any, ordered: bool = True) -> Select[Any]:
        found = (
            select(EventRow)
            .join(keys, EventRow.seq == keys.c.seq)
            .outerjoin(EventRow.delivery)
            .outerjoin(EventRow.processed)
            .options(
                load_only(*NEEDED),
                contains_eager(EventRow.delivery),
                contains_eager(EventRow.processed),
            )
        )
        return found.order_by(keys.c.seq.desc()) if ordered else found

    def _recent(self) -> Select[Any]:
        message = aliased(EventRow)
        rows = (
            select(ConversationRow)
            .where(ConversationRow.conn.in_(self._targets.conns))
            .order_by(ConversationRow.last.desc())
            .limit(PAGE)
        )
        if len(self._targets.conns) == 1:
            rows = rows.with_only_columns(ConversationRow).where(
                ConversationRow.conn == self._targets.conns[0]
            )
        return rows.join(message, ConversationRow.message.of_type(message)).options(
            contains_eager(ConversationRow.message.of_type(message)).options(
                joinedload(message.delivery), joinedload(message.processed)
            ),
            joinedload(ConversationRow.who).options(
                joinedload(PuserRow.whose), selectinload(PuserRow.aliases)
            ),
        )

    def reads(self) -> dict[str, Read]:
        """Page, deep page, list, timeline, chain, tree."""
        asked = self._targets
        page, three = self._page_of, self._of_three
        return {
            "page_used": Read(self._used, lambda found: [each[0] for each in found]),
            "page": Read(partial(self._all, page, peer=asked.peer, before=_ALWAYS), _positions),
            "deep_page": Read(
                partial(self._all, page, peer=asked.peer, before=asked.deep), _positions
            ),
            "list_used": Read(self._list_used, lambda found: [each[0] for each in found]),
            "list": Read(
                partial(self._all, self._list_of), lambda found: [row.last for row in found]
            ),
            "timeline": Read(partial(self._timeline, three), _positions),
            "chain": Read(partial(self._all, self._walks[False], start=asked.end), _positions),
            "tree": Read(partial(self._all, self._walks[True], start=asked.root), _positions),
        }

    def _all(self, statement: Select[Any], **values: Any) -> list[Any]:
        with Session(self._engine) as session:
            return list(session.scalars(statement, values))

    def _used(self) -> list[Any]:
        rows = self._all(self._page_of, peer=self._targets.peer, before=_ALWAYS)
        return [(row.seq, row.id, row.occurred_at, said(row.payload)) for row in rows]

    def _list_used(self) -> list[Any]:
        return [
            (last.seq, row.who.uid, row.who.name, said(last.payload), last.occurred_at, row.unread)
            for row in self._all(self._list_of)
            for last in (row.message,)
        ]

    def _timeline(self, statement: Select[Any]) -> list[Any]:
        with Session(self._engine) as session:
            peers = session.scalars(peers_of(UUID(bytes=self._targets.person))).all()
            return list(session.scalars(statement, {f"p{n}": key for n, key in enumerate(peers)}))

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()


class Core:
    """SQLAlchemy without its ORM: rows."""

    name = "core"
    notes = "rows, the library's own tables and indexes"

    def __init__(self, world: Path, targets: Targets) -> None:
        self._engine = reading(world)
        self._targets = targets
        link = link_number(self._engine)
        self._page_of = self._rows(newest(bindparam("peer"), bindparam("before")).subquery(), True)
        self._chain_of = self._rows(causes(bindparam("start"), link, False), False)

    def _rows(self, keys: Any, ordered: bool) -> Select[Any]:
        columns: tuple[Any, ...] = (*NEEDED, *STATE)
        found: Select[Any] = (
            select(*columns)
            .join(keys, EventRow.seq == keys.c.seq)
            .outerjoin(DeliveryRow, DeliveryRow.event == EventRow.seq)
            .outerjoin(ProcessedRow, ProcessedRow.event == EventRow.seq)
        )
        return found.order_by(keys.c.seq.desc()) if ordered else found

    def reads(self) -> dict[str, Read]:
        """Page, deep page, chain."""
        asked = self._targets
        page = partial(self._all, self._page_of, peer=asked.peer)
        return {
            "page": Read(partial(page, before=_ALWAYS), _positions),
            "deep_page": Read(partial(page, before=asked.deep), _positions),
            "chain": Read(partial(self._all, self._chain_of, start=asked.end), _positions),
        }

    def _all(self, statement: Select[Any], **values: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(statement, values).all()

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()


def peers_of(person: UUID) -> Select[Any]:
    """The platform users of a user, by public id."""
    found = select(PuserRow.id).join(PersonRow, PersonRow.id == PuserRow.person)
    return found.where(PersonRow.uid == person, PuserRow.kind == "person").order_by(PuserRow.id)


def _positions(found: Sequence[Any]) -> list[int]:
    return [each.seq for each in found]
