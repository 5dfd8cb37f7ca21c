"""The fold's own rows, for the floor: what has happened to each message of a page, by the best SQL known.

Knows: the columns that a message as it stands is made of: changes, ends, receipts, senders.
Does not know: objects, what they come to.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import apsw

_CHANGES = (
    "SELECT g.dst, g.src, e.type, e.occurred_at, e.payload,"
    " (SELECT s.dst FROM edge s WHERE s.src = e.seq AND s.type = {sent_by} LIMIT 1)"
    " FROM carray(?) j CROSS JOIN edge g ON g.dst = j.value AND g.type = {origin}"
    " CROSS JOIN event e ON e.seq = g.src WHERE e.type IN ({changing})"
)
_ENDS = (
    "SELECT g.src, g.type, g.dst FROM carray(?) j"
    " CROSS JOIN edge g ON g.src = j.value AND g.type IN ({sent_by}, {attachment}, {reply_to})"
)
_RECEIPTS = (
    "SELECT r.event, r.part, r.status, r.ext FROM carray(?) j CROSS JOIN receipt r"
    " ON r.event = j.value"
    " UNION ALL SELECT p.event, p.part, p.status, '' FROM carray(?1) j CROSS JOIN part p"
    " ON p.event = j.value"
)
_WHO = (
    "SELECT p.id, p.uid, q.uid, p.conn, p.ext, p.kind, p.name, p.picture, p.created_at"
    " FROM carray(?) j CROSS JOIN puser p ON p.id = j.value JOIN person q ON q.id = p.person"
)
_ALIASES = (
    "SELECT l.puser, l.type, l.value FROM carray(?) j CROSS JOIN alias l ON l.puser = j.value"
)
_CHANGING = (
    "message.edited", "message.deleted", "message.transcribed", "message.action",
    "message.reaction_added", "message.reaction_removed",
)  # fmt: skip


class Around:
    """What stands around messages, in five statements."""

    def __init__(self, db: Any) -> None:
        self._db = db
        kinds = {name: number for number, name in db.execute("SELECT id, name FROM kind")}
        self._by = kinds["sent_by"]
        words = {name: kinds[name] for name in ("sent_by", "origin", "attachment", "reply_to")}
        changing = ", ".join(str(kinds[name]) for name in _CHANGING)
        self._changes = _CHANGES.format(**words, changing=changing)
        self._ends = _ENDS.format(**words)

    def read(self, rows: Sequence[Any], key: int = 0, kind: int = 8) -> list[Any]:
        """The rows around these messages; `key`, `kind`: the columns of position and status."""
        keys = [row[key] for row in rows]
        changes, ends = self._ask(self._changes, keys), self._ask(self._ends, keys)
        sent = [row[key] for row in rows if row[kind] is not None]
        people = {end[2] for end in ends if end[1] == self._by} | {one[5] for one in changes}
        who = sorted(one for one in people if one is not None)
        return [
            changes,
            ends,
            self._ask(_RECEIPTS, sent),
            self._ask(_WHO, who),
            self._ask(_ALIASES, who),
        ]

    def _ask(self, sql: str, keys: Sequence[int]) -> list[Any]:
        return list(self._db.execute(sql, (apsw.carray(array("q", keys)),))) if keys else []
