"""What of a history fits: the newest turns, by characters, by tokens, or by both.

Knows: how much each turn takes. Does not know: how tokens are counted (a function is handed over).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...conversation import Turn
from ...errors import BadInput
from ..values.classes import frozen


@frozen
class Budget:
    """At most so many characters, and at most `limit` tokens as `tokens` counts them; None: no bound."""

    characters: int | None = None
    tokens: Callable[[str], int] | None = None
    limit: int | None = None

    def __attrs_post_init__(self) -> None:
        for name, value in (("characters", self.characters), ("max_tokens", self.limit)):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise BadInput(f"{name} is a number from 1, not {value!r}")
        if (self.tokens is None) != (self.limit is None):
            raise BadInput(
                "tokens= counts the tokens of a text, max_tokens= how many there may be: give both"
            )
        if self.tokens is not None and not callable(self.tokens):
            raise BadInput(
                "tokens is a function that is given a text and returns its number of tokens"
            )


def fit(found: Sequence[Turn], budget: Budget) -> list[Turn]:
    """The newest turns that are within the budget together; at least one."""
    kept: list[Turn] = []
    characters = tokens = 0
    for turn in reversed(found):
        characters += len(turn.content)
        if budget.tokens is not None:
            tokens += budget.tokens(turn.content)
        over = characters > (budget.characters or characters) or tokens > (budget.limit or tokens)
        if kept and over:
            break
        kept.append(turn)
    return kept[::-1]
