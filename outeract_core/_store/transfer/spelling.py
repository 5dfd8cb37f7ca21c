"""The unit of work that brings names of an older file into the platform's one form, once.

Knows: that a name moves only where nobody else has the new one.
Does not know: any platform's form (the adapter's `normalise` is handed in), who is one person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...driver import Statement, Tx
from ...errors import BadInput
from ...model import Alias
from ..engine.statements import statement
from ..records.conn import Conn
from ..writing.people import PUSER_BY_ID

SPELT: Statement[tuple[int, str, str]] = statement("pusers_spelt")
RESPELL: Statement[Any] = statement("puser_respell")
DONE: Statement[tuple[Any]] = statement("meta_noted")
NOTE: Statement[Any] = statement("meta_note")
_PAGE = 1000


def is_done(tx: Tx, conn: Conn) -> bool:
    """Whether this connection's names are known to be in one form."""
    return tx.one(DONE, name=_mark(conn)) is not None


def respell(tx: Tx, conn: Conn, normalise: Callable[[str, str], str | Alias]) -> int:
    """Bring every name into one form; how many have changed.

    Where somebody else has the new name already, both stay who they are: the messages of both are
    kept, and from now on the one under the right name is found.
    """
    changed, after = 0, ""
    while page := tx.all(SPELT, conn=conn.id, after=after, limit=_PAGE):
        changed += sum(_one(tx, conn, *row, normalise) for row in page)
        after = page[-1][1]
    tx.run(NOTE, name=_mark(conn))
    tx.forget()
    return changed


def _one(
    tx: Tx, conn: Conn, key: int, ext: str, kind: str, normalise: Callable[[str, str], str | Alias]
) -> bool:
    try:
        right = normalise(ext, kind)
    except BadInput:
        return False
    if isinstance(right, Alias) or right == ext:
        return False
    if tx.one(PUSER_BY_ID, conn=conn.id, ext=right) is not None:
        return False
    return bool(tx.changed(RESPELL, id=key, ext=right))


def _mark(conn: Conn) -> str:
    return f"names of connection {conn.entity.id}"
