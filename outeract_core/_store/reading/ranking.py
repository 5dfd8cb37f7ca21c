"""The best matches of a search: BM25 among the newest, so that a common word costs no more than a rare one.

Knows: BM25 as FTS5 computes it, what one match says of itself.
Does not know: which words, pages.

FTS5's own `bm25` looks at every row that has a word before it weighs the first. Here a word is counted
up to a bound, above which it is simply common, and as many of the newest matches are weighed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

__all__ = ["AMONG", "Match", "best"]

AMONG = 1_000
"""Of the newest matches so many are weighed, and so far are the rows counted that have a word."""
_K1, _B, _LEAST = 1.2, 0.75, 1e-6

Match = tuple[int, str]
"""A key, and what the engine's `occurrences` says of it: rows and words of the index, words of its text, how often each
phrase stands in it."""


def best(matches: Iterable[Match], rows: Sequence[int]) -> list[int]:
    """The keys, the best first, of equals the newest. `rows`: how many rows have each phrase."""
    scores: dict[str, float] = {}  # texts of the same length say the same, many of a thousand
    weighed = []
    for key, told in matches:
        if told not in scores:
            scores[told] = -_score([*map(int, told.split())], rows)
        weighed.append((scores[told], -key))
    return [-key for _score_, key in sorted(weighed)]


def _score(told: list[int], rows: Sequence[int]) -> float:
    total, words, length, *found = told
    spread = _K1 * (1 - _B + _B * length * total / max(1, words))
    return sum(
        _weight(total, having) * often * (_K1 + 1) / (often + spread)
        for often, having in zip(found, rows, strict=False)
        if often
    )


def _weight(total: int, having: int) -> float:
    """How much a word tells that so many of all rows have."""
    return max(_LEAST, log((total - having + 0.5) / (having + 0.5)))
