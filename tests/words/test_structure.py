"""Payloads as objects of the host's own classes: attrs, dataclasses, typed dicts; faults with paths."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

import attrs
import pytest

from outeract_core import App, Outeract
from outeract_core.errors import BadInput, InvalidEvent
from outeract_core.structure import structure
from tests.support.reading.world import arrive, connect, event, said


@attrs.frozen
class Item:
    """One thing that was ordered."""

    sku: str
    n: int = 1


@attrs.frozen
class Order:
    """An order."""

    id: int
    items: list[Item]
    at: datetime | None = None


@dataclass
class Point:
    """A dataclass."""

    x: float
    y: float
    tags: tuple[str, ...] = ()


class Told(TypedDict):
    """A message as a typed dict."""

    type: str
    text: str
    role: str


@dataclass
class Said:
    """A payload of a message."""

    platform: str
    external_message_id: str
    message: Told


def test_attrs_and_dataclasses_are_built() -> None:
    """Nested, with defaults, lists and times; members that the class does not know are left aside."""
    order = structure(
        {"id": 7, "items": [{"sku": "pizza", "n": 2, "extra": 1}, {"sku": "tea"}],
         "at": "2026-01-01T00:00:00+00:00", "more": {}}, Order,
    )  # fmt: skip
    assert order == Order(7, [Item("pizza", 2), Item("tea", 1)], datetime(2026, 1, 1, tzinfo=UTC))
    assert structure({"x": 1, "y": 2.5, "tags": ["a"]}, Point) == Point(1.0, 2.5, ("a",))
    assert structure([1, 2], list[int]) == [1, 2]
    assert structure({"a": {"sku": "x"}}, dict[str, Item]) == {"a": Item("x")}


def paths(value: Any, into: Any) -> list[str]:
    """Where the faults are."""
    with pytest.raises(InvalidEvent) as caught:
        structure(value, into)
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    return sorted(fault.rsplit("@ ", 1)[1] for fault in caught.value.faults)


def test_every_fault_has_its_path() -> None:
    """All faults at once, each with the way to it."""
    bad = {"id": "seven", "items": [{"sku": "x", "n": "two"}, {}, None], "at": "yesterday"}
    assert paths(bad, Order) == [
        "$.at", "$.id", "$.items[0].n", "$.items[1].sku", "$.items[2]",
    ]  # fmt: skip
    assert paths({}, Order) == ["$.id", "$.items"]
    assert paths({"x": "a", "y": None}, Point) == ["$.x", "$.y"]


@pytest.mark.parametrize("value", [None, 5, "text", [], [1]])
def test_what_is_no_object_is_a_fault(value: Any) -> None:
    """A payload that is no object at all is InvalidEvent, not an AttributeError."""
    assert paths(value, Order)
    assert paths(value, Point)


def test_a_class_that_cannot_be_built_is_the_hosts_mistake() -> None:
    """A type that nobody knows how to build says so instead of giving half an object."""

    class Strange:
        def __init__(self, *, depth: int) -> None:
            self.depth = depth

    with pytest.raises(BadInput):
        structure({"depth": 1}, Strange)


@pytest.mark.anyio
async def test_an_event_gives_its_payload_as_an_object(core: Outeract, app: App) -> None:
    """`payload_as` builds the class from the payload of any event."""
    key = await app.emit("order.created", {"id": 7, "items": [{"sku": "tea"}]})
    found = await app.events.get(key)
    assert found.payload_as(Order) == Order(7, [Item("tea")])
    with pytest.raises(InvalidEvent) as caught:
        found.payload_as(Point)
    assert len(caught.value.faults) == 2
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hi", "ann"))
    message = (await event(app, conn, "m1")).payload_as(Said)
    assert message == Said("pigeon", "m1", {"type": "text", "text": "hi", "role": "user"})


@pytest.mark.anyio
async def test_a_payload_that_is_no_object_is_structured_too(app: App) -> None:
    """Lists and plain values go into types that fit them."""
    found = await app.events.get(await app.emit("note", [1, 2, 3]))
    assert found.payload_as(list[int]) == [1, 2, 3]
    with pytest.raises(InvalidEvent):
        found.payload_as(Order)


def test_cattrs_is_loaded_only_when_it_is_asked_for() -> None:
    """`import outeract_core` and reading events leave cattrs alone; `structure` loads it."""
    code = """
import sys, outeract_core, outeract_core.structure, outeract_core.model
print("cattrs" in sys.modules)
outeract_core.structure.structure(["1"], list[int])
print("cattrs" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
