"""The query language of search: words, "phrases", prefix*, -not, OR; whatever is typed means something.

Knows: how a line is cut into terms, how terms are found again in a text.
Does not know: FTS5 (`_store/engine/full_text.py` puts terms into its words), what counts as a letter.

    invoice "last month"        both, the two words of the phrase side by side
    invo*                       words that begin so
    invoice -paid               not those that have `paid`
    invoice overdue OR reminder (invoice and overdue) or reminder
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...errors import BadInput
from ..values.classes import frozen

MOST = 64
"""Terms in one search."""
_QUOTES = '"“”„«»'
_PIECE = re.compile(rf"(-?)(?:[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]?(\*?)|([^\s{_QUOTES}]+))")

Token = tuple[int, int, str]
"""Start, end, and the word as it is compared."""


@frozen
class Term:
    """A word or phrase as typed; `tokens`: as it is compared, once it is known what a word is."""

    text: str
    prefix: bool = False
    tokens: tuple[str, ...] = ()


@frozen
class Terms:
    """What must be there together, and what must not."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()


def parse(line: str) -> tuple[Terms, ...]:
    """The alternatives that a line asks for. Raises BadInput for no text at all, or far too much."""
    if not isinstance(line, str):
        raise BadInput(f"what to search for is a text, not {type(line).__name__}")
    found: list[tuple[list[Term], list[Term]]] = [([], [])]
    for minus, phrase, star, word in _PIECE.findall(_clean(line)):
        if word == "OR" and not minus:
            found.append(([], []))
            continue
        text, prefix = (word.rstrip("*"), word.endswith("*")) if word else (phrase, bool(star))
        found[-1][bool(minus)].append(Term(text, prefix))
    if sum(len(wanted) + len(unwanted) for wanted, unwanted in found) > MOST:
        raise BadInput(f"too many words: a search takes at most {MOST}")
    return tuple(Terms(tuple(wanted), tuple(unwanted)) for wanted, unwanted in found)


def _clean(line: str) -> str:
    """Without what no file can hold: NUL and half a surrogate."""
    return line.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def spans(tokens: Sequence[Token], terms: Iterable[Term]) -> list[tuple[int, int]]:
    """Where terms stand in a text that was cut into `tokens`: in order, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(place for term in terms for place in _places(tokens, term)):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _places(tokens: Sequence[Token], term: Term) -> list[tuple[int, int]]:
    *first, last = term.tokens
    if term.prefix:
        ends = [at for at, token in enumerate(tokens) if token[2].startswith(last)]
    else:
        ends = [at for at, token in enumerate(tokens) if token[2] == last]
    behind = len(first)
    return [
        (tokens[at - behind][0], tokens[at][1])
        for at in ends
        if not behind
        or (at >= behind and [token[2] for token in tokens[at - behind : at]] == first)
    ]
