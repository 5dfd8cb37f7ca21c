"""The filled file that reads are measured on: built once per size, used again by every run.

Knows: what is in it, when it is out of date, how to copy it.
Does not know: how a message is stored: it comes in as webhooks, by a thousand tasks, or is one of those once more.

    world = ready(options)                    # seconds at 10k, a minute or more at 1m, some at 10m
    async with opened(world) as w:            # w.core, w.app, w.connection, w.largest, …
        await w.app.conversations.of(w.largest)

Nobody writes to the file: what writes takes a copy (`copied`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio

from outeract_core import App, Outeract, PlatformConnection, PlatformUser, User
from outeract_core import _store as store
from outeract_core._store.records import nodes

from ..measure import Options
from ..progress import progress, say
from . import multiplied, traffic

WEBHOOKS = 1_000_000
"""So many messages come in as webhooks; of more, the rest are these once more (`multiplied`)."""
CHAIN = 100
FAN_OUT = 10
LEVELS = 4
"""A tree of 1 + 10 + 100 + 1,000 + 10,000 events."""

MEDIUM = 500
TASKS = 1000


@dataclass(frozen=True)
class World:
    """A file and what is where in it. `ids`: public ids by name; `keys`: the same as integers.

    Names: `largest`, `medium`, `peer_1` … `peer_3` (platform users), `person` (the user of those
    three), `chain_start`, `chain_end`, `tree_root`, `tree_leaf` (events). `counts`: messages of
    `largest`, `medium` and the three peers. `bytes`: the file with the messages alone.
    """

    path: Path
    size: int
    ids: dict[str, UUID]
    keys: dict[str, int]
    counts: dict[str, int]
    bytes: int

    @property
    def peers(self) -> tuple[int, ...]:
        """The keys of the person's three platform users."""
        return tuple(self.keys[f"peer_{number}"] for number in (1, 2, 3))


@dataclass(frozen=True)
class Opened:
    """A world that is open, with what the API calls its parts."""

    world: World
    core: Outeract
    app: App
    connection: PlatformConnection
    largest: PlatformUser
    medium: PlatformUser
    person: User


@asynccontextmanager
async def opened(world: World) -> AsyncIterator[Opened]:
    """The world through the library. For reading only."""
    async with Outeract(world.path, search=None) as core:
        app, connection = traffic.connected(core)
        yield Opened(
            world, core, app, connection,
            await app.people.platform_user(world.ids["largest"]),
            await app.people.platform_user(world.ids["medium"]),
            await app.people.user(world.ids["person"]),
        )  # fmt: skip


def copied(world: World, folder: Path, name: str = "copy") -> Path:
    """A copy to write to, `NAME.db` in `folder`."""
    path = folder / f"{name}.db"
    for old in folder.glob(f"{name}.db*"):
        old.unlink()
    progress(f"copying {world.path.stat().st_size / 1e9:.1f} GB")
    shutil.copyfile(world.path, path)
    shutil.copyfile(f"{world.path}.key", f"{path}.key")
    return path


# ── building ──────────────────────────────────────────────────────────────────────────────────


def ready(options: Options) -> World:
    """The world of this size, built when it is not there or the schema has changed since."""
    name = f"world-{options.size}"
    path = options.cache / f"{name}-{_digest()}.db"
    told = path.with_suffix(".json")
    if not (path.exists() and told.exists()):
        for old in options.cache.glob(f"{name}-*"):
            old.unlink()
        building = options.cache / f"building-{uuid4().hex}.db"
        with ThreadPoolExecutor(1) as thread:  # whether or not an event loop runs here
            found = thread.submit(anyio.run, _build, building, options.size).result()
        building.rename(path)
        Path(f"{building}.key").rename(f"{path}.key")
        shutil.rmtree(f"{building}.files", ignore_errors=True)
        told.write_text(json.dumps(found), "utf-8")
    found = json.loads(told.read_text("utf-8"))
    ids = {key: UUID(value) for key, value in found["ids"].items()}
    return World(path, options.size, ids, found["keys"], found["counts"], found["bytes"])


def _digest() -> str:
    """What a built file depends on."""
    migrations = sorted((Path(store.__file__).parent / "sql" / "migrations").glob("*.sql"))
    sources = [
        *migrations,
        *(Path(str(each)) for each in (__file__, traffic.__file__, multiplied.__file__)),
    ]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


async def _build(path: Path, size: int) -> dict[str, Any]:
    say(f"building a world of {size:,} messages (once)")
    times = max(1, size // WEBHOOKS)
    if size % times:
        raise ValueError(f"a world of {size:,} is no multiple of {WEBHOOKS:,}")
    people = traffic.conversations(size)
    await _messages(path, size // times, people)
    if times > 1:
        multiplied.multiply(path, times)
    count = Counter(traffic.speakers(size // times, people))
    return await _around(path, Counter({who: each * times for who, each in count.items()}))


async def _messages(path: Path, size: int, people: int) -> None:
    async with Outeract(path, durability="normal", search=None) as core:
        _app, connection = traffic.connected(core)
        bodies = _watched(traffic.updates(size, people), size)
        async with anyio.create_task_group() as group:
            for _ in range(min(TASKS, size)):
                group.start_soon(traffic.deliver, core, connection, bodies)


async def _around(path: Path, count: Counter[int]) -> dict[str, Any]:
    """Everything else, and what is where."""
    progress("building: people, a chain, a tree")
    async with Outeract(path, durability="normal", search=None) as core:
        app, connection = traffic.connected(core)
        await core.runtime.database.truncate_log()
        messages_only = path.stat().st_size
        places = await _people(app, connection, count)
        things = {**places, **await _chain(app), **await _tree(app)}
        ids = {name: str(getattr(thing, "id", thing)) for name, thing in things.items()}
        keys = {name: _key(app, thing) for name, thing in things.items()}
        counts = {
            name: count[int(thing.external_id) - traffic.external(0)]
            for name, thing in places.items()
            if isinstance(thing, PlatformUser)
        }
    return {"ids": ids, "keys": keys, "counts": counts, "bytes": messages_only}


def _watched(bodies: Iterator[bytes], size: int) -> Iterator[bytes]:
    for number, body in enumerate(bodies):
        if number % 1000 == 0:
            progress(f"building: {number:,} of {size:,} messages")
        yield body


async def _people(
    app: App, connection: PlatformConnection, count: Counter[int]
) -> dict[str, PlatformUser | User]:
    """The busiest, one with about 500 messages, and the next three busiest made one person."""
    medium = min(count, key=lambda who: abs(count[who] - MEDIUM) if who > LEVELS else MEDIUM * 999)
    ranks = {"largest": 1, "peer_1": 2, "peer_2": 3, "peer_3": 4, "medium": medium}
    found: dict[str, PlatformUser | User] = {
        name: await app.people.by_external_id(connection, str(traffic.external(who)))
        for name, who in ranks.items()
    }
    for name in ("peer_2", "peer_3"):
        await app.people.merge(found[name], found["peer_1"])
    return {**found, "person": await app.people.user(found["peer_1"])}


async def _chain(app: App) -> dict[str, Any]:
    """A hundred events, each caused by the one before."""
    first = event = await app.emit("bench.step", {"n": 0})
    for number in range(1, CHAIN):
        event = await app.emit("bench.step", {"n": number}, edges={"triggered_by": event})
    return {"chain_start": first, "chain_end": event}


async def _tree(app: App) -> dict[str, Any]:
    """Ten events come of one, ten of each of those, and so on."""
    root = await app.emit("bench.node", {"level": 0})
    level = [root]
    for depth in range(1, LEVELS + 1):
        below: list[Any] = []

        async def grow(parent: Any, depth: int = depth, below: list[Any] = below) -> None:
            for _ in range(FAN_OUT):
                node = await app.emit(
                    "bench.node", {"level": depth}, edges={"triggered_by": parent}
                )
                below.append(node)

        async with anyio.create_task_group() as group:
            for parent in level:
                group.start_soon(grow, parent)
        level = below
    return {"tree_root": root, "tree_leaf": level[0]}


def _key(app: App, thing: Any) -> int:
    uid = getattr(thing, "id", thing)
    return app.runtime.database.read(lambda tx: nodes.key(tx, app.key, uid))
