"""Filters into SQL, and the keys that satisfy them, page by page.

Knows: the columns behind each filter; that values travel as parameters only.
Does not know: what a page is for.

A filter with `has_edge(type, target)` in its outermost conjunction is driven by that edge (edges
are clustered by their target), every other one by the log: both read in order and stop at a page.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from attrs import define, field

from ... import query as q
from ..._domain.values.ids import span, to_ms
from ...driver import Statement, Tx
from ...errors import BadInput
from ..engine.statements import statement
from ..records import nodes
from ..writing.identity import PUSERS

Order = Literal["newest", "oldest"]

KINDS: Statement[tuple[int, str]] = statement("all_kinds")
CONNECTIONS_OF: Statement[tuple[int, bytes, str, str]] = statement("connections_of_app")

_LARGEST, _MOST = 900_000, 30_000
"""Characters and values in one filter: SQLite has limits."""

_LOG = "event e WHERE e.seq >= :lo AND e.seq < :hi"
_EDGE = (
    "edge g CROSS JOIN event e ON e.seq = g.src"
    " WHERE g.dst = :dst AND g.type = :edge AND g.src >= :lo AND g.src < :hi"
)


@define
class Compiler:
    """Parameters are collected while a filter becomes text."""

    tx: Tx
    app: int
    params: dict[str, Any] = field(factory=dict)

    def bind(self, value: Any) -> str:
        """A name for a value."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"

    def any_of(self, column: str, values: list[Any]) -> str:
        """Whether a column is one of the values."""
        if not values:
            return "0"
        return f"{column} IN ({', '.join(map(self.bind, values))})"

    def text(self, node: q.Filter) -> str:
        """The condition in SQL. Raises BadInput, NotFound."""
        match node:
            case q.All(filters):
                return joined("AND", list(map(self.text, filters)))
            case q.Any_(filters):
                return joined("OR", list(map(self.text, filters)))
            case q.Not(inner):
                return f"NOT coalesce({self.text(inner)}, 0)"
            case q.Type():
                numbers = [n for n, name in self.tx.all(KINDS) if node.matches(name)]
                return self.any_of("e.type", numbers)
            case q.Between():
                return self._between(node)
            case q.StatusIs(names):
                return self._status(names)
            case q.OnConnection() | q.OnPlatform():
                return self.any_of("e.conn", self._connections(node))
            case q.PayloadPath():
                return self._payload(node)
            case q.HasEdge():
                return self._edge(node)
            case q.TextContains(words):
                said = "CAST(coalesce(payload_out(e.payload) ->> '$.message.text', '') AS BLOB)"
                return f"instr(casefold({said}), {self.bind(words.casefold())}) > 0"
        raise BadInput(f"not a filter: {node!r:.80}; use the functions of outeract_core.query")

    def _between(self, node: q.Between) -> str:
        column = f"e.{node.column}"
        tests = []
        if node.since is not None:
            tests.append(f"{column} >= {self.bind(to_ms(node.since))}")
        if node.until is not None:
            tests.append(f"{column} < {self.bind(to_ms(node.until))}")
        return "(" + " AND ".join(tests or ["1"]) + ")"

    def _status(self, names: tuple[str, ...]) -> str:
        sent = "EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.seq{})"
        done = "EXISTS (SELECT 1 FROM processed p WHERE p.event = e.seq)"
        tests = [sent.format(f" AND {self.any_of('d.status', list(names))}")]
        parked = "EXISTS (SELECT 1 FROM parked k WHERE k.event = e.seq)"
        if "processed" in names:
            tests.append(f"({done} AND NOT {sent.format('')})")
        if "failed" in names:
            tests.append(f"({parked} AND NOT {done} AND NOT {sent.format('')})")
        if "received" in names:
            tests.append(f"(NOT {done} AND NOT {parked} AND NOT {sent.format('')})")
        return "(" + " OR ".join(tests) + ")"

    def _connections(self, node: q.OnConnection | q.OnPlatform) -> list[int]:
        rows = self.tx.all(CONNECTIONS_OF, app=self.app)
        if isinstance(node, q.OnPlatform):
            return [row[0] for row in rows if row[2] == node.platform]
        wanted = getattr(node.connection, "id", node.connection)
        if isinstance(wanted, str):
            return [row[0] for row in rows if row[3] == wanted]
        return [row[0] for row in rows if row[1] == getattr(wanted, "bytes", None)]

    def _payload(self, node: q.PayloadPath) -> str:
        """Each `[any]` is a list that is gone through; the rest of the path goes on from its places."""
        *outer, last = _pieces(node.path)
        lists, before = [], ""
        for number, piece in enumerate(outer):
            here = before + self.bind(("" if before else "$") + piece)
            lists.append(f"json_each(payload_out(e.payload), {here}) j{number}")
            before = f"j{number}.fullkey || "
        path = f"({before}{self.bind(('' if before else '$') + last)})"
        test = self._member(node, path)
        if not lists:
            return test
        places = " AND ".join(f"typeof(j{n}.key) = 'integer'" for n in range(len(lists)))
        return f"EXISTS (SELECT 1 FROM {' CROSS JOIN '.join(lists)} WHERE {places} AND {test})"

    def _member(self, node: q.PayloadPath, path: str) -> str:
        kind = f"json_type(payload_out(e.payload), {path})"
        if node.comparison == "exists":
            return f"{kind} IS NOT NULL"
        if node.value is None:
            return f"coalesce({kind}, 'null') {node.comparison} 'null'"
        if node.comparison == "!=":
            return f"({kind} <> 'null' AND NOT ({self._compared(kind, path, '=', node.value)}))"
        return f"({self._compared(kind, path, node.comparison, node.value)})"

    def _compared(self, kind: str, path: str, comparison: str, value: Any) -> str:
        """Like with like: text with text, numbers with numbers."""
        if isinstance(value, bool):
            return f"{kind} = '{str(value).lower()}'"
        kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
        member = f"{kind} IN ({kinds}) AND "
        if comparison == "contains":
            return member + f"instr(payload_out(e.payload) ->> {path}, {self.bind(value)}) > 0"
        return member + f"(payload_out(e.payload) ->> {path}) {comparison} {self.bind(value)}"

    def _edge(self, node: q.HasEdge) -> str:
        kind = self.tx.known_kind(node.edge_type)
        if kind is None:
            return "0"
        towards = ""
        if node.target is not None:
            towards = f" AND {self.any_of('g.dst', _targets(self.tx, self.app, node.target))}"
        return f"EXISTS (SELECT 1 FROM edge g WHERE g.src = e.seq AND g.type = {self.bind(kind)}{towards})"


def _pieces(path: tuple[str | int | q.Anywhere, ...]) -> list[str]:
    """A path in SQLite's words, cut at every `[any]`."""
    pieces = [""]
    for step in path:
        if isinstance(step, q.Anywhere):
            pieces.append("")
        else:
            pieces[-1] += f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}"
    return pieces


def _targets(tx: Tx, app: int, target: Any) -> list[int]:
    """The node, and of a user their platform users too: edges lead to those. Raises NotFound, BadInput."""
    key, node_type = nodes.resolve(tx, app, target)
    if node_type != "user":
        return [key]
    return [key, *(row[0] for row in tx.all(PUSERS, person=key))]


def _of_many(tx: Tx, app: int, node: q.HasEdge) -> bool:
    """Whether the target stands for several nodes, so that no single stretch of edges has it all."""
    return len(_targets(tx, app, node.target)) > 1


def joined(word: str, tests: list[str]) -> str:
    """Many conditions as a flat tree: SQLite limits how deep an expression is."""
    if len(tests) == 1:
        return tests[0]
    half = len(tests) // 2
    return f"({joined(word, tests[:half])} {word} {joined(word, tests[half:])})"


def turned(order: Order) -> Order:
    """The other way. Raises BadInput for an order that is none."""
    return "oldest" if ordered(order) == "newest" else "newest"


def ordered(order: Order) -> Order:
    """The order. Raises BadInput."""
    if order not in ("newest", "oldest"):
        raise BadInput(f"order is 'newest' or 'oldest', not {order!r}")
    return order


def keys(
    tx: Tx, app: int, where: q.Filter | None, order: Order, after: int | None, limit: int
) -> list[int]:
    """At most `limit` keys of events behind `after`, in log order. Raises BadInput, NotFound."""
    ordered(order)
    body, params = compiled(tx, app, where)
    lo, hi = span(app)
    if after is not None:
        lo, hi = (lo, min(hi, after)) if order == "newest" else (max(lo, after + 1), hi)
    direction = "DESC" if order == "newest" else "ASC"
    sql = f"SELECT {body.key} FROM {body.body} ORDER BY {body.key} {direction} LIMIT :limit"
    return [row[0] for row in tx.dynamic(sql, {**params, "lo": lo, "hi": hi, "limit": limit})]


def count(tx: Tx, app: int, where: q.Filter | None) -> int:
    """How many events satisfy the filter: looks at all of them."""
    sql, params = compiled(tx, app, where)
    lo, hi = span(app)
    found: int = tx.dynamic(f"SELECT count(*) FROM {sql.body}", {**params, "lo": lo, "hi": hi})[0][
        0
    ]
    return found


@define
class Compiled:
    """`key`: the column to order by; `body`: what stands behind FROM."""

    key: str
    body: str


def compiled(tx: Tx, app: int, where: q.Filter | None) -> tuple[Compiled, dict[str, Any]]:
    """The filter as a query body with its parameters. Raises BadInput, NotFound."""
    compiler = Compiler(tx, app)
    if where is None:
        return Compiled("e.seq", _LOG), {}
    driver, rest = _driver(tx, app, where)
    if driver is not None:
        kind = tx.known_kind(driver.edge_type)
        compiler.params |= {"dst": _targets(tx, app, driver.target)[0], "edge": kind}
    tests = _tests(compiler, rest)
    if driver is None:
        return Compiled("e.seq", _LOG + tests), compiler.params
    return Compiled("g.src", _EDGE + tests), compiler.params


def _tests(compiler: Compiler, rest: list[q.Filter]) -> str:
    try:
        tests = " AND " + joined("AND", list(map(compiler.text, rest))) if rest else ""
    except RecursionError:
        raise BadInput("the filter is nested too deeply") from None
    if len(tests) > _LARGEST or len(compiler.params) > _MOST:
        raise BadInput("the filter is too large; ask in several pieces")
    return tests


def _driver(tx: Tx, app: int, where: q.Filter) -> tuple[q.HasEdge | None, list[q.Filter]]:
    """The edge to go along, if the filter names one, and what else must hold."""
    tests = list(where.filters) if isinstance(where, q.All) else [where]
    for place, node in enumerate(tests):
        if isinstance(node, q.HasEdge) and node.target is not None and not _of_many(tx, app, node):
            return node, tests[:place] + tests[place + 1 :]
    return None, tests
