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


def fairly(due: Iterable[tuple[int, T]], left: Mapping[int, int], limit: int) -> list[T]:
    """Of what is due, in order and with its connection, what is taken up: `limit` in all."""
    taken, found = Counter[int](), list[T]()
    for conn, one in due:
        if len(found) < limit and taken[conn] < left.get(conn, 0):
            taken[conn] += 1
            found.append(one)
    return found
