"""simple-graph-sqlite: JSON nodes and edges in SQLite, walked by its recursive query.

Knows: its schema (node ids are text), its `traverse`.
Does not know: anything but the graph: it has no order to page by.

It is given the chain, the tree and other messages up to `ROOM`, by SQL; its walk knows no edge
types and no depth, so nothing but the edges that count is loaded. It opens a connection per call.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from simple_graph_sqlite import database  # type: ignore[import-untyped]

from . import LINK, STEPS, Read, Targets

ROOM = 100_000
_FILL = f"""
INSERT INTO nodes(body) SELECT json_set(e.payload, '$.id', CAST(e.seq AS TEXT))
FROM world.event e JOIN world.kind k ON k.id = e.type WHERE k.name IN {STEPS};
INSERT INTO nodes(body) SELECT json_set(e.payload, '$.id', CAST(e.seq AS TEXT))
FROM world.entry n JOIN world.event e ON e.seq = n.event LIMIT {ROOM};
INSERT INTO edges SELECT CAST(g.src AS TEXT), CAST(g.dst AS TEXT), '{{}}'
FROM world.event e JOIN world.kind k ON k.id = e.type JOIN world.edge g ON g.src = e.seq
AND g.type = (SELECT id FROM world.kind WHERE name = '{LINK}') WHERE k.name IN {STEPS};
ANALYZE;
"""


def fill(world: Path, path: Path) -> None:
    """Its file, with what the measured one holds of the graph."""
    database.initialize(str(path))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("ATTACH ? AS world", (str(world),))
    db.executescript(f"BEGIN; {_FILL} COMMIT;")
    db.close()


class SimpleGraph:
    """Walks that give bodies."""

    name = "simple_graph"
    notes = f"chain, tree and at most {ROOM:,} messages"

    def __init__(self, path: Path, targets: Targets) -> None:
        self._path = str(path)
        self._targets = targets

    def reads(self) -> dict[str, Read]:
        """Chain and tree."""
        out, into = database.find_outbound_neighbors, database.find_inbound_neighbors
        walk = self._walk
        return {
            "chain": Read(partial(walk, self._targets.end, out), _positions),
            "tree": Read(partial(walk, self._targets.root, into), _positions),
            "component": Read(
                partial(walk, self._targets.end, database.find_neighbors), _positions
            ),
        }

    def _walk(self, start: int, neighbours: Any) -> list[Any]:
        found: list[Any] = database.traverse(
            self._path, str(start), neighbors_fn=neighbours, with_bodies=True
        )
        return found

    def close(self) -> None:
        """It holds nothing."""


def _positions(found: Sequence[Any]) -> list[int]:
    return list({int(node) for node, kind, _body in found if kind == "()"})
