"""Where what is tested knows no event loop, a test runs on one of both, by turns.

Knows: which rooms that are, how two variants of a test are told to be one.
Does not know: what is tested. Everything that waits runs on both, always; all of it with `--both-loops`.

The store, the words and the adapters are without anyio (a contract of imports says so), and reading
costs one call of the same wait wherever it is asked. So half of the tests of those rooms run on asyncio
and half on trio: of a table every other row.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

__all__ = ["MARK", "of_one_loop"]

ROOMS = ("adapters", "queries", "store", "words", "security/erased", "security/imports")
MARK = "either_loop: what is tested does not depend on the event loop; it runs on one of both"


def of_one_loop(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The variants that are left out."""
    pairs: dict[tuple[str, ...], list[pytest.Item]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and _matters_not(item):
            pairs.setdefault(_name(item), []).append(item)
    both = [pair for pair in pairs.values() if len(pair) == 2]
    return [pair[number % 2] for number, pair in enumerate(both)]


def _matters_not(item: pytest.Function) -> bool:
    if "anyio_backend" not in getattr(getattr(item, "callspec", None), "params", ()):
        return False
    marked = item.get_closest_marker("either_loop") is not None
    return marked or item.nodeid.startswith(tuple(f"tests/{room}/" for room in ROOMS))


def _name(item: pytest.Function) -> tuple[str, ...]:
    """The test and its row, whatever it runs on."""
    words = item.callspec.id.split("-")
    words.remove(item.callspec.params["anyio_backend"])
    return item.nodeid.partition("[")[0], *words
