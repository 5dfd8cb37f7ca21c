"""One form for every name: what comes in and what `send` is given pass here.

Knows: that an adapter says how its platform writes an id, and what may be done where it refuses.
Does not know: any platform's rule, where platform users are kept.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ...errors import BadInput
from ...events import Fact, Party, Relink
from ...model import Alias, PlatformUserKind
from .guard import guarded


def meant(adapter: Any, external_id: Any, kind: PlatformUserKind = "person") -> Party:
    """Whom a host means by `external_id`. Raises BadInput, naming what the platform takes.

    A whole number is taken for its digits, since many platforms' ids are numbers.
    """
    if isinstance(external_id, int) and not isinstance(external_id, bool):
        external_id = str(external_id)
    if not isinstance(external_id, str) or not external_id.strip():
        raise BadInput(f"an external id is a text that is not blank, not {external_id!r:.80}")
    found = _normal(adapter, external_id, kind)
    return Party(None, kind, aliases=(found,)) if isinstance(found, Alias) else Party(found, kind)


def named(adapter: Any, party: Party) -> Party:
    """A party that has come in, under the id in the platform's one form; nothing is refused."""
    if not isinstance(party.external_id, str) or party.kind == "system":
        return party
    found = _lenient(adapter, party.external_id, party.kind)
    if found == party.external_id:
        return party  # nearly always
    if isinstance(found, Alias):
        return evolve(party, external_id=None, aliases=(found, *party.aliases))
    return evolve(party, external_id=found)


def told(adapter: Any, fact: Fact) -> Fact:
    """A fact whose parties and changes of identity are in the platform's one form."""
    if not hasattr(adapter, "normalise"):
        return fact
    sender = fact.sender and named(adapter, fact.sender)
    chat = fact.chat and named(adapter, fact.chat)
    if sender is fact.sender and chat is fact.chat and not (fact.relinks or fact.profiles):
        return fact
    relinks = tuple(_renamed(adapter, change) for change in fact.relinks)
    profiles = tuple(named(adapter, party) for party in fact.profiles)
    return evolve(fact, sender=sender, chat=chat, relinks=relinks, profiles=profiles)


def _renamed(adapter: Any, change: Relink) -> Relink:
    previous, current = (
        one.value if isinstance(one, Alias) else one
        for one in (_lenient(adapter, name, "person") for name in (change.previous, change.current))
    )
    return Relink(previous, current, change.alias_type)


def _lenient(adapter: Any, external_id: str, kind: PlatformUserKind) -> str | Alias:
    """What the platform itself says is kept, also where its own rule does not fit."""
    try:
        found: str | Alias = adapter.normalise(external_id, kind)
        return found
    except KeyboardInterrupt:
        raise
    except BaseException:  # of whatever kind: what has arrived is not lost for it
        return external_id


def _normal(adapter: Any, external_id: str, kind: PlatformUserKind) -> str | Alias:
    normalise = getattr(adapter, "normalise", None)
    if normalise is None:
        return external_id
    with guarded:
        found: str | Alias = normalise(external_id, kind)
    return found
