"""The unit of work that makes events, people and edges of an adapter's facts: one commit.

Knows: what each kind of fact adds to the log and to the projections.
Does not know: bytes, signatures, how a fact was parsed, what handlers do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

from ... import events as facts
from ..._domain.rules.delivery import EVENT_STATUS
from ..._domain.values.classes import frozen
from ..._domain.values.codec import encode, encode_raw, identifier
from ..._domain.values.ids import maybe_ms, to_ms
from ...driver import Tx
from ...errors import FAILURES
from ..records.conn import Conn
from ..records.log import BLOCKED, UNBLOCKED, append, arrived, by_external_id, link, link_external
from . import bulk, conversations, delivery, files
from .bulk import DUPLICATE, Item
from .custom import CONTEXT
from .people import meet, relink, show

_MESSAGES = ("message.inbound", "message.outbound")


HELD = -1
"""What came of an item: an echo that may be our own, so that it is too early to tell."""
_IDS, _TEXTS = (str, int), (str,)
_NAMED = attrgetter("key", "reply_to", "thread", "target")
_SHOWN = attrgetter("kind", "name", "profile_picture_url")
_VALUE = attrgetter("value")
_PLAIN_IDS, _PLAIN_TEXTS = frozenset({str, int, type(None)}), frozenset({str, type(None)})
"""Nearly always nothing else comes, and one look tells so."""


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
    return Item(
        fact, encode(_payload(fact)), encode_raw(raw), maybe_ms(fact.occurred_at), _dk(fact),
        _plain(fact),
    )  # fmt: skip


def _payload(fact: facts.Fact) -> Mapping[str, Any]:
    """What the log keeps: it also says that another bot did it, so that no reader has to look; and what opens
    its thread, which may be a part of a message of ours, and so is more than an edge to the whole can say.
    """
    told = _of_status(fact) if fact.kind in EVENT_STATUS else fact.payload
    if fact.thread is not None:
        told = {**told, "thread": str(fact.thread)}
    if fact.echo or fact.sender is None or not fact.sender.bot:
        return told
    return {**told, "sender_is_bot": True}


def _of_status(fact: facts.Fact) -> dict[str, Any]:
    """What every status tells: of which message, when, and if it failed the class of that."""
    told = dict(fact.payload)
    if fact.occurred_at is not None:
        told.setdefault("time", to_ms(fact.occurred_at))
    if fact.target is not None:
        told.setdefault("external_message_id", fact.target)
    if fact.kind == "message.failed" and told.get("class") not in FAILURES:
        told["class"] = "rejected"
    return told


def _check(fact: facts.Fact) -> None:
    """What the unit of work will rely on: a fault is found here, where it costs only its own fact."""
    values: list[Any] = [*_NAMED(fact)]
    texts: list[Any] = [fact.correlation]
    for party in (fact.sender, fact.chat, *fact.profiles):
        if party is not None:
            values.append(party.external_id)
            values.extend(map(_VALUE, party.aliases))
            texts.extend(_SHOWN(party))
            if not isinstance(party.bot, bool):
                raise TypeError(f"bot is True or False, not {party.bot!r:.80}")
    for change in fact.relinks:
        values += (change.previous, change.current)
    for ref in fact.files:
        encode(ref.handle)
        texts += (ref.filename, ref.mime_type, ref.sha256)
        if not isinstance(ref.size, int | None):
            raise TypeError(f"the size of a file is {ref.size!r}")
    if not _PLAIN_IDS.issuperset(map(type, values)):
        _all(values, _IDS)
    if not _PLAIN_TEXTS.issuperset(map(type, texts)):
        _all(texts, _TEXTS)
    if fact.watermark is not None:
        to_ms(fact.watermark)


def _all(values: list[Any], allowed: tuple[type, ...]) -> None:
    for value in values:
        if value is not None and not isinstance(value, allowed):
            raise TypeError(f"{value!r:.80} where a text is expected")


def _dk(fact: facts.Fact) -> str | int | None:
    """The dedupe key; a message's is text, because references name it by its text."""
    if fact.key is None:
        return None
    return identifier(str(fact.key) if fact.kind in _MESSAGES else fact.key)


def _plain(fact: facts.Fact) -> bool:
    """Whether it is a message that says something and no more, as nearly all do."""
    return fact.kind == "message.inbound" and not (
        fact.key is None or fact.echo or fact.reply_to or fact.thread or fact.files
        or fact.relinks or fact.sender is None or fact.sender.kind == "system"
    )  # fmt: skip


def ingest(
    tx: Tx, conn: Conn, items: Sequence[Item], reactions: tuple[Reaction, ...] = ()
) -> list[int]:
    """Commit facts of one connection, in order.

    What came of each: its event's key, DUPLICATE when the log has it already (or it changes nothing of
    anybody known, see `Fact.profiles`), or HELD.
    """
    if any("message.inbound" in reaction.kinds for reaction in reactions):
        return [_one(tx, conn, item, reactions) for item in items]
    fates: list[int] = []
    for plain, run in groupby(items, attrgetter("plain")):
        some = list(run)
        if plain:
            fates += bulk.add(tx, conn, some)
        else:
            fates += [_one(tx, conn, item, reactions) for item in some]
    return fates


def _one(tx: Tx, conn: Conn, item: Item, reactions: tuple[Reaction, ...]) -> int:
    if item.fact.echo and (fate := _echo(tx, conn, item)) is not None:
        return fate
    found = (show(tx, conn, party) for party in item.fact.profiles)
    shown = {puser for puser in found if puser is not None}
    if item.fact.profiles and not shown:
        return DUPLICATE
    key = append(
        tx, conn.app, _kind(item.fact), item.payload, conn=conn.id, dk=item.dk, raw=item.raw,
        occurred_at=item.occurred_at,
    )  # fmt: skip
    if key is None:
        return DUPLICATE
    peer = _connect(tx, conn, key, item)
    for puser in shown:
        link(tx, key, "about", puser)
    for reaction in reactions:
        if item.fact.kind in reaction.kinds:
            reaction.act(tx, conn, key, item, peer)
    return key


def _kind(fact: facts.Fact) -> str:
    return "message.outbound" if fact.echo and fact.kind == "message.inbound" else fact.kind


# ── own echoes ────────────────────────────────────────────────────────────────────────────────


def _echo(tx: Tx, conn: Conn, item: Item) -> int | None:
    """What comes of an echo of what this file has sent, or may be sending right now; else None."""
    fact = item.fact
    if fact.kind not in _MESSAGES or fact.key is None:
        return None
    if by_external_id(tx, conn.id, str(fact.key)) is not None:
        return DUPLICATE
    if fact.correlation and _claimed(tx, conn, fact.correlation, str(fact.key)):
        return DUPLICATE
    return HELD if delivery.sending(tx, conn.id) else None


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
    if fact.kind == "message.action" and peer not in (None, conn.system_puser):
        link(tx, key, f"{CONTEXT}user", peer or 0)
    told = fact.payload.get("blocked") if fact.kind == "system.notice" else None
    if isinstance(told, bool) and peer not in (None, conn.system_puser):
        link(tx, key, BLOCKED if told else UNBLOCKED, peer or 0)
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
