"""What is settled together is settled as one by one: receipts, statuses, the queue, and what waited.

Knows: `parts_done`, and what stands in the tables after it. Does not know: requests, the sender.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outeract_core import Outeract
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import claims, ingest, outbox, sending
from outeract_core._store.writing.claims import Row
from outeract_core.content import Content
from outeract_core.events import Fact, Party
from outeract_core.testing import ManualClock
from tests.support.store.platform import connect

LEASE = 60_000


@frozen
class Told:
    """A message of so many parts, and what the platform says of it: names, an address, a status before."""

    who: str
    parts: int
    names: tuple[str, ...]
    address: str | None
    early: str | None
    stolen: bool


TOLD = st.builds(
    Told, st.sampled_from("abc"), st.sampled_from([1, 1, 1, 3]),
    st.lists(st.sampled_from("uvwxyz"), max_size=2, unique=True).map(tuple),
    st.sampled_from([None, None, "", "elsewhere"]),
    st.sampled_from([None, None, "message.read", "message.failed"]), st.booleans(),
)  # fmt: skip
TABLES = {
    "receipt": "SELECT ext, event, part, status FROM receipt",
    "delivery": "SELECT * FROM delivery",
    "outbox": "SELECT id, lane, done, state, attempt, waits FROM outbox",
    "waiting": "SELECT ext, type FROM waiting",
    "puser": "SELECT id, address FROM puser",
    "events": "SELECT e.type, e.payload, g.dst, g.type FROM event e LEFT JOIN edge g ON g.src = e.seq "
    "AND g.type = (SELECT id FROM kind WHERE name = 'origin')",
}


def queued(core: Outeract, conn: Conn, told: list[Told]) -> None:
    """The messages wait to be sent, and statuses of some have come before."""
    new_id = core.app("one").new_id

    def unit(tx: Connection) -> None:
        for one in told:
            payload = {"message": Content("hi").message()}
            if one.parts > 1:
                payload |= {"parts": [{}] * one.parts}
            sending.send(
                tx,
                sending.Intent(new_id(), conn, Party(one.who), payload, [{}] * one.parts),
            )
            if one.early and one.names:
                fact = Fact(
                    one.early, payload={}, key=f"{one.early} {one.names[0]}", target=one.names[0]
                )
                ingest.ingest(tx, conn, [ingest.prepare(fact, None)])

    core.runtime.database.write_now(unit)


def claimed(core: Outeract, conn: Conn, told: list[Told], clock: ManualClock) -> list[Row]:
    """All that can be claimed, of which some is another's by now; what was lost is known by its lane."""
    write, shares = core.runtime.database.write_now, {conn.id: 9}
    rows = [row for lane in write(lambda tx: claims.claim(tx, "me", shares, LEASE)) for row in lane]
    gone = [row.id for row, one in zip(rows, told, strict=False) if one.stolen]
    write(
        lambda tx: tx.by_keys(
            claims.LEASE, gone, now=tx.now + LEASE, until=tx.now + LEASE, owner="other", token=1
        )
    )
    write(lambda tx: outbox.begin(tx, rows, LEASE, LEASE))
    return rows


def settled(path: Path, told: list[Told], together: bool) -> Any:
    """What each came to, and all that the file holds."""
    clock = ManualClock()
    with closing(Outeract(path, clock=clock, search=None, durability="normal")) as core:
        connect(core, core.app("one"))
        conn = core.runtime.conns()[0]
        queued(core, conn, told)
        rows = claimed(core, conn, told, clock)
        done = [
            outbox.Done(conn, row, one.names, one.address)
            for row, one in zip(rows, told, strict=False)
        ]

        def unit(tx: Connection) -> list[Any]:
            if together:
                return outbox.parts_done(tx, done)
            return [outbox.parts_done(tx, [one])[0] for one in done]

        left = core.runtime.database.write_now(unit)
        fates = ["lost" if one is outbox.LOST else getattr(one, "done", None) for one in left]
        return fates, {
            name: core.runtime.database.read(lambda tx, sql=sql: Counter(tx.dynamic(sql, {})))
            for name, sql in TABLES.items()
        }


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(TOLD, min_size=1, max_size=6))
def test_together_is_one_by_one(tmp_path_factory: pytest.TempPathFactory, told: list[Told]) -> None:
    """In parts, moved, taken over, under one name twice, after a status that came first."""
    folder = Path(tmp_path_factory.mktemp("settled"))
    assert settled(folder / "a.db", told, True) == settled(folder / "b.db", told, False)


def test_a_name_that_is_given_twice_leaves_nobody_waiting(tmp_path: Path) -> None:
    """What the platform accepted is sent, also when it calls two messages by one name (`0`, say)."""
    told = [Told(who, 1, ("0",), None, None, False) for who in "ab"]
    _, tables = settled(tmp_path / "a.db", told, True)
    assert [row[1] for row in tables["delivery"]] == ["sent", "sent"]
    names = {row[0] for row in tables["receipt"]}
    assert ("0" in names, len(names)) == (True, 2)
