"""The rooms of the house and the arrows between them, from the imports themselves.

Knows: which room a module stands in. Does not know: what is drawn, which arrows are allowed.
"""

from __future__ import annotations

from functools import cache

import grimp

WORDS = frozenset({
    "model", "content", "events", "query", "pages", "search", "graph", "conversation", "retention",
    "tenancy", "structure", "standing",
})  # fmt: skip
PORTS = frozenset({"adapter", "exchange", "driver"})
PACKAGE = "outeract_core"


@cache
def imports() -> dict[str, frozenset[str]]:
    """For each module what it imports of the package, type-checking imports included."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    return {
        module: frozenset(graph.find_modules_directly_imported_by(module))
        for module in graph.modules
    }


def room(module: str) -> str:
    """The room of a module: `_store.writing`, `_io`, `words`, `ports`, …"""
    _, *names = module.split(".")
    if not names:
        return PACKAGE
    first = names[0]
    if first in WORDS:
        return "words"
    if first in PORTS:
        return "ports"
    if first in ("_store", "_domain", "_api"):
        inner = f"{PACKAGE}.{'.'.join(names[:2])}"
        return ".".join(names[:2]) if is_package(inner) else first
    return first


def is_package(module: str) -> bool:
    """Whether a module is a folder."""
    return any(other.startswith(f"{module}.") for other in imports())


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """Who imports whom, by room; the package itself, which loads names on demand, is left out."""
    drawn = {
        (room(module), room(target)) for module, targets in imports().items() for target in targets
    }
    return frozenset(
        (a, b) for a, b in drawn if a != b and PACKAGE not in (a, b) and "__main__" not in (a, b)
    )


def house() -> frozenset[tuple[str, str]]:
    """The arrows between the rooms that `ls` shows; the words that all speak are one box."""
    drawn = {(_outer(one), _outer(other)) for one, other in arrows()}
    return frozenset((one, other) for one, other in drawn if one != other)


def within(outer: str) -> frozenset[tuple[str, str]]:
    """The arrows between the rooms inside a room, by their own names."""
    inner = {
        (one.removeprefix(f"{outer}."), other.removeprefix(f"{outer}."))
        for one, other in arrows()
        if one.startswith(f"{outer}.") and other.startswith(f"{outer}.")
    }
    return frozenset(inner)


def below(outer: str, own: str) -> frozenset[tuple[str, str]]:
    """The arrows between a room's own files, as one box called `own`, and the rooms below them."""
    inner = {
        (one.removeprefix(f"{outer}."), other.removeprefix(f"{outer}."))
        for one, other in arrows()
        if _within(outer, one) and _within(outer, other)
    }
    return frozenset(
        (own if one == outer else one, own if other == outer else other) for one, other in inner
    )


def pure() -> frozenset[tuple[str, str]]:
    """The arrows of what never waits and stores nothing: the pure middle, the public words."""
    boxes = ("words", "ports", "text", "errors")
    return frozenset(
        (one.removeprefix("_domain."), other.removeprefix("_domain."))
        for one, other in arrows()
        if all(name in boxes or name.startswith("_domain.") for name in (one, other))
    )


def _within(outer: str, name: str) -> bool:
    return name == outer or name.startswith(f"{outer}.")


def _outer(name: str) -> str:
    if name in ("words", "ports", "errors", "text", "_domain.values"):
        return "words"
    return name.split(".")[0]
