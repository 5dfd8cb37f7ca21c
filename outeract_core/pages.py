"""Pages in Relay style: nodes, a cursor for each, whether there are more.

Knows: how a position becomes an opaque cursor and back.
Does not know: what the nodes are, how they were found.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from attrs import field, frozen

from .errors import BadInput, InvalidCursor

__all__ = ["Page"]

T = TypeVar("T")
U = TypeVar("U")
_LIMIT = 1000


@frozen
class Page(Generic[T]):
    """Some nodes in order. Give a cursor as `after` to read on behind its node.

    `total_count` is None unless it was asked for, because it has to look at everything.
    """

    nodes: tuple[T, ...]
    positions: tuple[int, ...] = field(repr=False)
    has_next: bool
    total_count: int | None = None

    @property
    def cursors(self) -> tuple[str, ...]:
        """A cursor for each node."""
        return tuple(map(to_cursor, self.positions))

    @property
    def end_cursor(self) -> str | None:
        """The last node's cursor, or None for an empty page."""
        return to_cursor(self.positions[-1]) if self.positions else None

    def __iter__(self) -> Iterator[T]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)


def paged(
    positions: list[int], first: int, make: Callable[[list[int]], list[U]], total: int | None = None
) -> Page[U]:
    """A page of at most `first` of `positions` (one more than that was looked for)."""
    kept = positions[:first]
    return Page(tuple(make(kept)), tuple(kept), len(positions) > first, total)


def checked(first: int) -> int:
    """`first` as it may be. Raises BadInput."""
    if isinstance(first, bool) or not isinstance(first, int) or not 1 <= first <= _LIMIT:
        raise BadInput(f"first is 1 to {_LIMIT}, not {first!r}")
    return first


def to_cursor(position: int) -> str:
    """A position as text that nobody should look into."""
    return base64.urlsafe_b64encode(position.to_bytes(8, "big")).decode().rstrip("=")


def from_cursor(cursor: str) -> int:
    """The position behind a cursor. Raises InvalidCursor for anything that is none."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidCursor(f"not a cursor: {cursor!r:.40}") from error
    if len(raw) != 8 or raw[0] > 127:
        raise InvalidCursor(f"not a cursor: {cursor!r:.40}")
    return int.from_bytes(raw, "big")
