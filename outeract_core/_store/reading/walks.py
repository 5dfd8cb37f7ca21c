"""Queries that walk the graph: by one recursive query where the way is narrow, by frontiers where it is wide.

Knows: edges, limits, cycles. Does not know: what a node holds, who asks.

A walk visits each node once, nearest first. `belongs_to` (platform user → user) is walked like an
edge; it is kept as a column, because it is the one relation that changes (by a merge).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import Factory

from ..._domain.values.classes import define, frozen
from ...driver import Statement, Tx
from ...errors import BadInput
from ..engine.statements import statement

Direction = Literal["out", "in", "both"]
Arrow = tuple[int, str, int]

PUSERS_OF: Statement[tuple[int, int]] = statement("pusers_of_persons")
PERSONS_OF: Statement[tuple[int, int]] = statement("persons_of_pusers")
LATE: Statement[tuple[int, int, int, int]] = statement("late_edges")
SYSTEM: Statement[tuple[int]] = statement("system_pusers")

BELONGS_TO = "belongs_to"
WIDE = 512
"""A recursive query is given this many rows; a walk that needs more goes on by frontiers."""


@frozen
class Limits:
    """How far (`depth`, edges) and how much (`nodes`) a walk may see."""

    depth: int = 100
    nodes: int = 10_000

    def __attrs_post_init__(self) -> None:
        for number, least in ((self.depth, 0), (self.nodes, 1)):
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise BadInput("depth is a number from 0, and the limit of nodes one from 1")


@define
class Found:
    """What a walk has met. `depth` by node, in the order of meeting.

    `arrows`: the edges, with the time (ms) of those that are younger than their source.
    """

    depth: dict[int, int]
    arrows: dict[Arrow, int | None] = Factory(dict)
    truncated: bool = False


def walk(
    tx: Tx, app: int, start: int, types: Sequence[str] | None, direction: Direction, limits: Limits
) -> Found:
    """Everything that can be reached from `start` along these edge types (None: all)."""
    return narrow(tx, app, start, types, direction, limits) or wide(
        tx, app, start, types, direction, limits
    )


def narrow(
    tx: Tx, app: int, start: int, types: Sequence[str] | None, direction: Direction, limits: Limits
) -> Found | None:
    """The same, where one recursive query of bounded length finds it; else None."""
    _check(types, direction)
    if types is None or BELONGS_TO in types or direction == "both":
        return None
    return _narrow(tx, app, start, types, direction, limits)


def _check(types: Sequence[str] | None, direction: Direction) -> None:
    if direction not in ("out", "in", "both"):
        raise BadInput(f"direction is 'out', 'in' or 'both', not {direction!r}")
    if isinstance(types, str):
        raise BadInput(f"types is a list of edge types, e.g. [{types!r}]")


def _narrow(
    tx: Tx, app: int, start: int, types: Sequence[str], direction: Direction, limits: Limits
) -> Found | None:
    """By one recursive query; None when the way turned out to be wide."""
    names = {number: tx.kind_name(number) for number in _numbers(tx, types)}
    rows = tx.reach(
        start, list(names), _hubs(tx, app), inward=direction == "in",
        depth=min(limits.depth, WIDE), most=WIDE,
    )  # fmt: skip
    return None if len(rows) >= WIDE else _along(rows, names, direction, limits)


def _along(rows: list[Any], names: dict[int, str], direction: Direction, limits: Limits) -> Found:
    """Rows (node, depth, the node before, edge type, when drawn) as what was met."""
    found = Found({})
    for node, depth, before, kind, drawn in rows:
        if node not in found.depth:
            if len(found.depth) >= limits.nodes:
                found.truncated = True
                break
            found.depth[node] = depth
        if depth:
            ends = (node, names[kind], before) if direction == "in" else (before, names[kind], node)
            found.arrows[ends] = drawn
    found.truncated = found.truncated or limits.depth in found.depth.values()
    return found


def wide(
    tx: Tx, app: int, start: int, types: Sequence[str] | None, direction: Direction, limits: Limits
) -> Found:
    """Everything that can be reached, level by level, all nodes of a level in one query."""
    found, frontier = Found({start: 0}), [start]
    hubs = _hubs(tx, app) - {start}
    for depth in range(1, limits.depth + 1):
        level = _expand(tx, [node for node in frontier if node not in hubs], types, direction)
        frontier = _meet(found, level, depth, limits)
        if not frontier or found.truncated:
            return dated(tx, found)
    found.truncated = bool(frontier)
    return dated(tx, found)


def _meet(found: Found, level: list[tuple[int, Arrow]], depth: int, limits: Limits) -> list[int]:
    fresh = []
    for node, arrow in level:
        if node not in found.depth:
            if len(found.depth) >= limits.nodes:
                found.truncated = True
                continue
            found.depth[node] = depth
            fresh.append(node)
        found.arrows[arrow] = None
    return fresh


def _expand(
    tx: Tx, nodes: list[int], types: Sequence[str] | None, direction: Direction
) -> list[tuple[int, Arrow]]:
    """(neighbour, edge) for every edge at these nodes."""
    if not nodes:
        return []
    numbers = None if types is None else _numbers(tx, types)
    found: list[tuple[int, Arrow]] = []
    if direction in ("out", "both") and numbers != []:
        for source, kind, target in tx.expand(nodes, numbers, inward=False):
            found.append((target, (source, tx.kind_name(kind), target)))
    if direction in ("in", "both") and numbers != []:
        for source, kind, target in tx.expand(nodes, numbers, inward=True):
            found.append((source, (source, tx.kind_name(kind), target)))
    if types is None or BELONGS_TO in types:
        found += _belonging(tx, nodes, direction)
    return found


def _belonging(tx: Tx, nodes: list[int], direction: Direction) -> list[tuple[int, Arrow]]:
    found = []
    if direction in ("out", "both"):
        found += [(u, (p, BELONGS_TO, u)) for p, u in tx.by_keys(PERSONS_OF, nodes)]
    if direction in ("in", "both"):
        found += [(p, (p, BELONGS_TO, u)) for p, u in tx.by_keys(PUSERS_OF, nodes)]
    return found


def _numbers(tx: Tx, types: Sequence[str]) -> list[int]:
    return [n for n in map(tx.known_kind, types) if n is not None]


def _hubs(tx: Tx, app: int) -> set[int]:
    """The bot's own platform users: everything passes them, so a walk does not go through them."""
    return {row[0] for row in tx.all(SYSTEM, app=app)}


def path(
    tx: Tx, app: int, start: int, end: int, types: Sequence[str] | None, direction: Direction,
    limits: Limits,
) -> list[Arrow] | None:  # fmt: skip
    """A shortest path as edges in order, [] when both are one, None when there is none."""
    _check(types, direction)
    if start == end:
        return []
    back: Direction = {"out": "in", "in": "out", "both": "both"}[direction]  # type: ignore[assignment]
    sides: tuple[dict[int, Any], dict[int, Any]] = ({start: None}, {end: None})
    fronts, ways = [[start], [end]], (direction, back)
    hubs = _hubs(tx, app) - {start, end}
    for _ in range(limits.depth):
        side = 0 if len(fronts[0]) <= len(fronts[1]) else 1
        meeting = _advance(tx, fronts, sides, side, ways[side], types, hubs)
        if meeting is not None:
            return _trace(sides, meeting)
        if not fronts[side] or sum(map(len, sides)) > limits.nodes:
            return None
    return None


def _advance(
    tx: Tx, fronts: list[list[int]], sides: tuple[dict[int, Any], dict[int, Any]], side: int,
    direction: Direction, types: Sequence[str] | None, hubs: set[int],
) -> int | None:  # fmt: skip
    """One level further from one end; the node where both ends meet, if they do."""
    fresh: list[int] = []
    for node, arrow in _expand(tx, fronts[side], types, direction):
        if node in sides[side] or node in hubs:
            continue
        before = arrow[0] if arrow[2] == node else arrow[2]
        sides[side][node] = (before, arrow)
        if node in sides[1 - side]:
            return node
        fresh.append(node)
    fronts[side] = fresh
    return None


def _trace(sides: tuple[dict[int, Any], dict[int, Any]], meeting: int) -> list[Arrow]:
    halves: list[list[Arrow]] = []
    for side in sides:
        half, step = [], side[meeting]
        while step is not None:
            half.append(step[1])
            step = side[step[0]]
        halves.append(half)
    return halves[0][::-1] + halves[1]


def dated(tx: Tx, found: Found) -> Found:
    """The same, with the times of the edges that are younger than their source."""
    sources = {source for source, _type, _target in found.arrows}
    for source, kind, target, at in tx.by_keys(LATE, list(sources)):
        arrow = (source, tx.kind_name(kind), target)
        if arrow in found.arrows:
            found.arrows[arrow] = at
    return found
