"""Reads on a filled file: a page, a deep page, the list, one person's timeline, a chain of causes.

Knows: which raw rows each read stands for.
Does not know: how the library finds them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import apsw

from outeract_core import App, Outeract

from . import traffic
from .ingest import _deliver
from .measure import Result, per_second, progress, rounds

PAGE = 50
CHAIN = 100
REPEAT = 200
_EVENT = "e.seq, e.id, e.conn, e.type, e.occurred_at, e.created_at, e.payload, e.raw"
RAW = {
    "page": f"SELECT {_EVENT} FROM entry n JOIN event e ON e.seq = n.event"
    " WHERE n.peer = ?1 ORDER BY n.event DESC LIMIT 50",
    "deep_page": f"SELECT {_EVENT} FROM entry n JOIN event e ON e.seq = n.event"
    " WHERE n.peer = ?1 AND n.event < ?2 ORDER BY n.event DESC LIMIT 50",
    "list": f"SELECT c.*, p.*, {_EVENT} FROM conversation c JOIN puser p ON p.id = c.peer"
    " JOIN event e ON e.seq = c.last WHERE c.conn = 1 ORDER BY c.last DESC LIMIT 50",
    "timeline": f"SELECT {_EVENT} FROM (SELECT * FROM (SELECT event FROM entry WHERE peer = ?1"
    " ORDER BY event DESC LIMIT 50) UNION ALL SELECT * FROM (SELECT event FROM entry WHERE peer = ?2"
    " ORDER BY event DESC LIMIT 50) UNION ALL SELECT * FROM (SELECT event FROM entry WHERE peer = ?3"
    " ORDER BY event DESC LIMIT 50)) n JOIN event e ON e.seq = n.event ORDER BY n.event DESC LIMIT 50",
    "chain": "WITH RECURSIVE w(n, d) AS (SELECT ?1, 0 UNION SELECT g.dst, d + 1 FROM w"
    " JOIN edge g ON g.src = w.n AND g.type = (SELECT id FROM kind WHERE name = 'triggered_by')"
    f" WHERE d < 100) SELECT {_EVENT} FROM w JOIN event e ON e.seq = w.n",
}


def run(options: argparse.Namespace) -> Result:
    """Reads per second, as model objects, against the same rows read raw."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_measured, Path(folder) / "read.db", options.size, options.rounds)


async def _measured(path: Path, size: int, count: int) -> Result:
    async with Outeract(path) as core:
        app, connection = traffic.connected(core)
        await _fill(core, connection, size)
        reads, parameters = await _reads(app)
        raw = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
        runs: dict[str, Callable[[], float]] = {}
        for name, read in reads.items():
            runs[f"floor_{name}"] = partial(_raw, raw, RAW[name], parameters[name])
            runs[name] = partial(_ours, read)
        figures = await anyio.to_thread.run_sync(rounds, count, runs)
        raw.close()
    ratios = {name: figures[name]["median"] / figures[f"floor_{name}"]["median"] for name in reads}
    return Result("read", size, dict(figures), ratios)


async def _fill(core: Outeract, connection: Any, size: int) -> None:
    progress(f"filling {size:,} messages")
    bodies = list(traffic.updates(size))
    async with anyio.create_task_group() as group:
        for number in range(200):
            group.start_soon(_deliver, core, connection, bodies[number::200])
    progress("")


async def _reads(
    app: App,
) -> tuple[dict[str, Callable[[], Awaitable[Any]]], dict[str, tuple[Any, ...]]]:
    recent = await app.conversations.recent(first=PAGE, total=True)
    busiest = max(recent.nodes, key=lambda summary: summary.messages)
    conversation = await app.conversations.of(busiest.peer)
    middle = (await conversation.page(first=min(1000, busiest.messages // 2))).end_cursor
    others = [s.peer for s in recent.nodes if s.peer != busiest.peer][:2]
    for other in others:
        await app.people.merge(other, busiest.peer)
    timeline = await app.conversations.of(await app.people.user(busiest.peer))
    last = await _chain(app, busiest.last_message)
    peers = tuple(_keys(app, peer) for peer in (busiest.peer, *others))
    end = await app.events.get(last)
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "page": partial(conversation.page, first=PAGE),
        "deep_page": partial(conversation.page, first=PAGE, after=middle),
        "list": partial(app.conversations.recent, first=PAGE),
        "timeline": partial(timeline.page, first=PAGE),
        "chain": partial(app.graph.walk, end, types=["triggered_by"], depth=CHAIN),
    }
    from outeract_core.pages import from_cursor

    deep = from_cursor(middle or "")
    return reads, {
        "page": peers[:1], "deep_page": (peers[0], deep), "list": (), "timeline": peers,
        "chain": (end.position,),
    }  # fmt: skip


def _keys(app: App, peer: Any) -> int:
    from outeract_core._store import nodes

    return app.runtime.database.read(lambda tx: nodes.key(tx, app.key, peer))


async def _chain(app: App, start: Any) -> Any:
    """A hundred events, each caused by the one before."""
    event = start.id
    for number in range(CHAIN):
        event = await app.emit("bench.step", {"n": number}, edges={"triggered_by": event})
    return event


def _raw(db: apsw.Connection, sql: str, parameters: tuple[Any, ...]) -> float:
    def work() -> None:
        for _ in range(REPEAT):
            if not db.execute(sql, parameters).fetchall():
                raise AssertionError("the floor reads nothing")

    return per_second(REPEAT, work)


def _ours(read: Callable[[], Awaitable[Any]]) -> float:
    async def main() -> float:
        start = anyio.current_time()
        for _ in range(REPEAT):
            await read()
        return REPEAT / (anyio.current_time() - start)

    return anyio.run(main)
