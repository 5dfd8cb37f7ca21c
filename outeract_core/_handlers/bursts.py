"""What one turn is given: one message, what its sender wrote right behind it, the parts of one album.

Knows: what may be joined so that sender, thread and text are true of all of it; what has to wait.
Does not know: which lane this is (everything in a queue is of one handler, conversation and thread).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from .._store.reading.arrivals import Arrived
from .handler import Burst

ALBUM_WAIT = 1_000
"""Milliseconds that an album is given to be whole, from its first part on."""
_PARTS = 100
"""So many parts an album has at most; platforms allow ten."""
_LOOK = 400
"""How far parts are looked for behind what others said meanwhile."""

Alone = Callable[[Arrived], bool]
"""Whether an event must come alone, because a turn with it has failed."""


def batch(queue: Sequence[Arrived], burst: Burst | None, alone: Alone) -> list[Arrived]:
    """What the next turn is given, oldest first. `burst` None: one message only (with its album)."""
    head, *_ = queue
    if not head.spoken:
        return [head]
    taken = [head]
    if burst is not None and head.sender and not alone(head):
        taken = _run(queue, burst, alone)
    albums = {one.album for one in taken if one.album}
    return taken if not albums else _with_parts(queue, taken, albums)


def waits_until(
    queue: Sequence[Arrived], taken: Sequence[Arrived], settle: int, burst: Burst
) -> int:
    """When (in ms) a batch may be handed over: its album may not be whole, its sender not through."""
    last, sender, until = taken[-1], taken[0].sender, 0
    if last.album and not _said_more(queue, taken, sender):
        first = next(one for one in taken if one.album == last.album)
        until = first.at + ALBUM_WAIT
    if settle and len(taken) == len(queue) and not _full(taken, burst):
        until = max(until, last.at + settle)
    return until


def _run(queue: Sequence[Arrived], burst: Burst, alone: Alone) -> list[Arrived]:
    """The head and what the same sender wrote right behind it, up to the bounds."""
    taken: list[Arrived] = []
    length = 0
    for one in islice(queue, burst.messages):
        length += one.length
        fits = not taken or (
            one.spoken and one.sender == queue[0].sender and length <= burst.characters
            and not alone(one)
        )  # fmt: skip
        if not fits:
            break
        taken.append(one)
    return taken


def _with_parts(
    queue: Sequence[Arrived], taken: list[Arrived], albums: set[str]
) -> list[Arrived]:  # fmt: skip
    """The same, with the parts of their albums that others spoke in between."""
    sender, have = taken[0].sender, {one.event for one in taken}
    parts = [
        one for one in islice(queue, _LOOK)
        if one.event not in have and one.album in albums and one.sender == sender and one.spoken
    ]  # fmt: skip
    return sorted([*taken, *parts[:_PARTS]], key=lambda one: one.event)


def _said_more(queue: Sequence[Arrived], taken: Sequence[Arrived], sender: int) -> bool:
    """Whether the sender has said something else behind the album, so that it is whole."""
    have = {one.event for one in taken}
    return any(one.sender == sender and one.event not in have for one in islice(queue, _LOOK))


def _full(taken: Sequence[Arrived], burst: Burst) -> bool:
    return len(taken) >= burst.messages or sum(a.length for a in taken) >= burst.characters
