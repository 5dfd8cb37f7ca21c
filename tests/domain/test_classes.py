"""Classes of values: by attrs' rules, whatever is written once for all of them.

Knows: what attrs itself makes of the same class. Does not know: the library's classes.
"""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from outeract_core._domain.values import classes
from tests.support.places import ROOT


def _plain(decorate: Any) -> Any:
    @decorate
    class One:
        a: int
        _b: str = "x"

    return One


def _nothing(decorate: Any) -> Any:
    @decorate
    class One:
        a: int = attrs.field(default=1, eq=False, repr=False)
        _b: str = attrs.field(default="x", eq=False, repr=False)

    return One


def _some(decorate: Any) -> Any:
    @decorate
    class One:
        a: int = attrs.field(default=1)
        _b: Any = attrs.field(factory=dict, hash=False, repr=False)
        c: int = attrs.field(default=0, eq=False, hash=True)

    return One


def _own(decorate: Any) -> Any:
    @decorate
    class One:
        a: int
        _b: str = "x"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, int)

        def __repr__(self) -> str:
            return "one"

    return One


def _below(decorate: Any) -> Any:
    above = _plain(decorate)

    @decorate
    class One(above):  # type: ignore[misc]
        c: int = 3

    return One


def _identical(decorate: Any) -> Any:
    @decorate(eq=False, repr=False)
    class One:
        a: int
        _b: str = "x"

    return One


def _shown_otherwise(decorate: Any) -> Any:
    @decorate(repr=False)
    class One:
        a: int
        _b: str = "x"

        def __hash__(self) -> int:
            return 7

    return One


KINDS = [_plain, _nothing, _some, _own, _below, _identical, _shown_otherwise]


def _told(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except TypeError:
        return "refused"


@pytest.mark.parametrize("way", ["frozen", "define"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_compare_hash_and_show_as_those_of_attrs(kind: Any, way: str) -> None:
    """Equal where attrs' are, also to others and to subclasses; with a hash where they have one; shown alike."""
    ours, theirs = kind(getattr(classes, way)), kind(getattr(attrs, way))

    def seen(cls: Any) -> Any:
        some: list[Any] = [cls(1), cls(1), cls(2), cls(1, "y"), cls(1, "x"), 1, "x"]
        hashes = [_told(lambda one=one: hash(one)) for one in some[:5]]  # type: ignore[misc]
        same = [(hashes[0] == one, one == "refused") for one in hashes]
        names = [repr(one).partition(" object at ")[0] for one in some[:5]]
        return [[(a == b, a != b) for a in some] for b in some], same, names

    assert seen(ours) == seen(theirs)
    assert ours.__match_args__ == theirs.__match_args__


@classes.frozen
class Kept:
    """A value that travels."""

    a: int
    b: tuple[int, ...] = ()


def test_a_value_travels() -> None:
    """Pickled, copied and evolved it is the same, and no other is equal to it."""
    one = Kept(1, (2,))
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == attrs.evolve(one) == one
    assert attrs.evolve(one, a=2) != one
    assert {one: "x"}[Kept(1, (2,))] == "x"
    assert repr(one) == "Kept(a=1, b=(2,))"


def test_every_class_of_the_library_goes_through_this_door() -> None:
    """Attrs' own decorators are for those who are not the library: adapters, and what is shipped for tests."""
    found = []
    for path in (ROOT / "outeract_core").rglob("*.py"):
        name = str(path.relative_to(ROOT / "outeract_core"))
        if name.startswith("testing") or name == "_domain/values/classes.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "attrs":
                found += [name for one in node.names if one.name in ("define", "frozen")]
    assert found == []


def test_what_holds_itself_is_shown_as_attrs_show_it() -> None:
    """A circle ends where it began."""
    shown = []
    for decorate in (attrs.define, classes.define):
        one = _plain(decorate)(1)
        one._b = [one]
        shown.append(repr(one).split("One", 1)[1])
    assert shown == ["(a=1, _b=[...])"] * 2
