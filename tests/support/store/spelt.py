"""The lines of an export as SQLite's own JSON functions make them: a second opinion on each character.

Knows: the words behind columns, as SQL. Does not know: how the library makes a line.

This is how exports were made up to format 3's first release, so that what is the same here is the same there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw

from outeract_core._store.transfer.tables import AFTER, BEFORE, Column, Table
from outeract_core._store.transfer.values import NODES

from .opening import raw

_RANKS = """WITH ranks(id, n) AS MATERIALIZED (
  SELECT c.id, row_number() OVER (ORDER BY c.id) FROM connection c WHERE c.app = :app)
"""
_BYTES = "lower(hex({0}))"
_WORDS = {
    **dict.fromkeys((*NODES, "position"), "{0} - :lo"),
    **dict.fromkeys(("uid", "hash", "body"), _BYTES),
    "node0": "CASE WHEN {0} = 0 THEN 0 ELSE {0} - :lo END",
    "conn": "(SELECT r.n FROM ranks r WHERE r.id = {0})",
    "conn0": "coalesce((SELECT r.n FROM ranks r WHERE r.id = {0}), 0)",
    "kind": "(SELECT k.name FROM kind k WHERE k.id = {0})",
    "rule": "(SELECT lower(hex(r.uid)) FROM retention r WHERE r.id = {0})",
    "parts": "CASE WHEN json_array_length({0}, '$.files') > 0 THEN json_set({0}, '$.files', "
    "json((SELECT json_group_array(j.value - :lo) FROM json_each({0}, '$.files') j))) || '' ELSE {0} END",
}
_SCOPES = {
    "app": "t.app = :app",
    "conn": "t.conn IN (SELECT c.id FROM connection c WHERE c.app = :app)",
    "rule": "t.rule IN (SELECT r.id FROM retention r WHERE r.app = :app)",
}
_ORDERS = {"waiting": "ext, t.src, (SELECT k.name FROM kind k WHERE k.id = t.type)"}
_EVENTS = """SELECT json_object('n', e.seq - :lo, 'id', lower(hex(e.id)),
  'type', (SELECT k.name FROM kind k WHERE k.id = e.type), 'conn', (SELECT r.n FROM ranks r WHERE r.id = e.conn),
  'at', e.occurred_at, 'created', e.created_at, 'dk', e.dk), e.seq,
  length(e.payload), length(e.raw), e.payload, e.raw,
  iif(json_valid(e.payload) AND instr(e.payload, char(10)) = 0, ',"payload":' || e.payload,
    ',"payload_text":' || json_quote(e.payload)),
  iif(json_valid(e.raw) AND instr(e.raw, char(10)) = 0, ',"raw":' || e.raw, ',"raw_text":' || json_quote(e.raw))
FROM event e WHERE e.seq >= :lo AND e.seq < :hi ORDER BY e.seq"""
_EDGES = """SELECT CASE WHEN g.at IS NULL THEN json_array(k.name, g.dst - :lo) ELSE json_array(k.name, g.dst - :lo, g.at) END,
  json_object('edge', json_object('from', g.src - :lo, 'type', k.name, 'to', g.dst - :lo, 'at', g.at)),
  g.src IN (SELECT e.seq FROM event e), g.src
FROM edge g JOIN kind k ON k.id = g.type WHERE g.src >= :lo AND g.src < :hi"""


def lines(path: Path, app: int) -> list[str]:
    """Every line of an application between the header and its files' bytes; edges alone in their order."""
    span = {"app": app, "lo": app << 40, "hi": (app + 1) << 40}
    with raw(path) as db:
        before = [line for table in BEFORE for line in _rows(db, table, span)]
        after = [line for table in AFTER for line in _rows(db, table, span)]
        return [*before, *_log(db, span), *after]


def _rows(db: apsw.Connection, table: Table, span: dict[str, int]) -> Iterator[str]:
    values = ", ".join(f"'{c.name}', {_spelt(c)}" for c in table.shown)
    whose = _SCOPES.get(table.scope, f"t.{table.scope} >= :lo AND t.{table.scope} < :hi")
    first = "conn, t." if table.by_connection else ""
    order = _ORDERS.get(table.name, ", t.".join(table.order))
    for (line,) in db.execute(
        f"{_RANKS} SELECT json_object('{table.name}', json_object({values})) FROM {table.name} t "
        f"WHERE {whose} ORDER BY t.{first}{order}",
        span,
    ):
        yield line


def _spelt(column: Column) -> str:
    return _WORDS.get(column.role, "{0}").format(f"t.{column.name}")


def _log(db: apsw.Connection, span: dict[str, int]) -> Iterator[str]:
    edges = db.execute(_EDGES, span).fetchall()
    lone = sorted((source, line) for _short, line, has_event, source in edges if not has_event)
    for head, seq, size, raw_size, _payload, raw_, nested, raw_nested in db.execute(
        _RANKS + _EVENTS, span
    ):
        while lone and lone[0][0] < seq:
            yield lone.pop(0)[1]
        mine = ",".join(sorted(short for short, _line, _has, source in edges if source == seq))
        sizes = f"{size},{'null' if raw_size is None else raw_size}"
        yield (
            f'{{"event":{head[:-1]},"edges":[{mine}],"sizes":[{sizes}]}}{nested}'
            f"{'' if raw_ is None else raw_nested}}}"
        )
    yield from (line for _source, line in lone)
