"""The bookkeeping of handlers, without a store: lanes, what is open, how far the cursor may move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outeract_core._handlers.handler import Handler
from outeract_core._handlers.lanes import Lanes
from outeract_core._store.reading.arrivals import Arrived
from outeract_core._store.writing.handlers import Backlog

ALL = Handler("all", "*", print, own=True)
SOME = Handler("some", "message.*", print)
QUEUE = Handler("queue", "message.inbound", print, overlap="queue")

events = st.lists(
    st.tuples(
        st.sampled_from(["message.inbound", "message.sent", "order.made"]), st.integers(0, 2)
    ),
    max_size=25,
)


def lanes(*handlers: Handler) -> Lanes:
    """Empty lanes for these handlers, `burst` by default."""
    return Lanes(list(handlers), lambda: "burst")


@given(events=events, order=st.lists(st.integers(0, 100), max_size=60))
def test_the_cursor_never_passes_what_is_open_and_reaches_the_end(
    events: list[tuple[str, int]], order: list[int]
) -> None:
    """In whatever order lanes run, nothing is handled twice or skipped, and at the end all is passed."""
    state, handled = lanes(ALL, SOME, QUEUE), []
    for number, (kind, peer) in enumerate(events, 1):
        state.place(Arrived(number, kind, peer, sender=5))
    picks = iter([*order, *([0] * 200)])
    while ready := [lane for lane in state.ready(0) if lane.queue]:
        lane = ready[next(picks) % len(ready)]
        batch = [a.event for a in state.take(lane)]
        low = state.low_after(lane.handler, batch)
        state.settled(lane.handler, batch)
        handled += [(event, lane.handler.name) for event in batch]
        assert state.cursor >= low
        wanted = {
            (n, h.name)
            for n, (kind, _) in enumerate(events, 1)
            for h in state.wanted(Arrived(n, kind))
        }
        assert all(event > state.cursor for event, _name in wanted - set(handled))
    assert sorted(handled) == sorted(wanted) if handled else handled == []
    assert state.cursor == len(events) if handled else state.cursor == 0


def test_a_lane_keeps_its_order() -> None:
    """One handler in one conversation gets its events as they came; a burst takes messages only."""
    state = lanes(ALL)
    kinds = ["message.inbound", "message.inbound", "message.sent", "message.inbound"]
    for number, kind in enumerate(kinds, 1):
        state.place(Arrived(number, kind, 7, sender=5))
    (lane,) = state.ready(0)
    taken = [[a.event for a in state.take(lane)] for _ in range(3)]
    assert taken == [[1, 2], [3], [4]]


def test_what_has_failed_waits_and_then_comes_alone() -> None:
    """A lane with a retry is not ready before its time; others are."""
    state = lanes(ALL)
    for number, peer in enumerate([1, 1, 2], 1):
        state.place(Arrived(number, "message.inbound", peer))
    lane = next(each for each in state.ready(0) if each.queue[0].event == 1)
    batch = state.take(lane)
    lane.queue.extendleft(reversed(batch))
    state.failed(lane, [1], 1, due=5_000)
    assert [each.queue[0].event for each in [*state.ready(4_999)]] == [3]
    assert state.pause(0) <= 1.0
    assert lane in state.ready(5_000)
    assert [a.event for a in state.take(lane)] == [1]


def test_a_backlog_is_taken_up_where_it_was_left() -> None:
    """What was handled before is not placed again; a retry keeps its count and its time."""
    state = lanes(ALL, SOME)
    backlog = Backlog(4, frozenset({(5, "all")}), {(5, "some"): (2, 9_000)})
    state.load(backlog, [ALL, SOME], {})
    state.place(Arrived(5, "message.inbound", 1))
    assert [*state.ready(8_999)] == []
    (lane,) = state.ready(9_000)
    assert (lane.handler, state.attempts(5, SOME)) == (SOME, 2)


@pytest.mark.parametrize(
    ("pattern", "fits", "not_"),
    [
        ("message.inbound", ["message.inbound"], ["message.inbound.x", "message"]),
        ("message.*", ["message.inbound", "message.a.b"], ["messages.x", "message"]),
        ("*", ["anything", "a.b"], []),
    ],
)
def test_patterns(pattern: str, fits: list[str], not_: list[str]) -> None:
    """Equal, a trailing `.*` for any deeper name, or `*` for all."""
    handler = Handler("h", pattern, print)
    assert [name for name in [*fits, *not_] if handler.wants(name)] == fits
