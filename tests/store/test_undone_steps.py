"""A page of what came to nothing costs the same however much of it there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.writing import handlers
from tests.support.reading.history import Ask, Both, History, both_of, filled, read_alike

pytestmark = pytest.mark.anyio


def undone(folder: Path, size: int) -> History:
    """A history all of whose messages were given up by one handler and are tried again by another,
    and all of whose answers have failed.
    """
    history = filled(folder, size)
    inbound = (
        "SELECT seq FROM event WHERE type = (SELECT id FROM kind WHERE name = 'message.inbound')"
    )

    def unit(tx: Connection) -> None:
        for (event,) in tx.script(inbound):
            told: dict[str, Any] = {"attempts": 5, "traceback": "x"}
            handlers.park(tx, history.app.key, event, "greet", "failed", told, "ValueError")
            handlers.failed(tx, event, "log", 1, tx.now + 1000, "x", "ValueError")
        tx.script(
            "INSERT INTO delivery(event, status, parts, reason) SELECT seq, 'failed', 1, 'no' FROM event "
            "WHERE type = (SELECT id FROM kind WHERE name = 'message.outbound') "
            "ON CONFLICT (event) DO UPDATE SET status = 'failed'"
        )

    history.core.runtime.database.write_now(unit)
    return history


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The same, and ten times as much of it."""
    with both_of(tmp_path_factory.mktemp("undone"), undone) as histories:
        yield histories


async def _second(of: History, status: str | None = None, **options: Any) -> Any:
    first = await of.app.turns(status, first=20, **options)
    assert len(first) == 20
    found = await of.app.turns(status, first=20, before=first[-1].cursor, **options)
    assert len(found) == 20
    return found


async def _undelivered(of: History) -> Any:
    first = await of.app.deliveries(first=20)
    found = await of.app.deliveries(first=20, before=first[-1].event)
    assert len(found) == 20
    return found


READS: dict[str, Ask] = {
    "turns": _second,
    "turns that were given up": lambda of: _second(of, "parked"),
    "turns that are run again": lambda of: _second(of, "retrying"),
    "turns of a connection": lambda of: _second(of, connection=of.app.connections()[1]),
    "messages that were not delivered": _undelivered,
}


@pytest.mark.parametrize("ask", READS.values(), ids=READS)
async def test_a_page_costs_the_same_at_ten_times_as_much(both: Both, ask: Ask) -> None:
    """As many steps, and neither a sort nor the reading of a whole table."""
    await read_alike(both, ask)
