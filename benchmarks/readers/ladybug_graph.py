"""LadybugDB: an embedded columnar graph store, asked in Cypher.

Knows: its tables, filled by COPY from csv; how a question is put in Cypher.
Does not know: SQL.

It goes on where kuzu ended, and cannot be imported beside it.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ladybug

from . import CHAIN, LINK, PAGE, STEPS, Read, Targets
from .raw import opened

_SCHEMA = (
    "CREATE NODE TABLE Person(key INT64 PRIMARY KEY, id STRING)",
    "CREATE NODE TABLE Peer(key INT64 PRIMARY KEY, name STRING, external STRING, unread INT64)",
    "CREATE NODE TABLE Message(seq INT64 PRIMARY KEY, id STRING, type STRING, occurred INT64,"
    " created INT64, payload STRING)",
    "CREATE REL TABLE BelongsTo(FROM Peer TO Person)",
    "CREATE REL TABLE Said(FROM Message TO Peer)",
    "CREATE REL TABLE Link(FROM Message TO Message)",
)
_MESSAGE = "e.seq, lower(hex(e.id)), k.name, e.occurred_at, e.created_at, e.payload"
_LINKS = (
    "SELECT g.src, g.dst FROM event e JOIN kind k ON k.id = e.type JOIN edge g ON g.src = e.seq"
    f" AND g.type = (SELECT id FROM kind WHERE name = '{LINK}') WHERE k.name IN {STEPS}"
)
_TABLES = {
    "Person": "SELECT id, lower(hex(uid)) FROM person",
    "Peer": "SELECT p.id, p.name, p.ext, coalesce(c.unread, 0) FROM puser p"
    " LEFT JOIN conversation c ON c.peer = p.id",
    "Message": f"SELECT {_MESSAGE} FROM event e JOIN kind k ON k.id = e.type"
    f" WHERE k.name LIKE 'message.%' OR k.name IN {STEPS}",
    "BelongsTo": "SELECT id, person FROM puser",
    "Said": "SELECT event, peer FROM entry",
    "Link": _LINKS,
}
_HELD = "m.seq AS seq, m.id, m.type, m.occurred, m.created, m.payload"
_NODE = "n.seq AS seq, n.id, n.type, n.occurred, n.created, n.payload"
_NEWEST = f"RETURN {_HELD} ORDER BY m.seq DESC LIMIT {PAGE}"
_ASKED = {
    "page": f"MATCH (m:Message)-[:Said]->(p:Peer) WHERE p.key = $key {_NEWEST}",
    "deep_page": "MATCH (m:Message)-[:Said]->(p:Peer) WHERE p.key = $key AND m.seq < $before"
    f" {_NEWEST}",
    "list": "MATCH (m:Message)-[:Said]->(p:Peer) WITH p, max(m.seq) AS last ORDER BY last DESC"
    f" LIMIT {PAGE} MATCH (m:Message) WHERE m.seq = last"
    f" RETURN {_HELD}, p.name, p.external, p.unread ORDER BY m.seq DESC",
    "timeline": "MATCH (m:Message)-[:Said]->(p:Peer)-[:BelongsTo]->(u:Person)"
    f" WHERE u.id = $person {_NEWEST}",
    "chain": f"MATCH (m:Message)-[:Link* 0..{CHAIN}]->(n:Message) WHERE m.seq = $start RETURN {_NODE}",
    "tree": f"MATCH (m:Message)<-[:Link* 0..5]-(n:Message) WHERE m.seq = $start RETURN {_NODE}",
    "path": "MATCH (a:Message)-[way:Link* SHORTEST 1..20]-(b:Message)"
    " WHERE a.seq = $here AND b.seq = $there RETURN properties(nodes(way), 'seq') AS between",
}


def fill(world: Path, path: Path) -> None:
    """Its file, by COPY from csv."""
    source = opened(world)
    connection = ladybug.Connection(ladybug.Database(str(path)))
    for table in _SCHEMA:
        connection.execute(table)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for table, sql in _TABLES.items():
            rows = Path(folder) / f"{table}.csv"
            with rows.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, quoting=csv.QUOTE_MINIMAL).writerows(source.execute(sql))
            connection.execute(f"""COPY {table} FROM '{rows}' (HEADER=false, ESCAPE='"')""")
    connection.execute("CHECKPOINT")
    connection.close()
    source.close()


class Ladybug:
    """Rows come as lists."""

    name = "ladybug"
    notes = "its own file, filled by COPY"

    def __init__(self, path: Path, targets: Targets) -> None:
        self._connection = ladybug.Connection(ladybug.Database(str(path), read_only=True))
        self._connection.set_query_timeout(60_000)
        self._connection.execute(f"CALL var_length_extend_max_depth={CHAIN}")
        self._targets = targets

    def reads(self) -> dict[str, Read]:
        """Page, deep page, list, timeline, chain, tree, path."""
        asked = self._targets
        values: dict[str, dict[str, Any]] = {
            "page": {"key": asked.peer},
            "deep_page": {"key": asked.peer, "before": asked.deep},
            "list": {},
            "timeline": {"person": asked.person.hex()},
            "chain": {"start": asked.end},
            "tree": {"start": asked.root},
            "path": {"here": asked.leaves[0], "there": asked.leaves[1]},
        }
        reads = {
            name: Read(partial(self._rows, name, given), _positions)
            for name, given in values.items()
        }
        reads["path"] = reads["path"]._replace(positions=self._between)
        return reads

    def _rows(self, name: str, values: dict[str, Any]) -> list[Any]:
        result: Any = self._connection.execute(_ASKED[name], values)
        rows: list[Any] = result.get_all()
        return rows

    def _between(self, rows: Sequence[Any]) -> list[int]:
        first, last = self._targets.leaves
        between = [key for key in rows[0][0] if key not in (first, last)]
        return [first, *between, last]

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()


def _positions(rows: Sequence[Any]) -> list[int]:
    return [row[0] for row in rows]
