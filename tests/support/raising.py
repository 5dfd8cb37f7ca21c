"""Errors on demand, and tables of kinds of errors crossed with the ways in which code runs.

Knows: how an exception that is kept stays as new, which combinations a table needs.
Does not know: who catches anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

__all__ = ["BACKENDS", "UNTELLABLE", "WAYS", "crossed", "raises"]

BACKENDS, WAYS = ("asyncio", "trio"), ("pump", "serve")


def raises(error: BaseException) -> Callable[..., Any]:
    """A call that raises `error` as if it had never been raised.

    Else it would collect each frame that it passes, and what they hold, for as long as it is kept.
    """

    def call(*_arguments: Any, **_options: Any) -> Any:
        error.__context__ = None
        raise error.with_traceback(None)

    return call


class _Mute(Exception):
    """What cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class _Shut(Exception):
    """What lets nobody look into it."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__traceback__":
            raise ValueError("nobody looks")
        return super().__getattribute__(name)


UNTELLABLE: dict[str, Callable[[], Any]] = {
    "half a surrogate": raises(ValueError("a person's \ud800 and \0")),
    "mute": raises(_Mute()),
    "shut": raises(_Shut("within")),
}
"""Errors that cannot be written down as they are."""


def crossed(
    rows: Iterable[Any], *columns: Sequence[Any], whole: Iterable[Any] = ()
) -> list[tuple[Any, ...]]:
    """Each row with one combination of the columns, another one for each row; those in `whole` with all.

    For what does not depend on the combination: over the rows all of them occur, as they do over those
    of one column of the rows (each turn through the combinations begins one later).
    """
    combined, whole = [*product(*columns)], {*whole}
    made: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows):
        here = (
            combined
            if row in whole
            else [combined[(number + number // len(combined)) % len(combined)]]
        )
        own = row if isinstance(row, tuple) else (row,)
        made += [(*own, *values) for values in here]
    return made
