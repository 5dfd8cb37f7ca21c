"""Single steps on a claimed row, which the library takes for many rows at once.

Knows: that each says of every row whether its claim still stands.
Does not know: requests, who holds what.
"""

from __future__ import annotations

from outeract_core._store.records.conn import Conn
from outeract_core._store.writing import outbox
from outeract_core._store.writing.claims import Row
from outeract_core.driver import Tx
from outeract_core.errors import LeaseLost


def begin(tx: Tx, row: Row, lease: int, arrives: int) -> None:
    """The request of a part is about to leave. Raises LeaseLost."""
    if not outbox.begin(tx, [row], lease, arrives)[0]:
        raise LeaseLost("somebody else has it")


def part_done(tx: Tx, conn: Conn, row: Row, names: tuple[str, ...]) -> Row | None:
    """A part has its receipt: the row for the next, or None. Raises LeaseLost."""
    (left,) = outbox.parts_done(tx, [outbox.Done(conn, row, names)])
    if left is outbox.LOST:
        raise LeaseLost("somebody else has it")
    assert left is None or isinstance(left, Row)
    return left
