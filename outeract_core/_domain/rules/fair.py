"""A fair claim: what is due is taken up in order, and no connection takes more than its share.

Knows: shares, and who holds how much of one. Does not know: what is taken up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def shares(conns: Iterable[int], held: Iterable[int], each: int) -> dict[int, int]:
    """By connection how much more may be taken up, of `each`; `held`: one entry for all that is held."""
    taken = Counter(held)
    return {conn: each - taken[conn] for conn in conns if taken[conn] < each}


def capped(
    found: Mapping[int, int],
    groups: Mapping[int, int],
    held: Iterable[int],
    most: Mapping[int, int],
) -> dict[int, int]:
    """The same shares, of which all connections of one group together have no more than its `most`."""
    taken = Counter(groups[conn] for conn in held if conn in groups)
    left = {group: most[group] - taken[group] for group in most}
    kept = dict[int, int]()
    for conn, share in found.items():
        group = groups[conn]
        share = min(share, left.get(group, share))
        if share > 0:
            kept[conn] = share
            if group in left:
                left[group] -= share
    return kept


def fairly(due: Iterable[tuple[int, T]], left: Mapping[int, int], limit: int) -> list[T]:
    """Of what is due, in order and with its connection, what is taken up: `limit` in all."""
    taken, found = Counter[int](), list[T]()
    for conn, one in due:
        if len(found) < limit and taken[conn] < left.get(conn, 0):
            taken[conn] += 1
            found.append(one)
    return found
