"""What the file's own guards let pass, asked before something is tried.

Knows: what the trigger of immutability says of a text from which single values are taken
(`sql/migrations/0020.sql`): the same condition, by SQLite itself.
Does not know: what is taken from which text, or why.
"""

from __future__ import annotations

from ...driver import Tx
from .sqlite import FAULTS, own

PERMITS = """
SELECT (SELECT count(*) FROM json_each(:new)) = (SELECT count(*) FROM json_each(:old))
  AND NOT EXISTS (SELECT 1 FROM json_tree(:new) n WHERE n.atom IS NOT NULL
    AND instr(n.atom, '[erased]') = 0 AND n.atom IS NOT (:old ->> n.fullkey))
"""


def permits(tx: Tx, old: str, new: str) -> bool:
    """Whether a text of an event may become this one in an erasure: each value as it was, or marked."""
    try:
        return bool(own(tx).dynamic(PERMITS, {"old": old, "new": new})[0][0])
    except FAULTS:
        return False
