"""What one turn is given: of one sender, in one place, bounded; every message in exactly one turn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._handlers.bursts import ALBUM_WAIT
from outeract_core._handlers.handler import Burst, Handler, burst_of
from outeract_core._handlers.lanes import Lanes
from outeract_core._store.reading.arrivals import Arrived
from outeract_core.errors import BadInput

BOUND = Burst(4, 40)

spoken = st.builds(
    dict,
    sender=st.integers(1, 3),
    peer=st.integers(1, 2),
    thread=st.sampled_from(["", "t1", "t2"]),
    album=st.sampled_from(["", "", "a1", "a2"]),
    length=st.integers(0, 50),
    type=st.sampled_from(["message.inbound"] * 5 + ["message.edited"]),
)


def message(number: int, at: int = 0, **more: Any) -> Arrived:
    """The `number`th event, by sender 1 in conversation 1 unless told otherwise."""
    return Arrived(
        **{"event": number, "type": "message.inbound", "peer": 1, "sender": 1, "at": at, **more}
    )


def lanes(overlap: str = "burst", **asks: Any) -> Lanes:
    """Lanes for one handler of messages and edits."""
    handler = Handler("h", "message.*", print, burst=asks.pop("burst", BOUND), **asks)
    return Lanes([handler], lambda: overlap)


@settings(max_examples=300)
@given(
    events=st.lists(spoken, max_size=40),
    steps=st.lists(st.integers(0, 5), max_size=120),
    overlap=st.sampled_from(["burst", "queue", "concurrent"]),
    fails=st.sets(st.integers(1, 40), max_size=3),
)
def test_what_is_said_of_a_turn_is_true_of_all_of_it(
    events: list[dict[str, Any]], steps: list[int], overlap: str, fails: set[int]
) -> None:
    """However messages and turns interleave: one sender, conversation and thread, in order, bounded,
    an album's parts that are there together, and every message in exactly one turn that succeeds; what
    has failed with others comes alone.
    """
    state, turns, waiting = lanes(overlap), [], list(enumerate(events, 1))
    failed: set[int] = set()
    tried: set[int] = set()
    plan = iter(steps)
    while waiting or [*state.ready(10**6)]:
        arrive = next(plan, 1)
        for number, event in waiting[:arrive]:
            state.place(Arrived(event=number, **event))
        del waiting[:arrive]
        for lane in [*state.ready(10**6)][: next(plan, 1) + 1]:
            there = [(one.album, one.sender) for one in lane.queue if one.spoken]
            batch = state.take(lane)
            names = {one.event for one in batch}
            if fails & names and not failed & names:
                failed |= fails & names
                state.give_back(lane, batch)
                state.failed(lane, names, 1, due=0)
                tried |= names
                continue
            assert not tried & names or len({one.album or one.event for one in batch}) == 1
            state.settled(lane.handler, names)
            turns.append(batch)
            _is_true(batch, there)
    in_turns = [one.event for batch in turns for one in batch]
    assert sorted(in_turns) == [number for number, _ in enumerate(events, 1)]
    if overlap != "concurrent":
        _in_order(turns)


def _is_true(batch: list[Arrived], there: list[tuple[str, int]]) -> None:
    assert len({(one.sender, one.peer, one.thread) for one in batch}) == 1
    assert [one.event for one in batch] == sorted(one.event for one in batch)
    assert len(batch) == 1 or all(one.spoken for one in batch)
    free = [one for one in batch if not one.album]
    whole = {(one.album, one.sender) for one in batch if one.album}
    assert len(free) + len(whole) <= BOUND.messages
    assert len(batch) == 1 or whole or sum(one.length for one in batch) <= BOUND.characters
    if batch[0].spoken:
        for album in whole:
            assert sum((one.album, one.sender) == album for one in batch) == there.count(album)


def _in_order(turns: list[list[Arrived]]) -> None:
    """By place and sender, what is not of an album comes in the order of the log."""
    seen: dict[Any, int] = {}
    for batch in turns:
        for one in batch:
            if not one.album:
                place = (one.peer, one.thread, one.sender)
                assert seen.get(place, 0) < one.event
                seen[place] = one.event


def test_a_turn_ends_where_somebody_else_speaks() -> None:
    """Two messages of one person with another's between them are two turns."""
    state = lanes()
    for number, sender in enumerate([1, 1, 2, 1], 1):
        state.place(message(number, sender=sender))
    (lane,) = state.ready(0)
    assert [[a.event for a in state.take(lane)] for _ in range(3)] == [[1, 2], [3], [4]]


def test_nobody_knows_who_wrote_it_so_it_comes_alone() -> None:
    """Messages without a known sender are never joined."""
    state = lanes()
    for number in (1, 2):
        state.place(message(number, sender=0))
    (lane,) = state.ready(0)
    assert [a.event for a in state.take(lane)] == [1]


def test_threads_of_one_channel_have_lanes_of_their_own() -> None:
    """What is said in two threads is ready side by side."""
    state = lanes()
    for number, thread in enumerate(["", "t1", "t2", "t1"], 1):
        state.place(message(number, thread=thread))
    assert [[a.event for a in state.take(lane)] for lane in [*state.ready(0)]] == [[1], [2, 4], [3]]


def test_a_burst_is_bounded_by_messages_and_by_characters() -> None:
    """600 short messages are 30 turns; a long one has a turn of its own."""
    state = lanes(burst=Burst(20, 1_000))
    for number in range(1, 601):
        state.place(message(number, length=1))
    state.place(message(601, length=5_000))
    state.place(message(602, length=5))
    (lane,) = state.ready(0)
    turns = []
    while lane.queue:
        turns.append([a.event for a in state.take(lane)])
    assert [len(turn) for turn in turns] == [20] * 30 + [1, 1]


def test_an_album_waits_for_its_end_up_to_a_second() -> None:
    """From its first part on; shorter when its sender goes on to say something else."""
    state = lanes("queue")
    state.place(message(1, at=10_000, album="a"))
    assert [*state.ready(10_000)] == []
    state.place(message(2, at=10_400, album="a"))
    state.place(message(3, at=10_500, sender=2))
    assert [*state.ready(10_000 + ALBUM_WAIT - 1)] == []
    assert 0 < state.pause(10_500) <= 0.5
    (lane,) = state.ready(10_000 + ALBUM_WAIT)
    assert [a.event for a in state.take(lane)] == [1, 2]
    state.place(message(4, at=20_000, album="b"))
    state.place(message(5, at=20_001, sender=1))
    assert [[a.event for a in state.take(lane)] for _ in range(3)] == [[3], [4], [5]]


def test_settling_waits_for_quiet() -> None:
    """Each message of the burst begins the wait anew; a full burst, or somebody else, ends it."""
    state = lanes(settle=3_000)
    state.place(message(1, at=1_000))
    assert [*state.ready(3_999)] == []
    state.place(message(2, at=3_000))
    assert [*state.ready(4_000)] == []
    assert [*state.ready(5_999)] == []
    (lane,) = state.ready(6_000)
    state.place(message(3, at=3_500, sender=2))
    assert [*state.ready(3_500)] == [lane]
    assert [a.event for a in state.take(lane)] == [1, 2]
    for number in range(4, 8):
        state.place(message(number, at=4_000, sender=2))
    assert [*state.ready(4_000)] == [lane]


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    """What was stored in what is now the future is handed over."""
    state = lanes(settle=3_000)
    state.place(message(1, at=50_000, album="a"))
    assert len([*state.ready(10_000)]) == 1


@pytest.mark.parametrize(
    "burst", [0, -1, True, (1,), (1, 2, 3), (0, 5), (5, 0), "20", 1.5, (1, 2.0)]
)
def test_a_burst_is_whole_numbers(burst: Any) -> None:
    """Nonsense is refused where it is given."""
    with pytest.raises(BadInput, match="burst"):
        burst_of(burst)


def test_bursts_as_given() -> None:
    """A number, a pair, or nothing."""
    assert burst_of(None) == Burst(20, 8_000)
    assert burst_of(5) == Burst(5, 8_000)
    assert burst_of((5, 100)) == Burst(5, 100)
