"""Reads: one moment for all that a query asks, and no more statements than it needs.

Knows: the statements of a reader, commits between them. Does not know: what the library asks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.engine.seen import waits
from tests.support.reading.world import arrive, connect, event, said

pytestmark = pytest.mark.anyio


class Asker:
    """A query that asks `often`, and lets others do something in between."""

    def __init__(self) -> None:
        self.often, self.runs = 1, 0
        self.between: Callable[[], Any] = lambda: None

    def __call__(self) -> Callable[[Any], list[int]]:
        def query(tx: Any) -> list[int]:
            self.runs += 1
            found = []
            for number in range(self.often):
                if number:
                    self.between()
                found.append(tx.dynamic("SELECT count(*) FROM kind", {})[0][0])
            return found

        return query

    def ask(self, core: Outeract, often: int) -> list[int]:
        """What it finds; `runs` are those of this time."""
        self.often, self.runs = often, 0
        return core.runtime.database.read(self())


@pytest.mark.parametrize("often", [2, 3, 9])
async def test_a_query_sees_one_moment_however_much_it_asks(tmp_path: Path, often: int) -> None:
    """One that was of few statements has no transaction; it is run again, in one, when others have committed meanwhile."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        names, asker = iter(range(100)), Asker()

        def commit() -> None:
            core.runtime.database.write_now(lambda tx: tx.kind(f"name{next(names)}"))

        for first in (1, 2):
            asker.often = first
            assert _statements(core, asker())[-1] == "COMMIT" or first > 1
            assert _statements(core, asker()) == ["SELECT count(*) FROM kind"] * first
        asker.between = commit
        assert len(set(asker.ask(core, often))) == 1
        assert asker.runs == 2
        assert len(set(asker.ask(core, often))) == 1
        assert asker.runs == (2 if often == 2 else 1)


async def test_two_statements_are_asked_again_only_when_somebody_has_committed(
    tmp_path: Path,
) -> None:
    """Each time it is tried without a transaction first, however often that was in vain."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        names, asker = iter(range(100)), Asker()

        def commit() -> None:
            core.runtime.database.write_now(lambda tx: tx.kind(f"name{next(names)}"))

        asker.ask(core, 2)
        for number in range(40):
            busy = number % 2 == 1
            asker.between = commit if busy else lambda: None
            first, second = asker.ask(core, 2)
            assert first == second
            assert asker.runs == 1 + busy


async def test_a_query_that_is_now_one_and_now_the_other_stays_in_a_transaction(
    tmp_path: Path,
) -> None:
    """It is not run twice for ever."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        asker = Asker()
        for _ in range(40):
            asker.ask(core, 1)
            asker.ask(core, 3)
        runs = []
        for often in (1, 3, 1, 3):
            asker.ask(core, often)
            runs.append(asker.runs)
        assert runs == [1, 1, 1, 1]


async def test_a_read_that_is_left_early_holds_no_snapshot(tmp_path: Path) -> None:
    """One row of many was taken: the log can be cut to nothing afterwards."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        row = core.runtime.database
        for _ in range(3):
            row.read(lambda tx: next(iter(tx._cursor.execute("SELECT id FROM kind"))))
        await core.runtime.database.truncate_log()
        assert (tmp_path / "a.db-wal").stat().st_size == 0


async def test_what_another_process_adds_is_called_by_its_name(tmp_path: Path) -> None:
    """What is remembered of connections is added to when a row speaks of another one."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        app = core.app("support")
        await arrive(core, connect(core, app), said("m1", "text", "ann"))
        seen = [one async for one in app.events.all()]
        async with Outeract(tmp_path / "a.db", search=None) as other:
            elsewhere = connect(other, other.app("support"), name="second")
            await arrive(other, elsewhere, said("m2", "text", "bob"))
            told = (await event(other.app("support"), elsewhere, "m2")).id
        found = await app.events.get(told)
        assert (found.connection_id, found.platform) == (elsewhere.id, "pigeon")
        assert found.connection_id not in {one.connection_id for one in seen}


def _statements(core: Outeract, query: Callable[[Any], Any]) -> list[str]:
    database, seen = core.runtime.database, list[str]()
    with database._readers.borrowed() as reader:
        reader.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, lambda told: seen.append(told["sql"]))
    database.read(query)
    with database._readers.borrowed() as reader:
        reader.db.trace_v2(0, None)
    return seen


async def test_what_is_remembered_is_not_told_before_the_file_was_asked(tmp_path: Path) -> None:
    """It may be of an older file; a query that has asked is told, unless another has committed since."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        database = core.runtime.database

        def learns(tx: Any) -> None:
            tx.dynamic("SELECT 1 FROM kind", {})
            tx.remember(("a thing",), 7)

        def told(tx: Any) -> tuple[Any, Any]:
            before = tx.recall(("a thing",))
            tx.dynamic("SELECT 1 FROM kind", {})
            return before, tx.recall(("a thing",))

        database.read(learns)
        assert [database.read(told) for _ in range(3)] == [(None, 7)] * 3
        database.write_now(lambda tx: tx.kind("another"))
        assert [database.read(told) for _ in range(3)] == [(None, None)] * 3


_TWENTY = "WITH RECURSIVE n(v) AS (VALUES(1) UNION ALL SELECT v + 1 FROM n WHERE v < 20) SELECT v, 'x' FROM n"


async def test_who_had_to_wait_for_a_row_fetches_rows_as_one_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second after it has waited it looks again whether the host still computes; the rows are the same."""
    monkeypatch.setattr(waits, "A_WHILE", 1.0)
    async with Outeract(tmp_path / "a.db", search=None) as core:
        assert await _rows(core, [0.0, 0.5]) == 20  # compiled: that takes long, too
        assert await _rows(core, [1.0, 1.0]) == 20
        assert await _rows(core, [2.0, 2.1]) == 20  # it had to wait
        assert await _rows(core, [2.2, 2.3]) == 1
        assert await _rows(core, [3.0, 3.0]) == 1
        assert await _rows(core, [3.2, 3.2]) == 20
        assert await _rows(core, [3.3, 3.4]) == 20
        assert await _rows(core, [3.5, 3.5]) == 1


async def _rows(core: Outeract, times: list[float]) -> int:
    """So many rows are fetched by a read that begins and ends at these times."""
    fetched: list[None] = []
    with core.runtime.database._readers.borrowed() as reader:
        reader.waits.clock = lambda: times.pop(0)
        reader.db.trace_v2(apsw.SQLITE_TRACE_ROW, lambda _told: fetched.append(None))
    found = core.runtime.database.read(lambda tx: tx.dynamic(_TWENTY, {}))
    assert found == [(number, "x") for number in range(1, 21)]
    with core.runtime.database._readers.borrowed() as reader:
        reader.db.trace_v2(0, None)
    return len(fetched)
