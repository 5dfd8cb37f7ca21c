"""FTS5, as far as it is code and no SQL: how it cuts texts, what a match tells of itself.

Knows: FTS5's tokenizers and their arguments, its auxiliary functions.
Does not know: queries, what is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...driver import Tx
from .sqlite import own

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


def weighed(tx: Tx) -> None:
    """From now on a query may ask for `occurrences(search_index)` of each match."""
    own(tx).auxiliary("occurrences", _occurrences)


def _occurrences(match: Any, *_of: Any) -> str:
    """Of one match in the index: its rows and words, words here, how often each phrase stands in the
    first column.
    """
    found = (len(match.phrase_locations(n)[0]) for n in range(match.phrase_count))
    about = (match.row_count, match.column_total_size(-1), match.column_size(-1))
    return " ".join(map(str, (*about, *found)))
