"""The writer's work when nothing else is to be done: an erasure that was begun, then the search index.

Knows: the tokenizers by name, what goes first.
Does not know: how anything is searched (`_api/queries/search.py`), who is erased.
"""

from __future__ import annotations

from ..._io.opening import Idle
from ..._store.transfer import erasing
from ..._store.writing import search as index
from ...driver import Tx
from ...errors import BadInput


def idle(search: str | None) -> Idle:
    """What the writer does by itself; `search` as it is given to `Outeract`. Raises BadInput."""
    indexes = check_tokenizer(search) is not None

    def due(tx: Tx) -> bool:
        return erasing.is_due(tx) or (indexes and index.is_behind(tx))

    def chunk(tx: Tx) -> bool:
        if erasing.is_due(tx):
            return not erasing.carry_on(tx)
        index.carry_on(tx)
        return False

    return Idle(due, chunk)


def check_tokenizer(name: str | None) -> str | None:
    """`name` as it may be given to `Outeract(search=…)`. Raises BadInput."""
    if name is not None and name not in index.CREATE:
        raise BadInput(f"search is {', '.join(map(repr, index.CREATE))} or None, not {name!r}")
    return name
