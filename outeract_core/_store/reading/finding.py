"""Full-text search: what is understood of it, the keys that match, what a hit shows.

Knows: between which keys the asked times lie, in which order matches are read, how many are weighed.
Does not know: FTS5 (`engine/full_text.py`), how the index comes to be (`writing/search.py`), pages.

Newest first reads the index backwards and stops at a page. Times are looked up for each match, between
the stretches of the index in which they can lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from ..._domain.rules import query_language
from ..._domain.rules.query_language import Term, Terms
from ..._domain.values.classes import frozen
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ...model import Event
from ...search import Hit
from ...standing import Standing
from ..engine import full_text
from ..engine.statements import statement
from ..records import rows
from .ranking import AMONG, best
from .standing import of_keys

SINCE: Statement[tuple[int | None]] = statement("search_since")
UNTIL: Statement[tuple[int | None]] = statement("search_until")

IN_THREAD: Statement[tuple[int]] = statement("search_in_thread")
ABOUT: Statement[tuple[int]] = statement("search_about")

_SPEAKING = ("message.edited", "message.reparsed", "message.transcribed")
_SHORT = 300
"""Of a thread with so many messages and edits each is looked at; of a longer one the matches are looked through."""


@frozen
class Wanted:
    """A search, in keys. `places`, `senders`: any of these platform users, None for everybody.

    `thread`: the key of a root. `since` <= occurred < `until` in milliseconds.
    """

    alternatives: tuple[Terms, ...]
    places: tuple[int, ...] | None = None
    senders: tuple[int, ...] | None = None
    thread: int | None = None
    since: int | None = None
    until: int | None = None


# ── words ────────────────────────────────────────────────────────────────────────────────────


def understood(tx: Tx, tokenizer: str, alternatives: Iterable[Terms]) -> tuple[Terms, ...]:
    """The terms with their tokens, as the index would cut them; what has none is left out.

    Raises BadInput when nothing is left to look for, or a term is too short for the index.
    """
    cut = full_text.cutter(tx, tokenizer)
    found = [
        Terms(_cut(cut, each.wanted, tokenizer), _cut(cut, each.unwanted, tokenizer))
        for each in alternatives
    ]
    found = [each for each in found if each.wanted or each.unwanted]
    if not found:
        raise BadInput("nothing to search for: give at least one word")
    if any(not each.wanted for each in found):
        raise BadInput("a search needs a word that must be there, besides those that must not")
    return tuple(found)


def _cut(cut: full_text.Cut, terms: Iterable[Term], tokenizer: str) -> tuple[Term, ...]:
    found = []
    for term in terms:
        tokens = cut(term.text.encode())
        if not tokens and term.text and tokenizer == "trigram":
            raise BadInput(f"{term.text!r:.40} is too short: this index finds 3 characters or more")
        if tokens:
            found.append(evolve(term, tokens=tuple(token[2] for token in tokens)))
    return tuple(found)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────


def found(
    tx: Tx, app: int, wanted: Wanted, bounds: tuple[int, int], newest: bool, limit: int
) -> list[int]:
    """At most `limit` keys within the bounds, from the newest down or from the oldest up."""
    asked = _asked(tx, app, wanted, bounds)
    return [] if asked is None else full_text.keys(tx, asked, newest, limit)


def ranked(tx: Tx, app: int, wanted: Wanted, before: int) -> tuple[list[int], bool]:
    """Of the newest keys below `before` the best first; and whether there are more, which were not weighed."""
    asked = _asked(tx, app, wanted, (span(app)[0], before))
    if asked is None:
        return [], False
    matches = full_text.matches(tx, asked, AMONG + 1)
    return best(matches[:AMONG], _rows(tx, wanted)), len(matches) > AMONG


def _rows(tx: Tx, wanted: Wanted) -> list[int]:
    """How many rows have each phrase, in the order of the query, up to a bound."""
    terms = [term for each in wanted.alternatives for term in (*each.wanted, *each.unwanted)]
    return [full_text.having(tx, term, AMONG) for term in terms]


def count(tx: Tx, app: int, wanted: Wanted, before: int) -> int:
    """How many keys below `before` match; looks at all of them."""
    asked = _asked(tx, app, wanted, (span(app)[0], before))
    return 0 if asked is None else full_text.count(tx, asked)


def _asked(tx: Tx, app: int, wanted: Wanted, bounds: tuple[int, int]) -> full_text.Asked | None:
    """What the index is asked; None when nothing can match."""
    lo, hi = _bounds(tx, app, wanted)
    lo, hi = max(lo, bounds[0]), min(hi, bounds[1])
    if wanted.places == () or wanted.senders == () or lo >= hi:
        return None
    words = full_text.expression(wanted.alternatives, wanted.places, wanted.senders)
    among = None if wanted.thread is None else _thread(tx, wanted.thread)
    return full_text.Asked(words, lo, hi, wanted.since, wanted.until, wanted.thread, among)


def _thread(tx: Tx, root: int) -> tuple[int, ...] | None:
    """All that is said in a short thread, and what speaks about it; None of a long one."""
    most = _SHORT + 1
    rows = tx.all(IN_THREAD, root=root, thread=tx.known_kind("in_thread"), most=most)
    keys = [root, *(row[0] for row in rows)]
    about = {"origin": tx.known_kind("origin"), "speaking": _kinds(tx)}
    keys += [row[0] for row in tx.all(ABOUT, keys=keys, most=most, **about)]
    return None if len(keys) > _SHORT else tuple(sorted(set(keys)))


def _kinds(tx: Tx) -> list[int]:
    return [kind for kind in map(tx.known_kind, _SPEAKING) if kind is not None]


def _bounds(tx: Tx, app: int, wanted: Wanted) -> tuple[int, int]:
    """The keys between which events of the asked times can lie."""
    lo, hi = span(app)
    if wanted.since is not None:
        first = (tx.one(SINCE, app=app, since=wanted.since) or (None,))[0]
        lo = hi if first is None else max(lo, first)
    if wanted.until is not None:
        last = (tx.one(UNTIL, app=app, until=wanted.until) or (None,))[0]
        hi = lo if last is None else min(hi, last + 1)
    return lo, hi


# ── hits ─────────────────────────────────────────────────────────────────────────────────────


def hits(tx: Tx, app: int, keys: Sequence[int], wanted: Wanted, tokenizer: str) -> list[Hit]:
    """These matches, in their order; their snippets are cut when they are asked for."""
    found = rows.events(tx, app, keys)
    terms = tuple(term for each in wanted.alternatives for term in each.wanted)
    cut = full_text.cutter(tx, tokenizer)

    def places(text: bytes) -> list[tuple[int, int]]:
        return query_language.spans(cut(text), terms)

    messages = _messages(tx, app, found)
    return [Hit(event, messages.get(event.position, event), places) for event in found]


def _messages(tx: Tx, app: int, found: list[Event]) -> dict[int, Standing]:
    """By position of what was found, the message that it belongs to, as it stands, if it is known."""
    about = _about(tx, [event for event in found if event.event_type in _SPEAKING])
    about |= {event.position: event.position for event in found if event.position not in about}
    standing = {one.position: one for one in of_keys(tx, app, sorted(set(about.values())))}
    return {
        found: standing[key] for found, key in about.items()
        if standing[key].event_type not in _SPEAKING
    }  # fmt: skip


def _about(tx: Tx, speaking: list[Event]) -> dict[int, int]:
    """By position, for what only speaks about a message: the key of that message."""
    keys, origin = [event.position for event in speaking], tx.known_kind("origin")
    return {source: target for source, _t, target in tx.expand(keys, [origin or 0], inward=False)}
