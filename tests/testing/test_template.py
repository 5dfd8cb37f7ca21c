"""What tests begin with is what the library makes: a copied file and a migrated one are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from outeract_core._domain.values.ids import uuid7
from outeract_core._store.engine.migrations import migrate
from outeract_core._store.engine.sqlite import Connection
from tests.support.store.template import quickly

PRAGMAS = (
    "user_version", "application_id", "page_size", "auto_vacuum", "encoding", "journal_mode",
    "freelist_count", "page_count", "integrity_check", "foreign_key_check",
)  # fmt: skip


def opened(path: Path) -> Connection:
    """A connection as the library makes its own."""
    connection = Connection(apsw.Connection(str(path)), str(path), uuid7)
    connection.script("PRAGMA journal_mode = WAL")
    return connection


def whole(connection: Connection) -> dict[str, Any]:
    """Schema, rows and what the header says; the key and the lineage aside."""
    told = {name: connection.script(f"PRAGMA {name}") for name in PRAGMAS}
    schema = connection.script("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2")
    tables = [name for kind, name, *_ in schema if kind == "table"]
    rows = {name: sorted(connection.script(f'SELECT * FROM "{name}"'), key=repr) for name in tables}
    rows["meta"] = [row for row in rows["meta"] if row[0] != "code_key"]
    rows["counter"] = [row for row in rows["counter"] if row[0] != 0]
    return {**told, "schema": schema, **rows}


def key(connection: Connection) -> bytes:
    """What link codes are hashed with."""
    return bytes(connection.script("SELECT value FROM meta WHERE name = 'code_key'")[0][0])


def lineage(connection: Connection) -> int:
    """What distinguishes a file from all others."""
    return int(connection.script("SELECT value FROM counter WHERE owner = 0")[0][0])


def test_a_copied_file_is_what_a_migrated_one_is(tmp_path: Path) -> None:
    """Every table, row and setting; and each has a key of its own."""
    made, one, other = (opened(tmp_path / name) for name in ("made", "one", "other"))
    migrate(made, 77)
    for copied in (one, other):
        quickly(copied, 77)
        assert whole(copied) == whole(made)
    assert len({key(made), key(one), key(other)}) == 3
    assert len({0, lineage(made), lineage(one), lineage(other)}) == 4
    assert len(key(one)) == len(key(made)) == 32


def test_what_holds_anything_is_the_librarys_own_affair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older file, or somebody else's, is never written over."""
    other = opened(tmp_path / "theirs")
    other.script("CREATE TABLE theirs(a)")
    with pytest.raises(Exception, match="theirs"):
        quickly(other, 0)
    assert other.script("SELECT name FROM sqlite_schema") == [("theirs",)]
