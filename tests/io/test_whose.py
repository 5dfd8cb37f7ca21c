"""A unit of work makes nodes of the application that it has named, and of no other.

Knows: that the check is the engine's own, in every process. Does not know: what units of the library do:
in all tests a wall looks at the rows that they write (`tests/support/store/walls.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from outeract_core import Outeract
from outeract_core._io.write_queue import Share, Ticket, all_of
from outeract_core._store.engine.sqlite import Connection
from outeract_core.driver import Tx, Whose
from tests.support.store.walls import KEYED, held

pytestmark = pytest.mark.anyio


def _make(tx: Tx, apps: list[int]) -> list[int]:
    return [tx.allocate(app) for app in apps]


@pytest.fixture
def apps(core: Outeract) -> tuple[int, int]:
    """Two applications."""
    return core.app("one").key, core.app("two").key


@pytest.mark.parametrize("alone", [True, False])
async def test_a_unit_makes_nothing_of_another_application(
    core: Outeract, apps: tuple[int, int], alone: bool
) -> None:
    """It fails, nothing of it is written, and those that came with it are not concerned."""
    one, two = apps
    database, done = core.runtime.database, list[str]()

    def begun(name: str, unit: Callable[[Tx], Any], app: Whose) -> None:
        told = partial(done.append, f"{name} failed")
        database.begin(
            unit, lambda error: told() if isinstance(error, RuntimeError) else None, app=app
        )

    if not alone:
        begun("two's", lambda tx: _make(tx, [two]), two)
    begun("one's of two", lambda tx: _make(tx, [one, two]), one)
    if not alone:
        begun("one's", lambda tx: _make(tx, [one]), one)
    await database.write(lambda tx: None, app=None)
    assert done == ["one's of two failed"]


async def test_several_may_be_named_and_the_whole_file(
    core: Outeract, apps: tuple[int, int]
) -> None:
    """Of several each, of the whole file any; of others none."""
    one, two = apps
    three = core.app("three").key
    write = core.runtime.database.write
    await write(lambda tx: _make(tx, [one, two]), app=frozenset(apps))
    await write(lambda tx: _make(tx, [one, two, three]), app=None)
    with pytest.raises(RuntimeError, match=f"makes a node of {three}"):
        await write(lambda tx: _make(tx, [one, three]), app=frozenset(apps))


async def test_shares_of_several_applications_are_done_together(
    core: Outeract, apps: tuple[int, int]
) -> None:
    """The commit stays one for all of them, and each of their applications is named."""
    seen: list[Whose] = []

    def together(tx: Tx, whats: list[int]) -> list[int]:
        seen.append(tx.whose)
        return _make(tx, whats)

    tickets = [Ticket[Any](Share(together, app), whose=app) for app in (*apps, apps[0])]
    assert all_of(tickets) == frozenset(apps)
    assert all_of(tickets[::2]) == apps[0]
    assert all_of([*tickets, Ticket[Any](_make)]) is None
    assert all_of([Ticket[Any](_make, whose=frozenset(apps)), tickets[0]]) == frozenset(apps)


async def test_the_wall_sees_a_row_of_another_application(
    core: Outeract, apps: tuple[int, int]
) -> None:
    """In tests, whoever changes a row of an application that the unit has not named is told."""
    _one, two = apps
    changed = "UPDATE person SET name = name WHERE id >= :lo"
    await core.runtime.database.write(lambda tx: tx.dynamic(changed, {"lo": two << 40}), app=two)
    with pytest.raises(AssertionError, match="a unit of 1 writes person"):
        await core.runtime.database.write(lambda tx: tx.dynamic(changed, {"lo": two << 40}), app=1)


async def test_the_wall_knows_every_table_that_it_can_see(tmp_path: Path) -> None:
    """Of each table whose rows have a number it is known whether that number is a node's key."""
    ours = {"event", "organisation", "application", "connection", "counter", "kind", "migration"}
    numbered = {"raw_delivery", "retention", "foreign_delivery", "importing", "link_limit"}
    async with Outeract(tmp_path / "a.db") as core:
        writer: Connection = core.runtime.database._writer
        tables = {name for name in held(writer) if not name.startswith(("sqlite_", "search_index"))}
    assert tables - ours - numbered == KEYED - ours
