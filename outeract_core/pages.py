"""Pages in Relay style: nodes, a cursor for each, whether there are more on either side.

Knows: how a position becomes an opaque cursor and back.
Does not know: what the nodes are, how they were found.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from attrs import field

from ._domain.values.classes import frozen
from .errors import BadInput, InvalidCursor

__all__ = ["Page"]

T = TypeVar("T")
U = TypeVar("U")
_LIMIT = 1000


@frozen
class Page(Generic[T]):
    """Some nodes in order. A cursor as `after` reads on behind its node, as `before` back from it.

    has_next, has_previous   whether there are nodes behind and before these. A page that was asked for
                             by a cursor has the cursor's own node on that side.
    ranked_of                of a search by rank that found more than it weighs: these are the best of so many
                             of the newest. None: the best of all.
    total_count              None unless it was asked for, because it has to look at everything.
    """

    nodes: tuple[T, ...]
    positions: tuple[int, ...] = field(repr=False)
    has_next: bool
    total_count: int | None = None
    has_previous: bool = False
    ranked_of: int | None = None

    @property
    def cursors(self) -> tuple[str, ...]:
        """A cursor for each node."""
        return tuple(map(to_cursor, self.positions))

    @property
    def start_cursor(self) -> str | None:
        """The first node's cursor, or None for an empty page."""
        return to_cursor(self.positions[0]) if self.positions else None

    @property
    def end_cursor(self) -> str | None:
        """The last node's cursor, or None for an empty page."""
        return to_cursor(self.positions[-1]) if self.positions else None

    def __iter__(self) -> Iterator[T]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)


@frozen
class Asked:
    """Which page: at most `first` nodes `behind` a position, or (`back`) those right before it."""

    first: int
    behind: int | None = None
    back: bool = False

    @property
    def limit(self) -> int:
        """How many to look for, so that it is known whether there are more."""
        return self.first + 1

    def page(
        self, found: Sequence[T], position: Callable[[T], int], make: Callable[[list[T]], Sequence[U]],
        total: int | None = None,
    ) -> Page[U]:  # fmt: skip
        """The page, of at most `limit` that were found in its direction, nearest to the cursor first."""
        more, kept = len(found) > self.first, list(found[: self.first])
        if self.back:
            kept.reverse()
        nodes, positions = tuple(make(kept)), tuple(map(position, kept))
        if self.back:
            return Page(nodes, positions, True, total, more)
        return Page(nodes, positions, more, total, self.behind is not None)


def asked(first: int, after: str | None = None, before: str | None = None) -> Asked:
    """What `first`, `after` and `before` ask for. Raises BadInput, InvalidCursor."""
    if after is not None and before is not None:
        raise BadInput("a page is read on from `after`, or back from `before`: give one of them")
    limit = checked(first)
    if before is not None:
        return Asked(limit, from_cursor(before), back=True)
    return Asked(limit, None if after is None else from_cursor(after))


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
