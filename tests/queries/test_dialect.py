"""What is composed when it is asked is composed of an engine's words: with those of another, no SQLite is left.

Knows: every kind of filter, walks. Does not know: whether another engine understands it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core import query as q
from outeract_core._store.engine.composed.walking import walk
from outeract_core._store.engine.dialect import SQLITE
from outeract_core.driver import Dialect
from outeract_core.testing import ManualClock, SequentialIds
from tests.support.portable.composed import FILTERS, filtered
from tests.support.store.another_engine import OTHER

_OWN = re.compile(
    r"json_\w+|->|\binstr\b|casefold|typeof|fullkey|carray|CROSS JOIN (?!LATERAL|places_of)"
)
"""What only SQLite says, or says otherwise than others."""
_NUMBER = re.compile(r"(?:\b(?:AND|OR|NOT|WHERE)|[(,]) ?[01]\b")
"""A number in the place of a condition."""


@pytest.fixture(scope="module")
def compiled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[q.Filter, Dialect], tuple[str, dict[str, Any]]]]:
    """A filter's query in the words of a dialect, with its parameters."""
    path: Path = tmp_path_factory.mktemp("dialect") / "bot.db"
    core = Outeract(path, clock=ManualClock(), ids=SequentialIds())
    app = core.app("support")
    app.connect("console", name="here")

    def made(where: q.Filter, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        asked = core.runtime.database.read(lambda tx: filtered(tx, app.key, where, dialect))
        return asked["newest"]

    yield made
    core.close()


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_in_the_words_of_the_engine(compiled: Any, name: str) -> None:
    """The same filter with the same parameters; what differs between engines is asked of the dialect."""
    text, params = compiled(FILTERS[name], OTHER)
    assert not _OWN.search(text), text
    assert not _NUMBER.search(text), text
    assert set(re.findall(r":(p\d+)", text)) == {one for one in params if one[0] == "p"}
    assert compiled(FILTERS[name], SQLITE)[1].keys() == params.keys()


def test_sqlites_words_are_found_where_they_are() -> None:
    """The test above would see each of SQLite's own words."""
    for text in (
        SQLITE.json_kind, SQLITE.json_text, SQLITE.json_number, SQLITE.places, SQLITE.is_place,
        SQLITE.place_path, SQLITE.contains, SQLITE.folded, SQLITE.pin, SQLITE.each, SQLITE.within,
    ):  # fmt: skip
        assert _OWN.search(text.format_map({n: n for n in re.findall(r"\{(\w+)\}", text)})), text


@pytest.mark.parametrize("inward", [True, False])
def test_a_walk_begins_with_typed_values(inward: bool) -> None:
    """The first row of the recursion says what its columns are, and its join is pinned by the dialect."""
    text = walk(OTHER, [3, 4], [7], inward=inward)
    assert not _OWN.search(text), text
    (first,) = re.findall(r"VALUES \((.*)\)\n", text)
    assert all(one.isdigit() or one.startswith("CAST(") for one in first.split(", "))
    assert sqlite3.complete_statement(walk(SQLITE, [], [], inward=inward) + ";")
