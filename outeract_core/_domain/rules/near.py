"""Names that were probably meant: for errors and warnings about a name that is not known.

Knows: how alike two names are. Does not know: what they name.
"""

from __future__ import annotations

from collections.abc import Iterable


def near(name: str, known: Iterable[str], most: int = 3) -> str:
    """`; did you mean a, b or c?`, or nothing when no known name is like it."""
    from difflib import get_close_matches  # a mistake is rare, and the module is not small

    found = get_close_matches(name, sorted(set(known)), most, 0.6)
    if not found:
        return ""
    *others, last = found
    return f"; did you mean {', '.join(others)} or {last}?" if others else f"; did you mean {last}?"
