"""Every query that is composed when it is asked, in the words of a dialect: filters, walks, pages of several
histories, rows by a table's description.

Knows: every kind of filter, every function of `engine/composed`. Does not know: who understands what they make,
what an engine composes for itself (adding many rows, the edges of many nodes, full-text search).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from outeract_core import Outeract
from outeract_core import query as q
from outeract_core._store.engine.composed.merging import merged, of_sources
from outeract_core._store.engine.composed.messages import listed, messages
from outeract_core._store.engine.composed.tables import adding, deriving, excess, lacking, removing
from outeract_core._store.engine.composed.walking import walk
from outeract_core._store.engine.statements import texts
from outeract_core._store.reading import queries, views
from outeract_core._store.transfer import dump, importing, rebuild, soundness, storing
from outeract_core._store.transfer.tables import LOG, TABLES
from outeract_core.driver import Dialect, Statement

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
FILTERS: dict[str, q.Filter] = {
    "type": q.type_is("message.inbound"),
    "no type": q.type_is("nothing.such"),
    "time": q.between(since=SINCE, until=SINCE),
    "any time": q.between(),
    "status": q.status_is("processed", "failed", "received", "sent"),
    "connection": q.on_connection("here"),
    "platform": q.on_platform("nowhere"),
    "edge": q.has_edge("sent_by"),
    "no edge": q.has_edge("nothing_such"),
    "text": q.text_contains("Tea"),
    "text whatever its case": q.text_contains("IN DER STRASSE"),
    "text with a mark": q.text_contains("i\u0307"),
    "not": ~q.text_contains("Tea"),
    "all": q.text_contains("a") & q.text_contains("b") & q.payload_path("a", "=", 1),
    "any": q.text_contains("a") | q.type_is("nothing.such"),
    **{
        f"{path} {comparison} {value!r}": q.payload_path(path, comparison, value)
        for path in ("a", "a.b[2]", "a[any]", "a[any].b[any].c")
        for comparison, value in (
            ("=", "x"), ("!=", "x"), ("<", "x"), ("<=", "x"), (">", "x"), (">=", "x"), ("=", 1), ("!=", 1.5),
            ("<", 1.5), ("<=", 1), (">", 1), (">=", 1), ("=", True), ("!=", False), ("=", None), ("!=", None),
            ("contains", "x"), ("exists", None),
        )
    },
}  # fmt: skip


def filtered(tx: Any, app: int, where: q.Filter, dialect: Dialect) -> dict[str, tuple[str, Any]]:
    """What a filter asks: a page in either order, and how many there are; each with its parameters."""
    before, tx.dialect = tx.dialect, dialect
    try:
        source, tests, params = queries.compiled(tx, app, where)
    finally:
        tx.dialect = before
    pages = {order: source.page(tests, newest=order == "newest") for order in ("newest", "oldest")}
    return {name: (sql, params) for name, sql in (*pages.items(), ("count", source.count(tests)))}


def composed(dialect: Dialect) -> dict[str, str]:
    """By a name the text of each."""
    return dict(
        (*_filters(dialect), *_walks(dialect), *_pages(dialect), *_rows(), *_derived(dialect))
    )


def _filters(dialect: Dialect) -> Iterator[tuple[str, str]]:
    core = Outeract(":memory:")
    app = core.app("support")
    app.connect("console", name="here")
    (one,), (user,) = core.runtime.database.read(lambda tx: tx.script(_SOMEBODY))
    towards, of_many = (q.has_edge("sent_by", UUID(bytes=uid)) for uid in (one, user))
    driven = {
        "towards": towards,
        "towards, with text": towards & FILTERS["text"],
        "of a user": of_many,
    }
    for name, where in {**FILTERS, **driven}.items():
        asked = core.runtime.database.read(
            partial(filtered, app=app.key, where=where, dialect=dialect)
        )
        yield from ((f"filter {name}: {what}", sql) for what, (sql, _params) in asked.items())
    core.close()


_SOMEBODY = "SELECT uid FROM puser UNION ALL SELECT uid FROM person"


def _walks(dialect: Dialect) -> Iterator[tuple[str, str]]:
    for inward in (True, False):
        for types in ([], [3, 4]):
            text = walk(dialect, types, types[:1], inward=inward)
            yield f"walk {'in' if inward else 'out'} along {len(types)}", text


def _pages(dialect: Dialect) -> Iterator[tuple[str, str]]:
    for people in (False, True):
        yield f"messages by key {people}", messages(listed(dialect), dialect, people=people).sql
    of = texts(dialect)
    for (table, direction, within), one in views._MESSAGES.items():
        newest, kind = direction == "down", f"{direction}{' within' * within}"
        if table == "thread":
            root = of[views._ROOTS[within].name]
            keys = {f"page of a thread {kind}": merged([of[one.name], root], newest)}
        else:
            keys = {f"page of {n} {kind}": of_sources(of[one.name], n, newest) for n in (1, 2, 8)}
        yield from ((name, messages(sql, dialect).sql) for name, sql in keys.items())


def _rows() -> Iterator[tuple[str, str]]:
    """Rows out, in and away, and whether they fit together."""
    yield from (("rows of event", dump.EVENTS), ("rows of edge", dump.EDGES))
    for name, table in TABLES.items():
        yield f"rows of {name}", dump.selected(table)
        yield f"row into {name}", _named(storing.adding_to(name).sql)
    yield from (
        (f"row into {name}", _named(adding(name, columns).sql)) for name, columns in LOG.items()
    )
    yield from ((f"none of {name}", removing(name, scope)) for name, scope in importing._written())
    sound = (*soundness._references(), *soundness._edges(), *soundness._doubles())
    yield from ((f"unsound: {says} ({n})", sql) for n, (says, sql) in enumerate(sound))


def _named(sql: str) -> str:
    """What adds a row, with the columns' names for its values."""
    columns = iter(sql[sql.index("(") + 1 : sql.index(")")].split(", "))
    return re.sub(r"\?", lambda _: f":{next(columns)}", sql)


def _derived(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """The tables that follow from others: made again, and compared."""
    for table, written in rebuild.TABLES.items():
        derived = Statement[Any](written.name, texts(dialect)[written.name])
        yield f"derive {table}", deriving(table, derived)
        yield f"lacking in {table}", lacking(table, rebuild._SCOPE, derived)
        yield f"too much in {table}", excess(table, rebuild._SCOPE, derived)
