"""Classes of values: attrs', but that how they are compared and shown is written once, not generated for each.

Knows: attrs' rules for both. Does not know: any class.

To generate and compile a class's own `__eq__`, `__hash__` and `__repr__` takes as long as all the rest of making it,
and there are hundreds, most of which nobody ever compares or shows. What these come to is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:  # to who checks types they are attrs' own
    from attrs import define, frozen

__all__ = ["define", "frozen"]


def _of(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _value: ()


@cache
def _compared(cls: type) -> Callable[[Any], Any]:
    """What of a value is compared."""
    return _of([one.name for one in attrs.fields(cls) if one.eq])


@cache
def _counted(cls: type) -> Callable[[Any], Any]:
    """What of it counts for its hash: what is compared, unless a field says otherwise."""
    found = attrs.fields(cls)
    return _of([one.name for one in found if (one.eq if one.hash is None else one.hash)])


@cache
def _told(cls: type) -> tuple[str, ...]:
    """The names of what is shown of it."""
    return tuple(one.name for one in attrs.fields(cls) if one.repr)


def _equal(self: Any, other: Any) -> bool:
    if other.__class__ is not self.__class__:
        return NotImplemented  # type: ignore[no-any-return]
    of = _compared(self.__class__)
    return bool(of(self) == of(other))


def _hashed(self: Any) -> int:
    return hash((self.__class__, _counted(self.__class__)(self)))


@recursive_repr("...")
def _shown(self: Any) -> str:
    cls = self.__class__
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in _told(cls))
    return f"{cls.__qualname__.rpartition('>.')[2]}({told})"


def _door(make: Callable[..., Any], hashed: Callable[[Any], int] | None) -> Callable[..., Any]:
    """Attrs' decorator, that generates neither; what a class has of its own stays."""

    def made(cls: Any = None, *, eq: bool = True, repr: bool = True, **others: Any) -> Any:
        def wrapped(cls: Any) -> Any:
            own = vars(cls)
            if eq and "__eq__" not in own:
                if "__hash__" not in own:
                    cls.__hash__ = hashed
                cls.__eq__ = _equal
            if repr and "__repr__" not in own:
                cls.__repr__ = _shown
            return make(cls, eq=False, repr=False, **others)

        return wrapped if cls is None else wrapped(cls)

    return made


if not TYPE_CHECKING:
    define, frozen = _door(attrs.define, None), _door(attrs.frozen, _hashed)
