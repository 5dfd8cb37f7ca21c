"""Whoever is gone is found by a look at the owners, however much is queued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core import Outeract
from outeract_core._store.writing import claims, outbox
from tests.support.store.platform import connect

pytestmark = pytest.mark.anyio


async def _steps(core: Outeract, owner: str) -> dict[str, int]:
    """What finding the owners and freeing one costs, in SQLite's own steps."""
    steps: dict[str, int] = {}

    def see(told: dict[str, Any]) -> None:
        steps[told["sql"]] = told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]

    def unit(tx: Any) -> list[str]:
        tx.db.trace_v2(apsw.SQLITE_TRACE_PROFILE, see)
        try:
            found = outbox.owners(tx)
            claims.release_owner(tx, owner)
        finally:
            tx.db.trace_v2(0, None)
        return found

    assert core.runtime.database.write_now(unit) == sorted(("another:1:a", owner))
    return {sql: count for sql, count in steps.items() if "outbox" in sql}


async def test_the_owners_cost_the_same_however_much_is_queued(tmp_path: Path) -> None:
    """A hundred queued rows or a thousand, five of them held by two."""
    async with Outeract(tmp_path / "a.db") as core:
        app = core.app("support")
        connection, costs = connect(core, app), list[dict[str, int]]()
        for count in (100, 900):
            for number in range(count):
                await app.send((connection, f"p{number % 50}"), "hello")
            core.runtime.database.write_now(_held)
            costs.append(await _steps(core, "gone:1:b"))
        few, many = costs
        assert len(few) == 2
        assert few == many


def _held(tx: Any) -> None:
    tx.script(
        "UPDATE outbox SET lease_owner = 'another:1:a' WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT 3)"
    )
    tx.script(
        "UPDATE outbox SET lease_owner = 'gone:1:b' WHERE id IN (SELECT id FROM outbox ORDER BY id DESC LIMIT 2)"
    )
