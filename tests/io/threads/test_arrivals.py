"""How much the writer takes at a time of what others bring: half while it has to wait, all where it is the slower one.

Knows: when each came, by a clock of its own. Does not know: databases, what is brought.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as some

from outeract_core._io.threads.arrivals import CHEAP, Arrivals
from tests.support.patience import PATIENCE

MOST = 512
EACH = 0.000_03
"""Seconds from one that is brought to the next."""


@dataclass
class One:
    """What is brought."""

    at: float
    number: int = 0


class Scene:
    """Arrivals and their clock."""

    def __init__(self) -> None:
        self.now, self.late = 100.0, 0
        self.arrivals: Arrivals[One] = Arrivals(self._late, lambda: self.now)

    def _late(self) -> None:
        self.late += 1

    def brought(self, count: int) -> None:
        """So many come, as fast as they are brought."""
        for number in range(count):
            self.now += EACH
            self.arrivals.put(One(self.now, number))

    def taken(self, most: int = MOST) -> list[One]:
        """The next portion of what is there."""
        first = self.arrivals.get()
        assert first is not None
        return self.arrivals.portion(first, most)[0]

    def waiting(self, count: int) -> list[One]:
        """The next portion, by a taker that waits when the first of `count` comes."""
        got: list[One | None] = []
        taker = threading.Thread(target=lambda: got.append(self.arrivals.get()))
        empty, asked = self.arrivals.empty, threading.Event()

        def told() -> bool:
            is_so = empty()
            asked.set()
            return is_so

        self.arrivals.empty = told  # type: ignore[method-assign]
        taker.start()
        assert asked.wait(PATIENCE)
        self.brought(count)
        taker.join(PATIENCE)
        assert got[0] is not None
        return self.arrivals.portion(got[0], MOST)[0]

    def done(self, portion: list[One], slower: float) -> None:
        """It was in hand for so many times as long as it took to bring it."""
        self.now += len(portion) * EACH * slower
        self.arrivals.done(portion)


@pytest.mark.parametrize(
    ("there", "taken"), [(1, 1), (31, 31), (64, 64), (65, 32), (100, 50), (1000, 110)]
)  # fmt: skip
def test_who_need_not_wait_takes_what_a_cheap_portion_holds(there: int, taken: int) -> None:
    """A portion has what is there; of more than 64 it has half, and no more than is cheap."""
    scene = Scene()
    scene.brought(there)
    assert len(scene.taken()) == taken


@pytest.mark.parametrize(
    ("there", "taken"), [(1, 1), (31, 31), (32, 16), (100, 50), (1000, 110)]
)  # fmt: skip
def test_who_had_to_wait_leaves_half(there: int, taken: int) -> None:
    """Those who wait for the one half hand over again while the other half is written."""
    scene = Scene()
    assert len(scene.waiting(there)) == taken
    assert scene.arrivals.empty() == (there == taken)


def test_who_is_the_slower_one_takes_all_for_a_second_and_then_sees_again() -> None:
    """A slow disk, or a host that computes, makes few portions the fastest; one slow portion is nothing."""
    scene = Scene()
    scene.brought(CHEAP)
    for slower in (100.0, 1.0, 4.0):
        scene.brought(CHEAP)
        portion = scene.taken()
        assert len(portion) == CHEAP
        scene.done(portion, slower)
    scene.brought(CHEAP)
    scene.done(scene.taken(), 4.0)
    scene.brought(1000)
    assert len(scene.taken()) == MOST
    scene.taken(1000)
    assert len(scene.waiting(100)) == 100
    scene.now += 1.0
    portion = scene.waiting(100)
    assert len(portion) == 50
    scene.done(portion, 2.4)
    scene.taken()
    assert len(scene.waiting(100)) == 50


def test_who_keeps_up_never_takes_all() -> None:
    """What the other half takes to be brought counts for nothing, however long it goes on."""
    scene = Scene()
    for _ in range(200):
        scene.brought(CHEAP)
        portion = scene.taken()
        scene.now += 5.0  # nobody brings anything
        scene.arrivals._began = scene.now
        scene.done(portion, 2.0)
    scene.brought(200)
    assert len(scene.taken()) == CHEAP


def test_what_is_brought_in_two_bursts_is_not_taken_for_slowly_brought() -> None:
    """Who brings waits for the taker in between: a slow taker is seen to be one all the same."""
    scene = Scene()
    for _ in range(16):
        scene.brought(20)
        scene.now += 0.05
        scene.brought(20)
        scene.done(scene.taken(), 4.0)
    scene.brought(200)
    assert len(scene.taken()) == 200


def test_an_end_ends_a_portion() -> None:
    """None is the end, for who waits and for who has something in hand."""
    scene = Scene()
    scene.brought(3)
    scene.arrivals.put(None)
    first = scene.arrivals.get()
    assert first is not None
    portion, last = scene.arrivals.portion(first, MOST)
    assert (len(portion), last) == (3, True)
    scene.arrivals.put(None)
    assert scene.arrivals.get() is None


@given(some.lists(some.integers(1, 200), max_size=12), some.integers(1, 100), some.floats(0, 9))
def test_all_that_is_brought_is_taken_once_and_in_order(
    bursts: list[int], most: int, slower: float
) -> None:
    """However it comes, and whoever is the slower one: no portion is larger than asked for, none is lost."""
    scene, taken, brought = Scene(), [], 0
    for count in bursts:
        scene.brought(count)
        brought += count
        portion = scene.taken(most)
        assert 0 < len(portion) <= most
        scene.done(portion, slower)
        taken += portion
    while not scene.arrivals.empty():
        taken += scene.taken(most)
    assert len(taken) == brought == len({id(one) for one in taken})
    assert [one.at for one in taken] == sorted(one.at for one in taken)
