"""LadybugDB: COPY from csv, its fastest way in.

Knows: that writing the csv is not counted. Does not know: dedupe keys, conversation rows, raw items'
index; its only index is the primary key of each node.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ladybug

from ..ground.floor import Rows
from ..took import Took

_SCHEMA = (
    "CREATE NODE TABLE Peer(key INT64 PRIMARY KEY)",
    "CREATE NODE TABLE Message(seq INT64 PRIMARY KEY, id STRING, type INT64, occurred INT64,"
    " created INT64, dk STRING, payload STRING, raw STRING)",
    "CREATE REL TABLE Sent(FROM Message TO Peer, type INT64)",
)


def written(folder: Path, messages: list[Rows]) -> Took:
    """All messages by three COPY statements."""
    place = folder / "ladybug"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    peers = {edge[0] for message in messages for edge in message.tables["edge"]}
    files = {
        "Peer": _csv(place / "peer.csv", ((peer,) for peer in peers)),
        "Message": _csv(place / "message.csv", (_message(message.event) for message in messages)),
        "Sent": _csv(
            place / "sent.csv",
            ((e[2], e[0], e[1]) for message in messages for e in message.tables["edge"]),
        ),
    }
    connection = ladybug.Connection(ladybug.Database(str(place / "store")))
    for table in _SCHEMA:
        connection.execute(table)
    start = time.perf_counter()
    for table, path in files.items():
        connection.execute(f"""COPY {table} FROM '{path}' (HEADER=false, ESCAPE='"')""")
    seconds = time.perf_counter() - start
    connection.close()
    return Took(len(messages), seconds, [seconds])


def _message(row: tuple[Any, ...]) -> tuple[Any, ...]:
    seq, uid, _conn, kind, occurred, created, dk, payload, raw = row[:9]
    return seq, uid.hex(), kind, occurred, created, dk, payload, raw


def _csv(path: Path, rows: Iterable[tuple[Any, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_MINIMAL).writerows(rows)
    return path
