"""Whether what was imported refers only to what came with it: asked once, before it is served.

Knows: which columns name a node of which kind (`tables.py` says so), in which table such nodes are.
Does not know: lines, blocks, what is done with an import that is not sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.composed.tables import dangling, nowhere, shared
from ..engine.statements import statement
from .tables import TABLES

HOME = {"event": "seq", "person": "id", "puser": "id", "file": "id"}
"""Tables of nodes, and their keys."""


ARRIVED: Statement[tuple[int]] = statement("import_connections")
UNLED: Statement[tuple[int]] = statement("import_without_system")
UNSPOKEN: Statement[tuple[int]] = statement("import_without_voice")


def connected(tx: Tx, app: int, count: int) -> bool:
    """Whether all connections are here: before, nothing may refer to the number of one, which could
    be given to somebody else meanwhile.
    """
    row = tx.one(ARRIVED, app=app)
    return row is not None and row[0] == count


def faults(tx: Tx, app: int) -> Iterator[str]:
    """What refers to nothing, and what two nodes are called alike."""
    lo, hi = span(app)
    for says, sql in (*_references(), *_edges(), *_doubles(), *_tenant()):
        if tx.dynamic(sql, {"app": app, "lo": lo, "hi": hi})[0][0]:
            yield says


def _references() -> Iterator[tuple[str, str]]:
    for table in TABLES.values():
        for column in table.columns:
            home = column.role
            if home in HOME:
                yield (
                    f"{table.name}.{column.name} names a {home} that is not there",
                    dangling(table.name, column.name, table.scope, home, HOME[home]),
                )


def _edges() -> Iterator[tuple[str, str]]:
    for end in ("src", "dst"):
        yield "an edge has an end that is not there", nowhere("edge", end, "src", HOME)


def _doubles() -> Iterator[tuple[str, str]]:
    for one, other in combinations(HOME, 2):
        yield (
            f"a number is that of a {one} and of a {other}",
            shared(other, HOME[other], one, HOME[one]),
        )


def _tenant() -> Iterator[tuple[str, str]]:
    yield "the application has no system user", UNLED.sql
    yield "a connection has no system platform user", UNSPOKEN.sql
