"""The query that asks one source, for several.

Knows: that a database merges what is in order already, and need not sort it.
Does not know: what the sources are.
"""

from __future__ import annotations

from functools import cache

__all__ = ["merged"]


@cache
def merged(sql: str, sources: int, newest: bool) -> str:
    """`sql` asks `:source` for `:limit` keys in order; what this gives asks `:source0`, `:source1`, …"""
    if sources == 1:
        return sql.replace(":source", ":source0")
    one, _order = sql.split("ORDER BY")
    each = (one.replace(":source", f":source{number}") for number in range(sources))
    order = "DESC" if newest else "ASC"
    return f"{' UNION ALL '.join(each)} ORDER BY 1 {order} LIMIT :limit"
