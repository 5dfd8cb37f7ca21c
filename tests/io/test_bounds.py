"""Numbers that a change never lets fall below, or behind, a bound: whatever they are.

Knows: the columns, the statements that change them. Does not know: who changes them, or when.
"""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine.migrations import migrate
from outeract_core._store.engine.sqlite import Connection
from outeract_core._store.engine.statements import statement

NUMBERS = (0, 1, 2, 3, 7)


@pytest.fixture
def db() -> Iterator[Connection]:
    """A fresh schema."""
    connection = Connection(apsw.Connection(":memory:"), ":memory:", uuid7)
    migrate(connection, 0)
    yield connection
    connection.close()


@pytest.mark.parametrize("uncounted", [0, 1])
def test_an_attempt_that_is_not_counted_is_taken_back(db: Connection, uncounted: int) -> None:
    """But the first one stays: what was tried once is never as if it had not been."""
    for attempt in NUMBERS:
        row = {"id": attempt, "attempt": attempt}
        db.dynamic(
            "INSERT INTO outbox(id, conn, lane, verb, parts, due, attempt, sandbox, state, lease_token, waits)"
            " VALUES (:id, 1, 1, 'send', '[]', 1, :attempt, 0, 'sending', 5, 0)", row,
        )  # fmt: skip
        changed = db.run(
            statement("outbox_retry"), id=attempt, token=5, state="queued", due=2, error="e",
            uncounted=uncounted,
        )  # fmt: skip
        assert changed == 1
    found = [row[0] for row in db.script("SELECT attempt FROM outbox ORDER BY id")]
    assert found == [max(1, attempt - uncounted) for attempt in NUMBERS]


@pytest.mark.parametrize("position", NUMBERS)
def test_handlers_are_lifted_and_never_put_back(db: Connection, position: int) -> None:
    """Those that follow the cursor are where it is, unless they are further."""
    for number in NUMBERS:
        db.run(
            statement("enrol"), app=1, handler=f"h{number}", position=number, joined=1, left_behind=0,
            older=0, now=0,
        )  # fmt: skip
    db.run(statement("enrolled_lift"), app=1, position=position)
    found = [row[0] for row in db.script("SELECT position FROM enrolled ORDER BY handler")]
    assert found == [max(number, position) for number in NUMBERS]


@pytest.mark.parametrize("paused", NUMBERS)
def test_what_is_imported_is_due_as_much_earlier(db: Connection, paused: int) -> None:
    """And not before the beginning of time, where it would never have been asked for yet."""
    for number in NUMBERS:
        row = {"puser": number + 1, "due": number}
        db.dynamic(
            "INSERT INTO profile(puser, conn, kind, due) VALUES (:puser, 1, 'person', :due)", row
        )
    db.run(statement("import_profile_due"), paused=paused, lo=0, hi=100)
    found = [row[0] for row in db.script("SELECT due FROM profile ORDER BY puser")]
    assert found == [max(0, number - paused) for number in NUMBERS]
