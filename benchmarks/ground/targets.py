"""What the read benchmarks ask about, found in the measured file.

Knows: the world, and what of it the questions need beyond its names.
Does not know: who answers.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..readers import LINK, STEPS, Targets
from ..readers.raw import opened
from .world import World

_DEEP = 0.6
"""How far back the deep page lies, as a share of the conversation."""
_CAUSE = "SELECT g.dst FROM edge g JOIN kind k ON k.id = g.type WHERE g.src = ? AND k.name = ?"


def targets(world: World) -> Targets:
    """Everything that readers are asked about."""
    db = opened(world.path)
    peer, count = world.keys["largest"], world.counts["largest"]
    conns = db.execute("SELECT DISTINCT conn FROM conversation").fetchall()
    deep = _back(db, peer, int(count * _DEEP))
    leaves = world.keys["tree_leaf"], _other_leaf(db, world)
    end, root = world.keys["chain_end"], world.keys["tree_root"]
    found = Targets(
        app=peer >> 40,
        conns=tuple(conn for (conn,) in conns),
        peer=peer,
        messages=count,
        deep=deep,
        person=world.ids["person"].bytes,
        person_key=world.keys["person"],
        peers=world.peers,
        end=end,
        root=root,
        leaves=leaves,
        ids={key: _id(db, key) for key in (deep, end, root, *leaves)},
    )
    db.close()
    return found


def _id(db: Any, key: int) -> UUID:
    return UUID(bytes=db.execute("SELECT id FROM event WHERE seq = ?", (key,)).fetchone()[0])


def _back(db: Any, peer: int, messages: int) -> int:
    """The message that lies so many back in a conversation."""
    row = db.execute(
        "SELECT event FROM entry WHERE peer = ? ORDER BY event DESC LIMIT 1 OFFSET ?",
        (peer, messages),
    ).fetchone()
    key: int = row[0]
    return key


def _other_leaf(db: Any, world: World) -> int:
    """A leaf that has nothing but the root in common with the world's one."""
    top = _way(db, world.keys["tree_leaf"])[-2]
    last = db.execute("SELECT max(seq) FROM event").fetchone()[0]
    types = dict(db.execute("SELECT name, id FROM kind").fetchall())
    events = "SELECT seq FROM event WHERE type = ? AND seq >= ? AND seq <= ? ORDER BY seq DESC"
    length = len(_way(db, world.keys["tree_leaf"]))
    bounds = (types[STEPS[1]], world.keys["tree_root"], last)
    for (leaf,) in db.execute(events, bounds):
        way = _way(db, leaf)
        if len(way) == length and way[-2] != top:
            return int(leaf)
    raise AssertionError("the tree has one branch only")


def _way(db: Any, leaf: int) -> list[int]:
    """From a leaf to the root."""
    way = [leaf]
    while rows := db.execute(_CAUSE, (way[-1], LINK)).fetchall():
        way.append(rows[0][0])
    return way
