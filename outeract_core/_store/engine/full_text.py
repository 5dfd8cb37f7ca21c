"""FTS5: how it cuts texts, what it is asked, what a match tells of itself.

Knows: FTS5's tokenizers, query syntax and auxiliary functions; which column of the index holds what.
Does not know: how the index comes to be (`writing/search.py`), between which keys a time lies, pages.

Conversation and person are words of the index themselves, so FTS5 intersects them with what was asked
for, and no history is scanned. The time of a match is looked up for each, and whether it stands in a long thread; of a
short one each message is looked at instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..._domain.rules.query_language import Term, Terms
from ..._domain.values.classes import frozen
from ..._domain.values.ids import SHIFT
from ...driver import Tx
from .sqlite import bound, own

_ARGUMENTS = {
    "unicode61": ["remove_diacritics", "2"],
    "trigram": ["remove_diacritics", "1"],
}
_DOCUMENT = 4
"""FTS5_TOKENIZE_DOCUMENT: as the index does."""

Cut = Callable[[bytes], list[tuple[int, int, str]]]
"""The tokens of a text: where each begins and ends in it, in bytes, and what the index calls it."""


def cutter(tx: Tx, tokenizer: str) -> Cut:
    """How this index cuts a text into tokens. It outlives the transaction."""
    cut: Any = own(tx).db.fts5_tokenizer(tokenizer, _ARGUMENTS[tokenizer])

    def tokens(text: bytes) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = cut(text, _DOCUMENT, None)
        return found

    return tokens


def _occurrences(match: Any, *_of: Any) -> str:
    """Of one match in the index: its rows and words, words here, how often each phrase stands in the
    first column.
    """
    found = [str(len(match.phrase_locations(n)[0])) for n in range(match.phrase_count)]
    about = f"{match.row_count} {match.column_total_size(-1)} {match.column_size(-1)}"
    return f"{about} {' '.join(found)}"


# ── what it is asked ──────────────────────────────────────────────────────────────────────────


@frozen
class Asked:
    """A search: FTS5's query, `lo` <= key < `hi`, `since` <= occurred < `until` in milliseconds, and the key
    of the `thread`'s root, or instead of it the keys of all that stands `among`.
    """

    words: str
    lo: int
    hi: int
    since: int | None = None
    until: int | None = None
    thread: int | None = None
    among: tuple[int, ...] | None = None


def keys(tx: Tx, asked: Asked, newest: bool, limit: int) -> list[int]:
    """At most `limit` keys, from the newest down or from the oldest up."""
    source, params = _source(tx, asked)
    order = "DESC" if newest else "ASC"
    sql = f"SELECT f.rowid FROM {source} ORDER BY f.rowid {order} LIMIT :limit"
    return [row[0] for row in tx.dynamic(sql, {**params, "limit": limit})]


def matches(tx: Tx, asked: Asked, limit: int) -> list[tuple[int, str]]:
    """At most `limit` of the newest keys, each with the numbers by which it is weighed: rows and words of
    the index, words of its text, how often each phrase stands in it.
    """
    own(tx).auxiliary("occurrences", _occurrences)
    source, params = _source(tx, asked)
    sql = f"SELECT f.rowid, occurrences(search_index) FROM {source} ORDER BY f.rowid DESC LIMIT :limit"
    return tx.dynamic(sql, {**params, "limit": limit})


def count(tx: Tx, asked: Asked) -> int:
    """How many keys there are; looks at all of them."""
    source, params = _source(tx, asked)
    found: int = tx.dynamic(f"SELECT count(*) FROM {source}", params)[0][0]
    return found


def having(tx: Tx, term: Term, most: int) -> int:
    """How many rows have a term, up to a bound."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM search_index WHERE search_index MATCH :words LIMIT :most)"
    found: int = tx.dynamic(sql, {"words": f"text : {_quoted(term)}", "most": most})[0][0]
    return found


def _source(tx: Tx, asked: Asked) -> tuple[str, dict[str, Any]]:
    """What stands behind FROM, and its parameters."""
    joined, tests = _tests(asked)
    sql = (
        f"search_index f{joined} WHERE f.search_index MATCH :words"
        f" AND f.rowid >= :lo AND f.rowid < :hi{tests}"
    )
    params = {
        "words": asked.words, "lo": asked.lo, "hi": asked.hi,
        "since": asked.since, "until": asked.until, "root": asked.thread,
        "thread": tx.known_kind("in_thread"), "origin": tx.known_kind("origin"),
        "among": None if asked.among is None else bound(asked.among),
    }  # fmt: skip
    return sql, {name: value for name, value in params.items() if f":{name}" in sql}


def _tests(asked: Asked) -> tuple[str, str]:
    """What the index does not know: the time of a match, the thread that it stands in."""
    joined = tests = ""
    if asked.since is not None or asked.until is not None:
        joined = " CROSS JOIN event e ON e.seq = f.rowid"
        tests += "" if asked.since is None else " AND e.occurred_at >= :since"
        tests += "" if asked.until is None else " AND e.occurred_at < :until"
    if asked.among is not None:
        tests += " AND f.rowid IN (SELECT value FROM carray(:among))"
    elif asked.thread is not None:
        tests += f" AND ({_IN_THREAD.format('f.rowid')} OR EXISTS (SELECT 1 FROM edge o"
        tests += f" WHERE o.src = f.rowid AND o.type = :origin AND {_IN_THREAD.format('o.dst')}))"
    return joined, tests


_IN_THREAD = (
    "({0} = :root OR EXISTS"
    " (SELECT 1 FROM edge g WHERE g.dst = :root AND g.type = :thread AND g.src = {0}))"
)


def expression(
    alternatives: Iterable[Terms], places: Iterable[int] | None, senders: Iterable[int] | None
) -> str:
    """FTS5's query; every word is quoted, so nothing in it is taken for syntax."""
    parts = [f"text : ({' OR '.join(map(_alternative, alternatives))})"]
    for column, users in (("place", places), ("sender", senders)):
        if users is not None:
            parts.append(f"{column} : ({' OR '.join(map(_word, users))})")
    return " AND ".join(parts)


def _alternative(terms: Terms) -> str:
    there = " ".join(map(_quoted, terms.wanted))
    if not terms.unwanted:
        return f"({there})"
    return f"(({there}) NOT ({' OR '.join(map(_quoted, terms.unwanted))}))"


def _quoted(term: Term) -> str:
    text = term.text.replace('"', '""')
    return f'"{text}"{"*" if term.prefix else ""}'


def _word(key: int) -> str:
    """A platform user as the index writes it; see the view `search_source`."""
    n = key & ((1 << SHIFT) - 1)
    return "".join(chr(19968 + part) for part in (n >> 28 & 4095, n >> 14 & 16383, n & 16383))
