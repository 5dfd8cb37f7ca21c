"""Whether there is a search index, and the writer's work on it when nothing else is to be done.

Knows: the tokenizers by name.
Does not know: how anything is searched (`_api/queries/search.py`).
"""

from __future__ import annotations

from ..._io.opening import Idle
from ..._store.writing import search as index
from ...errors import BadInput

INDEXING = Idle(index.is_behind, index.carry_on)
"""What the writer does for the index when nothing else is to be done."""


def check_tokenizer(name: str | None) -> str | None:
    """`name` as it may be given to `Outeract(search=…)`. Raises BadInput."""
    if name is not None and name not in index.CREATE:
        raise BadInput(f"search is {', '.join(map(repr, index.CREATE))} or None, not {name!r}")
    return name
