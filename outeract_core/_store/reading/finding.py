"""Queries of full-text search: terms into FTS5's words, the keys that match, what a hit shows.

Knows: FTS5's query syntax, which column holds what, in which order matches are read.
Does not know: how the index comes to be (`_store/writing/search.py`), pages.

Newest first reads the index backwards and stops at a page. Conversation and person are words of the
index themselves, so FTS5 intersects them with what was asked for, and no history is scanned. Times
are looked up for each match, between the stretches of the index in which they can lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import evolve, frozen

from ..._domain.rules import query_language
from ..._domain.rules.query_language import Term, Terms
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ...errors import BadInput
from ...model import Event
from ...search import Hit
from ...standing import Standing
from ..engine import full_text
from ..engine.statements import statement
from ..records import rows
from ..writing.search import word
from .ranking import AMONG, best
from .standing import of_events

SINCE: Statement[tuple[int | None]] = statement("search_since")
UNTIL: Statement[tuple[int | None]] = statement("search_until")

_SPEAKING = ("message.edited", "message.reparsed", "message.transcribed")


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


def _expression(wanted: Wanted) -> str:
    """FTS5's query; every word is quoted, so nothing in it is taken for syntax."""
    parts = [f"text : ({' OR '.join(map(_alternative, wanted.alternatives))})"]
    for column, keys in (("place", wanted.places), ("sender", wanted.senders)):
        if keys is not None:
            parts.append(f"{column} : ({' OR '.join(word(key) for key in keys)})")
    return " AND ".join(parts)


def _alternative(terms: Terms) -> str:
    there = " ".join(map(_quoted, terms.wanted))
    if not terms.unwanted:
        return f"({there})"
    return f"(({there}) NOT ({' OR '.join(map(_quoted, terms.unwanted))}))"


def _quoted(term: Term) -> str:
    text = term.text.replace('"', '""')
    return f'"{text}"{"*" if term.prefix else ""}'


# ── keys ─────────────────────────────────────────────────────────────────────────────────────


def found(
    tx: Tx, app: int, wanted: Wanted, bounds: tuple[int, int], newest: bool, limit: int
) -> list[int]:
    """At most `limit` keys within the bounds, from the newest down or from the oldest up."""
    asked = _asked(tx, app, wanted, bounds)
    if asked is None:
        return []
    order = "DESC" if newest else "ASC"
    sql = f"SELECT f.rowid FROM {asked[0]} ORDER BY f.rowid {order} LIMIT :limit"
    return [row[0] for row in tx.dynamic(sql, {**asked[1], "limit": limit})]


def ranked(tx: Tx, app: int, wanted: Wanted, before: int) -> tuple[list[int], bool]:
    """Of the newest keys below `before` the best first; and whether there are more, which were not weighed."""
    asked = _asked(tx, app, wanted, (span(app)[0], before))
    if asked is None:
        return [], False
    full_text.weighed(tx)
    sql = f"SELECT f.rowid, occurrences(search_index) FROM {asked[0]} ORDER BY f.rowid DESC LIMIT :limit"
    matches = tx.dynamic(sql, {**asked[1], "limit": AMONG + 1})
    return best(matches[:AMONG], _rows(tx, wanted)), len(matches) > AMONG


def _rows(tx: Tx, wanted: Wanted) -> list[int]:
    """How many rows have each phrase, in the order of the query, up to a bound."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM search_index WHERE search_index MATCH :words LIMIT :most)"
    terms = [term for each in wanted.alternatives for term in (*each.wanted, *each.unwanted)]
    return [
        tx.dynamic(sql, {"words": f"text : {_quoted(term)}", "most": AMONG})[0][0] for term in terms
    ]


def count(tx: Tx, app: int, wanted: Wanted, before: int) -> int:
    """How many keys below `before` match; looks at all of them."""
    asked = _asked(tx, app, wanted, (span(app)[0], before))
    rows = [] if asked is None else tx.dynamic(f"SELECT count(*) FROM {asked[0]}", asked[1])
    return rows[0][0] if rows else 0


def _asked(
    tx: Tx, app: int, wanted: Wanted, bounds: tuple[int, int]
) -> tuple[str, dict[str, Any]] | None:
    """What stands behind FROM, and its parameters; None when nothing can match."""
    lo, hi = _bounds(tx, app, wanted)
    lo, hi = max(lo, bounds[0]), min(hi, bounds[1])
    if wanted.places == () or wanted.senders == () or lo >= hi:
        return None
    joined, tests = _tests(wanted)
    sql = (
        f"search_index f{joined} WHERE f.search_index MATCH :words"
        f" AND f.rowid >= :lo AND f.rowid < :hi{tests}"
    )
    params = {
        "words": _expression(wanted), "lo": lo, "hi": hi,
        "since": wanted.since, "until": wanted.until, "root": wanted.thread,
        "thread": tx.known_kind("in_thread"), "origin": tx.known_kind("origin"),
    }  # fmt: skip
    return sql, {name: value for name, value in params.items() if f":{name}" in sql}


def _tests(wanted: Wanted) -> tuple[str, str]:
    """What the index does not know: the time of a match, the thread that it stands in."""
    joined = tests = ""
    if wanted.since is not None or wanted.until is not None:
        joined = " CROSS JOIN event e ON e.seq = f.rowid"
        tests += "" if wanted.since is None else " AND e.occurred_at >= :since"
        tests += "" if wanted.until is None else " AND e.occurred_at < :until"
    if wanted.thread is not None:
        tests += f" AND ({_IN_THREAD.format('f.rowid')} OR EXISTS (SELECT 1 FROM edge o"
        tests += f" WHERE o.src = f.rowid AND o.type = :origin AND {_IN_THREAD.format('o.dst')}))"
    return joined, tests


_IN_THREAD = (
    "({0} = :root OR EXISTS"
    " (SELECT 1 FROM edge g WHERE g.dst = :root AND g.type = :thread AND g.src = {0}))"
)


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
    itself = {event.position: event for event in found}
    wanted = sorted(set(about.values()))
    read = rows.events(tx, app, [key for key in wanted if key not in itself])
    known = itself | {event.position: event for event in read}
    events = [known[key] for key in wanted if known[key].event_type not in _SPEAKING]
    standing = {one.position: one for one in of_events(tx, app, events)}
    return {found: standing[key] for found, key in about.items() if key in standing}


def _about(tx: Tx, speaking: list[Event]) -> dict[int, int]:
    """By position, for what only speaks about a message: the key of that message."""
    keys, origin = [event.position for event in speaking], tx.known_kind("origin")
    return {source: target for source, _t, target in tx.expand(keys, [origin or 0], inward=False)}
