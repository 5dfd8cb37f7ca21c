"""Lines of an export as rows: what an import reads.

Knows: how a line is taken apart, that every value keeps its column's rule.
Does not know: the rules (`values.py`), what becomes of the rows (`storing.py`), files, checksums, where a
line comes from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from operator import ge, itemgetter
from typing import Any

from attrs import Factory

from ..._domain.rules import shapes
from ..._domain.values.classes import define
from ..._domain.values.codec import DEEPEST, decode, decode_roughly, harmless, is_json, storable
from ..._domain.values.names import safe_filename, safe_mime
from ...events import RESERVED
from . import values
from .tables import ADDED, TABLES
from .values import KIND, Bounds, Rule

_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined] # as raw_decode, without a call
_EVENT = '{"event":'
_HEAD = itemgetter("n", "id", "type", "conn", "at", "created", "dk", "edges", "sizes")
_EDGE = itemgetter("from", "type", "to", "at")
_PAYLOAD, _RAW = ',"payload":', ',"raw":'
_SOME = 256
_NO_PAYLOAD = "event.payload is no JSON"


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
        if not values.is_kind(name):
            raise ValueError(
                f"{name!r:.80} is no event or edge type: at most {KIND} of a-z, 0-9, '_' and '.'"
            )
        raise NewKind(name)


@define
class Rows:
    """What a number of lines hold. `events` and `edges`: in the order of their tables' columns, `others`:
    by table; `blobs`: the lines with the bytes of files, as they stand.
    """

    events: list[tuple[Any, ...]] = Factory(list)
    edges: list[tuple[Any, ...]] = Factory(list)
    others: dict[str, list[tuple[Any, ...]]] = Factory(dict)
    blobs: list[Mapping[str, Any]] = Factory(list)

    @property
    def only_connections(self) -> bool:
        """Whether nothing in it could refer to a connection."""
        return not (self.events or self.edges or self.others.keys() - {"connection"})


def parse(lines: list[str], kinds: Kinds, bounds: Bounds) -> Rows:
    """The rows of these lines. Raises BadLine, NewKind."""
    try:
        return _parsed(lines, kinds, bounds)
    except NewKind:
        raise
    except Exception as error:
        for index, line in enumerate(lines):
            _checked(index, line, kinds, bounds)
        raise BadLine(0, str(error)) from None


def _checked(index: int, line: str, kinds: Kinds, bounds: Bounds) -> None:
    """The line alone. Raises BadLine with what is wrong."""
    try:
        if line.startswith(_EVENT):
            _head(_scan(line, 9)[0], bounds)
        _parsed([line], kinds, bounds)
    except NewKind:
        raise
    except KeyError as error:
        raise BadLine(index, f"there is no {error} in it, or it is of no known table") from None
    except StopIteration:
        raise BadLine(index, "it is no JSON") from None
    except Exception as error:
        raise BadLine(index, str(error) or type(error).__name__) from None


def _head(head: dict[str, Any], bounds: Bounds) -> None:
    """The fields of an event, one by one, so that the wrong one is named. Raises ValueError, KeyError."""
    for name, role in HEAD.items():
        rule = values.rule_of(role.rstrip("?"), bounds)
        _column(f"event.{name}", rule, (head[name],), nullable=role.endswith("?"))
    if not values.dedupe_keys([head["dk"]]):
        raise ValueError("event.dk is a short text, a number of 64 bits, or null")
    edges, sizes = head["edges"], head["sizes"]
    if type(edges) is not list or not all(type(e) is list and len(e) in (2, 3) for e in edges):
        raise ValueError("event.edges is a list of [type, target] or [type, target, time]")
    if type(sizes) is not list or len(sizes) != 2 or type(sizes[0]) is not int:
        raise ValueError("event.sizes has the lengths of payload and raw")


HEAD = {
    "n": "own", "id": "uid", "type": "kind", "conn": "conn?", "at": "time", "created": "time",
}  # fmt: skip
"""The fields of an event's line that are single values, with the words of their rules."""


def _parsed(lines: list[str], kinds: Kinds, bounds: Bounds) -> Rows:
    rows = Rows()
    texts: dict[str, list[str]] = {}
    own: list[tuple[str, str]] = []
    others: list[str] = []
    event, edge, unhex = rows.events.append, rows.edges.append, bytes.fromhex
    for line in lines:
        if line[:9] != _EVENT:
            name = line[2 : line.index('":', 2)]
            texts.setdefault(name, []).append(line[len(name) + 4 : -1])
            continue
        head, end = _scan(line, 9)
        n, uid, kind, conn, at, created, dk, edges, sizes = _HEAD(head)
        payload, raw = _texts(line, end, sizes)
        if kind.startswith(RESERVED):
            own.append((kind, payload))
        else:
            others.append(payload)
        event((n, unhex(uid), conn, kinds[kind], at, created, dk, payload, raw))
        for drawn in edges:
            to = drawn[1]
            edge((to, kinds[drawn[0]], n, None if len(drawn) == 2 else drawn[2]))
    for name, found in texts.items():
        _other(rows, name, _values(found), kinds, bounds)
    _log_is_right(rows, bounds)
    _payloads_fit(own, others)
    return rows


def _values(texts: list[str]) -> list[Any]:
    """What they say, some at a time: whoever waits for the interpreter waits for one call to end."""
    pieces = (texts[start : start + _SOME] for start in range(0, len(texts), _SOME))
    return [value for piece in pieces for value in json.loads(f"[{','.join(piece)}]")]


def _payloads_fit(own: list[tuple[str, str]], others: list[str]) -> None:
    """They are JSON; those of the library's own types are what readers take them to be. Raises ValueError."""
    if not all(map(is_json, others)):
        raise ValueError(_NO_PAYLOAD)
    for kind, payload in own:
        try:
            fits = shapes.fault(kind, decode_roughly(payload)) is None
            wrong = None if fits else shapes.fault(kind, decode(payload))
        except (ValueError, RecursionError):
            raise ValueError(_NO_PAYLOAD) from None
        if wrong is not None:
            raise ValueError(wrong)


def _log_is_right(rows: Rows, bounds: Bounds) -> None:
    """Events and edges, column by column. Raises ValueError."""
    node = values.rule_of("event", bounds)
    if rows.events:
        n, uid, conn, _kind, at, created, dk, payload, raw = zip(*rows.events, strict=True)
        _column("event.n", node, n)
        if set(map(len, uid)) != {16}:
            raise ValueError("event.id is 16 bytes in hexadecimal")
        if any(map(ge, n, n[1:])):
            raise ValueError("events stand in the order of their numbers")
        _column("event.conn", values.rule_of("conn", bounds), conn, nullable=True)
        _column("event.at", values.TIME, at)
        _column("event.created", values.TIME, created)
        if not values.dedupe_keys(dk):
            raise ValueError("event.dk is a short text, a number of 64 bits, or null")
        if not all(text is None or is_json(text) for text in raw):
            raise ValueError("event.raw is no JSON")
        for name, texts in (("payload", payload), ("raw", raw)):
            if not all(harmless(text) for text in texts if text and len(text) > DEEPEST):
                raise ValueError(f"event.{name} is nested too deeply, or has a number too long")
    if rows.edges:
        to, _kind, source, late = zip(*rows.edges, strict=True)
        _column("edge.to", node, to)
        _column("edge.from", node, source)
        _column("edge.at", values.TIME, late, nullable=True)


def _column(name: str, rule: Rule, found: Sequence[Any], *, nullable: bool = False) -> None:
    """Raises ValueError with the first value that breaks the rule."""
    wrong = rule.first_wrong(found, nullable=nullable)
    if wrong is not None:
        raise ValueError(f"{name} is {rule.says}, not {found[wrong]!r:.80}")


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
    if not isinstance(text, str) or len(text) != size or not storable(text):
        raise ValueError(f"its {name} has not the size that it should have")
    return text, end


def _other(
    rows: Rows, name: str, found: list[dict[str, Any]], kinds: Kinds, bounds: Bounds
) -> None:
    if name == "bytes":
        rows.blobs += found
    elif name == "edge":
        rows.edges += [(to, kinds[kind], n, at) for n, kind, to, at in map(_EDGE, found)]
    else:
        table = TABLES[name]
        if name == "connection":
            found = [_with_door(one) for one in found]
        if name == "handled":  # before there was such a column, nothing was left unread
            found = [{"unread": 0, **one} for one in found]
        columns = table.shown
        names = [column.name for column in columns]
        for missing, value in ADDED.get(name, {}).items():
            for line in found:
                line.setdefault(missing, value)
        if any(len(one) != len(names) for one in found):
            raise ValueError(f"a line of {name} has {', '.join(names)}, and nothing else")
        if name == "file":
            found = [_file(one, bounds) for one in found]
        taken = list(map(itemgetter(*names), found))
        for column, one in zip(columns, zip(*taken, strict=True), strict=True):
            rule = values.rule_of(column.role, bounds)
            _column(f"{name}.{column.name}", rule, one, nullable=column.nullable)
            if column.role == "kind":
                for kind in one:
                    kinds[kind]
        rows.others[name] = taken


def _file(row: dict[str, Any], bounds: Bounds) -> dict[str, Any]:
    """A file's row with names that may stand anywhere, and with bytes only if they came along.

    A digest is no right to the bytes of somebody else in this folder who happens to have the same.
    """
    filename, mime = row["filename"], row["mime"]
    row = {**row, "filename": filename if type(filename) is not str else safe_filename(filename)}
    row["mime"] = mime if type(mime) is not str else safe_mime(mime)
    if row["status"] == "stored" and not (
        bounds.brought is None or row["sha256"] in bounds.brought
    ):
        row |= {"status": "failed", "sha256": None, "due": None, "error": NOT_BROUGHT}
    return row


NOT_BROUGHT = "its bytes were not in the export"


def _with_door(one: dict[str, Any]) -> dict[str, Any]:
    """A connection; until format 2 the secret of its webhook stood there, of which the hash is kept."""
    if "webhook_secret" not in one:
        return one
    old = hashlib.sha256(str(one["webhook_secret"]).encode()).hexdigest()
    rest = {name: value for name, value in one.items() if name != "webhook_secret"}
    return {**rest, "webhook_version": 1, "webhook_until": None, "webhook_old": old}
