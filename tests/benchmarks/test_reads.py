"""The read benchmarks: they measure what they say, and nothing that gives a wrong answer.

Knows: the frame at a small size. Does not know: how fast anything is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchmarks import suite
from benchmarks.ground import reads
from benchmarks.ground.held import grown
from benchmarks.ground.reads import Wrong, agree, race
from benchmarks.ground.targets import targets
from benchmarks.ground.world import World, ready
from benchmarks.measure import Options, Result
from benchmarks.readers import Offered, Read, TooLarge
from benchmarks.readers.offered import (
    conversation_floors,
    conversation_peers,
    graph_floors,
    graph_peers,
    made,
)
from benchmarks.readers.raw import checked, opened
from benchmarks.scenarios import graph, page

SIZE = 1_200
READS = ("page", "list", "timeline", "graph", "search")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """A small world that all of these tests read."""
    folder = tmp_path_factory.mktemp("worlds")
    return Options(SIZE, 1, folder, folder, peers=False)


@pytest.fixture(scope="module")
def world(options: Options) -> World:
    """That world."""
    return ready(options)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "SPELL", 0.0)


@pytest.mark.parametrize("name", READS)
def test_a_read_benchmark_gives_figures_ratios_and_goals(name: str, options: Options) -> None:
    """Every one runs without peers, measures the library against its floors and judges it."""
    result = suite.run(name, options)
    assert result.goals
    assert all(figure.median > 0 and figure.rows for figure in result.figures.values())
    assert any(ratio.endswith("_of_raw") for ratio in result.ratios)
    assert Result.from_dict(result.as_dict()).as_dict() == result.as_dict()


def _everybody(options: Options, world: World) -> dict[str, tuple[str, Offered]]:
    asked = targets(world)
    with_peers = Options(options.size, 1, options.cache, options.scratch)
    talks = {
        each.name: ("page", each)
        for each in conversation_peers(with_peers, world, asked, page.NAMES)
    }
    walks = {each.name: ("chain", each) for each in graph_peers(with_peers, world, asked)}
    return talks | {f"{name} walks": found for name, found in walks.items()}


NEEDS = {"orm": "sqlalchemy", "cor": "sqlalchemy", "net": "networkx", "sim": "simple_graph_sqlite",
         "lad": "ladybug"}  # fmt: skip


@pytest.mark.parametrize("who", [
    "orm_tuned", "core", "orm_idiomatic", "networkx", "ladybug", "orm_tuned walks", "core walks",
    "orm_idiomatic walks", "networkx walks", "simple_graph walks", "ladybug walks",
])  # fmt: skip
def test_a_peer_gives_what_the_floor_gives(who: str, options: Options, world: World) -> None:
    """Whoever is timed reads the same messages, for every workload that they take part in."""
    if find_spec(NEEDS[who[:3]]) is None:
        pytest.skip("this peer is not installed")
    kind, offered = _everybody(options, world)[who]
    module: Any = page if kind == "page" else graph
    floors = _floors(kind, world)
    peer, floor = offered.open(), floors.open()
    try:
        asked, known = peer.reads(), floor.reads()
        shared = set(asked) & set(known)
        assert module.NAMES[0] in shared
        for name in shared:
            wanted = known[name].positions(known[name].ask())
            agree(name, who, wanted, asked[name].positions(asked[name].ask()))
    finally:
        peer.close()
        floor.close()


def _floors(kind: str, world: World) -> Offered:
    asked = targets(world)
    return (conversation_floors if kind == "page" else graph_floors)(world, asked)[0]


class _Wayward:
    """Somebody whose answer is not the library's."""

    name = "wayward"
    notes = ""

    def __init__(self, answer: Sequence[int]) -> None:
        self._answer = answer

    def reads(self) -> dict[str, Read]:
        return {"page": Read(lambda: self._answer, list)}

    def close(self) -> None:
        """It holds nothing."""


@pytest.mark.parametrize("answer", [[], [3, 1], [3, 2], [2, 3], [3, 2, 1, 0]])
def test_whoever_reads_something_else_ends_the_benchmark(
    answer: list[int], options: Options
) -> None:
    """Nothing, less, more or another order than the library's is an error, not a figure."""

    async def ours() -> list[int]:
        return [3, 2, 1]

    async def main() -> None:
        offered = Offered("wayward", lambda: _Wayward(answer))
        await race(options, ["page"], {"page": Read(ours, list)}, [offered], [])

    with pytest.raises(Wrong, match="wayward gives"):
        anyio.run(main)


def test_a_library_that_finds_nothing_ends_the_benchmark(options: Options) -> None:
    """A fast answer without anything in it is none."""

    async def ours() -> list[int]:
        return []

    async def main() -> None:
        await race(options, ["page"], {"page": Read(ours, list)}, [], [])

    with pytest.raises(Wrong, match="finds nothing"):
        anyio.run(main)


def test_a_peer_that_is_not_installed_is_named(options: Options) -> None:
    """Who is left out stands in the result, with the reason."""

    def absent() -> Any:
        raise ModuleNotFoundError("no", name="no_such_peer")

    async def ours() -> list[int]:
        return [1]

    async def main() -> reads.Race:
        asked = {"page": Read(ours, list)}
        with_peers = Options(SIZE, 1, options.cache, options.scratch)
        return await race(with_peers, ["page"], asked, [], [Offered("absent", absent)])

    assert anyio.run(main).left_out == {"absent": "not installed: no_such_peer"}


def test_a_peer_that_would_load_too_much_is_named(options: Options, world: World) -> None:
    """A world that is too large for a peer's own file leaves it out before anything is loaded."""
    large = replace(world, size=2_000_000)
    with pytest.raises(TooLarge, match="loading 2,000,000 messages"):
        made(options, large, "orm", lambda _world, _path: pytest.fail("it was loaded"))


def test_growth_is_told_when_there_is_a_tenth(options: Options, world: World) -> None:
    """A world is compared with one of a tenth of its size in the same rounds, if that is there."""
    assert anyio.run(grown, options, page.NAMES) == {}
    ready(replace(options, size=world.size // 10))
    assert set(anyio.run(grown, options, page.NAMES)) == set(page.NAMES)


@pytest.mark.parametrize("sql", [
    "SELECT seq FROM event ORDER BY occurred_at",
    "SELECT seq FROM event WHERE occurred_at = 1",
])  # fmt: skip
def test_a_floor_that_sorts_or_scans_is_refused(sql: str, world: World) -> None:
    """The floor is the best SQL known: its plan is asked."""
    db = opened(Path(world.path))
    with pytest.raises(AssertionError, match="no floor"):
        checked(db, sql)
    db.close()
