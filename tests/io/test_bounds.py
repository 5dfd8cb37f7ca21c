"""Numbers that a change never lets fall below, or behind, a bound; and conditions that are counted or kept.

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
        changed = db.changed(
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


CALLED = {
    "a": ([], 1), "b": ([("b", "username")], 0), "c": ([("x", "username")], 1),
    "d": ([("d", "username"), ("y", "external_id")], 1), "e": ([("e", "address")], 1),
}  # fmt: skip
"""By an id, the aliases of who has it, and whether it is an id of theirs: no alias is it, or one says so."""


def test_an_older_export_is_told_who_was_met_by_an_alias(db: Connection) -> None:
    """It does not say so itself; who is stated already stays as stated."""
    add = (
        "INSERT INTO puser(id, uid, person, conn, ext, address, kind, named, created_at)"
        " VALUES (:id, :uid, 1, 1, :ext, :ext, 'person', :named, 0)"
    )
    for number, (ext, (aliases, _)) in enumerate(CALLED.items()):
        db.dynamic(add, {"id": number, "uid": bytes([number]), "ext": ext, "named": None})
        for value, kind in aliases:
            db.run(statement("alias_add"), conn=1, value=value, type=kind, puser=number)
    db.dynamic(add, {"id": 50, "uid": b"50", "ext": "f", "named": 0})
    db.run(statement("import_named"), lo=0, hi=100)
    found = [row[0] for row in db.script("SELECT named FROM puser ORDER BY id")]
    assert found == [*(named for _, named in CALLED.values()), 0]


def test_what_failed_and_waits_is_counted(db: Connection) -> None:
    """Of what is to be sent, what was tried in vain: not what only has to wait for its turn."""
    tried = [(0, None), (0, "no"), (1, None), (1, "no"), (2, "no"), (1, "paced"), (3, "pending")]
    for number, (attempt, error) in enumerate(tried):
        row = {"id": number + 1, "attempt": attempt, "error": error, "due": 9 - number}
        db.dynamic(
            "INSERT INTO outbox(id, conn, lane, verb, parts, due, attempt, error, sandbox, state, waits)"
            " VALUES (:id, 1, 1, 'send', '[]', :due, :attempt, :error, 0, 'queued', 0)", row,
        )  # fmt: skip
    asked = {"paced": "paced", "pending": "pending"}
    assert db.all(statement("backlog_outbox"), lo=0, hi=100, **asked) == [(7, 2, 3)]
    assert db.all(statement("backlog_outbox"), lo=50, hi=100, **asked) == [(0, 0, None)]
