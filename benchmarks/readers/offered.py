"""Who takes part in which benchmark, and where the files that peers need are kept.

Knows: which reader needs a file of its own, how large it may become.
Does not know: how a reader answers.

A peer's file is made from the measured one, once for each world and each version of its reader; it
is kept beside the world and goes when the world does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from ..ground.world import World
from ..measure import Options
from ..progress import progress, say
from . import ROOM, Offered, Reader, Targets, TooLarge
from .raw import Raw
from .raw_graph import RawGraph

LOADED = 1_000_000
"""A peer with a file of its own is given no more messages than this."""


def conversation_floors(world: World, asked: Targets) -> list[Offered]:
    """The best SQL there is, with all columns and with few."""
    return [
        Offered("raw", partial(Raw, world.path, asked)),
        Offered("bare", partial(Raw, world.path, asked, full=False)),
    ]


def graph_floors(world: World, asked: Targets) -> list[Offered]:
    """The same for the graph: with rows and edges, and keys alone."""
    return [
        Offered("raw", partial(RawGraph, world.path, asked)),
        Offered("ids", partial(RawGraph, world.path, asked, full=False)),
    ]


def conversation_peers(
    options: Options, world: World, asked: Targets, names: Sequence[str]
) -> list[Offered]:
    """Who can page, list and show a timeline; `names`: what of it is asked."""
    talks: set[int] = set()
    if "page" in names:
        talks.add(asked.peer)
    if "timeline" in names:
        talks.update(asked.peers)

    def _networkx(_options: Options, world: World, asked: Targets) -> Reader:
        if world.size > ROOM and not talks:
            raise TooLarge("it looks at every edge, and not all of them are in memory")
        return networkx(world, asked, talks)

    peers: dict[str, Opener] = {"orm_tuned": _tuned, "core": _core, "orm_idiomatic": _idiomatic}
    peers |= {"networkx": _networkx, "ladybug": _ladybug}
    return _all(peers, options, world, asked)


def graph_peers(options: Options, world: World, asked: Targets) -> list[Offered]:
    """Who can walk."""

    def _networkx(_options: Options, world: World, asked: Targets) -> Reader:
        return networkx(world, asked, ())

    peers: dict[str, Opener] = {"orm_tuned": _tuned, "core": _core, "orm_idiomatic": _idiomatic}
    peers |= {"networkx": _networkx, "simple_graph": _simple_graph, "ladybug": _ladybug}
    return _all(peers, options, world, asked)


Opener = Callable[[Options, World, Targets], Reader]


def _all(peers: dict[str, Opener], options: Options, world: World, asked: Targets) -> list[Offered]:
    return [Offered(name, partial(opener, options, world, asked)) for name, opener in peers.items()]


def made(
    options: Options, world: World, module: str, fill: Callable[[Path, Path], None],
    part: bool = False,
) -> Path:  # fmt: skip
    """A peer's own file, filled unless it is there. `part`: it is never given the whole world."""
    if world.size > LOADED and not part:
        raise TooLarge(f"loading {world.size:,} messages takes too long; see the run of {LOADED:,}")
    source = (Path(__file__).parent / f"{module}.py").read_bytes()
    mark = hashlib.sha256(source).hexdigest()[:8]
    path = options.cache / f"{world.path.stem}-{module}-{mark}.db"
    if not path.exists():
        say(f"loading {world.size:,} messages into {module}'s file (once)")
        for old in options.cache.glob(f"{world.path.stem}-{module}-*"):
            old.unlink()
        building = options.scratch / f"{module}.db"
        fill(world.path, building)
        building.rename(path)
        progress("")
    return path


def _tuned(_options: Options, world: World, asked: Targets) -> Reader:
    from .tuned import Tuned

    return Tuned(world.path, asked)


def _core(_options: Options, world: World, asked: Targets) -> Reader:
    from .tuned import Core

    return Core(world.path, asked)


def _idiomatic(options: Options, world: World, asked: Targets) -> Reader:
    from .orm import Idiomatic, fill

    return Idiomatic(made(options, world, "orm", fill), asked)


def networkx(world: World, asked: Targets, talks: Collection[int]) -> Reader:
    """In memory, with these conversations whole."""
    from .networkx_graph import Networkx

    return Networkx(world.path, asked, world.size, talks)


def _simple_graph(options: Options, world: World, asked: Targets) -> Reader:
    from .simple_graph import SimpleGraph, fill

    return SimpleGraph(made(options, world, "simple_graph", fill, part=True), asked)


def _ladybug(options: Options, world: World, asked: Targets) -> Reader:
    from .ladybug_graph import Ladybug, fill

    return Ladybug(made(options, world, "ladybug_graph", fill), asked)
