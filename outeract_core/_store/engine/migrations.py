"""Brings a file to the newest schema, one numbered migration after the other.

Knows: the order of `sql/migrations/NNNN.sql`, how to refuse a newer or foreign file.
Does not know: what the tables are for.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from ..._domain.values.paths import shown_path
from ...errors import NewerSchema
from . import wal
from .foreign import APPLICATION_ID, refuse_database
from .sqlite import Connection
from .translating import translated
from .writer import Writer

EDGE_TYPES = (
    "sent_by", "sent_to", "attachment", "reply_to", "in_thread", "triggered_by", "origin",
    "source_user", "target_user", "about", "joined_to",
)  # fmt: skip


@cache
def scripts() -> tuple[str, ...]:
    """The migrations' texts; the schema version is their number."""
    folder = Path(__file__).parents[1] / "sql" / "migrations"
    return tuple(file.read_text("utf-8") for file in sorted(folder.glob("*.sql")))


def migrate(connection: Writer, now: int) -> None:
    """Create or upgrade. Raises NotOurFile and NewerSchema; a failed step leaves no trace."""
    with translated(connection.path):
        connection.script("BEGIN IMMEDIATE")
        try:
            older = _apply(connection, now)
        except BaseException:
            connection.rollback()
            raise
        connection.script("COMMIT")
        if older:  # what a migration has taken out of the file is not to stay in its log
            wal.checkpoint(connection, "TRUNCATE")


def _apply(connection: Connection, now: int) -> int:
    """The version that was upgraded, 0 for none."""
    version = _version(connection)
    if version == len(scripts()):
        return 0
    connection.db.create_scalar_function("sha256_hex", _sha256, 1, deterministic=True)
    for number, text in enumerate(scripts()[version:], version + 1):
        connection.script(text)
        if number == 1:
            _first_rows(connection)
        connection.script(f"INSERT INTO migration(number, at) VALUES ({number}, {now})")
    connection.script(f"PRAGMA user_version = {len(scripts())}")
    connection.script(f"PRAGMA application_id = {APPLICATION_ID}")
    return version


def _sha256(*text: Any) -> str:
    return hashlib.sha256(str(text[0]).encode()).hexdigest()


def _version(connection: Connection) -> int:
    """The file's schema version, 0 for an empty one."""
    refuse_database(connection.path, connection.script)
    return refuse_newer(connection)


def refuse_newer(connection: Connection) -> int:
    """The file's schema version. Raises NewerSchema: another program has upgraded the file."""
    version: int = connection.script("PRAGMA user_version")[0][0]
    if version > len(scripts()):
        raise NewerSchema(
            f"{shown_path(connection.path)} has schema {version}, this library knows {len(scripts())}: "
            "upgrade with pip install -U outeract-core"
        )
    return version


def _first_rows(connection: Connection) -> None:
    from ...events import EVENT_TYPES  # once in the life of a file

    connection.script(
        "CREATE TABLE migration(number INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT"
    )
    for name in (*EVENT_TYPES, *EDGE_TYPES):
        connection.dynamic("INSERT INTO kind(name) VALUES (:name)", {"name": name})
    connection.dynamic(
        "INSERT INTO meta(name, value) VALUES ('code_key', :key)", {"key": secrets.token_bytes(32)}
    )
    own = secrets.randbits(62) | 1
    connection.dynamic("INSERT INTO counter(owner, value) VALUES (0, :lineage)", {"lineage": own})
