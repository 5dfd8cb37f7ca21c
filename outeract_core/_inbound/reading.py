"""Reads what came in: an adapter's facts, each put to the connection of its account.

Knows: that one bad item never loses the others, and that what is not understood is kept, not dropped.
Does not know: commits, answers to platforms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from attrs import Factory, define, evolve

from .._domain.rules import link_code
from .._domain.rules.credentials import strike, strike_body
from .._domain.rules.guard import guarded
from .._domain.rules.link_code import find_codes
from .._domain.rules.naming import told
from .._domain.values.codec import clean, encode
from .._io.threads.aside import aside
from .._store.records.conn import Conn
from .._store.writing import ingest
from .._store.writing.bulk import Item
from ..adapter import Adapter, Inbound
from ..driver import Whose
from ..events import Fact, Unparsed
from . import strangers
from .reactions import finds_codes
from .routing import Foreign, Nobody, Routing, foreign

T = TypeVar("T")
_FACTS = (Fact, Unparsed)
_ACCOUNT = (str, type(None))
LIGHT = 16_384
"""Bytes that are read in the event loop: a millisecond or two. More are read beside it."""
A_FACT = 512
"""What a fact counts for that was polled: as many bytes."""


async def beside(size: int, work: Callable[[], T]) -> T:
    """Do what reads a body of so many bytes: here, or in a worker thread when there is much."""
    return work() if size <= LIGHT else await aside(work)


@define
class Batch:
    """What one delivery holds for one connection."""

    conn: Conn
    items: list[Item] = Factory(list)


@define
class Read:
    """A parsed delivery: facts by connection; what of the rest was not understood, and whose it is;
    what is nobody's here. `conn`: whose URL it came to; `credentials` came with it, and are not in it.
    """

    conn: Conn
    credentials: dict[str, Any] = Factory(dict)
    batches: dict[int, Batch] = Factory(dict)
    unparsed: list[tuple[Conn, Unparsed]] = Factory(list)
    foreign: list[Foreign] = Factory(list)

    @property
    def faults(self) -> str | None:
        """Why, in words; None when everything was understood."""
        if not self.unparsed:
            return None
        return clean("; ".join(str(item.error) for _, item in self.unparsed)[:2000]) or None

    @property
    def mixed(self) -> bool:
        """Whether something in it is not of the connection whose URL it came to."""
        if self.foreign:
            return True
        if not self.unparsed and self.batches.keys() == {self.conn.id}:
            return False  # so it is nearly always
        owners = [*self.batches, *(conn.id for conn, _ in self.unparsed)]
        return any(owner != self.conn.id for owner in owners)

    @property
    def apps(self) -> Whose:
        """Whose it is: several applications may have connections to one account."""
        if not self.mixed:
            return self.conn.app
        conns = [batch.conn for batch in self.batches.values()]
        conns += [conn for conn, _ in self.unparsed]
        return frozenset([self.conn.app, *(conn.app for conn in conns)])

    @property
    def handed(self) -> dict[str, Any]:
        """The credentials, if all of it has one owner: nobody gets those of somebody else."""
        if not self.credentials:
            return {}
        owners = {*self.batches, *(conn.id for conn, _ in self.unparsed)}
        return self.credentials if len(owners) == 1 and not self.foreign else {}

    def add(self, conn: Conn, item: Item) -> None:
        """An item that was understood."""
        if conn.id not in self.batches:
            self.batches[conn.id] = Batch(conn)
        self.batches[conn.id].items.append(item)


def without_credentials(adapter: Adapter, inbound: Inbound) -> tuple[Inbound, dict[str, Any]]:
    """A verified request as it may be read and kept, and the credentials that were in it."""
    if not adapter.manifest.credentials:
        return inbound, {}
    body, found = strike_body(inbound.body, adapter.manifest.credentials)
    return (inbound if body is inbound.body else evolve(inbound, body=body)), found


def read_delivery(
    conn: Conn, adapter: Adapter, inbound: Inbound, credentials: dict[str, Any]
) -> tuple[Read, list[Fact | Unparsed]]:
    """What a request says. Never raises: what goes wrong as a whole is in `unparsed`."""
    read = Read(conn, credentials)
    try:
        with guarded:
            return read, list(adapter.parse(inbound))
    except Exception as error:
        whole = Unparsed(inbound.body, f"{type(error).__name__}: {error}")
        read.unparsed.append((conn, whole))
        return read, []


Whole = tuple[Inbound, Read, list[Fact | Unparsed]]
"""A request without its credentials, and what it says."""


def read_whole(conn: Conn, adapter: Adapter, inbound: Inbound) -> Whole:
    """A verified request, its credentials taken out, and read."""
    plain, credentials = without_credentials(adapter, inbound)
    return plain, *read_delivery(conn, adapter, plain, credentials)


def reread(conn: Conn, adapter: Any, inbound: Inbound) -> Whole:
    """The same of an item that was kept alone."""
    plain, _ = without_credentials(adapter, inbound)
    read = Read(conn)
    try:
        with guarded:
            return plain, read, list(adapter.reread(plain.json(), plain.received_at))
    except Exception as error:
        whole = Unparsed(plain.json(), f"{type(error).__name__}: {error}")
        read.unparsed.append((conn, whole))
        return plain, read, []


def sort(
    routing: Routing, facts: Iterable[Fact | Unparsed], read: Read, inbound: Inbound | None = None
) -> Read:
    """Each fact to the connection of its account; `inbound`: the request that they came in.

    Raises MissingSecret when it cannot be told yet whose one is.
    """
    runtime, own = routing.runtime, routing.runtime.adapter(read.conn)
    credentials = own.manifest.credentials
    for fact in facts:
        account = getattr(fact, "account", None)
        if not isinstance(fact, _FACTS) or not isinstance(account, _ACCOUNT):
            wrong = Unparsed(getattr(fact, "raw", None), f"no fact, or no account: {fact!r:.200}")
            read.unparsed.append((read.conn, wrong))
            continue
        if credentials:
            fact = _without_credentials(credentials, fact)
        owner = routing.owner(account)
        if isinstance(owner, Nobody):
            read.foreign.append(foreign(fact.raw, owner))
        elif isinstance(fact, Unparsed):
            read.unparsed.append((owner, fact))
        else:
            adapter = own if owner is read.conn else runtime.adapter(owner)
            _understand(adapter, owner, fact, read, inbound)
    if read.unparsed:
        redact = runtime.log.redact
        read.unparsed[:] = [
            (owner, evolve(item, error=redact(str(item.error)))) for owner, item in read.unparsed
        ]
    return read


def _understand(
    adapter: Adapter, owner: Conn, fact: Fact, read: Read, inbound: Inbound | None
) -> None:
    try:
        fact, raw = told(adapter, fact), None
        if not strangers.is_proved(type(adapter)):
            strangers.check(fact)
        if owner.keep_raw:
            raw = fact.raw if inbound is None else inbound.as_sent(fact.raw)
        item = ingest.prepare(fact, raw)
        read.add(owner, _without_codes(item) if finds_codes(owner) else item)
    except Exception as error:
        reason = f"{fact.kind}: {type(error).__name__}: {error}"
        read.unparsed.append((owner, Unparsed(fact.raw, reason)))


def _without_credentials(names: frozenset[str], fact: Fact | Unparsed) -> Fact | Unparsed:
    """The same for what was polled, or kept by a version that knew less: what stands in `raw`."""
    if fact.raw is None:
        return fact
    if isinstance(fact.raw, bytes):
        raw: Any = strike_body(fact.raw, names)[0]
    else:
        raw = strike(fact.raw, names)[0]
    return fact if raw is fact.raw else evolve(fact, raw=raw)


def _without_codes(item: Item) -> Item:
    """The item, its link codes taken out of all that is written, and kept for what is done in its commit."""
    codes = find_codes(f"{item.payload}\n{item.raw or ''}")
    if not codes:
        return item
    payload = link_code.strike(item.payload, codes)
    raw = None if item.raw is None else link_code.strike(item.raw, codes)
    fact = evolve(item.fact, payload=json.loads(link_code.strike(encode(item.fact.payload), codes)))
    return evolve(item, fact=fact, payload=payload, raw=raw, codes=codes)
