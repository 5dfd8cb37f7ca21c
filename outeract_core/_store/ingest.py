"""The unit of work that makes events, people and edges of an adapter's facts: one commit.

Knows: what each kind of fact adds to the log and to the projections.
Does not know: bytes, signatures, how a fact was parsed, what handlers do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import Factory, define, frozen

from .. import events as facts
from .._codec import encode, encode_raw
from .._delivery import EVENT_STATUS
from .._ids import maybe_ms, to_ms
from ..driver import Tx
from . import conversations, delivery, files
from .log import append, arrived, by_external_id, link, link_external
from .people import meet, relink
from .tenants import Conn

_MESSAGES = ("message.inbound", "message.outbound")


@frozen
class Item:
    """A fact, encoded before it reaches the writer. Times in milliseconds."""

    fact: facts.Fact
    payload: str
    raw: str | None
    occurred_at: int | None


@define
class Outcome:
    """What came of a batch. `stored`: keys in order; `held`: an echo that may be our own."""

    stored: list[int] = Factory(list)
    duplicates: int = 0
    held: bool = False


Act: TypeAlias = Callable[[Tx, Conn, int, Item, int], None]
"""act(tx, conn, event, item, peer)"""


@frozen
class Reaction:
    """Something that the receiver wants done in the same commit as a new event."""

    kinds: frozenset[str]
    act: Act


def prepare(fact: facts.Fact, raw: Any) -> Item:
    """Encode a fact; `raw`: what is kept of the platform's item, None for nothing.

    Raises ValueError or TypeError when it is not JSON or names no known kind.
    """
    if fact.kind not in facts.EVENT_TYPES:
        raise ValueError(f"a fact of unknown kind {fact.kind!r}")
    _check(fact)
    at = maybe_ms(fact.occurred_at)
    return Item(fact, encode(fact.payload), encode_raw(raw), at)


def _check(fact: facts.Fact) -> None:
    """What the unit of work will rely on: a fault is found here, where it costs only its own fact."""
    ids: list[Any] = [fact.key, fact.reply_to, fact.thread, fact.target]
    texts: list[Any] = [fact.correlation]
    for party in (fact.sender, fact.chat):
        if party is not None:
            ids += [party.external_id, *(alias.value for alias in party.aliases)]
            texts += [party.kind, party.name, party.profile_picture_url]
    for change in fact.relinks:
        ids += [change.previous, change.current]
    for ref in fact.files:
        encode(ref.handle)
        texts += [ref.filename, ref.mime_type, ref.sha256]
        if not isinstance(ref.size, int | None):
            raise TypeError(f"the size of a file is {ref.size!r}")
    for values, allowed in ((ids, str | int | None), (texts, str | None)):
        for value in values:
            if not isinstance(value, allowed):
                raise TypeError(f"{value!r:.80} where a text is expected")
    if fact.watermark is not None:
        to_ms(fact.watermark)


def ingest(tx: Tx, conn: Conn, items: list[Item], reactions: tuple[Reaction, ...] = ()) -> Outcome:
    """Commit facts of one connection. What is already in the log is counted, not stored."""
    outcome = Outcome()
    for item in items:
        if item.fact.echo and _is_ours(tx, conn, item, outcome):
            continue
        key = append(
            tx, conn.app, _kind(item.fact), item.payload, conn=conn.id, dk=_dk(item.fact),
            raw=item.raw, occurred_at=item.occurred_at,
        )  # fmt: skip
        if key is None:
            outcome.duplicates += 1
            continue
        outcome.stored.append(key)
        peer = _connect(tx, conn, key, item)
        for reaction in reactions:
            if item.fact.kind in reaction.kinds:
                reaction.act(tx, conn, key, item, peer)
    return outcome


def _dk(fact: facts.Fact) -> str | int | None:
    """The dedupe key; a message's is text, because references name it by its text."""
    return str(fact.key) if fact.kind in _MESSAGES and fact.key is not None else fact.key


def _kind(fact: facts.Fact) -> str:
    return "message.outbound" if fact.echo and fact.kind == "message.inbound" else fact.kind


# ── own echoes ────────────────────────────────────────────────────────────────────────────────


def _is_ours(tx: Tx, conn: Conn, item: Item, outcome: Outcome) -> bool:
    """Whether an echo is a message that this file has sent, or may be sending right now."""
    fact = item.fact
    if fact.kind not in _MESSAGES or fact.key is None:
        return False
    if by_external_id(tx, conn.id, str(fact.key)) is not None:
        outcome.duplicates += 1
        return True
    if fact.correlation and _claimed(tx, conn, fact.correlation, str(fact.key)):
        outcome.duplicates += 1
        return True
    if delivery.sending(tx, conn.id):
        outcome.held = True
        return True
    return False


def _claimed(tx: Tx, conn: Conn, correlation: str, key: str) -> bool:
    """By our own token, or by another id (of an upload, say) that the receipt has brought."""
    return delivery.claim_echo(tx, conn, correlation, key) or delivery.also_called(
        tx, conn.id, correlation, key
    )


# ── edges and projections ─────────────────────────────────────────────────────────────────────


def _connect(tx: Tx, conn: Conn, key: int, item: Item) -> int:
    """Draw the edges of a new event; the peer of its conversation (0 when it has none)."""
    fact = item.fact
    sender, chat = _parties(tx, conn, fact)
    if sender is not None:
        link(tx, key, "sent_by", sender)
    peer = chat if chat is not None else sender
    if fact.thread is not None:
        link_external(tx, conn.id, key, "in_thread", fact.thread)
    if fact.kind in _MESSAGES:
        _message(tx, conn, key, item, sender, chat)
    else:
        if chat is not None:
            link(tx, key, "sent_to", chat)
        for ref in fact.files:
            files.receive(tx, conn, key, ref)
    if fact.kind in EVENT_STATUS:
        _status(tx, conn, key, item, peer)
    elif fact.target is not None:
        link_external(tx, conn.id, key, "origin", fact.target)
    for change in fact.relinks:
        moved = relink(tx, conn, change)
        if moved is not None:
            link(tx, key, "about", moved)
    return peer or 0


def _parties(tx: Tx, conn: Conn, fact: facts.Fact) -> tuple[int | None, int | None]:
    sender = None
    if fact.echo:
        sender = conn.system_puser
    elif fact.sender is not None:
        bot = fact.sender.kind == "system"
        sender = conn.system_puser if bot else meet(tx, conn, fact.sender)
    return sender, None if fact.chat is None else meet(tx, conn, fact.chat)


def _message(
    tx: Tx, conn: Conn, key: int, item: Item, sender: int | None, chat: int | None
) -> None:
    fact = item.fact
    link(tx, key, "sent_to", conn.system_puser if chat is None else chat)
    if fact.reply_to is not None:
        link_external(tx, conn.id, key, "reply_to", fact.reply_to)
    for ref in fact.files:
        files.receive(tx, conn, key, ref)
    peer = chat if chat is not None else sender
    if peer not in (None, conn.system_puser):
        speaker = sender if sender not in (peer, conn.system_puser) else None
        conversations.add(tx, conn.id, peer, key, inbound=not fact.echo, sender=speaker)
    if fact.key is not None:
        for child in arrived(tx, conn.id, str(fact.key), key):
            delivery.refold(tx, conn, child, key)


def _status(tx: Tx, conn: Conn, key: int, item: Item, peer: int | None) -> None:
    fact = item.fact
    payload: dict[str, Any] = dict(fact.payload)
    at = tx.now if item.occurred_at is None else item.occurred_at
    targets = [] if fact.target is None else [fact.target]
    if fact.watermark is not None and peer is not None:
        targets += delivery.up_to(tx, peer, fact.kind, to_ms(fact.watermark))
    if fact.correlation and fact.target is not None:
        accepted = fact.kind != "message.failed"
        delivery.claim_echo(tx, conn, fact.correlation, fact.target, accepted=accepted)
    for target in targets:
        told = {**payload, "external_message_id": target}
        delivery.platform_status(tx, conn, key, fact.kind, told, target, at)
