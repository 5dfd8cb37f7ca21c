"""Full-text search in one application, for the host: makes sure that the index is whole, then asks it.

Knows: how arguments become keys, cursors of both orders, what is small enough to be read in line.
Does not know: SQL, the query language, when idle time is used.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from attrs import evolve

from ..._domain.rules import query_language
from ..._domain.values.classes import define
from ..._domain.values.ids import span, window
from ..._io.tenant import Tenant
from ..._store.reading import finding, views
from ..._store.reading.finding import Wanted
from ..._store.records import nodes
from ..._store.writing import identity
from ..._store.writing import search as index
from ...driver import Tx
from ...errors import BadInput, InvalidCursor, NotFound
from ...pages import Asked, Page, asked
from ...search import Hit
from .conversations import Conversation

Order = Literal["newest", "rank"]
_SMALL = 100
"""Hits that are read in line."""
_RANKED = 1 << 62
"""In a cursor: it counts the hits before it (22 bits), among events up to a number (40 bits)."""
_COUNTED, _NUMBER = (1 << 22) - 1, (1 << 40) - 1


@define
class Search:
    """One call of `App.search`."""

    tenant: Tenant
    tokenizer: str
    terms: tuple[query_language.Terms, ...]
    within: Any
    person: Any
    since: int | None
    until: int | None
    order: Order
    asked: Asked
    total: bool = False
    goal: int | None = None

    async def page(self) -> Page[Hit]:
        """The page; first the index is brought to where the log was at the call."""
        read = self.tenant.read if self._is_small() else self.tenant.traverse
        while (page := await read(self._query)) is None:
            while await self.tenant.write(self._index):
                pass
        return page

    def _is_small(self) -> bool:
        """One whole word, newest first: the index is read from its end, a page of it and no more."""
        words = [term for each in self.terms for term in (*each.wanted, *each.unwanted)]
        narrowed = (self.within, self.person, self.since, self.until) != (None,) * 4
        plain = len(words) == 1 and words[0].text.isalnum() and not words[0].prefix
        return (
            plain
            and not narrowed
            and not self.total
            and self.order == "newest"
            and self.asked.first <= _SMALL
        )

    def _index(self, tx: Tx, app: int) -> bool:
        """Index a chunk; whether there is more to do before the search can be answered."""
        index.advance(tx, app, self.tokenizer)
        return self.goal is not None and index.standing(tx, app).upto < self.goal

    def _query(self, tx: Tx, app: int) -> Page[Hit] | None:
        wanted = self._wanted(tx, app)
        at = index.standing(tx, app)
        if self.goal is None:
            self.goal = at.head
        if at.tokenizer != self.tokenizer or at.upto < self.goal:
            return None
        if self.order == "rank":
            return self._best(tx, app, wanted, at.head)
        keys = finding.found(
            tx, app, wanted, self._bounds(span(app)), not self.asked.back, self.asked.limit
        )
        total = finding.count(tx, app, wanted, at.head + 1) if self.total else None
        return self.asked.page(keys, int, lambda kept: self._hits(tx, app, kept, wanted), total)

    def _hits(self, tx: Tx, app: int, keys: list[int], wanted: Wanted) -> list[Hit]:
        return finding.hits(tx, app, keys, wanted, self.tokenizer)

    # ── pages ─────────────────────────────────────────────────────────────────────────────────

    def _bounds(self, bounds: tuple[int, int]) -> tuple[int, int]:
        """The keys between which the page lies, on one side of a cursor of this application."""
        (lo, hi), behind = bounds, self.asked.behind
        if behind is None:
            return bounds
        if not lo <= behind < hi:
            raise InvalidCursor("a cursor of another order, or of another application")
        return (behind + 1, hi) if self.asked.back else (lo, behind)

    def _best(self, tx: Tx, app: int, wanted: Wanted, head: int) -> Page[Hit]:
        """By rank. Pages after the first look at what was there for the first, so nothing shifts."""
        number, offset, most = self._ranks(head)
        before = (span(app)[0] | number) + 1
        best, more = finding.ranked(tx, app, wanted, before)
        keys = best[offset : offset + most + 1]
        kept = keys[:most]
        positions = tuple(_RANKED | offset + n << 40 | number for n in range(1, len(kept) + 1))
        total = finding.count(tx, app, wanted, before) if self.total else None
        found = tuple(self._hits(tx, app, kept, wanted))
        weighed = len(best) if more else None
        has_next = self.asked.back or len(keys) > most
        return Page(found, positions, has_next, total, offset > 0, weighed)

    def _ranks(self, head: int) -> tuple[int, int, int]:
        """Up to which event hits are counted, how many stand before the page, how many are on it."""
        behind, first = self.asked.behind, self.asked.first
        if behind is None:
            return head & _NUMBER, 0, first
        if not behind & _RANKED:
            raise InvalidCursor("a cursor of another order: keep order= the same for all pages")
        number, rank = behind & _NUMBER, behind >> 40 & _COUNTED
        if not self.asked.back:
            return number, rank, first
        start = max(0, rank - 1 - first)
        return number, start, max(0, rank - 1 - start)

    # ── arguments ─────────────────────────────────────────────────────────────────────────────

    def _wanted(self, tx: Tx, app: int) -> Wanted:
        """The arguments as keys. Raises NotFound, BadInput."""
        terms = finding.understood(tx, self.tokenizer, self.terms)
        wanted = Wanted(terms, since=self.since, until=self.until)
        if self.within is not None:
            wanted = _inside(tx, wanted, self._view(tx, app))
        if self.person is not None:
            wanted = evolve(wanted, senders=_senders(tx, app, self.person))
        return wanted

    def _view(self, tx: Tx, app: int) -> views.View:
        if not isinstance(self.within, Conversation):
            return views.of(tx, app, self.within)
        view, (lo, hi) = self.within._view, span(app)  # noqa: SLF001 - of this package
        if not all(lo <= key < hi for key in (*view.peers, view.thread or lo)):
            raise NotFound("that conversation is not one of this application")
        return view


def _inside(tx: Tx, wanted: Wanted, view: views.View) -> Wanted:
    """Only what a view of conversations holds; a thread is one of its conversation's."""
    places: tuple[int, ...] | None = view.peers
    if view.thread is not None:
        peer = views.place(tx, view)
        places = (peer,) if peer else None
    since, until = wanted.since, wanted.until
    if view.within:
        since = view.since if since is None else max(since, view.since)
        until = view.until if until is None else min(until, view.until)
    return evolve(wanted, places=places, thread=view.thread, since=since, until=until)


def _senders(tx: Tx, app: int, person: Any) -> tuple[int, ...]:
    """The platform users of a person, or the one that was given."""
    key, node_type = nodes.resolve(tx, app, person, ("platform_user", "user"))
    if node_type == "platform_user":
        return (key,)
    return tuple(row[0] for row in tx.all(identity.PUSERS, person=key))


async def search(
    tenant: Tenant, tokenizer: str | None, words: str, *, within: Any, person: Any,
    since: datetime | None, until: datetime | None, order: Order, first: int, after: str | None,
    before: str | None, total: bool,
) -> Page[Hit]:  # fmt: skip
    """`App.search`."""
    if tokenizer is None:
        raise BadInput(
            "full-text search is off: open the file with Outeract(path, search='unicode61')"
        )
    if order not in ("newest", "rank"):
        raise BadInput(f"order is 'newest' or 'rank', not {order!r}")
    call = Search(
        tenant, tokenizer, query_language.parse(words), within, person, *window(since, until),
        order, asked(first, after, before), total,
    )  # fmt: skip
    return await call.page()
