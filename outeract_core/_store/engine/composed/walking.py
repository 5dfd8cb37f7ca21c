"""A walk along edges as one recursive query.

Knows: its text. Does not know: what is walked for (`reading/walks.py`), an engine's own words.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....driver import Dialect

_WALK = """
WITH RECURSIVE walk(n, d, before, t, at) AS (
  VALUES (CAST(:start AS BIGINT), 0, CAST(0 AS BIGINT), CAST(0 AS BIGINT), CAST(NULL AS BIGINT))
  UNION
  SELECT e.{there}, w.d + 1, w.n, e.type, e.at FROM {pair}
  WHERE w.d < :depth AND (w.n = :start OR w.n NOT IN ({hubs})))
SELECT n, d, before, t, at FROM walk LIMIT :limit
"""
"""The first row has the types of the others: PostgreSQL asks for that."""


def walk(say: Dialect, types: Sequence[int], hubs: Sequence[int], *, inward: bool) -> str:
    """The query for `:limit` rows from `:start`, up to `:depth` edges away."""
    here, there = ("dst", "src") if inward else ("src", "dst")
    on = f"e.{here} = w.n AND e.type IN ({_numbers(types)})"
    pair = f"walk w {say.pin.format(table='edge', alias='e', condition=on)}"
    return _WALK.format(there=there, pair=pair, hubs=_numbers(hubs))


def _numbers(found: Sequence[int]) -> str:
    return ",".join(map(str, map(int, found))) or "0"
