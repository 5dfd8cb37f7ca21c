"""A statement is planned once: SQLite does not plan it anew because it is given other values.

Knows: that whoever plans asks the authorizer. Does not know: seconds (planning takes ten times as long as a
small statement).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.engine.dialect import lists
from outeract_core._store.engine.reader import Reader
from outeract_core._store.engine.statements import statement, written
from tests.support.portable.asked import OWN
from tests.support.reading.world import arrive, connect, said

pytestmark = pytest.mark.anyio
_READS = sorted(
    name
    for name, (_file, sql) in written().items()
    if re.sub(r"--[^\n]*", "", sql).split()[0] in ("SELECT", "WITH") and name not in OWN
)


@contextmanager
def planning(db: apsw.Connection) -> Iterator[list[Any]]:
    """What is asked while something is planned."""
    asked: list[Any] = []
    db.authorizer = lambda *told: (asked.append(told), apsw.SQLITE_OK)[1]
    yield asked
    db.authorizer = None


def _values(name: str, value: int) -> dict[str, Any]:
    """Values for its parameters, whatever they are."""
    sql = re.sub(r"'[^']*'|--[^\n]*", "", statement(name).sql)
    listed = lists(written()[name][1])
    return {one: [value] if one in listed else value for one in re.findall(r":(\w+)", sql)}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader of an empty file."""
    core = Outeract(tmp_path_factory.mktemp("plans") / "a.db", search=None)
    with core.runtime.database._readers.borrowed() as reader:
        yield reader
    core.close()


@pytest.mark.parametrize("name", _READS)
def test_a_read_is_planned_once(reader: Reader, name: str) -> None:
    """Asked again for something else, it is run as it was planned."""
    with planning(reader.db) as asked:
        reader.all(statement(name), **_values(name, 1))
        assert asked
        asked.clear()
        for value in (2, 3):
            reader.all(statement(name), **_values(name, value))
    assert asked == []


async def test_a_message_that_comes_in_plans_nothing(tmp_path: Path) -> None:
    """What a message of somebody known is stored by was planned for the one before."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        with planning(core.runtime.database._writer.db) as asked:
            for number in range(2):
                await arrive(core, connection, said(f"m{number}", "hello", "ann"))
            assert asked
            asked.clear()
            await arrive(core, connection, said("m2", "hello", "ann"))
    assert [told for told in asked if told[0] not in _ENDS] == []


_ENDS = (apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT)
"""BEGIN and its like are planned each time: they are nothing but a word."""
