"""Reads what came in: an adapter's facts, each put to the connection of its account.

Knows: that one bad item never loses the others, and that what is not understood is kept, not dropped.
Does not know: commits, answers to platforms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import Factory, evolve

from .._domain.rules import link_code
from .._domain.rules.credentials import strike, strike_body
from .._domain.rules.guard import guarded
from .._domain.rules.link_code import find_codes
from .._domain.rules.naming import told
from .._domain.values.classes import define
from .._domain.values.codec import clean, encode
from .._domain.values.sinks import worded
from .._io.threads.aside import aside
from .._store.records.conn import Conn
from .._store.writing import ingest
from .._store.writing.bulk import Item
from ..adapter import Adapter, Inbound
from ..driver import Whose
from ..events import Fact, Unparsed
from . import strangers
from .routing import Foreign, Nobody, Routing, foreign

T = TypeVar("T")
_FACTS = (Fact, Unparsed)
_ACCOUNT = (str, type(None))
_NONE: Mapping[str, Any] = MappingProxyType({})
LIGHT = 16_384
"""Bytes that are read in the event loop: a millisecond or two. More are read beside it."""
A_FACT = 512
"""What a fact counts for that was polled: as many bytes."""


async def beside(size: int, work: Callable[[], T]) -> T:
    """Do what reads a body of so many bytes: here, or in a worker thread when there is much."""
    return work() if size <= LIGHT else await aside(work)


@define
class Read:
    """A delivery, read: what was understood, and what not, each with whose it is; what is nobody's here.

    `conn`: whose URL it came to. `inbound`: the request, without its credentials; None: it was polled.
    `credentials` came with it. `mixed`: something in it is not of the connection whose URL it came to.
    """

    conn: Conn
    inbound: Inbound | None = None
    credentials: Mapping[str, Any] = _NONE
    mixed: bool = False
    items: list[tuple[Conn, Item]] = Factory(list)
    unparsed: list[tuple[Conn, Unparsed]] = Factory(list)
    foreign: list[Foreign] = Factory(list)

    def add(self, owner: Conn, item: Item) -> None:
        """What was understood."""
        self.items.append((owner, item))
        self.mixed = self.mixed or owner is not self.conn

    def fault(self, owner: Conn, item: Unparsed) -> None:
        """What was not, and is kept."""
        self.unparsed.append((owner, item))
        self.mixed = self.mixed or owner is not self.conn

    def refuse(self, item: Foreign) -> None:
        """What is nobody's here."""
        self.foreign.append(item)
        self.mixed = True

    @property
    def faults(self) -> str | None:
        """Why, in words; None when everything was understood."""
        if not self.unparsed:
            return None
        return clean("; ".join(str(item.error) for _, item in self.unparsed)[:2000]) or None

    @property
    def apps(self) -> Whose:
        """Whose it is: several applications may have connections to one account."""
        if not self.mixed:
            return self.conn.app
        return frozenset([self.conn.app, *(conn.app for conn in self.owners)])

    @property
    def owners(self) -> list[Conn]:
        """Whose each item is."""
        return [conn for conn, _ in (*self.items, *self.unparsed)]

    @property
    def handed(self) -> Mapping[str, Any]:
        """The credentials, if all of it has one owner: nobody gets those of somebody else."""
        if not self.credentials:
            return _NONE
        one = len({conn.id for conn in self.owners}) == 1 and not self.foreign
        return self.credentials if one else _NONE


def without_credentials(adapter: Adapter, inbound: Inbound) -> tuple[Inbound, Mapping[str, Any]]:
    """A verified request as it may be read and kept, and the credentials that were in it."""
    if not adapter.manifest.credentials:
        return inbound, _NONE
    body, found = strike_body(inbound.body, adapter.manifest.credentials)
    return (inbound if body is inbound.body else evolve(inbound, body=body)), found


def read_delivery(
    conn: Conn, adapter: Adapter, inbound: Inbound, credentials: Mapping[str, Any]
) -> tuple[Read, list[Fact | Unparsed]]:
    """What a request says. Never raises: what goes wrong as a whole is in `unparsed`."""
    read = Read(conn, inbound, credentials)
    try:
        with guarded:
            return read, list(adapter.parse(inbound))
    except Exception as error:
        whole = Unparsed(inbound.body, worded(error))
        read.fault(conn, whole)
        return read, []


Whole = tuple[Read, list[Fact | Unparsed]]
"""A request, and what it says."""


def read_whole(conn: Conn, adapter: Adapter, inbound: Inbound) -> Whole:
    """A verified request, its credentials taken out, and read."""
    if not adapter.manifest.credentials:
        return read_delivery(conn, adapter, inbound, _NONE)
    return read_delivery(conn, adapter, *without_credentials(adapter, inbound))


def reread(conn: Conn, adapter: Any, inbound: Inbound) -> Whole:
    """The same of an item that was kept alone."""
    plain, _ = without_credentials(adapter, inbound)
    read = Read(conn)
    try:
        with guarded:
            return read, list(adapter.reread(plain.json(), plain.received_at))
    except Exception as error:
        whole = Unparsed(plain.json(), worded(error))
        read.fault(conn, whole)
        return read, []


def sort(routing: Routing, adapter: Adapter, facts: Iterable[Fact | Unparsed], read: Read) -> Read:
    """Each fact to the connection of its account; `adapter`: that of the connection to which they came.

    Raises MissingSecret when it cannot be told yet whose one is.
    """
    credentials = adapter.manifest.credentials
    for fact in facts:
        if not isinstance(fact, _FACTS) or not isinstance(fact.account, _ACCOUNT):
            wrong = Unparsed(getattr(fact, "raw", None), f"no fact, or no account: {fact!r:.200}")
            read.fault(read.conn, wrong)
            continue
        if credentials:
            fact = _without_credentials(credentials, fact)
        owner = read.conn if fact.account is None else routing.owner(fact.account)
        if owner is read.conn and isinstance(fact, Fact):
            _understand(adapter, owner, fact, read)
        elif isinstance(owner, Nobody):
            read.refuse(foreign(fact.raw, owner))
        elif isinstance(fact, Unparsed):
            read.fault(owner, fact)
        else:
            _understand(routing.runtime.adapter(owner), owner, fact, read)
    if read.unparsed:
        redact = routing.runtime.log.redact
        read.unparsed[:] = [
            (owner, evolve(item, error=redact(str(item.error)))) for owner, item in read.unparsed
        ]
    return read


def _understand(adapter: Adapter, owner: Conn, fact: Fact, read: Read) -> None:
    try:
        fact, raw = told(adapter, fact), None
        if not strangers.is_proved(type(adapter)):
            strangers.check(fact)
        if owner.keep_raw:
            raw = fact.raw if read.inbound is None else read.inbound.as_sent(fact.raw)
        item = ingest.prepare(fact, raw)
        read.add(owner, _without_codes(item) if owner.finds_codes else item)
    except Exception as error:
        reason = f"{fact.kind}: {worded(error)}"
        read.fault(owner, Unparsed(fact.raw, reason))


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
