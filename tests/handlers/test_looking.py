"""What turns are given when they begin: one look for those of one moment, and none spoils another's.

Knows: looks, a store. Does not know: handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, evolve

from outeract_core import App, Outeract
from outeract_core._handlers.looking import Found, Look, Looks
from outeract_core._store.reading import arrivals
from outeract_core._store.reading.arrivals import Arrived
from outeract_core.errors import NotFound
from tests.support.patience import soon
from tests.support.reading.world import about, arrive, connect, said

pytestmark = pytest.mark.anyio


@define
class Counted:
    """A store whose reads are counted."""

    core: Outeract
    reads: int = 0

    def read_light(self, query: Callable[[Any], Any], like: object, largest: int) -> Any:
        """Read, and count it."""
        self.reads += 1
        return self.core.runtime.database.read_light(query, like, largest)

    async def traverse(self, query: Callable[[Any], Any]) -> Any:
        """The same beside the loop."""
        return await self.core.runtime.database.traverse(query)


async def _arrived(core: Outeract, app: App) -> list[Arrived]:
    def query(tx: Any) -> list[Arrived]:
        found = arrivals.feed(tx, app.key, 0, 100)
        return list(arrivals.look(tx, app.key, found, closely=False).values())

    return [one for one in core.runtime.database.read(query) if one.spoken]


async def _twenty(core: Outeract) -> tuple[Counted, Looks, list[Arrived]]:
    app = core.app("support")
    connection = connect(core, app)
    await arrive(core, connection, *[said(f"m{n}", f"text {n}", f"p{n}") for n in range(20)])
    await arrive(core, connection, about("message.deleted", "d", "m7", {}, "p7"))
    counted: Any = Counted(core)
    return counted, Looks(counted, app.key), await _arrived(core, app)


async def test_turns_of_one_moment_look_once(tmp_path: Path) -> None:
    """Each is given its own events, and what has become of them."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        counted, looks, arrived = await _twenty(core)
        found = await _all(looks, [Look([one]) for one in arrived])
        assert counted.reads == 1
        for one, each in zip(arrived, found, strict=True):
            assert isinstance(each, Found)
            assert each.seen[one.event].position == one.event
            assert each.seen.keys() == {one.event}
        assert [one.changed.keys() for one in found if isinstance(one, Found)] == [
            {arrived[7].event}
        ] * 20


async def test_a_turn_whose_message_is_large_looks_beside_the_loop_and_alone(
    tmp_path: Path,
) -> None:
    """The others of its moment have not to wait for that."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        counted, looks, arrived = await _twenty(core)
        await arrive(core, core.app("support").connections()[0], said("big", "x" * 2_000_000, "p0"))
        arrived = await _arrived(core, core.app("support"))
        found = await _all(looks, [Look([one]) for one in arrived])
        assert counted.reads == 1 + len(arrived)
        assert [one.seen.keys() for one in found if isinstance(one, Found)] == [
            {one.event} for one in arrived
        ]


async def test_what_cannot_be_read_keeps_no_other_from_reading(tmp_path: Path) -> None:
    """An event that is not there is the trouble of its own turn."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        _, looks, arrived = await _twenty(core)
        arrived[3] = evolve(arrived[3], event=arrived[3].event + 10_000)
        found = await _all(looks, [Look([one]) for one in arrived])
        assert [number for number, one in enumerate(found) if isinstance(one, NotFound)] == [3]
        assert sum(isinstance(one, Found) for one in found) == 19


@pytest.mark.parametrize("which", [0, 1, 19])
async def test_a_turn_that_is_cancelled_while_it_looks_takes_nobody_along(
    tmp_path: Path, which: int
) -> None:
    """Whether it was the first of its moment, which looks for all, or another one."""
    async with Outeract(tmp_path / "a.db", search=None) as core:
        _, looks, arrived = await _twenty(core)
        found: list[Any] = [None] * len(arrived)
        scopes = [anyio.CancelScope() for _ in arrived]

        async def turn(number: int) -> None:
            with scopes[number]:
                found[number] = await looks.at(Look([arrived[number]]))

        with soon():
            async with anyio.create_task_group() as group:
                for number in range(len(arrived)):
                    group.start_soon(turn, number)
                group.start_soon(anyio.lowlevel.checkpoint)
                scopes[which].cancel()
        assert [number for number, one in enumerate(found) if one is None] in ([], [which])
        again = await looks.at(Look([arrived[which]]))
        assert again.seen.keys() == {arrived[which].event}


async def _all(looks: Looks, asked: list[Look]) -> list[Found | Exception | None]:
    found: list[Found | Exception | None] = [None] * len(asked)

    async def turn(number: int) -> None:
        try:
            found[number] = await looks.at(asked[number])
        except Exception as error:
            found[number] = error

    async with anyio.create_task_group() as group:
        for number in range(len(asked)):
            group.start_soon(turn, number)
    return found
