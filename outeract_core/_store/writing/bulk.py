"""Plain messages, many at once: the unit of work in which nearly everything arrives.

Knows: that a message that answers nothing and carries nothing needs only rows, and that rows of one
kind are cheapest together.
Does not know: any other fact (`ingest.py`), who somebody is whose names disagree (`people.py`), bytes,
handlers.
"""

from __future__ import annotations

from typing import Any

from ... import events as facts
from ..._domain.values.classes import define
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.conn import Conn
from ..records.log import EDGE_ADD, EVENT_NEW, append, arrived, awaited
from . import conversations, delivery
from .people import meet_all

KNOWN: Statement[tuple[str]] = statement("event_dks")

DUPLICATE = 0
"""What came of an item that the log has already."""


@define
class Item:
    """A fact, encoded before it reaches the writer; nobody changes it.

    `occurred_at` in milliseconds; `dk`: the dedupe key; `plain`: a message that only says something;
    `codes`: link codes that were in it, and are not in it any more.
    """

    fact: facts.Fact
    payload: str
    raw: str | None
    occurred_at: int | None
    dk: str | int | None
    plain: bool
    codes: tuple[str, ...] = ()


_New = tuple[int, Item, int, int]
"""The key of a new message, what it is, its sender and its conversation."""


def add(tx: Tx, conn: Conn, items: list[Item]) -> list[int]:
    """Commit plain messages of one connection, in order; the key of each, or DUPLICATE."""
    if len(items) == 1 and not tx.optimistic:
        return [_alone(tx, conn, items[0])]
    seen = _seen(tx, conn, items)
    fates, new = [], []
    for item in items:
        new_one = item.dk not in seen
        fates.append(tx.allocate(conn.app) if new_one else DUPLICATE)
        if new_one:
            seen.add(item.dk)
            new.append((fates[-1], item))
    if new:
        told = _parties(tx, conn, new)
        _write(tx, conn, told)
        _tell(tx, conn, told)
    return fates


def _seen(tx: Tx, conn: Conn, items: list[Item]) -> set[Any]:
    """Those that the log has already."""
    if tx.optimistic:
        return set()
    names = [str(item.dk) for item in items]
    return {row[0] for row in tx.by_keys(KNOWN, names, conn=conn.id)}


def _alone(tx: Tx, conn: Conn, item: Item) -> int:
    """One message: the log itself says whether it is there already."""
    key = append(
        tx, conn.app, "message.inbound", item.payload, conn=conn.id, dk=item.dk, raw=item.raw,
        occurred_at=item.occurred_at,
    )  # fmt: skip
    if key is None:
        return DUPLICATE
    _tell(tx, conn, _parties(tx, conn, [(key, item)]))
    return key


def _parties(tx: Tx, conn: Conn, new: list[tuple[int, Item]]) -> list[_New]:
    """Each with its sender and its conversation, met in the order in which they spoke."""
    named: list[facts.Party] = []
    for _, item in new:
        assert item.fact.sender is not None  # noqa: S101 - a plain message has one
        named.append(item.fact.sender)
        if item.fact.chat is not None:
            named.append(item.fact.chat)
    met = iter(meet_all(tx, conn, named))
    told = []
    for key, item in new:
        sender = next(met)
        told.append((key, item, sender, sender if item.fact.chat is None else next(met)))
    return told


def _write(tx: Tx, conn: Conn, new: list[_New]) -> None:
    kind, now = tx.kind("message.inbound"), tx.now
    tx.add(EVENT_NEW, [
        (key, tx.new_uid(), conn.id, kind, now if item.occurred_at is None else item.occurred_at,
         now, item.dk, item.payload, item.raw)
        for key, item, _, _ in new
    ])  # fmt: skip


def _tell(tx: Tx, conn: Conn, new: list[_New]) -> None:
    """Who said it, where, and what waited for it."""
    by, to = tx.kind("sent_by"), tx.kind("sent_to")
    edges: list[tuple[Any, ...]] = []
    for key, item, sender, peer in new:
        edges.append((sender, by, key, None))
        edges.append((conn.system_puser if item.fact.chat is None else peer, to, key, None))
    tx.add(EDGE_ADD, edges)
    _converse(tx, conn, new)
    _connect_waiting(tx, conn, new)


def _converse(tx: Tx, conn: Conn, new: list[_New]) -> None:
    """The messages enter their conversations: a row of counters is written once, however many."""
    entries: list[tuple[int, int]] = []
    last: dict[int, int] = {}
    said: dict[int, int] = {}
    spoken: dict[tuple[int, int], int] = {}
    for key, _, sender, peer in new:
        if peer == conn.system_puser:
            continue
        entries.append((peer, key))
        last[peer], said[peer] = key, said.get(peer, 0) + 1
        if sender not in (peer, conn.system_puser):
            spoken[peer, sender] = spoken.get((peer, sender), 0) + 1
    tx.add(conversations.ENTRY_ADD, entries)
    told = [(peer, key, said[peer], said[peer], conn.id) for peer, key in last.items()]
    tx.add(conversations.INBOUND, told)
    if spoken:
        participants = [(peer, sender, count) for (peer, sender), count in spoken.items()]
        tx.add(conversations.PARTICIPANT_ADD, participants)


def _connect_waiting(tx: Tx, conn: Conn, new: list[_New]) -> None:
    """Draw the edges that waited for one of these messages."""
    names = awaited(tx, conn.id, [str(item.dk) for _, item, _, _ in new])
    for key, item, _, _ in new:
        if item.dk in names:
            for child in arrived(tx, conn.id, str(item.dk), key):
                delivery.refold(tx, conn, child, key)
