"""The floor of search: FTS5 asked with SQL, on the index that the library keeps.

Knows: the index, event rows. Does not know: objects, how a query language is read.

By rank the newest matches are weighed, as many as the library weighs, by FTS5's own function, which counts every row
that has the word. `raw` gives what a hit holds: the event row with its state and, by recency, the text with the words
marked (by rank SQLite would mark every match before it sorts, or seek each one again: dearer than to
mark twenty texts by hand, so the floor leaves it out); `bare` the keys and the event rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from outeract_core._store.reading.ranking import AMONG

from . import Read
from .raw import BARE, FULL, STATE, checked, first_column, opened

FIRST = 20
_SHOWN = "highlight(search_index, 0, '[', ']') AS shown"
_NEWEST = "f.rowid DESC"
_BEST = "bm25(search_index, 1.0, 0.0, 0.0)"


class RawSearch:
    """`full`: with state and marked text; otherwise event rows. `asked`: workload → (words, order)."""

    def __init__(self, path: Path, asked: Mapping[str, tuple[str, str]], full: bool = True) -> None:
        self.name = "raw" if full else "bare"
        self.notes = ""
        self._db = opened(path)
        self._asked = asked
        self._sql = {"newest": self._of(_NEWEST, full), "rank": self._of(_BEST, full)}
        checked(self._db, self._sql["newest"])

    def _of(self, order: str, full: bool) -> str:
        """Keys first, as few as are shown, newest ones with their marks; then their rows."""
        newest = order == _NEWEST
        columns, state = (FULL, STATE) if full else (BARE, "")
        shown = f", {_SHOWN}" if full and newest else ""
        found = (
            f"SELECT f.rowid AS seq{shown} FROM search_index f WHERE f.search_index MATCH ?1"
            f" ORDER BY {order} LIMIT {FIRST}"
        )
        if not newest:
            weighed = (
                f"SELECT f.rowid AS seq, {_BEST} AS score FROM search_index f"
                f" WHERE f.search_index MATCH ?1 ORDER BY {_NEWEST} LIMIT {AMONG}"
            )
            best = f"SELECT w.seq FROM ({weighed}) w ORDER BY w.score, w.seq DESC LIMIT {FIRST}"
            found = f"SELECT k.seq, row_number() OVER () AS place FROM ({best}) k"
        return (
            f"SELECT {columns}{', x.shown' if shown else ''} FROM ({found}) x"
            f" CROSS JOIN event e ON e.seq = x.seq {state}"
            f" ORDER BY {'x.seq DESC' if newest else 'x.place'}"
        )

    def reads(self) -> dict[str, Read]:
        """By recency and by rank."""
        return {
            name: Read(partial(self._found, words, order), first_column)
            for name, (words, order) in self._asked.items()
        }

    def _found(self, words: str, order: str) -> list[Any]:
        match = "text : (" + " ".join(f'"{word}"' for word in words.split()) + ")"
        return list(self._db.execute(self._sql[order], (match,)))

    def close(self) -> None:
        """Let the file go."""
        self._db.close()
