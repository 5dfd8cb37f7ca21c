"""What a message as it stands costs, in SQLite's own steps: little where nothing happened, bounded where much did.

Knows: the statement that reads what has happened to a page. Does not know: what it comes to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.engine.statements import statement
from outeract_core._store.reading import standing
from outeract_core.driver import Statement
from tests.support.reading.world import about, arrive, connect, said

pytestmark = pytest.mark.anyio
_CHANGES: Statement[Any] = statement("changes_of_messages")
_PLAIN, _EACH = 14, 52
"""Steps for a message that nothing has happened to, and for each thing that has."""
_ADD_EVENTS = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO event SELECT e.seq + n.i, randomblob(16), e.conn, e.type, e.occurred_at, e.created_at,
  'copy ' || n.i, e.payload, e.raw FROM n, event e WHERE e.seq = :seq"""
_ADD_EDGES = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO edge SELECT g.dst, g.type, g.src + n.i, NULL FROM n, edge g WHERE g.src = :seq"""


def _steps(tx: Connection, keys: list[int]) -> tuple[int, int]:
    """The steps of the statement, and how many things it has found."""
    taken: list[int] = []
    asked = standing._words(tx, 1)
    tx.db.trace_v2(
        apsw.SQLITE_TRACE_PROFILE,
        lambda told: taken.append(told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]),
    )
    found = tx.by_keys(_CHANGES, keys, **asked)
    tx.db.trace_v2(0, None)
    return sum(taken), len(found)


async def test_what_nothing_has_happened_to_is_passed_by(tmp_path: Path) -> None:
    """A look at whether there is anything, for each message; no bound of what there is not."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        keys = await arrive(core, connection, *(said(f"m{n}", "hi", "ann") for n in range(50)))
        await arrive(core, connection, about("message.reaction_added", "r", "m0", {"emoji": "x"}))
        (steps, found), (more, none) = await core.runtime.database.write(
            lambda tx: (_steps(tx, keys), _steps(tx, keys[1:])), app=None
        )
    assert (found, none) == (1, 0)
    assert more <= _PLAIN * len(keys[1:])
    assert steps - more <= 3 * _EACH


@pytest.mark.parametrize("count", [2_000, 100_000])
async def test_of_what_much_has_happened_to_the_newest_is_read(tmp_path: Path, count: int) -> None:
    """As many steps with a hundred thousand reactions as with two thousand."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        connection = connect(core, core.app("support"))
        keys = await arrive(core, connection, said("m", "hi", "ann"))
        reaction = about("message.reaction_added", "r", "m", {"emoji": "x"})
        (first,) = await arrive(core, connection, reaction)

        def crowd(tx: Connection) -> tuple[int, int]:
            for sql in (_ADD_EVENTS, _ADD_EDGES):
                tx.dynamic(sql, {"count": count, "seq": first})
            return _steps(tx, keys)

        steps, found = await core.runtime.database.write(crowd, app=None)
    assert found == standing.MOST + 1
    assert steps <= _EACH * (standing.MOST + 1)
