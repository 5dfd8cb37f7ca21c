"""One thing that a platform documents of what stands in a request, and what in a request breaks it.

Knows: ways through JSON, lengths, counts, lists of values. Does not know: any platform, what is answered.

A way is names with points between them. `*` is each member of a list; `(type=a|b)` behind a step goes on
only where the object there says so: `blocks.*(type=header).text.text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["ABSENT", "Limit", "broken", "found"]

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__bool__": lambda _: False})()
"""There is nothing, where something could be."""
_STEP = re.compile(r"([^.(]+)(?:\((\w+)=([^)]*)\))?(?:\.|$)")
_UNITS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
}


@dataclass(frozen=True)
class Limit:
    """What holds for the value at `where`; `error` is what the platform answers otherwise.

    least, most  bounds of a text's length (in `unit`), of the members of a list, of a number.
    among        the values that there are; `like`: a pattern that all of it has.
    needed       it must be there, where the object is that it belongs to; `barred`: it must not.
    holds        one of these members of it must be there.
    unique       no two of them are alike: of `siblings` in one list, or of `all`.
    total        the bounds are for all lists together.
    """

    where: str
    error: Any
    least: float | None = None
    most: float | None = None
    unit: str = "characters"
    among: frozenset[Any] | None = None
    like: str | None = None
    needed: bool = False
    barred: bool = False
    holds: tuple[str, ...] = ()
    unique: str = ""
    total: bool = False

    def breaks(self, body: Any) -> bool:
        """Whether a request does not keep to it."""
        groups = [list(some) for some in _groups(body, self.where, self.unique)]
        values = [value for some in groups for value in some]
        there = [value for value in values if value is not ABSENT]
        if self.total and there:
            there = [[one for some in there if isinstance(some, list) for one in some]]
        alike = self.unique and any(_repeated(some) for some in groups)
        missing = self.needed and any(value is ABSENT or value in ("", []) for value in values)
        return bool(alike or missing or (self.barred and there) or any(map(self._wrong, there)))

    def _wrong(self, value: Any) -> bool:
        if self.among is not None and value not in self.among:
            return True
        if self.like is not None and not re.fullmatch(self.like, str(value)):
            return True
        if self.holds and not (
            isinstance(value, dict) and any(value.get(one) for one in self.holds)
        ):
            return True
        size = self._size(value)
        if size is None:
            return self.least is not None or self.most is not None
        low = self.least is not None and size < self.least
        return low or (self.most is not None and size > self.most)

    def _size(self, value: Any) -> float | None:
        if isinstance(value, str):
            return _UNITS[self.unit](value)
        if isinstance(value, list):
            return len(value)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def broken(limits: Iterable[Limit], body: Any) -> Limit | None:
    """The first limit that a request does not keep to."""
    return next((limit for limit in limits if limit.breaks(body)), None)


def found(body: Any, way: str) -> list[Any]:
    """Everything that stands at the end of a way; ABSENT where its object is, and it is not."""
    return [value for some in _groups(body, way, "") for value in some]


def _steps(way: str) -> list[tuple[str, str, frozenset[str]]]:
    return [(name, key, frozenset(values.split("|"))) for name, key, values in _STEP.findall(way)]


def _groups(body: Any, way: str, unique: str) -> Iterator[list[Any]]:
    """What is at the end of a way: all together, or by the list that its last `*` goes through."""
    steps = _steps(way)
    last = max((n for n, (name, *_) in enumerate(steps) if name == "*"), default=0)
    if unique != "siblings":
        yield list(_walk(body, steps))
        return
    for some in _walk(body, steps[:last]):
        yield list(_walk(some, steps[last:]))


def _walk(value: Any, steps: list[tuple[str, str, frozenset[str]]]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    (name, key, values), *rest = steps
    if name == "*":
        members = value if isinstance(value, list) else []
    elif not isinstance(value, dict):
        return
    elif name not in value:
        if not rest:
            yield ABSENT
        return
    else:
        members = [value[name]]
    for one in members:
        if not key or (isinstance(one, dict) and str(one.get(key)) in values):
            yield from _walk(one, rest)


def _repeated(values: list[Any]) -> bool:
    there = [value for value in values if value is not ABSENT]
    return len({repr(value) for value in there}) < len(there)
