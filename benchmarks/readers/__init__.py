"""Readers: whoever can answer a question of the read benchmarks, one module each.

Knows: what every reader is asked, and the shape of its answers.
Does not know: how anyone finds an answer, how long it takes.

An answer is whatever the reader naturally gives (objects, rows, ids); `positions` says which nodes
of the measured file it stands for, so that answers can be compared before they are timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from attrs import frozen

LINK = "triggered_by"
"""The edge type of the chain and of the tree; it points from an event to its cause."""
STEPS = ("bench.step", "bench.node")
"""The event types of the chain and of the tree."""
PAGE = 50
CHAIN = 100
ROOM = 150_000
"""So many messages are kept in memory by whoever keeps them there."""


class Read(NamedTuple):
    """One question to one reader. `ordered`: whether the order of the answer counts."""

    ask: Callable[[], Any]
    positions: Callable[[Any], Sequence[int]]


def said(payload: str) -> str:
    """The text in an event's payload."""
    text: str = json.loads(payload)["message"]["text"]
    return text


class TooLarge(Exception):
    """The file holds more than this reader can be given in reasonable time."""


class Reader(Protocol):
    """Somebody who can answer."""

    name: str
    notes: str
    """What has to be known to read the figures; empty when nothing."""

    def reads(self) -> dict[str, Read]:
        """The questions that this reader can answer, by the name of the workload."""
        ...

    def close(self) -> None:
        """Let everything go."""
        ...


@frozen
class Offered:
    """A reader that may be there: `open` raises ImportError when its package is not, or TooLarge."""

    name: str
    open: Callable[[], Reader]


@frozen
class Targets:
    """What is asked about, by the keys (`event.seq`, `puser.id`) of the measured file."""

    app: int
    conns: tuple[int, ...]
    """Connections with conversations."""
    peer: int
    """The largest conversation."""
    messages: int
    """How many messages it has."""
    deep: int
    """The message 60 % back in it; the deep page is what lies before."""
    person: bytes
    """The public id of the user with three platform users."""
    person_key: int
    peers: tuple[int, ...]
    """Their platform users."""
    end: int
    """The last event of the chain of a hundred."""
    root: int
    """The root of the tree; edges point from child to parent."""
    leaves: tuple[int, int]
    """Two leaves whose only common ancestor is the root."""
    ids: Mapping[int, UUID]
    """The public ids of the events above."""


__all__ = [
    "CHAIN",
    "LINK",
    "Offered",
    "PAGE",
    "ROOM",
    "STEPS",
    "Read",
    "Reader",
    "Targets",
    "TooLarge",
    "said",
]
