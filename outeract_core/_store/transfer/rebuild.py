"""The conversation projection made again from the log, and compared with it.

Knows: which edges and events each row of the projection follows from.
Does not know: who asks (a test, the doctor, a repair).
"""

from __future__ import annotations

from typing import Any

from ..._domain.values.ids import span
from ...driver import Statement, Tx
from ..engine.composed.tables import deriving, excess, lacking, removing
from ..engine.statements import statement

TABLES: dict[str, Statement[Any]] = {
    "entry": statement("derived_entries"),
    "conversation": statement("derived_conversations"),
    "participant": statement("derived_participants"),
}
_SCOPE = "peer"
_EVERYTHING = (0, 2**62)
_INTERNED = {
    "sent_to": "sent_to",
    "sent_by": "sent_by",
    "about": "about",
    "origin": "origin",
    "inbound": "message.inbound",
    "outbound": "message.outbound",
    "read": "system.conversation_read",
}


def rebuild(tx: Tx, app: int | None = None) -> None:
    """Drop the projection of one application (or of all) and derive it again: O(history)."""
    params = _params(tx, app)
    for table, derived in TABLES.items():
        tx.dynamic(removing(table, _SCOPE), params)
        tx.dynamic(deriving(table, derived), params)


def add_entries(tx: Tx, lo: int, hi: int) -> None:
    """Derive the entries of new messages, those with keys from `lo` to before `hi`."""
    tx.dynamic(deriving("entry", TABLES["entry"]), {**_params(tx, None), "lo": lo, "hi": hi})


def check(tx: Tx, app: int | None = None) -> list[str]:
    """Where the projection and the log disagree; empty when all is well. O(history)."""
    faults, params = [], _params(tx, app)
    for table, derived in TABLES.items():
        for which, sql in (
            ("missing in", lacking(table, _SCOPE, derived)),
            ("too much in", excess(table, _SCOPE, derived)),
        ):
            count = tx.dynamic(sql, params)[0][0]
            if count:
                faults.append(f"{count} rows {which} {table}")
    return faults


def _params(tx: Tx, app: int | None) -> dict[str, Any]:
    lo, hi = _EVERYTHING if app is None else span(app)
    numbers = {name: tx.known_kind(kind) for name, kind in _INTERNED.items()}
    return {"lo": lo, "hi": hi, **numbers}
