"""One query for several sources that are in order already.

Knows: that a database merges what is in order, and need not sort it.
Does not know: what the sources are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

__all__ = ["merged", "of_sources"]


@cache
def of_sources(sql: str, sources: int, newest: bool) -> str:
    """`sql` asks `:source` for `:limit` keys in order; what this gives asks `:source0`, `:source1`, …"""
    return merged([sql.replace(":source", f":source{number}") for number in range(sources)], newest)


def merged(queries: Sequence[str], newest: bool) -> str:
    """The first `:limit` keys of what all of them give, each in order."""
    if len(queries) == 1:
        return queries[0]
    order = "DESC" if newest else "ASC"
    each = (sql.partition("ORDER BY")[0] for sql in queries)
    return f"{' UNION ALL '.join(each)} ORDER BY 1 {order} LIMIT :limit"
