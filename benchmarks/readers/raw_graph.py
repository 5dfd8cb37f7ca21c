"""The floor of the graph: apsw with the best shape known for each question.

Knows: edges and event rows by key. Does not know: objects.

A chain and a component are one recursive query, a tree goes level by level with the frontier bound
as an array, a path grows from both ends. `raw` delivers what a walk delivers: every node with its
event row, delivery state and what it is about, and every edge with its type and time. `ids`
delivers the keys of the nodes alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw

from . import CHAIN, LINK, Read, Targets
from .raw import FULL, STATE, checked, first_column, opened

_CHAIN = (
    "WITH RECURSIVE w(seq, d, src, at) AS (SELECT ?1, 0, NULL, NULL UNION"
    " SELECT g.dst, w.d + 1, g.src, g.at FROM w CROSS JOIN edge g ON g.src = w.seq AND g.type = ?2"
    f" WHERE w.d < {CHAIN}) "
)
_COMPONENT = (
    "WITH RECURSIVE w(seq) AS (SELECT ?1 UNION"
    " SELECT g.dst FROM w CROSS JOIN edge g ON g.src = w.seq AND g.type = ?2 UNION"
    " SELECT g.src FROM w CROSS JOIN edge g ON g.dst = w.seq AND g.type = ?2) "
)
_ABOUT = (
    " LEFT JOIN edge b ON b.src = e.seq AND b.type = {origin} LEFT JOIN event o ON o.seq = b.dst"
)
_ROWS = (
    f"SELECT {FULL}, o.id FROM carray(?) f CROSS JOIN event e ON e.seq = f.value {STATE}{_ABOUT}"
)
_DOWN = "SELECT g.src, g.dst, g.at FROM carray(?1) f CROSS JOIN edge g ON g.dst = f.value AND g.type = ?2"
_UP = "SELECT g.dst, g.src, g.at FROM carray(?1) f CROSS JOIN edge g ON g.src = f.value AND g.type = ?2"
_START = "SELECT seq FROM event WHERE id = ?"


class RawGraph:
    """`full`: nodes with rows and edges; otherwise keys only. Starts are public ids, as ours are."""

    def __init__(self, world: Path, targets: Targets, full: bool = True) -> None:
        self.name = "raw" if full else "ids"
        self.notes = ""
        self._db = opened(world)
        self._full = full
        kinds = dict(self._db.execute("SELECT name, id FROM kind").fetchall())
        self._link, origin = kinds[LINK], kinds.get("origin", 0)
        self._rows = _ROWS.format(origin=origin)
        chain = nodes = "SELECT seq FROM w"
        if full:
            given = (
                f"FROM w CROSS JOIN event e ON e.seq = w.seq {STATE}{_ABOUT.format(origin=origin)}"
            )
            nodes = f"SELECT {FULL}, o.id {given}"
            chain = f"SELECT {FULL}, o.id, w.d, w.src, w.at {given}"
        self._sql = {
            "chain": checked(self._db, _CHAIN + chain),
            "component": checked(self._db, _COMPONENT + nodes),
        }
        for sql in (_DOWN, _UP, self._rows):
            checked(self._db, sql)
        self._targets = targets

    def reads(self) -> dict[str, Read]:
        """Chain, tree, path, component."""
        asked = self._targets
        positions: Callable[[Any], Sequence[int]] = first_column if self._full else list
        reads = {
            "chain": Read(partial(self._narrow, "chain"), first_column),
            "tree": Read(self._tree, positions),
            "path": Read(partial(self._path, *asked.leaves), positions),
            "component": Read(partial(self._narrow, "component"), first_column),
        }
        if self._full:
            reads["chain_used"] = Read(self._used, first_column)
        return reads

    def _key(self, position: int) -> int:
        key: int = self._db.execute(_START, (self._targets.ids[position].bytes,)).fetchone()[0]
        return key

    def _narrow(self, what: str) -> list[Any]:
        start = self._key(self._targets.end)
        rows: list[Any] = self._db.execute(self._sql[what], (start, self._link)).fetchall()
        if self._full and what == "component":
            keys = apsw.carray(array("q", first_column(rows)))
            self._db.execute(_UP, (keys, self._link)).fetchall()
        return rows

    def _used(self) -> list[Any]:
        """With ids and times as a program uses them; the edges by the ids of their ends."""
        rows = self._narrow("chain")
        ids = {row[0]: UUID(bytes=row[1]) for row in rows}
        edges = [(ids[row[17]], ids[row[0]], LINK) for row in rows[1:]]
        assert len(edges) == len(rows) - 1
        return [(r[0], ids[r[0]], datetime.fromtimestamp(r[4] / 1000, UTC)) for r in rows]

    def _tree(self) -> list[Any]:
        """Level by level; at the end all event rows in one query."""
        frontier = [self._key(self._targets.root)]
        met, edges = dict.fromkeys(frontier), []
        while frontier:
            bound = (apsw.carray(array("q", frontier)), self._link)
            level = self._db.execute(_DOWN, bound).fetchall()
            frontier = [node for node, _cause, _at in level if node not in met]
            met.update(dict.fromkeys(frontier))
            if self._full:
                edges += level
        return self._delivered(list(met))

    def _path(self, first: int, last: int) -> list[Any]:
        """From both ends until they meet."""
        ends = self._key(first), self._key(last)
        sides: list[dict[int, int]] = [{ends[0]: 0}, {ends[1]: 0}]
        fronts = [[ends[0]], [ends[1]]]
        while fronts[0] or fronts[1]:
            side = 0 if fronts[0] and len(fronts[0]) <= (len(fronts[1]) or 2**30) else 1
            bound, fresh = (apsw.carray(array("q", fronts[side])), self._link), []
            for way in (_UP, _DOWN):
                for node, before, _at in self._db.execute(way, bound):
                    if node in sides[side]:
                        continue
                    sides[side][node] = before
                    fresh.append(node)
                    if node in sides[1 - side]:
                        return self._delivered(_traced(sides, node))
            fronts[side] = fresh
        return []

    def _delivered(self, keys: list[int]) -> list[Any]:
        if not self._full:
            return keys
        return list(self._db.execute(self._rows, (apsw.carray(array("q", keys)),)))

    def close(self) -> None:
        """Let the file go."""
        self._db.close()


def _traced(sides: list[dict[int, int]], meeting: int) -> list[int]:
    halves = []
    for side in sides:
        half, node = [], side[meeting]
        while node:
            half.append(node)
            node = side[node]
        halves.append(half)
    return [*halves[0][::-1], meeting, *halves[1]]
