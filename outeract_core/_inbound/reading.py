"""Reads what came in: an adapter's facts, each put to the connection of its account.

Knows: that one bad item never loses the others, and that what is not understood is kept, not dropped.
Does not know: commits, answers to platforms.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import Factory, define

from .._domain.rules.naming import told
from .._domain.values.codec import clean
from .._io.runtime import Runtime
from .._store.records.conn import Conn
from .._store.writing import ingest
from .._store.writing.bulk import Item
from ..adapter import Adapter, Inbound
from ..events import Fact, Unparsed


@define
class Batch:
    """What one delivery holds for one connection."""

    conn: Conn
    items: list[Item] = Factory(list)


@define
class Read:
    """A parsed delivery: facts by connection, and what of the rest was not understood."""

    batches: dict[int, Batch] = Factory(dict)
    unparsed: list[Unparsed] = Factory(list)

    @property
    def faults(self) -> str | None:
        """Why, in words; None when everything was understood."""
        if not self.unparsed:
            return None
        return clean("; ".join(str(item.error) for item in self.unparsed)[:2000]) or None


def read_delivery(runtime: Runtime, conn: Conn, adapter: Adapter, inbound: Inbound) -> Read:
    """What a verified request says. Never raises: what goes wrong is in `unparsed`."""
    read = Read()
    try:
        parsed: Iterable[Fact | Unparsed] = list(adapter.parse(inbound))
    except Exception as error:
        read.unparsed.append(Unparsed(inbound.body, f"{type(error).__name__}: {error}"))
        return read
    sort(runtime, conn, parsed, read, inbound)
    return read


def sort(
    runtime: Runtime, conn: Conn, facts: Iterable[Fact | Unparsed], read: Read,
    inbound: Inbound | None = None,
) -> None:  # fmt: skip
    """Each fact into the batch of its connection; `inbound`: the request that they came in."""
    for fact in facts:
        try:
            _sort_one(runtime, conn, fact, read, inbound)
        except Exception as error:
            kind, raw = getattr(fact, "kind", "no fact"), getattr(fact, "raw", None)
            read.unparsed.append(Unparsed(raw, f"{kind}: {type(error).__name__}: {error}"))


def _sort_one(
    runtime: Runtime, conn: Conn, fact: Fact | Unparsed, read: Read, inbound: Inbound | None
) -> None:
    if isinstance(fact, Unparsed):
        read.unparsed.append(fact)
        return
    owner = _owner(runtime, conn, fact)
    if owner is None:
        reason = f"no connection of this application has account {fact.account}"
        read.unparsed.append(Unparsed(fact.raw, reason))
        return
    fact = told(runtime.adapter(owner), fact)
    raw = None
    if owner.keep_raw:
        raw = fact.raw if inbound is None else inbound.as_sent(fact.raw)
    item = ingest.prepare(fact, raw)
    batch = read.batches.get(owner.id)
    if batch is None:
        batch = read.batches[owner.id] = Batch(owner)
    batch.items.append(item)


def _owner(runtime: Runtime, conn: Conn, fact: Fact) -> Conn | None:
    """The connection of the account that a fact names: a shared webhook serves several."""
    if fact.account is None or conn.entity.account in (None, fact.account):
        return conn
    for other in runtime.conns(conn.app):
        if (other.platform, other.entity.account) == (conn.platform, fact.account):
            return other
    return None
