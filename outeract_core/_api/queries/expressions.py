"""Regular expressions of a host's schema, tried on people's text: none of them holds a program up.

Knows: the package regex, which the extra `schema` brings: it can be stopped, and lets other threads run.
Does not know: schemas.

`(a+)+$` takes hours for forty letters, and Python's own `re` cannot be stopped. Where only that is
installed, a repeat inside of a repeat is tried on so short a text that it cannot take long.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..._domain.values.interrupt import go_on

__all__ = ["TooHard", "found"]

SECONDS = 0.25
"""How long one expression may look at one text, where it can be stopped."""
_HARD, _EASY = 24, 10_000
"""Characters of a text for what may take twice as long with each of them, and for what does not."""
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(|\)|\||[*+?]|\{\d*,?\d*\}|.", re.DOTALL)


class TooHard(Exception):
    """An expression is not done with a text within its time. The text says what would help."""


def found(expression: str, text: str) -> bool:
    """Whether the expression fits somewhere in the text. Raises TooHard, re.error."""
    go_on()
    search, longest = _search(expression)
    if longest is None:
        try:
            return search(text, timeout=SECONDS, concurrent=True) is not None
        except TimeoutError:
            raise TooHard(f"it takes more than {SECONDS} seconds") from None
    if len(text) > longest:
        raise TooHard(
            f"it may take too long for more than {longest:,} characters; with the package regex installed "
            "(pip install 'outeract-core[schema]') it is tried, and stopped when it does"
        )
    return search(text) is not None


@lru_cache(maxsize=256)
def _search(expression: str) -> tuple[Any, int | None]:
    """What tries it, and on how long a text; None: on any, since it can be stopped."""
    plain = re.compile(expression).search
    try:
        import regex  # type: ignore[import-untyped,import-not-found,unused-ignore]

        return regex.compile(expression).search, None
    except ImportError:
        return plain, _HARD if repeats_repeats(expression) else _EASY


def repeats_repeats(expression: str) -> bool:
    """Whether a group that can be read in several ways is repeated: `(a+)+`, `(a|ab)*`, `(a*){9,}`."""
    several, closed, before = [False], False, False
    for piece in _PIECE.findall(expression):
        repeat = piece in ("*", "+") or (piece.startswith("{") and piece != "{" and "," in piece)
        if repeat and closed and before:
            return True
        closed = piece == ")"
        if piece == "(":
            several.append(False)
        elif closed and len(several) > 1:
            before = several.pop()
            several[-1] = several[-1] or before
        elif repeat or piece == "|":
            several[-1] = True
    return False
