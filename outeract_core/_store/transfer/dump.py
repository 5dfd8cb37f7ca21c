"""One application as lines of JSON text: what an export writes, in its order.

Knows: the shape of the lines, how edges go with their events.
Does not know: what a value is called outside (`relative.py`), where the lines go, checksums, files' bytes.

Payload and raw item are put into the line as they are stored, and their lengths before them, so that
the import takes exactly these characters back without reading them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from ..._domain.values.codec import is_json
from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.composed.tables import selecting
from ..engine.statements import statement
from .relative import Outside, plain, quoted
from .tables import AFTER, BEFORE, FORMAT, LOG, Table

FACTS: Statement[tuple[str, bytes, int, str, bytes, str, int, int, int, int]] = statement(
    "transfer_facts"
)
KINDS: Statement[tuple[int, str]] = statement("transfer_kinds")
CONNECTIONS: Statement[tuple[int]] = statement("transfer_connections")
RULES: Statement[tuple[int, bytes]] = statement("transfer_rules")
HASHES: Statement[tuple[str]] = statement("transfer_hashes")

EVENTS = selecting("event", LOG["event"], "seq", ["seq"])
_MANY = 256
"""Rows whose lines are made at once."""
EDGES = selecting("edge", LOG["edge"], "src", ["src"])


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
    lo, hi = span(app)
    conns = [conn for (conn,) in tx.all(CONNECTIONS, app=app)]
    outside = Outside(
        lo,
        {conn: str(rank) for rank, conn in enumerate(conns, 1)},
        {number: quoted(name) for number, name in tx.all(KINDS)},
        {number: quoted(uid.hex()) for number, uid in tx.all(RULES, app=app)},
    )
    for table in BEFORE:
        yield from _rows(tx, table, outside, _scopes(table, app, conns))
    yield from _log(tx, outside, {"lo": lo, "hi": hi})
    for table in AFTER:
        yield from _rows(tx, table, outside, _scopes(table, app, conns))


def hashes(tx: Tx, app: int) -> list[str]:
    """The SHA-256 of every file whose bytes should be in the folder, each once."""
    lo, hi = span(app)
    return [row[0] for row in tx.all(HASHES, lo=lo, hi=hi)]


# ── lines of tables ───────────────────────────────────────────────────────────────────────────


def _scopes(table: Table, app: int, conns: list[int]) -> list[dict[str, int]]:
    if table.by_connection:
        return [{"conn": conn} for conn in conns]
    lo, hi = span(app)
    return [{"app": app, "lo": lo, "hi": hi}]


def _rows(
    tx: Tx, table: Table, outside: Outside, scopes: list[dict[str, int]]
) -> Iterator[tuple[str, str]]:
    sql, lined, name = selected(table), _lining(table, outside), table.name
    for scope in scopes:
        stream = tx.stream(sql, scope)
        while rows := list(islice(stream, _MANY)):
            for line in lined(rows):
                yield name, line


def selected(table: Table) -> str:
    """What reads the rows of a table, in the order of their lines."""
    names = [column.name for column in table.shown]
    return selecting(table.name, names, table.scope, table.order, table.kind)


def _lining(table: Table, outside: Outside) -> Callable[[list[tuple[Any, ...]]], Iterator[str]]:
    """What makes lines of rows, column by column."""
    spellings = [outside.spelling(column.role) for column in table.shown]
    fields = ",".join(f'"{column.name}":%s' for column in table.shown)
    line = f'{{"{table.name}":{{{fields}}}}}'.__mod__

    def lined(rows: list[tuple[Any, ...]]) -> Iterator[str]:
        columns = zip(*rows, strict=True)
        spelt = [spell(column) for spell, column in zip(spellings, columns, strict=True)]
        return map(line, zip(*spelt, strict=True))

    return lined


# ── events and edges ──────────────────────────────────────────────────────────────────────────


def _log(tx: Tx, outside: Outside, within: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Events in order, each with its edges; edges of other nodes as lines of their own."""
    lo, kinds, ranks = outside.lo, outside.kinds, outside.ranks
    edges = chain(tx.stream(EDGES, within), [(0, 0, within["hi"], None)])
    to, kind, source, late = next(edges)
    for seq, uid, conn, type_, at, created, dk, payload, raw in tx.stream(EVENTS, within):
        mine = []
        while source <= seq:
            if source == seq:
                mine.append(f"[{kinds[kind]},{to - lo}{'' if late is None else f',{late}'}]")
            else:
                yield "edge", _lone(source - lo, kinds[kind], to - lo, late)
            to, kind, source, late = next(edges)
        mine.sort()
        size, rest = ("null", "") if raw is None else (len(raw), _text("raw", raw))
        yield (
            "event",
            (
                f'{{"event":{{"n":{seq - lo},"id":"{uid.hex()}","type":{kinds[type_]},'
                f'"conn":{ranks.get(conn, "null")},"at":{at},"created":{created},"dk":{plain(dk)},'
                f'"edges":[{",".join(mine)}],"sizes":[{len(payload)},{size}]}}'
                f"{_text('payload', payload)}{rest}}}"
            ),
        )
    while source < within["hi"]:
        yield "edge", _lone(source - lo, kinds[kind], to - lo, late)
        to, kind, source, late = next(edges)


def _lone(source: int, kind: str, target: int, at: int | None) -> str:
    return f'{{"edge":{{"from":{source},"type":{kind},"to":{target},"at":{plain(at)}}}}}'


def _text(name: str, text: str) -> str:
    """A stored text: as it stands where that is JSON on one line, else spelt as a JSON string."""
    if "\n" not in text and is_json(text):
        return f',"{name}":{text}'
    return f',"{name}_text":{quoted(text)}'


def _line(name: str, value: Any) -> str:
    return json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))
