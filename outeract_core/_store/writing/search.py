"""Units of work on the full-text index: made at the first search, carried on in chunks, exact.

Knows: how far the index has come in each application, how an event leaves it, FTS5.
Does not know: what is searched for, when it is time for a chunk.

The position is moved in the transaction that indexes, so any number of processes may do it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from ..._domain.values.classes import frozen
from ..._domain.values.ids import SHIFT, span
from ...driver import Statement, Tx
from ..engine.statements import statement

TOKENIZER: Statement[tuple[str]] = statement("search_tokenizer")
TOKENIZER_SET: Statement[Any] = statement("search_tokenizer_set")
TOKENIZER_DROP: Statement[Any] = statement("search_tokenizer_drop")
EVENTS: Statement[tuple[int, int, int]] = statement("search_events")
DROP: Statement[Any] = statement("search_drop")
CREATE: dict[str, Statement[Any]] = {
    "unicode61": statement("search_create_unicode61"),
    "trigram": statement("search_create_trigram"),
}
SECURE: Statement[Any] = statement("search_secure")
STANDING: Statement[tuple[str | None, int, int]] = statement("search_standing")
BEHIND: Statement[tuple[int, int]] = statement("search_behind")
NEXT: Statement[tuple[int, int, int, int]] = statement("search_next")
ADD: Statement[Any] = statement("search_add")
REMOVE: Statement[Any] = statement("search_remove")
SPAN_LAST: Statement[tuple[int, int, int | None, int | None]] = statement("search_span_last")
SPAN_DROP: Statement[Any] = statement("search_span_drop")
SPANS_DROP: Statement[Any] = statement("search_spans_drop")
SPAN_ADD: Statement[Any] = statement("search_span_add")

CHUNK = 1_000
"""Events that are indexed in one unit: about 5 ms."""
SLACK = 500
"""So many nodes may wait for the index before idle time is spent on them."""
_STRETCH = 1_000
"""Events in a stretch, whose times are known together."""


@frozen
class Standing:
    """`upto`: the key up to which the index has everything; `head`: the newest key there is.

    `tokenizer`: how the index cuts texts into words; None when there is none.
    """

    tokenizer: str | None
    upto: int
    head: int

    @property
    def behind(self) -> int:
        """How many nodes, events among them, have come since."""
        return max(0, self.head - self.upto)


# ── an event leaves ──────────────────────────────────────────────────────────────────────────


def unindex(tx: Tx, keys: Iterable[int]) -> None:
    """Take events out of the index, if there is one; right before their payloads go.

    The index is told the text that it was given, so the text must still be in the log. What was
    not indexed yet, or has no text, is passed over. Nothing of the words stays in the file's pages.
    """
    if tokenizer(tx) is not None:
        tx.run(REMOVE, keys=sorted(set(keys)))


def index_again(tx: Tx, keys: Iterable[int]) -> None:
    """Events that have left the index to be changed come back, as they are now."""
    if tokenizer(tx) is None:
        return
    for app, some in groupby(sorted(set(keys)), lambda key: key >> SHIFT):
        upto = (tx.one(SPAN_LAST, app=app) or (0,))[0]
        tx.many(ADD, [{"upto": key - 1, "last": key} for key in some if key <= upto])


# ── the index goes as a whole ────────────────────────────────────────────────────────────────


def events(tx: Tx, app: int, after: int, before: int) -> tuple[int, int, int]:
    """How many events the index has; of this application those that may lie behind `after` and be older than
    `before`, at most; and the key up to which it has those.
    """
    return tx.one(EVENTS, app=app, after=after, before=before) or (0, 0, 0)


def forget(tx: Tx) -> None:
    """The index goes, and its words with it: the next search makes another, or `renew`."""
    tx.run(DROP)
    tx.run(TOKENIZER_DROP)
    tx.run(SPANS_DROP)


def renew(tx: Tx, wanted: str) -> None:
    """Another index, which idle time fills, unless somebody has made one."""
    if tokenizer(tx) is None:
        _make(tx, wanted)


# ── the index is made ────────────────────────────────────────────────────────────────────────


def tokenizer(tx: Tx) -> str | None:
    """How the index of this file cuts texts into words; None when nobody has searched yet."""
    row = tx.one(TOKENIZER)
    return None if row is None else row[0]


def standing(tx: Tx, app: int) -> Standing:
    """How far the index has come in an application."""
    made, upto, n = tx.one(STANDING, app=app) or (None, 0, 0)
    lo, _hi = span(app)
    return Standing(made, max(upto, lo), lo + n)


def advance(tx: Tx, app: int, wanted: str) -> None:
    """Index the next chunk of an application, with this tokenizer; make the index when it must be."""
    if tokenizer(tx) != wanted:
        _make(tx, wanted)
    _chunk(tx, app)


def _make(tx: Tx, wanted: str) -> None:
    tx.run(DROP)
    tx.run(CREATE[wanted])
    tx.run(SECURE)
    tx.run(SPANS_DROP)
    tx.run(TOKENIZER_SET, tokenizer=wanted)


def _chunk(tx: Tx, app: int) -> None:
    at = standing(tx, app)
    count, last, oldest, newest = tx.one(NEXT, upto=at.upto, head=at.head, limit=CHUNK) or (
        0,
        0,
        0,
        0,
    )
    if count:
        tx.run(ADD, upto=at.upto, last=last)
    upto = last if count == CHUNK else at.head
    if upto > at.upto:
        _record(tx, app, upto, count, oldest, newest)


def _record(tx: Tx, app: int, upto: int, count: int, oldest: int, newest: int) -> None:
    """Lengthen the last stretch, or begin another."""
    row = tx.one(SPAN_LAST, app=app)
    if row is not None and row[1] < _STRETCH:
        tx.run(SPAN_DROP, app=app, upto=row[0])
        count += row[1]
        oldest = min(t for t in (oldest, row[2]) if t is not None) if count else oldest
        newest = max(t for t in (newest, row[3]) if t is not None) if count else newest
    tx.run(SPAN_ADD, app=app, upto=upto, events=count, oldest=oldest, newest=newest)


# ── idle time ────────────────────────────────────────────────────────────────────────────────


def backlog(tx: Tx) -> tuple[int, int]:
    """The application whose index is most behind, and how many nodes it lacks there; (0, 0) for none."""
    return (0, 0) if tokenizer(tx) is None else tx.one(BEHIND) or (0, 0)


def is_behind(tx: Tx) -> bool:
    """Whether it is worth a chunk."""
    return backlog(tx)[1] >= SLACK


def carry_on(tx: Tx) -> None:
    """Index a chunk of whatever is most behind, with the tokenizer that the index has."""
    app, _nodes = backlog(tx)
    if app:
        _chunk(tx, app)
