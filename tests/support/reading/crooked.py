"""Facts that an adapter should never yield.

Knows: one of each fault. Does not know: what becomes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from attrs import evolve

from outeract_core.adapter import Inbound
from outeract_core.events import Fact, FileRef, Party, Unparsed
from outeract_core.model import Alias
from tests.support.reading.world import Pigeon, said

__all__ = ["CROOKED", "GOOD_FACT", "Crooked"]


class Crooked(Pigeon):
    """An adapter with faults: its facts are not what facts should be."""

    facts: tuple[Any, ...] = ()

    def parse(self, inbound: Inbound) -> Iterable[Fact | Unparsed]:
        yield said("m1", "first", "ann")
        yield from self.facts
        yield said("m2", "last", "ann")


GOOD_FACT: Any = said("bad", "x", "ann")


def _told(**members: Any) -> Any:
    """The good fact with other members of its message."""
    payload = dict(GOOD_FACT.payload)
    return evolve(GOOD_FACT, payload={**payload, "message": {**payload["message"], **members}})


CROOKED: dict[str, Any] = {
    "a kind that is none": evolve(GOOD_FACT, kind="message.imbound"),
    "a kind of the host's": evolve(GOOD_FACT, kind="order.created"),
    "a payload that is no JSON": evolve(GOOD_FACT, payload={"x": object()}),
    "a payload with NaN": evolve(GOOD_FACT, payload={"x": float("nan")}),
    "a raw that is no JSON": evolve(GOOD_FACT, raw=object()),
    "a raw that is no text": evolve(GOOD_FACT, raw=b"\xff\xfe"),
    "a naive time": evolve(GOOD_FACT, occurred_at=datetime(2026, 1, 1)),  # noqa: DTZ001
    "a text for a time": evolve(GOOD_FACT, occurred_at="2026-01-01"),
    "a fraction as key": evolve(GOOD_FACT, key=1.5),
    "bytes as key": evolve(GOOD_FACT, key=b"m1"),
    "an object as key": evolve(GOOD_FACT, key={"id": 1}),
    "a text as sender": evolve(GOOD_FACT, sender="ann"),
    "a kind of party that is none": evolve(GOOD_FACT, sender=Party("x", "robot")),  # type: ignore[arg-type]
    "an alias that is none": evolve(GOOD_FACT, sender=Party("x", aliases=["alias"])),
    "a file that is none": evolve(GOOD_FACT, files=("file.txt",)),
    "a relink that is none": evolve(GOOD_FACT, relinks=("ann",)),
    "a status without a target's text": Fact("message.read", "s1", [1], target="m1"),  # type: ignore[arg-type]
    "a name without end": evolve(GOOD_FACT, sender=Party("y", name="n" * 70_000)),
    "an id without end": evolve(GOOD_FACT, sender=Party("i" * 70_000)),
    "a key without end": evolve(GOOD_FACT, key="k" * 70_000),
    "a type of alias that is none": evolve(
        GOOD_FACT, sender=Party("z", aliases=(Alias("A B", "x"),))
    ),
    "a size below zero": evolve(GOOD_FACT, files=(FileRef({}, size=-1),)),
    "a size that is no number": evolve(GOOD_FACT, files=(FileRef({}, size=True),)),
    "a number as text": _told(text=5),
    "a list as type": _told(type=["text"]),
    "a list as message": evolve(GOOD_FACT, payload={"type": "text", "message": ["hi"]}),
    "a text as part": Fact("message.read", "s2", {"part": "0"}, target="m1"),
    "an object as reason": Fact("message.failed", "s3", {"reason": {"code": 5}}, target="m1"),
    "a number as emoji": Fact("message.reaction_added", "r1", {"emoji": 5}, target="m1"),
    "a list as transcript": Fact("message.transcribed", "t1", {"text": []}, target="m1"),
    "no fact at all": {"kind": "message.inbound"},
    "nothing": None,
}
