"""Units of work on the conversation projection: what a message adds to it.

Knows: entries, the row of counters, participants of groups, the read mark.
Does not know: how a conversation is shown (`_store/reading/views.py`), platforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from ..._domain.values.codec import encode
from ...driver import Statement, Tx
from ..engine.statements import statement
from ..records.log import append, id_of, link

ENTRY_ADD: Statement[Any] = statement("entry_add")
INBOUND: Statement[Any] = statement("conversation_inbound")
OUTBOUND: Statement[Any] = statement("conversation_outbound")
PARTICIPANT_ADD: Statement[Any] = statement("participant_add")
READ: Statement[Any] = statement("conversation_read")


class CountsRow(NamedTuple):
    """A conversation's row. Keys, not ids."""

    peer: int
    last: int
    inbound: int
    outbound: int
    unread: int
    read_upto: int


ROW: Statement[CountsRow] = statement("conversation_row")


def add(
    tx: Tx, conn: int, peer: int, event: int, *, inbound: bool, sender: int | None = None
) -> None:  # fmt: skip
    """A message enters the conversation with `peer`; `sender` counts as a participant of a group."""
    tx.run(ENTRY_ADD, peer=peer, event=event)
    if inbound:
        tx.run(INBOUND, peer=peer, event=event, inbound=1, unread=1, conn=conn)
    else:
        tx.run(OUTBOUND, peer=peer, event=event, outbound=1, conn=conn)
    if sender is not None:
        tx.run(PARTICIPANT_ADD, peer=peer, puser=sender, messages=1)


def add_outbound(tx: Tx, said: Sequence[tuple[int, int, int]]) -> None:
    """Messages that are on their way enter their conversations: connection, peer, event, oldest first.

    A row of counters is written once, however many there are.
    """
    tx.add(ENTRY_ADD, [(peer, event) for _, peer, event in said])
    counted: dict[int, tuple[int, int, int, int]] = {}
    for conn, peer, event in said:
        before = counted.get(peer)
        counted[peer] = peer, event, 1 if before is None else before[2] + 1, conn
    tx.add(OUTBOUND, list(counted.values()))


def counts(tx: Tx, peer: int) -> CountsRow | None:
    """The conversation's row, or None when nothing was ever said."""
    row = tx.one(ROW, peer=peer)
    return None if row is None else CountsRow(*row)


def mark_read(tx: Tx, app: int, conn: int, peer: int, event: int) -> int | None:
    """Everything up to `event` is read; recorded as an event. None when it was read before."""
    row = counts(tx, peer)
    if row is None or row.read_upto >= event:
        return None
    up_to: UUID = id_of(tx, event)
    key = append(
        tx, app, "system.conversation_read", encode({"up_to_event_id": str(up_to)}), conn=conn
    )
    if key is not None:
        link(tx, key, "origin", event)
        link(tx, key, "about", peer)
        apply_read(tx, peer, event)
    return key


def apply_read(tx: Tx, peer: int, event: int) -> None:
    """Move the read mark; the unread count follows from the entries behind it."""
    tx.run(READ, peer=peer, upto=event, inbound=tx.kind("message.inbound"))
