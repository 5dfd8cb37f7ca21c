"""Payloads and raw items into the host's own classes, when it asks for it.

Knows: cattrs, loaded on first use; how its faults become ours.
Does not know: which classes (attrs, dataclasses, TypedDicts: whatever cattrs can build).
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from .errors import BadInput, InvalidEvent

__all__ = ["structure"]

T = TypeVar("T")


@cache
def _converter() -> Any:
    """One converter for all: ISO times, UUIDs as text; unknown members are ignored."""
    from cattrs.preconf.json import make_converter

    return make_converter()


def structure(value: Any, into: type[T]) -> T:
    """`value` (plain JSON) as `into`.

    Raises InvalidEvent with every fault and its path, BadInput for a class that cannot be built.
    """
    from cattrs import BaseValidationError, transform_error
    from cattrs.errors import StructureHandlerNotFoundError

    converter = _converter()
    try:
        made: T = converter.structure(value, into)
    except BaseValidationError as error:
        faults = transform_error(error, path="$")
        raise InvalidEvent(f"not a {into.__name__}", faults) from error
    except StructureHandlerNotFoundError as error:
        raise BadInput(f"{error}; give an attrs class, a dataclass or a TypedDict") from error
    except (ValueError, TypeError, LookupError) as error:
        raise InvalidEvent(f"not a {into.__name__}", [f"{error} @ $"]) from error
    return made
