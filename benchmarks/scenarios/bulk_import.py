"""Bulk import of an exported application, against the floor and every peer that can load in bulk.

Knows: who takes part and how many messages each is given (slow ones fewer; the output says how many).
Does not know: formats.

The library reads its NDJSON, checks it and builds what is derived; floor and peers are given rows that
are parsed already.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw

from outeract_core import Outeract

from ..ground import traffic, world
from ..ground.floor import TABLES, Floor, Rows, mark, written
from ..measure import Options, Result, at_least, over, told
from ..peers import missing
from ..progress import progress
from ..took import Took, figures_of

MOST = 100_000
FEW, FEWEST = 15_000, 5_000
"""What those are given that need a second or more for it."""

BATCH = 1000
ROUNDS = 3
"""At most: each takes half a minute."""


@dataclass
class Ground:
    """What is imported: as NDJSON (None: this library has no export), and as rows."""

    options: Options
    exported: Path | None
    events: int
    template: Path
    rows: list[Rows]
    columns: dict[str, list[str]]

    def fresh(self, name: str) -> Path:
        """A file with the schema and the connection, and nothing else."""
        path = self.options.scratch / f"{name}.db"
        for old in self.options.scratch.glob(f"{name}.db*"):
            old.unlink()
        shutil.copyfile(self.template, path)
        return path


def run(options: Options) -> Result:
    """Events per second into an empty file."""
    messages = min(MOST, options.size)
    built = world.ready(replace(options, size=messages))
    on = anyio.run(_ground, options, built)
    runs, left_out = _runs(on)
    took: dict[str, list[Took]] = {name: [] for name in runs}
    count = min(ROUNDS, options.rounds)
    for number in range(count):
        for name, each in runs.items():
            progress(f"import: round {number + 1} of {count}, {name}")
            took[name].append(each())
    all_figures = figures_of(took)
    figures = {name: all_figures[name] for name in took}
    others = ("floor", "sqlalchemy_orm", "sqlalchemy_tuned", "sqlalchemy_core",
              "simple_graph_sqlite", "ladybug_copy")  # fmt: skip
    ratios = {f"of_{other}": over(figures, "import", other) for other in others}
    goals = [
        at_least("of_floor", ratios["of_floor"], 0.50),
        at_least("of_sqlalchemy_orm", ratios["of_sqlalchemy_orm"], 5.0),
        at_least("of_ladybug_copy", ratios["of_ladybug_copy"], 1.0),
    ]
    return Result("import", options.size, figures, told(ratios), goals, left_out=left_out)


async def _ground(options: Options, built: world.World) -> Ground:
    template = options.scratch / "template.db"
    async with Outeract(template, search=None) as core:
        traffic.connected(core)
    begin = mark(template)
    _teach(template, built.path)
    exported: Path | None = options.scratch / "exported.ndjson"
    async with world.opened(built) as opened:
        export = getattr(opened.app, "export", None)
        if export is None:
            exported = None
        else:
            progress("import: exporting")
            await export(exported)
    rows = written(built.path, begin)
    columns = {table: _columns(template, table) for table in TABLES}
    return Ground(options, exported, len(rows), template, rows, columns)


def _teach(template: Path, source: Path) -> None:
    """The same names of kinds, so that rows mean the same."""
    db = apsw.Connection(str(template))
    other = apsw.Connection(str(source), apsw.SQLITE_OPEN_READONLY)
    db.executemany(
        "INSERT OR REPLACE INTO kind VALUES (?, ?)", other.execute("SELECT * FROM kind").fetchall()
    )
    other.close()
    db.close()


def _columns(path: Path, table: str) -> list[str]:
    db = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    return names


def _runs(on: Ground) -> tuple[dict[str, Callable[[], Took]], dict[str, str]]:
    """Who takes part, and who does not and why."""
    runs: dict[str, Callable[[], Took]] = {}
    left_out: dict[str, str] = {}
    if on.exported is None:
        left_out["import"] = "this version has no export"
    else:
        runs["import"] = lambda: _ours(on)
    runs["floor"] = lambda: _floor(on)
    options, few = on.options, on.rows[:FEW]
    why_not = missing(options, "sqlalchemy")
    if why_not is None:
        for name, way in (("orm", "idiomatic"), ("tuned", "tuned"), ("core", "core")):
            given = few[:FEWEST] if way == "idiomatic" else few
            runs[f"sqlalchemy_{name}"] = partial(_mapped, on, given, way)
    else:
        left_out["sqlalchemy"] = why_not
    runs |= _graphs(on, few, left_out)
    return runs, left_out


def _mapped(on: Ground, rows: list[Rows], way: str) -> Took:
    from ..peers import sqlalchemy_peer

    return sqlalchemy_peer.written(on.fresh("sqlalchemy"), rows, on.columns, way)


def _graphs(on: Ground, few: list[Rows], left_out: dict[str, str]) -> dict[str, Callable[[], Took]]:
    runs: dict[str, Callable[[], Took]] = {}
    why_not = missing(on.options, "simple_graph_sqlite")
    if why_not is None:
        from ..peers import simple_graph_peer

        path = on.options.scratch / "simple-graph.db"
        runs["simple_graph_sqlite"] = lambda: simple_graph_peer.written(path, few)
    else:
        left_out["simple-graph-sqlite"] = why_not
    why_not = missing(on.options, "ladybug")
    if why_not is None:
        from ..peers import ladybug_peer

        messages = [rows for rows in on.rows if rows.entries]
        runs["ladybug_copy"] = lambda: ladybug_peer.written(on.options.scratch, messages)
    else:
        left_out["ladybug"] = why_not
    return runs


def _ours(on: Ground) -> Took:
    async def main() -> float:
        path = on.options.scratch / "imported.db"
        for old in on.options.scratch.glob("imported.db*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        async with Outeract(path, search=None) as core:
            importing: Any = core.import_app  # type: ignore[attr-defined]
            start = time.perf_counter()
            await importing(on.exported)
            return time.perf_counter() - start

    seconds = anyio.run(main)
    return Took(on.events, seconds, [seconds])


def _floor(on: Ground) -> Took:
    floor = Floor(on.fresh("floor"))
    transactions = list(floor.prepared(on.rows, BATCH))
    start = time.perf_counter()
    each = floor.write(transactions)
    took = Took(len(on.rows), time.perf_counter() - start, each)
    floor.close()
    return took
