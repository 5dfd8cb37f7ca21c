"""Whether what was imported refers only to what came with it: asked once, before it is served.

Knows: which columns name a node of which kind (`tables.py` says so), in which table such nodes are.
Does not know: lines, blocks, what is done with an import that is not sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.statements import statement
from .tables import TABLES, where

HOME = {"event": "seq", "person": "id", "puser": "id", "file": "id"}
"""Tables of nodes, and their keys."""


ARRIVED: Statement[tuple[int]] = statement("import_connections")


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
        if tx.dynamic(f"SELECT EXISTS ({sql})", {"app": app, "lo": lo, "hi": hi})[0][0]:
            yield says


def _references() -> Iterator[tuple[str, str]]:
    for table in TABLES.values():
        for column in table.columns:
            if column.role in HOME:
                home, key = column.role, HOME[column.role]
                yield (
                    f"{table.name}.{column.name} names a {home} that is not there",
                    f"SELECT 1 FROM {table.name} t WHERE {where(table)} "
                    f"AND t.{column.name} IS NOT NULL AND NOT EXISTS "
                    f"(SELECT 1 FROM {home} h WHERE h.{key} = t.{column.name})",
                )


def _edges() -> Iterator[tuple[str, str]]:
    for end, homes in (("src", HOME), ("dst", ("puser", "event", "file", "person"))):
        nowhere = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {home} h WHERE h.{HOME[home]} = g.{end})" for home in homes
        )
        yield (
            "an edge has an end that is not there",
            f"SELECT 1 FROM edge g WHERE g.src >= :lo AND g.src < :hi AND {nowhere}",
        )


def _doubles() -> Iterator[tuple[str, str]]:
    for one, other in combinations(HOME, 2):
        yield (
            f"a number is that of a {one} and of a {other}",
            f"SELECT 1 FROM {other} t JOIN {one} h ON h.{HOME[one]} = t.{HOME[other]} "
            f"WHERE t.{HOME[other]} >= :lo AND t.{HOME[other]} < :hi",
        )


def _tenant() -> Iterator[tuple[str, str]]:
    yield (
        "the application has no system user",
        "SELECT 1 FROM application a WHERE a.id = :app AND NOT EXISTS "
        "(SELECT 1 FROM person p WHERE p.id = a.system_person AND p.system = 1)",
    )
    yield (
        "a connection has no system platform user",
        "SELECT 1 FROM connection c WHERE c.app = :app AND NOT EXISTS "
        "(SELECT 1 FROM puser p WHERE p.id = c.system_puser AND p.conn = c.id)",
    )
