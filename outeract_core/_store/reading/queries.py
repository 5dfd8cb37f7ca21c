"""Filters, and the keys that satisfy them, page by page.

Knows: which numbers and keys a filter's names stand for, along what its events are best read.
Does not know: SQL (`engine/composed`), what a page is for.

A filter with `has_edge(type, target)` in its outermost conjunction is driven by that edge (edges
are clustered by their target), every other one by the log: both read in order and stop at a page.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from ... import query as q
from ..._domain.values.classes import define
from ..._domain.values.ids import span, to_ms
from ...driver import Statement, Tx
from ...errors import BadInput
from ..engine.composed.conditions import LOG, Conditions, Source, along, behind, joined, negated
from ..engine.statements import statement
from ..records import nodes
from ..writing.identity import PUSERS

Order = Literal["newest", "oldest"]

KINDS: Statement[tuple[int, str]] = statement("all_kinds")
CONNECTIONS_OF: Statement[tuple[int, bytes, str, str]] = statement("connections_of_app")


@define
class Compiler:
    """A filter becomes conditions: names become numbers and keys."""

    tx: Tx
    app: int
    made: Conditions

    def text(self, node: q.Filter) -> str:
        """The condition. Raises BadInput, NotFound."""
        match node:
            case q.All(filters):
                return joined("AND", list(map(self.text, filters)))
            case q.Any_(filters):
                return joined("OR", list(map(self.text, filters)))
            case q.Not(inner):
                return negated(self.text(inner))
            case q.Type():
                return self.made.typed([n for n, name in self.tx.all(KINDS) if node.matches(name)])
            case q.Between(since, until, column):
                return self.made.between(column, _ms(since), _ms(until))
            case q.StatusIs(names):
                return self.made.status(names)
            case q.OnConnection() | q.OnPlatform():
                return self.made.on(self._connections(node))
            case q.PayloadPath(path, comparison, value):
                return self.made.member(_pieces(path), comparison, value)
            case q.HasEdge(edge_type, target):
                kind = self.tx.known_kind(edge_type)
                to = None if target is None or kind is None else _targets(self.tx, self.app, target)
                return self.made.edge(kind, to)
            case q.TextContains(words):
                return self.made.says(words.casefold())
        raise BadInput(f"not a filter: {node!r:.80}; use the functions of outeract_core.query")

    def _connections(self, node: q.OnConnection | q.OnPlatform) -> list[int]:
        rows = self.tx.all(CONNECTIONS_OF, app=self.app)
        if isinstance(node, q.OnPlatform):
            return [row[0] for row in rows if row[2] == node.platform]
        wanted = getattr(node.connection, "id", node.connection)
        if isinstance(wanted, str):
            return [row[0] for row in rows if row[3] == wanted]
        return [row[0] for row in rows if row[1] == getattr(wanted, "bytes", None)]


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _pieces(path: tuple[str | int | q.Anywhere, ...]) -> list[str]:
    """A path as JSON paths are written, without its root, cut at every `[any]`."""
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
    source, tests, params = compiled(tx, app, where)
    lo, hi = span(app)
    if after is not None:
        lo, hi = (lo, min(hi, after)) if order == "newest" else (max(lo, after + 1), hi)
    sql = source.page(tests, newest=order == "newest")
    return [row[0] for row in tx.dynamic(sql, {**params, "lo": lo, "hi": hi, "limit": limit})]


def count(tx: Tx, app: int, where: q.Filter | None) -> int:
    """How many events satisfy the filter: looks at all of them."""
    source, tests, params = compiled(tx, app, where)
    lo, hi = span(app)
    rows = tx.dynamic(source.count(tests), {**params, "lo": lo, "hi": hi})
    found: int = rows[0][0]
    return found


def compiled(tx: Tx, app: int, where: q.Filter | None) -> tuple[Source, str, dict[str, Any]]:
    """Where to read, the conditions and their parameters. Raises BadInput, NotFound."""
    if where is None:
        return LOG, "", {}
    compiler = Compiler(tx, app, Conditions(tx.dialect))
    params = compiler.made.params
    driver, rest = _driver(tx, app, where)
    if driver is None:
        return LOG, _tests(compiler, rest), params
    kind = tx.known_kind(driver.edge_type)
    params |= {"dst": _targets(tx, app, driver.target)[0], "edge": kind}
    return along(tx.dialect), _tests(compiler, rest), params


def _tests(compiler: Compiler, rest: list[q.Filter]) -> str:
    try:
        tests = behind(list(map(compiler.text, rest)))
    except RecursionError:
        raise BadInput("the filter is nested too deeply") from None
    if not compiler.made.fits(tests):
        raise BadInput("the filter is too large; ask in several pieces")
    return tests


def _driver(tx: Tx, app: int, where: q.Filter) -> tuple[q.HasEdge | None, list[q.Filter]]:
    """The edge to go along, if the filter names one, and what else must hold."""
    tests = list(where.filters) if isinstance(where, q.All) else [where]
    for place, node in enumerate(tests):
        if isinstance(node, q.HasEdge) and node.target is not None and not _of_many(tx, app, node):
            return node, tests[:place] + tests[place + 1 :]
    return None, tests
