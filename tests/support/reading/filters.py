"""Random filters as pairs: what the library is asked, and what plain Python says of an event.

Knows: every kind of filter, events that they may or may not fit.
Does not know: how a filter is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any, cast

from hypothesis import strategies as st

from outeract_core import App, Outeract
from outeract_core import query as q
from outeract_core.model import Event, Status
from outeract_core.testing import ManualClock
from tests.support.reading.world import START, arrive, connect, event, everything, person, said

__all__ = ["HAPPENED", "TREES", "Pair", "happen"]

_number = count()
Test = Callable[[Event, dict[Any, set[tuple[str, Any]]]], bool]
Pair = tuple[q.Filter, Test]

TYPES = ["message.inbound", "order.created", "order.paid", "orders", "a.b.c"]
MEMBERS = ["a", "b", 'quo"te', "back\\slash", "dé", "spa ce", "$", "0", "%", "'"]
VALUES: Any = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, -1.5, 1e300]),
    st.sampled_from(["", "1", "x", "xy", "é", "'; DROP TABLE event; --", "true", "null"]),
)  # fmt: skip
PAYLOADS = st.dictionaries(
    st.sampled_from(MEMBERS),
    st.recursive(
        VALUES,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


def member(payload: Any, path: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether the path leads somewhere, and what is there."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(payload, list) or step >= len(payload):
                return False, None
        elif not isinstance(payload, dict) or step not in payload:
            return False, None
        payload = payload[step]
    return True, payload


def family(value: Any) -> str:
    """Values compare within their family only."""
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


def compares(found: Any, comparison: str, value: Any) -> bool:
    """`found` against `value`, by the rules that the docstring gives."""
    if value is None:
        return (found is None) == (comparison == "=")
    if found is None:
        return False
    if comparison == "!=":
        return family(found) != family(value) or bool(found != value)
    if family(found) != family(value):
        return False
    if comparison == "contains":
        return value in found
    return bool({
        "=": found == value, "<": found < value, "<=": found <= value,
        ">": found > value, ">=": found >= value,
    }[comparison])  # fmt: skip


def _anywhere(payload: Any, path: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """For every way through the lists: whether it leads somewhere, and what is there."""
    if q.ANY not in path:
        return [member(payload, path)]
    cut = path.index(q.ANY)
    there, found = member(payload, path[:cut])
    places = found if there and isinstance(found, list) else []
    return [one for place in places for one in _anywhere(place, path[cut + 1 :])]


def on_payload(path: tuple[Any, ...], comparison: str, value: Any) -> Pair:
    """A comparison with a member of the payload; with ANY in its path, with any of several."""

    def test(e: Event, _edges: Any) -> bool:
        if q.ANY in path:
            found_all = _anywhere(e.payload, path)
            if comparison == "exists":
                return any(there for there, _found in found_all)
            return any(compares(found, comparison, value) for _there, found in found_all)
        there, found = member(e.payload, path)
        return there if comparison == "exists" else compares(found, comparison, value)

    asked: Any = comparison
    return q.payload_path(path, asked, None if comparison == "exists" else value), test


PATHS = st.lists(
    st.sampled_from(MEMBERS) | st.integers(0, 1) | st.just(q.ANY), min_size=1, max_size=3
).map(tuple)
PAYLOAD_TESTS = st.one_of(
    st.builds(on_payload, PATHS, st.sampled_from(["=", "!="]), VALUES),
    st.builds(on_payload, PATHS, st.sampled_from(["<", "<=", ">", ">="]), VALUES.filter(
        lambda value: value is not None and not isinstance(value, bool))),
    st.builds(on_payload, PATHS, st.just("contains"), st.sampled_from(["", "x", "é", "'"])),
    st.builds(on_payload, PATHS, st.just("exists"), st.none()),
)  # fmt: skip


def on_time(by: Any, since: int | None, until: int | None) -> Pair:
    """A time window; seconds after START."""
    bounds = [None if s is None else START + timedelta(seconds=s) for s in (since, until)]

    def test(e: Event, _edges: Any) -> bool:
        at = getattr(e, by)
        return (bounds[0] is None or at >= bounds[0]) and (bounds[1] is None or at < bounds[1])

    return q.between(*bounds, by=by), test


SECONDS = st.none() | st.integers(-2, 12)
LEAVES = st.one_of(
    st.sampled_from(TYPES).map(
        lambda t: (q.type_is(t), lambda e, _: e.event_type == t)),
    st.lists(st.sampled_from(TYPES), max_size=3).map(
        lambda ts: (q.type_in(*ts), lambda e, _: e.event_type in ts)),
    st.sampled_from(["", "order", "order.", "message.", "zzz"]).map(
        lambda p: (q.type_prefix(p), lambda e, _: e.event_type.startswith(p))),
    st.sampled_from(["", "der", ".", "zzz"]).map(
        lambda p: (q.type_contains(p), lambda e, _: p in e.event_type)),
    st.sampled_from(["pigeon", "raven", "telegram"]).map(
        lambda p: (q.on_platform(p), lambda e, _: e.platform == p)),
    st.sampled_from(["received", "processed", "queued", "read"]).map(
        lambda s: (q.status_is(cast("Status", s)), lambda e, _: e.status == s)),
    st.sampled_from(["", "hel", "HEL", "ÄRGER", "ärger", "STRASSE", "%", "_", "nope"]).map(
        lambda w: (q.text_contains(w), lambda e, _: w.casefold() in e.text.casefold())),
    st.sampled_from(["sent_by", "about", "placed_by", "never"]).map(
        lambda t: (q.has_edge(t), lambda e, edges: any(t == n for n, _ in edges[e.id]))),
    st.builds(on_time, st.sampled_from(["created_at", "occurred_at"]), SECONDS, SECONDS),
    PAYLOAD_TESTS,
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(
            lambda p: (p[0][0] & p[1][0], lambda e, x: p[0][1](e, x) and p[1][1](e, x))),
        st.tuples(inner, inner).map(
            lambda p: (p[0][0] | p[1][0], lambda e, x: p[0][1](e, x) or p[1][1](e, x))),
        inner.map(lambda p: (~p[0], lambda e, x: not p[1](e, x))),
    ),
    max_leaves=6,
)  # fmt: skip
HAPPENED = st.one_of(
    st.tuples(st.just("said"), st.sampled_from(["Hello", "ärger", "Straße 5%", "", "a_b"]),
              st.sampled_from(["ann", "bob"]), st.integers(0, 10)),
    st.tuples(st.just("own"), st.sampled_from(TYPES[1:]), PAYLOADS, st.integers(0, 10)),
)  # fmt: skip


async def happen(core: Outeract, clock: ManualClock, what: list[Any]) -> tuple[App, Any]:
    """Events of many kinds in a fresh application, and the edges that were drawn, by event id."""
    app = core.app(f"app{next(_number)}")
    conns = [connect(core, app, "pigeon"), connect(core, app, "raven")]
    clock.set(START)
    edges: dict[Any, set[tuple[str, Any]]] = {}
    for place, one in enumerate(what):
        clock.set(START + timedelta(seconds=place % 7))
        at = START + timedelta(seconds=one[3])
        if one[0] == "said":
            conn = conns[place % 2]
            await arrive(core, conn, said(f"m{place}", one[1], one[2], at=one[3]))
            sender = await person(app, conn, one[2])
            drawn: set[tuple[str, Any]] = {("sent_by", sender.id)}
            key = (await event(app, conn, f"m{place}")).id
        else:
            nodes = [each.id for each in await everything(app)][-2:]
            drawn = {("placed_by", node) for node in nodes}
            key = await app.emit(one[1], one[2], edges={"placed_by": nodes}, occurred_at=at)
        edges[key] = drawn
    return app, edges
