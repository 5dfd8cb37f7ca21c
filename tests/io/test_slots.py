"""Fair slots: nobody holds more than its share, nobody waits while there is room, none is lost."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outeract_core._io.slots import FairSlots

pytestmark = pytest.mark.anyio


async def test_a_slow_one_holds_its_share_and_no_more() -> None:
    """With a thousand tasks of one key waiting, another key is let in at once."""
    slots, going, end = FairSlots(10, 3), [], anyio.Event()

    async def one(key: str) -> None:
        async with slots.hold(key):
            going.append(key)
            await end.wait()

    async with anyio.create_task_group() as group:
        for _ in range(1000):
            group.start_soon(one, "slow")
        await anyio.wait_all_tasks_blocked()
        assert going == ["slow"] * 3
        group.start_soon(one, "healthy")
        await anyio.wait_all_tasks_blocked()
        assert going[3:] == ["healthy"]
        group.cancel_scope.cancel()
    assert slots.held == 0


async def test_free_slots_go_round() -> None:
    """Keys that wait are served in turn, however many tasks each has waiting."""
    slots, served = FairSlots(1, 1), list[str]()

    async def one(key: str) -> None:
        async with slots.hold(key):
            served.append(key)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group, slots.hold("first"):
        for key in "aaabbc":
            group.start_soon(one, key)
            await anyio.wait_all_tasks_blocked()
    assert served == ["a", "b", "c", "a", "b", "a"]


async def test_one_that_is_cancelled_while_it_waits_takes_no_slot_with_it() -> None:
    """Cancelled in the queue, or in the very moment when it was granted: the slot is free again."""
    slots = FairSlots(1, 1)

    async def one() -> None:
        async with slots.hold("a"):
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        async with slots.hold("a"):
            scope = anyio.CancelScope()

            async def waiting() -> None:
                with scope:
                    await one()

            group.start_soon(waiting)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
        # granted by the end of the block above, cancelled before it could run
        await anyio.wait_all_tasks_blocked()
        assert slots.free("a") == 1
    assert slots.held == 0


@settings(max_examples=60, deadline=None)
@given(
    total=st.integers(1, 5),
    each=st.integers(1, 3),
    tasks=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=25
    ),
)
def test_never_more_than_allowed_and_all_come_through(
    total: int, each: int, tasks: list[tuple[str, int, bool]]
) -> None:
    """Whatever comes and goes, limits hold, every task that is not cancelled runs, none leaks."""
    slots, done = FairSlots(total, each), list[str]()
    now: dict[str, int] = {}

    async def one(key: str, turns: int, cancelled: bool) -> None:
        with anyio.CancelScope() as scope:
            if cancelled:
                scope.cancel()
            async with slots.hold(key):
                now[key] = now.get(key, 0) + 1
                assert now[key] <= each
                assert sum(now.values()) <= total
                for _ in range(turns):
                    with anyio.CancelScope(shield=True):
                        await anyio.lowlevel.checkpoint()
                now[key] -= 1
                done.append(key)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(one, *task)

    anyio.run(main)
    assert len(done) >= sum(not cancelled for _, _, cancelled in tasks)
    assert slots.held == 0
    assert all(slots.free(key) == min(total, each) for key in "abc")
