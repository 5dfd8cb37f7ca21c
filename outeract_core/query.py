"""Filters over events, to be combined with `&`, `|` and `~`.

Knows: what can be asked, as values.
Does not know: SQL (`_store/reading/queries.py` compiles a filter), which application is asked.

    from outeract_core import query as q
    await app.events.page(q.type_prefix("message.") & q.on_platform("telegram") & ~q.status_is("read"))
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from attrs import field

from ._domain.values.classes import frozen
from ._domain.values.codec import storable
from ._domain.values.ids import window
from .errors import BadInput
from .model import PlatformConnection, Status

__all__ = [
    "ANY",
    "Filter",
    "between",
    "has_edge",
    "on_connection",
    "on_platform",
    "payload_path",
    "status_is",
    "text_contains",
    "type_contains",
    "type_in",
    "type_is",
    "type_prefix",
]

Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "exists"]


MOST = 10_000
"""Conditions in one filter: each of them costs something for every event that is looked at."""


class Filter:
    """What an event must satisfy. At most 10,000 conditions; more raise BadInput as they are joined."""

    @property
    def terms(self) -> int:
        """How many conditions it has."""
        return 1

    def __and__(self, other: Filter) -> Filter:
        return All((*_flat(self, All), *_flat(other, All)), _together(self, other))

    def __or__(self, other: Filter) -> Filter:
        return Any_((*_flat(self, Any_), *_flat(other, Any_)), _together(self, other))

    def __invert__(self) -> Filter:
        return self.inner if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        """Always raises BadInput: `a and b` would silently be `b` alone."""
        raise BadInput(
            "a filter is neither true nor false: combine filters with & | ~, not and or not"
        )


@frozen
class Anywhere:
    """A step of a payload path: any place of a list."""


ANY = Anywhere()


@frozen
class All(Filter):
    """Every one of `filters`."""

    filters: tuple[Filter, ...]
    terms: int = field(eq=False, repr=False)


@frozen
class Any_(Filter):  # noqa: N801 - `Any` is taken by typing
    """At least one of `filters`."""

    filters: tuple[Filter, ...]
    terms: int = field(eq=False, repr=False)


@frozen
class Not(Filter):
    """Not `inner`."""

    inner: Filter

    @property
    def terms(self) -> int:
        """Those of what it denies."""
        return self.inner.terms


@frozen
class Type(Filter):
    """The event type satisfies `matches`."""

    matches: Callable[[str], bool] = field(repr=False)
    label: str


@frozen
class Between(Filter):
    """`since` <= time < `until`."""

    since: datetime | None
    until: datetime | None
    column: Literal["created_at", "occurred_at"]


@frozen
class StatusIs(Filter):
    """The derived status is one of `names`."""

    names: tuple[str, ...]


@frozen
class OnConnection(Filter):
    """The event happened on this connection (an entity, id or name)."""

    connection: Any


@frozen
class OnPlatform(Filter):
    """The event happened on a connection of this platform."""

    platform: str


@frozen
class PayloadPath(Filter):
    """A member of the payload compares with `value`. In a path, ANY stands for every place of a list."""

    path: tuple[str | int | Anywhere, ...]
    comparison: Comparison
    value: Any


@frozen
class HasEdge(Filter):
    """An edge of this type leaves the event, towards `target` if one is given."""

    edge_type: str
    target: Any


@frozen
class TextContains(Filter):
    """The message's text contains `words`, whatever the case."""

    words: str


def _flat(filter: Filter, kind: type) -> tuple[Filter, ...]:
    if not isinstance(filter, Filter):
        raise BadInput(f"a filter combines with filters, not with {type(filter).__name__}")
    return filter.filters if isinstance(filter, kind) else (filter,)  # type: ignore[attr-defined]


def _together(one: Filter, other: Filter) -> int:
    """How many conditions two filters have. Raises BadInput when that is too many."""
    count = one.terms + other.terms
    if count > MOST:
        raise BadInput(
            f"a filter has at most {MOST} conditions, and this would be {count}: ask in several pieces, "
            "or for many types by type_in and type_prefix"
        )
    return count


def _text(value: Any, what: str) -> Any:
    """`value`, if it is text that a database can hold. Raises BadInput."""
    if not isinstance(value, str) or not storable(value):
        raise BadInput(f"{what} is text (without lone surrogates), not {value!r:.80}")
    return value


def type_is(event_type: str) -> Filter:
    """Events of exactly this type."""
    return Type(str(_text(event_type, "an event type")).__eq__, event_type)


def type_in(*event_types: str) -> Filter:
    """Events of one of these types."""
    names = frozenset(_text(name, "an event type") for name in event_types)
    return Type(names.__contains__, "|".join(event_types))


def type_prefix(prefix: str) -> Filter:
    """Events whose type begins so, e.g. `message.`."""
    _text(prefix, "the prefix")
    return Type(lambda name: name.startswith(prefix), f"{prefix}*")


def type_contains(part: str) -> Filter:
    """Events whose type contains `part`."""
    _text(part, "the part")
    return Type(lambda name: part in name, f"*{part}*")


def between(
    since: datetime | None = None, until: datetime | None = None, *,
    by: Literal["created_at", "occurred_at"] = "created_at",
) -> Filter:  # fmt: skip
    """Events from `since` (included) to `until` (excluded): aware times. Raises BadInput."""
    if by not in ("created_at", "occurred_at"):
        raise BadInput(f"by is created_at or occurred_at, not {by!r}")
    for moment in (since, until):
        if moment is not None and (not isinstance(moment, datetime) or moment.tzinfo is None):
            raise BadInput(f"{moment!r} is no aware time; give a datetime with e.g. tzinfo=UTC")
    window(since, until)
    return Between(since, until, by)


def status_is(*names: Status) -> Filter:
    """Events with one of these derived statuses. Raises BadInput for an unknown one."""
    for name in names:
        if name not in get_args(Status):
            raise BadInput(f"status is one of {', '.join(get_args(Status))}, not {name!r}")
    return StatusIs(names)


def on_connection(connection: PlatformConnection | Any) -> Filter:
    """Events of one connection: an entity, its id, or its name."""
    return OnConnection(connection)


def on_platform(platform: str) -> Filter:
    """Events of one platform."""
    return OnPlatform(platform)


_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,9}|\*|any)\]")


def payload_path(
    path: str | Sequence[str | int | Anywhere], comparison: Comparison, value: Any = None
) -> Filter:
    """Compare a member of the payload: `payload_path("order.items[0].price", ">=", 10)`.

    `[any]` (or `[*]`) holds when any place of a list does: `payload_path("items[any].sku", "=", "A")`.
    A name with dots or brackets in it goes into a tuple: `payload_path(("a.b", 0), "exists")`, and
    `query.ANY` stands there for any place.
    Text compares with text only, a number with numbers; `!=` holds for a member that is there, is
    not null and differs; `= None` holds for one that is null or missing. `contains` looks for text
    within text; `exists` takes no value. Raises BadInput.
    """
    if comparison not in get_args(Comparison):
        raise BadInput(f"comparison is one of {' '.join(get_args(Comparison))}")
    steps = _parsed(path) if isinstance(path, str) else tuple(map(_step, path))
    if not steps:
        raise BadInput("the payload path is empty")
    _check_value(comparison, value)
    return PayloadPath(steps, comparison, value)


def _parsed(path: str) -> tuple[str | int | Anywhere, ...]:
    steps: list[str | int | Anywhere] = []
    place = 0
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None:
            raise BadInput(f"payload path {path!r:.80}: write member.member[0].member[any]")
        place_of = match[2]
        steps.append(
            _step(match[1]) if place_of is None else int(place_of) if place_of.isdigit() else ANY
        )
        place = match.end()
    return tuple(steps)


def _step(step: Any) -> str | int | Anywhere:
    if isinstance(step, Anywhere):
        return step
    if isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 10**9:
        return step
    name: str = _text(step, "a step of the payload path (or a number from 0)")
    return name


def _check_value(comparison: str, value: Any) -> None:
    if comparison == "contains" or isinstance(value, str):
        _text(value, "what to compare with")
    elif value is None or isinstance(value, bool):
        if comparison not in ("=", "!=", "exists"):
            raise BadInput(f"{value!r} has no order; compare it with = or !=")
    elif not isinstance(value, int | float):
        raise BadInput("compare with text, a number, true, false or None")
    elif math.isnan(value) or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise BadInput(f"{value!r:.80} is no number of 64 bits")


def has_edge(edge_type: str, target: Any = None) -> Filter:
    """Events from which an edge of this type leads to `target` (a node, an id, or anywhere).

    A user stands for all their platform users.
    """
    return HasEdge(_text(edge_type, "an edge type"), target)


def text_contains(words: str) -> Filter:
    """Messages whose text contains `words`, whatever the case."""
    return TextContains(_text(words, "what to look for"))
