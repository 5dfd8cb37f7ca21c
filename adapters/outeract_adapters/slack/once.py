"""Adds up what is said in several places, each of it once.

Knows: that the same words come as text and as blocks, in different marks.
Does not know: messages, where the parts come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .plain import plain

__all__ = ["added", "told"]

_PLACEHOLDERS = frozenset({"[no preview available]", "this content can't be displayed."})
"""What Slack writes where it has no words."""
_LABEL = re.compile(r"<([@#!][^<>|]*)\|[^<>]*>")
_TOKEN = re.compile(r"[^\W_]+|[^\w\s*~`•|>]")
_MOST, _LONGEST = 100, 200_000
"""Parts, and characters, that are compared: Slack takes 50 blocks and 40 000 characters; more than
this has only a body that was made up to cost time, and is told as it stands."""


def told(said: str | None) -> str:
    """`said`, or nothing where it only stands for words that there are not."""
    return "" if said is None or said.strip().lower() in _PLACEHOLDERS else said


def added(summary: str, parts: list[str], between: str = "\n") -> str:
    """`summary` and what `parts` say beside it.

    Where one of the two only repeats the other, the fuller one stands alone; the same words in other
    marks are told as the summary has them.
    """
    whole = between.join(parts)
    if not summary.strip() or not whole:
        return whole or summary
    if len(summary) + len(whole) > _LONGEST:
        return summary if summary == whole else between.join([summary, whole])
    short, full = _words(summary), _words(whole)
    if full in short:
        return summary
    if short in full:
        return whole
    return between.join([summary, *_new(short, parts)])


def _new(known: str, parts: list[str]) -> Iterable[str]:
    """The parts whose words are not among the known."""
    if len(parts) > _MOST:
        return parts
    return [part for part in parts if _words(part) not in known]


def _words(mrkdwn: str) -> str:
    """The words without marks, in a form in which one text can be found within another."""
    words = _TOKEN.findall(plain(_LABEL.sub(r"<\1>", mrkdwn)).casefold())
    return f" {' '.join(words)} " if words else ""
