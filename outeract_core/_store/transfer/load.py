"""Lines of an export as rows: what an import reads, and the unit that writes it.

Knows: how a line is taken apart without reading payloads, which statement takes which rows.
Does not know: files, checksums, where a line comes from, when it is the turn of what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from attrs import Factory, define

from ..engine.sqlite import Connection
from . import rebuild
from .tables import (
    AFTER,
    BEFORE,
    TABLES,
    Remap,
    Table,
    insert,
    insert_edge,
    insert_event,
    shown,
)

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined] # as raw_decode, without a call
_EVENT = '{"event":'
_HEAD = itemgetter("n", "id", "type", "conn", "at", "created", "dk", "edges", "sizes")
_EDGE = itemgetter("from", "type", "to", "at")
_PAYLOAD, _RAW = ',"payload":', ',"raw":'


class BadLine(ValueError):
    """A line is not as an export writes it. `index`: which of those that were given."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


class NewKind(LookupError):
    """An event or edge type that the file has no number for yet."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Kinds(dict[str, int]):
    """The numbers of event and edge types by name. Raises NewKind for one without a number."""

    def __missing__(self, name: str) -> int:
        raise NewKind(name)


@define
class Rows:
    """What a number of lines hold. `events` and `edges`: as their statements take them, `others`: by
    table; `blobs`: the lines with the bytes of files, as they stand.
    """

    events: list[tuple[Any, ...]] = Factory(list)
    edges: list[tuple[Any, ...]] = Factory(list)
    others: dict[str, list[tuple[Any, ...]]] = Factory(dict)
    blobs: list[Mapping[str, Any]] = Factory(list)


def parse(lines: list[str], kinds: Kinds) -> Rows:
    """The rows of these lines. Raises BadLine, NewKind."""
    try:
        return _parsed(lines, kinds)
    except NewKind:
        raise
    except Exception:
        for index, line in enumerate(lines):
            _checked(index, line, kinds)
        raise


def _checked(index: int, line: str, kinds: Kinds) -> None:
    """The line alone. Raises BadLine with what is wrong."""
    try:
        _parsed([line], kinds)
    except NewKind:
        raise
    except KeyError as error:
        raise BadLine(index, f"there is no {error} in it, or it is of no known table") from None
    except StopIteration:
        raise BadLine(index, "it is no JSON") from None
    except Exception as error:
        raise BadLine(index, str(error) or type(error).__name__) from None


def _parsed(lines: list[str], kinds: Kinds) -> Rows:
    rows = Rows()
    texts: dict[str, list[str]] = {}
    event, edge, unhex = rows.events.append, rows.edges.append, bytes.fromhex
    for line in lines:
        if line[:9] != _EVENT:
            name = line[2 : line.index('":', 2)]
            texts.setdefault(name, []).append(line[len(name) + 4 : -1])
            continue
        head, end = _scan(line, 9)
        n, uid, kind, conn, at, created, dk, edges, sizes = _HEAD(head)
        payload, raw = _texts(line, end, sizes)
        event((n, unhex(uid), conn, kinds[kind], at, created, dk, payload, raw))
        for drawn in edges:
            edge((drawn[1], kinds[drawn[0]], n, None if len(drawn) == 2 else drawn[2]))
    for name, found in texts.items():
        _other(rows, name, json.loads(f"[{','.join(found)}]"), kinds)
    return rows


def _texts(line: str, at: int, sizes: list[int]) -> tuple[str, str | None]:
    """Payload and raw item, exactly as they were stored, from the place behind the head."""
    size, raw_size = sizes
    if raw_size is not None:  # as nearly all of them are
        start = at + 11
        stop = start + size
        if (
            line[at:start] == _PAYLOAD
            and line[stop : stop + 7] == _RAW
            and len(line) == stop + raw_size + 8
        ):
            return line[start:stop], line[stop + 7 : -1]
    start = at + len(_PAYLOAD)
    if line[at:start] == _PAYLOAD:
        at = start + size
        payload = line[start:at]
    else:
        payload, at = _spelt(line, at, "payload", size)
    raw = None
    if raw_size is not None:
        start = at + len(_RAW)
        if line[at:start] == _RAW:
            at = start + raw_size
            raw = line[start:at]
        else:
            raw, at = _spelt(line, at, "raw", raw_size)
    if line[at:] != "}":
        raise ValueError("its sizes do not fit its texts")
    return payload, raw


def _spelt(line: str, at: int, name: str, size: int) -> tuple[str, int]:
    """A text that was spelt as a JSON string, and the place behind it."""
    begin = f',"{name}_text":'
    if not line.startswith(begin, at):
        raise ValueError(f"no {name} where its place is")
    text, end = _scan(line, at + len(begin))
    if not isinstance(text, str) or len(text) != size:
        raise ValueError(f"its {name} has not the size that it should have")
    return text, end


def _other(rows: Rows, name: str, found: list[dict[str, Any]], kinds: Kinds) -> None:
    if name == "bytes":
        rows.blobs += found
    elif name == "edge":
        rows.edges += [(to, kinds[kind], n, at) for n, kind, to, at in map(_EDGE, found)]
    else:
        table = TABLES[name]
        names = [column.name for column in shown(table)]
        if table.kind is not None:
            for one in found:
                kinds[one[table.kind]]
        if any(len(one) != len(names) for one in found):
            raise ValueError(f"a line of {name} has {', '.join(names)}, and nothing else")
        rows.others[name] = list(map(itemgetter(*names), found))


def store(tx: Connection, app: int, rows: Rows, remap: Remap) -> None:
    """Write them. Raises what SQLite does of a row that cannot be."""
    _tables(tx, app, rows, remap, BEFORE)
    if rows.events:
        tx.many(insert_event(remap), rows.events)
    if rows.edges:
        tx.many(insert_edge(remap), rows.edges)
    if rows.events:
        lo, hi = remap.base + rows.events[0][0], remap.base + rows.events[-1][0] + 1
        rebuild.add_entries(tx, lo, hi)
    _tables(tx, app, rows, remap, AFTER)


def _tables(tx: Connection, app: int, rows: Rows, remap: Remap, tables: tuple[Table, ...]) -> None:
    for table in tables:
        if table.name in rows.others:
            tx.many(insert(table, app, remap), rows.others[table.name])
