"""One application as lines of JSON text: what an export writes, in its order.

Knows: the shape of the lines that are not a table's, how edges go with their events.
Does not know: where the lines go, checksums, the bytes of files.

Payload and raw item are put into the line as they are stored, and their lengths before them, so that
the import takes exactly these characters back without reading them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement
from .tables import AFTER, BEFORE, FORMAT, Table, select

FACTS: Statement[tuple[str, bytes, int, str, bytes, str, int, int, int, int]] = statement(
    "transfer_facts"
)
KINDS: Statement[tuple[int, str]] = statement("transfer_kinds")
CONNECTIONS: Statement[tuple[int]] = statement("transfer_connections")
HASHES: Statement[tuple[str]] = statement("transfer_hashes")

_EVENTS = """SELECT e.seq - :lo, lower(hex(e.id)), e.conn, e.type, e.occurred_at, e.created_at, e.dk,
  payload_out(e.payload), json_valid(payload_out(e.payload)) AND instr(payload_out(e.payload), char(10)) = 0,
  raw_out(e.raw), json_valid(raw_out(e.raw)) AND instr(raw_out(e.raw), char(10)) = 0
FROM event e WHERE e.seq >= :lo AND e.seq < :hi ORDER BY e.seq"""
_EDGES = """SELECT g.src - :lo, g.type, g.dst - :lo, g.at FROM edge g
WHERE g.src >= :lo AND g.src < :hi ORDER BY g.src"""
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def header(tx: Tx, app: int, *, files: bool) -> str:
    """The first line: format version, and what the file's own tables say of the application."""
    row = tx.one(FACTS, app=app)
    assert row is not None  # noqa: S101 - the caller has the application
    lo, _hi = span(app)
    return _line("outeract", {
        "format": FORMAT,
        "organisation": {"name": row[0], "uid": row[1].hex(), "created_at": row[2]},
        "application": {"name": row[3], "uid": row[4].hex(), "config": row[5],
                        "system_person": max(0, row[6] - lo), "created_at": row[7]},
        "last": row[8], "connections": row[9], "files": files,
    })  # fmt: skip


def lines(tx: Tx, app: int) -> Iterator[tuple[str, str]]:
    """Every line between the header and the bytes of files, each with the table that it is of."""
    for table in BEFORE:
        yield from _rows(tx, app, table)
    yield from _log(tx, app)
    for table in AFTER:
        yield from _rows(tx, app, table)


def hashes(tx: Tx, app: int) -> list[str]:
    """The SHA-256 of every file whose bytes should be in the folder, each once."""
    lo, hi = span(app)
    return [row[0] for row in tx.all(HASHES, lo=lo, hi=hi)]


def _rows(tx: Tx, app: int, table: Table) -> Iterator[tuple[str, str]]:
    lo, hi = span(app)
    scopes: list[dict[str, Any]] = [{"app": app, "lo": lo, "hi": hi}]
    if table.by_connection:
        scopes = [
            {"conn": conn, "rank": rank, "lo": lo}
            for rank, (conn,) in enumerate(tx.all(CONNECTIONS, app=app), 1)
        ]
    for scope in scopes:
        for (line,) in tx.stream(select(table), scope):
            yield table.name, line


def _log(tx: Tx, app: int) -> Iterator[tuple[str, str]]:
    """Events in order, each with its edges; edges of other nodes as lines of their own."""
    lo, hi = span(app)
    kinds = {number: _quoted(name) for number, name in tx.all(KINDS)}
    ranks = {conn: rank for rank, (conn,) in enumerate(tx.all(CONNECTIONS, app=app), 1)}
    ends = iter([(hi, 0, 0, None)])
    edges = chain(tx.stream(_EDGES, {"lo": lo, "hi": hi}), ends)
    edge = next(edges)
    for n, uid, conn, kind, at, created, dk, payload, nested, raw, raw_nested in tx.stream(
        _EVENTS, {"lo": lo, "hi": hi}
    ):
        mine = []
        while edge[0] <= n:
            if edge[0] == n:
                mine.append(_edge(kinds[edge[1]], edge[2], edge[3]))
            else:
                yield "edge", _lone(kinds, edge)
            edge = next(edges)
        mine.sort()
        sizes = f"{len(payload)},{'null' if raw is None else len(raw)}"
        yield (
            "event",
            (
                f'{{"event":{{"n":{n},"id":"{uid}","type":{kinds[kind]},'
                f'"conn":{"null" if conn is None else ranks[conn]},"at":{at},"created":{created},'
                f'"dk":{"null" if dk is None else dk if dk.__class__ is int else _quoted(dk)},'
                f'"edges":[{",".join(mine)}],"sizes":[{sizes}]}}{_text("payload", payload, nested)}'
                f"{'' if raw is None else _text('raw', raw, raw_nested)}}}"
            ),
        )
    while edge[0] < hi:
        yield "edge", _lone(kinds, edge)
        edge = next(edges)


def _edge(kind: str, target: int, at: int | None) -> str:
    return f"[{kind},{target}]" if at is None else f"[{kind},{target},{at}]"


def _lone(kinds: dict[int, str], edge: tuple[int, int, int, int | None]) -> str:
    source, kind, target, at = edge
    late = "null" if at is None else at
    return f'{{"edge":{{"from":{source},"type":{kinds[kind]},"to":{target},"at":{late}}}}}'


def _text(name: str, text: str, nested: bool) -> str:
    """A stored text: as it stands where that is JSON on one line, else spelt as a JSON string."""
    return f',"{name}":{text}' if nested else f',"{name}_text":{_quoted(text)}'


def _line(name: str, value: Any) -> str:
    return json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))
