"""The turn that this task or thread runs in, if any.

Knows: that there is one at most. Does not know: what a turn is (`turn.py`).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from .._io.runtime import Runtime
from ..errors import BadInput

if TYPE_CHECKING:
    from .turn import Turn

CURRENT: ContextVar[Turn | None] = ContextVar("outeract_turn", default=None)
"""The turn that this task or thread runs in, so that `app.send` inside a handler joins it."""


CHAIN = 12
"""How many turns in a row may follow from each other without a person, unless `chain=` says otherwise."""


def not_in_a_turn(runtime: Runtime) -> None:
    """Raises BadInput in a handler: the round that it is part of would wait for it, and it for the round."""
    turn = CURRENT.get()
    if turn is not None and turn.runtime is runtime and not turn.over:
        raise BadInput(
            "inside a handler nothing is pumped, served or closed: it is run by that, and what it says leaves "
            "when it returns"
        )
