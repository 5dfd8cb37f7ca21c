"""The benchmarks themselves: each one runs, ends with what a program can read, and is fair to its floor."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchmarks import suite
from benchmarks.ground import floor, ranks, world
from benchmarks.ground.writing import ground
from benchmarks.measure import Figure, Goal, Options, Result, at_least, at_most, rounds, summary
from benchmarks.readers import raw_search
from benchmarks.reporting import chart, report, shown
from benchmarks.scenarios import busy, search, stalls
from outeract_core import Outeract
from outeract_core._store.reading import finding
from tests.support.places import ROOT

WRITING = [
    "ingest_single", "ingest_concurrent", "import", "append", "history", "dispatch", "outbox", "size",
    "start",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """What a benchmark has put aside in this process is garbage like any other afterwards."""
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Path]:
    """One small run of what writes, without peers: its lines of JSON, and its file of results."""
    cache = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "benchmarks", *WRITING, "--json", "--no-peers"]
    command += ["--size", "500", "--rounds", "1", "--cache", str(cache)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], cache / "500.json"


def test_each_benchmark_tells_one_object_and_the_run_a_last_one(ran: Any) -> None:
    """One line for each benchmark in order, and the last line is the whole run."""
    lines, _path = ran
    assert [line["bench"] for line in lines] == [*WRITING, "suite"]
    for line in lines[:-1]:
        assert line["size"] == 500
        assert line["figures"]
        assert all(figure["median"] >= 0 for figure in line["figures"].values())
        assert line["extra"]["peak_memory_mb"] > 1
    assert set(lines[-1]["ratios"]) == set(WRITING)
    assert lines[-1]["broken"] == []


def test_the_floor_writes_what_the_library_writes(ran: Any) -> None:
    """After the rounds no table differs between the library's file and the floor's."""
    lines, _path = ran
    fair = [line["extra"] for line in lines[:-1] if "rows_unlike_the_floor" in line["extra"]]
    assert len(fair) == 3
    assert all(extra["rows_unlike_the_floor"] == [] for extra in fair)


def test_search_is_measured_beyond_what_is_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Library and floor find the same best ones where not every match is weighed; each kind of search is told."""
    for module, name, least in (
        (finding, "AMONG", 50), (raw_search, "AMONG", 50), (ranks, "CALLS", 1), (ranks, "COLD", 1),
        (search, "COUNT", 50),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, least)
    told = suite.run("search", Options(500, 1, tmp_path, tmp_path, peers=False))
    assert {"rank", "raw_rank"} < told.figures.keys()
    for kind in ranks.WORDS:
        ends = [
            end
            for end in ("p50", "p99", "cold")
            if f"rank_{kind.replace(' ', '_')}_{end}" in told.figures
        ]
        assert ends == ["p50", "p99", "cold"]
    assert [goal.bound for goal in told.goals if "slowest kind" in goal.name] == [50.0]


def test_who_is_left_out_is_said(ran: Any) -> None:
    """A peer that does not take part is named with the reason, and its goal is open."""
    lines, _path = ran
    single = lines[0]
    assert single["left_out"] == {"aiosqlite": "no peers were asked for"}
    assert [goal["met"] for goal in single["goals"] if goal["name"] == "of_aiosqlite"] == [None]


def test_the_order_of_a_conversation_is_kept_while_it_is_measured(ran: Any) -> None:
    """Nobody was sent a later message before an earlier one."""
    outbox = next(line for line in ran[0] if line["bench"] == "outbox")
    assert outbox["extra"]["out_of_order"] == 0
    assert outbox["extra"]["sent"] > 500


def test_the_chart_is_valid_and_says_in_words_what_it_shows(ran: Any) -> None:
    """Well-formed SVG with title and description, and a row for every goal that was measured."""
    results = shown.kept(ran[1])
    tree = ElementTree.fromstring(chart.drawn(results))
    texts = ["".join(node.itertext()) for node in tree.iter() if node.tag.endswith("text")]
    rows = chart.rows_of(results)
    assert len(rows) > 8
    assert sum(text.startswith(("✓", "✗")) for text in texts) == len(rows) + 1
    words = {node.tag.rsplit("}", 1)[-1]: node.text or "" for node in tree}
    assert "goals met" in words["title"]
    assert words["desc"].count("goal at") == len(rows)


def test_a_table_names_every_figure_and_goal(ran: Any) -> None:
    """For people and for the page alike."""
    results = shown.kept(ran[1])
    page = report.markdown([(shown.told(ran[1]), results)] * 2)
    for result in results:
        table = shown.table(result)
        for name in [*result.figures, *(goal.name for goal in result.goals)]:
            assert name in table
            assert f"`{name}`" in page


def test_one_benchmark_is_replaced_and_the_others_stay(ran: Any) -> None:
    """Its figures and its goals, in the column of its size; what is not there is refused."""
    told, results = shown.told(ran[1]), shown.kept(ran[1])
    page = report.markdown([(told, results)] * 2)
    anew = [replace(one, goals=[replace(g, ratio=77.0) for g in one.goals]) for one in results]
    anew = [replace(one, figures={"new": Figure(12345.0)}) for one in anew]
    text = report.replaced(page, (told, anew), "import")
    changed = set(text.splitlines()) ^ set(page.splitlines())
    old = next(one for one in results if one.bench == "import")
    lines = {
        "| `new` | 12,345/s | 0% |  |",
        f"Measured anew {told['at'][:10]}, with SQLite {told['machine']['sqlite']}.",
    }
    lines |= {line for line in page.splitlines() if line.startswith("| import |")}
    lines |= {
        line
        for line in text.splitlines()
        if line.startswith("| import | `") and "| 77.00 met |" in line
    }
    lines |= {report._figure(name, figure) for name, figure in old.figures.items()}
    assert changed == lines - (set(text.splitlines()) & set(page.splitlines()))
    assert text.count("77.00") == len(old.goals)
    again = report.replaced(text, (told, results), "import")
    assert (
        again.replace(
            f"\nMeasured anew {told['at'][:10]}, with SQLite {told['machine']['sqlite']}.\n", ""
        )
        == page
    )
    with pytest.raises(SystemExit):
        report.replaced(page, (told, anew), "search")


def test_whichever_is_replaced_the_end_of_the_figures_stays(ran: Any) -> None:
    """Of the last one too, and as often as it is done: the next run finds where they end."""
    run = (shown.told(ran[1]), shown.kept(ran[1]))
    section = f"<!-- figures: x -->\n\n{report.markdown([run])}\n<!-- end of figures -->"
    for bench in WRITING:
        once = report.replaced(section, run, bench)
        assert once.endswith("\n<!-- end of figures -->")
        assert report.replaced(once, run, bench) == once


def test_beside_a_host_that_computes_everybody_has_a_turn(
    ran: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes, reads and replies are measured alone and beside a thread, and judged; peers stay open."""
    brief = {host: (state, 0.01) for host, (state, _) in busy.HOSTS.items()}
    monkeypatch.setattr(busy, "HOSTS", brief)
    monkeypatch.setattr(busy, "CALLS", 1)
    result = suite.run("busy", Options(500, 1, ran[1].parent, tmp_path, peers=False))
    for name in (
        "ingest_100",
        "set_wise_by_100",
        "row_wise_by_1",
        "dispatch_1",
        "page",
        "raw_list",
    ):
        assert result.figures[f"{name}_alone"].median > 0
        assert result.figures[f"{name}_beside"].median > 0
    assert [goal.name for goal in result.goals] == [*busy.AT_LEAST, *busy.AT_MOST]
    assert [goal.name for goal in result.goals if goal.met is None] == [
        "1_task_of_aiosqlite_beside"
    ]


def test_each_thing_that_may_be_large_has_its_longest_hold(
    ran: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is done once while the loop is watched, and judged by the same budget."""
    monkeypatch.setattr(stalls, "_LARGE", 50_000)
    monkeypatch.setattr(stalls, "_CROWD", 20)
    result = suite.run("stalls", Options(500, 1, ran[1].parent, tmp_path, peers=False))
    assert {goal.bound for goal in result.goals} == {5.0}
    assert {"body_of_many", "import", "walk_tree", "checkpoint"} < set(result.figures)
    assert all(figure.median > 0 for figure in result.figures.values())


def test_a_floor_writes_the_same_set_wise(ran: Any, tmp_path: Path) -> None:
    """One statement a table adds the rows that a step for each adds."""

    async def unlike() -> list[str]:
        async with ground(Options(500, 1, ran[1].parent, tmp_path, peers=False)) as on:
            path = world.copied(on.built, tmp_path, "setwise")
            _, rows = await on.ours(250, 10)
            setwise = floor.Floor(path, setwise=True)
            setwise.write(setwise.prepared(rows, 100))
            setwise.close()
            return floor.differences(on.path, path, on.begin)

    assert anyio.run(unlike) == []


def test_every_benchmark_of_the_suite_has_its_module() -> None:
    """What the command line offers can be run."""
    for module in suite.MODULES.values():
        assert (ROOT / "benchmarks" / "scenarios" / f"{module}.py").exists()


def test_a_goal_is_met_at_its_bound_and_open_without_a_ratio() -> None:
    """`≥` and `≤` both include the bound."""
    assert at_least("speed", 2.0, 2.0).met is True
    assert at_least("speed", 1.9, 2.0).met is False
    assert at_most("wait", 2.0, 2.0).met is True
    assert at_most("wait", 2.1, 2.0).met is False
    assert at_most("wait", None, 2.0).met is None


def test_rounds_take_turns() -> None:
    """Every run has its turn in each round, and a figure is the median of its rounds."""
    order: list[str] = []
    values = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])

    def run(name: str) -> float:
        order.append(name)
        return next(values)

    figures = rounds(3, {"one": lambda: run("one"), "ten": lambda: run("ten")})
    assert order == ["one", "ten"] * 3
    assert (figures["one"].median, figures["ten"].median) == (2.0, 20.0)
    assert summary([1.0, 3.0, 2.0]) == Figure(2.0, 0.5)


def test_results_survive_their_file() -> None:
    """What is told as JSON is read back the same."""
    result = Result(
        "page", 10, {"page": Figure(2.0, 0.1, "µs", 50)}, {"of_raw": 2.5},
        [Goal("of_raw", 2.5, "≤", 3.0)], {"note": "x"}, {"networkx": "not installed"},
    )  # fmt: skip
    assert Result.from_dict(json.loads(json.dumps(result.as_dict()))) == result


def test_conversations_are_counted_once_per_transaction() -> None:
    """The floor aggregates as well as anybody could: one row for each conversation of a batch."""
    entries = [(7, 100, 1, 1), (8, 101, 1, 1), (7, 102, 1, 0), (7, 103, 1, 1)]
    assert floor._conversations(entries) == [(7, 103, 2, 1, 1), (8, 101, 1, 0, 1)]


def test_the_mapping_of_an_object_mapper_has_every_column(tmp_path: Path) -> None:
    """It writes the library's rows: a column that was added since is no error in the middle of a race."""
    pytest.importorskip("sqlalchemy")
    from benchmarks.peers import sqlalchemy_peer as peer

    with closing(Outeract(tmp_path / "a.db")) as core:
        for name, model in peer._MODELS.items():
            asked = partial(_columns, name=name)
            assert {
                column.name for column in model.__table__.columns
            } == core.runtime.database.read(asked)


def _columns(tx: Any, name: str) -> set[str]:
    return {row[1] for row in tx.script(f"PRAGMA table_info({name})")}
