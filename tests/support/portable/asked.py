"""What PostgreSQL says of each statement, and which of them are SQLite's own.

Knows: that PREPARE looks at names and types, and planning at keys. Does not know: how fast what it
understands is, what values do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from .schema import blobs
from .words import numbered

OWN = {
    "search_drop": "takes FTS5's index away; a tsvector is a column, not a table",
    "search_create_unicode61": "makes FTS5's index: a virtual table, whose tokenizer is SQLite's",
    "search_create_trigram": "the same with the other tokenizer",
    "search_secure": "tells FTS5 to leave no words behind in its pages; VACUUM does that elsewhere",
    "search_add": "writes FTS5's index, from a view of the words; elsewhere the column is generated",
    "search_remove": "FTS5 forgets only what it is told once more, word by word",
}
"""Statements that no other engine is given, and why: full-text search, each engine has its own."""


@frozen
class Answers:
    """`refused`: by name what PostgreSQL has said; `own`: those of them that are meant to be SQLite's.

    `composed` and `muddled`: the same of what is composed when it is asked, of which nothing is SQLite's own.
    """

    statements: int
    refused: Mapping[str, str] = field(factory=dict)
    own: Mapping[str, str] = field(factory=dict)
    composed: int = 0
    muddled: Mapping[str, str] = field(factory=dict)

    @property
    def wrong(self) -> dict[str, str]:
        """What is not as it is meant: refused and not listed, or listed and understood."""
        told = {name: why for name, why in self.refused.items() if name not in self.own}
        more = dict.fromkeys(self.own, "is listed as SQLite's own, and understood")
        told |= {name: why for name, why in more.items() if name not in self.refused}
        return told | self.muddled

    @property
    def summary(self) -> dict[str, Any]:
        """The figures."""
        left = self.statements - len(self.refused)
        return {
            "statements": self.statements, "portable": left, "own": sorted(self.own),
            "composed": {"queries": self.composed, "portable": self.composed - len(self.muddled)},
        }  # fmt: skip


def answers(
    db: Any,
    texts: Mapping[str, str],
    own: Mapping[str, str],
    composed: Mapping[str, str] | None = None,
) -> Answers:
    """Have each text prepared, and planned whatever its values are. `db`: a connection to where our tables are."""
    db.execute("SET plan_cache_mode = force_generic_plan")
    composed = composed or {}
    return Answers(len(texts), _refused(db, texts), own, len(composed), _refused(db, composed))


def _refused(db: Any, texts: Mapping[str, str]) -> dict[str, str]:
    bytes_ = blobs()
    said = {name: refused(db, sql, bytes_) for name, sql in texts.items()}
    return {name: why for name, why in said.items() if why is not None}


def refused(db: Any, sql: str, blobs: frozenset[str]) -> str | None:
    """What PostgreSQL does not understand of it; None when it understands."""
    import psycopg

    text, names = numbered(sql)
    types = [("bytea" if name in blobs else "unknown") for name in names]
    try:
        db.execute(f"PREPARE asked{_listed(types)} AS {text}", prepare=False)
        db.execute(f"EXPLAIN EXECUTE asked{_listed(['NULL'] * len(names))}", prepare=False)
    except psycopg.Error as error:
        return str(error).strip()
    finally:
        db.execute("DEALLOCATE ALL", prepare=False)
    return None


def _listed(words: list[str]) -> str:
    return f"({', '.join(words)})" if words else ""
