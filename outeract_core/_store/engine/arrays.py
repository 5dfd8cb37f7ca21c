"""A list of keys or names as what SQLite reads as rows: an array, no text of one.

Knows: apsw's arrays, which are bound as they lie in memory; that an empty one has no place there, and that
what is bound instead has no rows.
Does not know: which statements are given lists (`statements.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import apsw

__all__ = ["bound"]


def bound(values: Sequence[int] | Sequence[str] | Sequence[bytes]) -> Any:
    """Numbers, or texts without NUL, or bytes; not several of these. Raises TypeError, ValueError."""
    if not values:
        return None
    if isinstance(values[0], int):
        return apsw.carray(array("q", values))
    return apsw.carray(tuple(values))
