"""simple-graph-sqlite: messages and people as JSON nodes, who sent what to whom as edges.

Knows: its functions for many nodes and many edges, a thousand messages to a call.
Does not know: dedupe keys, conversation rows; node ids are its only key.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from simple_graph_sqlite import database

from ..ground.floor import Rows
from ..took import Took

BATCH = 1000


def written(path: Path, messages: list[Rows]) -> Took:
    """All messages; WAL and FULL, so that its commits cost what the others' do."""
    path.unlink(missing_ok=True)
    database.initialize(str(path))
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    people = {edge[0] for message in messages for edge in message.tables["edge"]}
    _all(path, database.add_nodes([{"kind": "node"} for _ in people], list(map(str, people))))
    each = []
    rest = iter(messages)
    begin = time.perf_counter()
    while chunk := list(islice(rest, BATCH)):
        start = time.perf_counter()
        _batch(path, chunk)
        each.append(time.perf_counter() - start)
    took = Took(len(messages), time.perf_counter() - begin, each)
    db.close()
    return took


def _batch(path: Path, messages: list[Rows]) -> None:
    nodes = [
        {"type": row[3], "occurred_at": row[4], "created_at": row[5], "key": row[6],
         "payload": row[7], "raw": row[8]}
        for row in (message.event for message in messages)
    ]  # fmt: skip
    ids = [f"e{message.event[0]}" for message in messages]
    edges = [edge for message in messages for edge in message.tables["edge"]]
    sources = [f"e{edge[2]}" for edge in edges]
    targets = [str(edge[0]) for edge in edges]
    properties = [{"type": edge[1]} for edge in edges]

    def both(cursor: Any) -> None:
        database.add_nodes(nodes, ids)(cursor)
        database.connect_many_nodes(sources, targets, properties)(cursor)

    _all(path, both)


def _all(path: Path, work: Callable[[Any], None]) -> None:
    database.atomic(str(path), work)
