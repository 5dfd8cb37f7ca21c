"""graph: a chain of 100, a tree of 11,111, a shortest path between two leaves, a whole component.

Knows: the goals. Does not know: how anyone walks.

`chain_used` also looks at the ids and times of nodes and at the ends of edges, so that nothing is
gained by putting work off.

Floors: `raw` delivers what a walk delivers, every node with its event row, state and what it is
about, and every edge; `ids` the keys of the nodes alone. The chain's floor is a recursive query,
the others' a frontier bound with carray. Peers: SQLAlchemy (tuned: recursive query and objects; as
authors write it: step by step), networkx, simple-graph-sqlite, LadybugDB.
"""

from __future__ import annotations

import anyio

from ..ground import held
from ..ground.reads import Race, race
from ..ground.targets import targets
from ..ground.world import opened, ready
from ..measure import Options, Result, at_least, at_most
from ..readers.offered import graph_floors, graph_peers

NAMES = ("chain", "chain_used", "tree", "path", "component")


def run(options: Options) -> Result:
    """Times, ratios and goals."""
    walked = anyio.run(_raced, options)
    growth = anyio.run(held.grown, options, ("chain",))
    goals = [
        at_most("chain of raw CTE with rows", walked.of("chain", "raw"), 2.0),
        at_least("chain: LadybugDB slower", walked.slower("chain", "ladybug"), 20.0),
        at_most("tree of carray frontier with rows", walked.of("tree", "raw"), 2.0),
    ]
    return held.told(options, walked, growth, NAMES, goals)


async def _raced(options: Options) -> Race:
    world = ready(options)
    asked = targets(world)
    async with opened(world) as here:
        return await race(
            options, NAMES, await held.questions(here, asked), graph_floors(world, asked),
            graph_peers(options, world, asked),
        )  # fmt: skip
