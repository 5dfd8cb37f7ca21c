"""A random graph, and a search that knows nothing but its edges.

Knows: breadth-first search, the rule about the bot's own platform users.
Does not know: how the library walks.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Literal

from attrs import define, evolve
from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core._store.writing import custom
from outeract_core.graph import Subgraph
from tests.support.reading.world import arrive, connect, event, person, said

__all__ = ["ARROWS", "TYPES", "Direction", "Drawn", "arrows_of", "draw", "evolve_hubs"]

_number = count()
Direction = Literal["out", "in", "both"]
TYPES = ["a", "b", "c.d"]


@define
class Drawn:
    """Nodes by id, arrows as (source, type, target), and the bot's own platform users."""

    app: App
    ids: list[Any]
    arrows: set[tuple[Any, str, Any]]
    hubs: set[Any]

    def near(
        self, here: Any, types: list[str] | None, direction: Direction
    ) -> list[tuple[Any, Any]]:
        """(neighbour, arrow) one step from `here`."""
        found = []
        for arrow in self.arrows:
            if types is not None and arrow[1] not in types:
                continue
            if direction != "in" and arrow[0] == here:
                found.append((arrow[2], arrow))
            if direction != "out" and arrow[2] == here:
                found.append((arrow[0], arrow))
        return found

    def search(
        self, start: Any, types: list[str] | None, direction: Direction, depth: int
    ) -> tuple[dict[Any, int], set[Any]]:
        """Breadth first: the distance of everything within `depth`, and the arrows passed."""
        far, passed, level = {start: 0}, set(), [start]
        for step in range(1, depth + 1):
            after = []
            for here in level:
                if here in self.hubs and here != start:
                    continue
                for node, arrow in self.near(here, types, direction):
                    passed.add(arrow)
                    if node not in far:
                        far[node] = step
                        after.append(node)
            level = after
        return far, passed


ARROWS = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from(TYPES), st.integers(0, 11)), max_size=24
)


async def draw(core: Outeract, arrows: list[tuple[int, str, int]]) -> Drawn:
    """Seven own events, one message, its sender, the person, the bot, a file, and edges among them."""
    app = core.app(f"app{next(_number)}")
    conn = connect(core, app)
    await arrive(core, conn, said("m1", "hello", "ann"))
    ann = await person(app, conn, "ann")
    bot = await person(app, conn, "system")
    own = [await app.emit("node", n) for n in range(7)]
    file = (await app.files.add(b"data", filename="f.txt")).id
    ids = [*own, (await event(app, conn, "m1")).id, ann.id, ann.user_id, bot.id, file]

    def unit(tx: Any) -> None:
        for source, edge_type, target in arrows:
            custom.draw(tx, app.key, ids[source], edge_type, ids[target])

    await core.runtime.database.write(unit)
    drawn = {(ids[s], t, ids[d]) for s, t, d in arrows}
    drawn |= {(ids[7], "sent_by", ann.id), (ids[7], "sent_to", bot.id)}
    drawn |= {(ann.id, "belongs_to", ann.user_id), (bot.id, "belongs_to", bot.user_id)}
    return Drawn(app, [*ids, bot.user_id], drawn, {bot.id})


def arrows_of(found: Subgraph) -> set[tuple[Any, str, Any]]:
    """The edges of a subgraph as the search writes them."""
    arrows = {(e.source_node_id, e.edge_type, e.target_node_id) for e in found.edges}
    assert len(arrows) == len(found.edges)
    return arrows


def evolve_hubs(drawn: Drawn, hubs: set[Any]) -> Drawn:
    """The same graph with other hubs."""
    return evolve(drawn, hubs=hubs)
