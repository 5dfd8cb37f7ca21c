"""Facts of adapters that nobody has proved: they say and name what readers, and imports, take them to be.

Knows: whose adapters the contract's tests have proved, what of a fact reaches which column.
Does not know: the rules themselves (`_domain/rules/shapes.py`, `_store/transfer/values.py`).

Of what is built in nothing is looked at: no body makes it hand over anything else, which its tests try.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from .._domain.rules import shapes
from .._domain.values.codec import clean, identifier
from .._store.transfer.values import RULES
from ..adapter import Adapter
from ..events import Fact

__all__ = ["check", "is_proved"]

_PROVED = "outeract_adapters."


@cache
def is_proved(kind: type[Adapter]) -> bool:
    """Whether this class came with the library, so that what it hands over need not be looked at."""
    return kind.__module__.startswith(_PROVED)


def check(fact: Fact) -> None:
    """Raises ValueError where a fact is not what it should be, or could not be moved to another file."""
    wrong = shapes.fault(fact.kind, fact.payload)
    if wrong is not None:
        raise ValueError(wrong)
    for role, value in (*_named(fact), *_shown(fact)):
        if value is not None and not RULES[role].right((value,), nullable=False):
            raise ValueError(f"{value!r:.80} where {RULES[role].says} is expected")


def _named(fact: Fact) -> Iterator[tuple[str, Any]]:
    names: Iterable[Any] = (fact.key, fact.reply_to, fact.thread, fact.target)
    for party in _parties(fact):
        names = (*names, party.external_id, *(alias.value for alias in party.aliases))
    for name in (*names, *(end for one in fact.relinks for end in (one.previous, one.current))):
        if isinstance(name, str):
            yield "id", str(identifier(name))


def _shown(fact: Fact) -> Iterator[tuple[str, Any]]:
    for party in _parties(fact):
        yield "puser_kind", party.kind
        for text in (party.name, party.profile_picture_url):
            yield "id", clean(text)
        yield from (("word", alias.type) for alias in party.aliases)
    yield from (("count", one.size) for one in fact.files)
    yield from (("word", one.alias_type) for one in fact.relinks)


def _parties(fact: Fact) -> list[Any]:
    return [one for one in (fact.sender, fact.chat, *fact.profiles) if one is not None]
