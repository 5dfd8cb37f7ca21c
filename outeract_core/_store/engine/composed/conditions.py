"""Conditions on events in SQL, and the queries that read what satisfies them.

Knows: the columns behind each condition; that values travel as parameters only, and are bounded.
Does not know: filters, what a name means (`reading/queries.py`), an engine's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import field

from ...._domain.values.classes import define, frozen
from ....driver import Dialect

__all__ = ["LOG", "Conditions", "Source", "along", "behind", "joined", "negated"]

_LARGEST, _MOST = 900_000, 30_000
"""Characters and values in one query: SQLite has limits."""
_PAYLOAD = "payload_out(e.payload)"


@frozen
class Source:
    """Where events are read from, between `:lo` and `:hi`. `key`: what they are ordered by."""

    key: str
    body: str

    def page(self, tests: str, *, newest: bool) -> str:
        """The query for `:limit` keys, in order."""
        order = "DESC" if newest else "ASC"
        return f"SELECT {self.key} FROM {self.body}{tests} ORDER BY {self.key} {order} LIMIT :limit"

    def count(self, tests: str) -> str:
        """The query for how many there are."""
        return f"SELECT count(*) FROM {self.body}{tests}"


LOG = Source("e.seq", "event e WHERE e.seq >= :lo AND e.seq < :hi")
"""All of them."""


def along(say: Dialect) -> Source:
    """Those from which an edge `:edge` leads to `:dst`."""
    pair = f"edge g {say.pin.format(table='event', alias='e', condition='e.seq = g.src')}"
    return Source(
        "g.src", f"{pair} WHERE g.dst = :dst AND g.type = :edge AND g.src >= :lo AND g.src < :hi"
    )


@define
class Conditions:
    """`params` are collected while conditions become text."""

    say: Dialect
    params: dict[str, Any] = field(factory=dict)

    def bind(self, value: Any) -> str:
        """A name for a value."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    def fits(self, tests: str) -> bool:
        """Whether that is little enough for one query."""
        return len(tests) <= _LARGEST and len(self.params) <= _MOST

    def one_of(self, column: str, values: Sequence[Any]) -> str:
        """Whether a column is one of the values."""
        if not values:
            return "FALSE"
        return f"{column} IN ({', '.join(map(self.bind, values))})"

    def typed(self, numbers: Sequence[int]) -> str:
        """Whether the event is of one of these types."""
        return self.one_of("e.type", numbers)

    def on(self, conns: Sequence[int]) -> str:
        """Whether it stands on one of these connections."""
        return self.one_of("e.conn", conns)

    def between(self, column: str, since: int | None, until: int | None) -> str:
        """Whether a time of it lies in a window, in milliseconds."""
        tests = []
        if since is not None:
            tests.append(f"e.{column} >= {self.bind(since)}")
        if until is not None:
            tests.append(f"e.{column} < {self.bind(until)}")
        return "(" + " AND ".join(tests or ["TRUE"]) + ")"

    def status(self, names: Sequence[str]) -> str:
        """Whether its derived status is one of these."""
        sent = "EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq{})"
        done = "EXISTS (SELECT 1 FROM processed p WHERE p.event = e.seq)"
        parked = "EXISTS (SELECT 1 FROM parked k WHERE k.event = e.seq)"
        tests = [sent.format(f" AND {self.one_of('d.status', names)}")]
        if "processed" in names:
            tests.append(f"({done} AND NOT {sent.format('')})")
        if "failed" in names:
            tests.append(f"({parked} AND NOT {done} AND NOT {sent.format('')})")
        if "received" in names:
            tests.append(f"(NOT {done} AND NOT {parked} AND NOT {sent.format('')})")
        return "(" + " OR ".join(tests) + ")"

    def edge(self, kind: int | None, targets: Sequence[int] | None) -> str:
        """Whether an edge of this type leads from it to one of the targets, or (None) anywhere."""
        if kind is None:
            return "FALSE"
        number = self.bind(kind)
        towards = "" if targets is None else f" AND {self.one_of('g.dst', targets)}"
        return f"EXISTS (SELECT 1 FROM edge g WHERE g.src = e.seq AND g.type = {number}{towards})"

    def says(self, words: str) -> str:
        """Whether the text of a message has these words, which are without their case."""
        text = self.say.json_text.format(doc=_PAYLOAD, path="'$.message.text'")
        folded = self.say.folded.format(text=text)
        return self.say.contains.format(text=folded, part=self.bind(words))

    def member(self, pieces: Sequence[str], comparison: str, value: Any) -> str:
        """Compare what stands at a path of the payload. Between two pieces a list is gone through."""
        *outer, last = pieces
        doc, before, lists, tests = _PAYLOAD, "", list[str](), list[str]()
        for number, piece in enumerate(outer):
            place = {"doc": doc, "path": self._path(before, piece), "name": f"j{number}"}
            lists.append(self.say.places.format(**place))
            tests.append(self.say.is_place.format(**place))
            doc, before = self.say.place_doc.format(**place), self.say.place_path.format(**place)
        tests.append(self._compared(doc, f"({self._path(before, last)})", comparison, value))
        if not lists:
            return tests[0]
        return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(lists)} WHERE {' AND '.join(tests)})"

    def _path(self, before: str, piece: str) -> str:
        return before + self.bind(piece if before else f"${piece}")

    def _compared(self, doc: str, path: str, comparison: str, value: Any) -> str:
        kind = self.say.json_kind.format(doc=doc, path=path)
        if comparison == "exists":
            return f"{kind} IS NOT NULL"
        if value is None:
            return f"coalesce({kind}, 'null') {comparison} 'null'"
        if comparison == "!=":
            return f"({kind} <> 'null' AND NOT ({self._alike(doc, path, '=', value)}))"
        return f"({self._alike(doc, path, comparison, value)})"

    def _alike(self, doc: str, path: str, comparison: str, value: Any) -> str:
        """Like with like: text with text, numbers with numbers."""
        kind = self.say.json_kind.format(doc=doc, path=path)
        if isinstance(value, bool):
            return f"{kind} = '{str(value).lower()}'"
        if not isinstance(value, str):
            number = self.say.json_number.format(doc=doc, path=path)
            return f"{kind} IN ('integer', 'real') AND {number} {comparison} {self.bind(value)}"
        text, bound = self.say.json_text.format(doc=doc, path=path), self.bind(value)
        has = self.say.contains.format(text=text, part=bound) if comparison == "contains" else None
        return f"{kind} IN ('text') AND {has or f'{text} {comparison} {bound}'}"


def negated(test: str) -> str:
    """Whether it does not hold; what cannot be told does not."""
    return f"NOT coalesce({test}, FALSE)"


def joined(word: str, tests: list[str]) -> str:
    """Many conditions as a flat tree: SQLite limits how deep an expression is."""
    if len(tests) == 1:
        return tests[0]
    half = len(tests) // 2
    return f"({joined(word, tests[:half])} {word} {joined(word, tests[half:])})"


def behind(tests: list[str]) -> str:
    """Conditions that all hold, as they stand behind those of a source."""
    return f" AND {joined('AND', tests)}" if tests else ""
