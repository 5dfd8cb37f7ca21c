"""What of somebody's event is another person's: found by name, and replaced by a mark.

Knows: quoted messages, members that say who somebody is, ids that stand in a text.
Does not know: which names a person has, which members a platform has (its manifest says), the store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any

from attrs import field

from ..values.classes import frozen

MARK = "[erased]"
"""What stands in place of what was taken out. The file lets no value change that does not say so."""
TELLING = 5
"""A shorter name stands in too much to say whose it is."""


@frozen
class Quoting:
    """Members of a platform's items and payloads that hold what somebody else has said or is.

    As `Manifest.answers`, `Manifest.names` and `Manifest.forwards`.
    """

    answers: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    forwards: frozenset[str] = frozenset()


@frozen
class Names:
    """What a person is called: `ids` of theirs, and names that are `shown`, which others may share."""

    ids: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """What may be looked for anywhere, the longest first."""
        long = (name for name in self.ids if len(name) >= TELLING)
        return tuple(sorted(long, key=lambda name: (-len(name), name)))

    @cached_property
    def _ids(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self.telling))})(?!\w)")

    def struck(self, text: str) -> str:
        """A text without the ids that stand in it as words of their own."""
        return self._ids.sub(MARK, text) if self.telling else text

    def within(self, value: Any) -> bool:
        """Whether a value, or anything in it, is one of the names or has an id in it."""
        return any(self._is(atom) for atom in _atoms(value))

    def _is(self, atom: Any) -> bool:
        if isinstance(atom, bool) or not isinstance(atom, str | int):
            return False
        text = str(atom)
        return text in self.ids or text in self.shown or self.struck(text) != text


@frozen
class Redaction:
    """One event without what is somebody's. `answered`: it answers what is erased."""

    names: Names
    quoting: Quoting
    answered: bool = field(default=False)

    def is_theirs(self, *values: Any) -> bool:
        """Whether the whole of it is their words: somebody has passed on a message of theirs."""
        held = _held(values, self.quoting.forwards)
        return any(self.names.within(value) for value in held)

    def of(self, *values: Any) -> list[Any]:
        """The values, each without what is theirs."""
        answers = self.quoting.answers
        gone = self.answered or any(self.names.within(one) for one in _held(values, answers))
        return [self._without(value, answers if gone else frozenset()) for value in values]

    def _without(self, value: Any, gone: Collection[str]) -> Any:
        if isinstance(value, dict):
            return {name: self._member(name, one, gone) for name, one in value.items()}
        if isinstance(value, list):
            return [self._without(one, gone) for one in value]
        if isinstance(value, str):
            return self.names.struck(value)
        is_id = isinstance(value, int) and str(value) in self.names.telling
        return MARK if is_id else value

    def _member(self, name: str, value: Any, gone: Collection[str]) -> Any:
        if name in gone and value is not None:
            return MARK
        if name not in self.quoting.names:
            return self._without(value, gone)
        if isinstance(value, list):
            return [MARK if self.names.within(one) else self._without(one, gone) for one in value]
        return MARK if self.names.within(value) else self._without(value, gone)


def _held(value: Any, members: Collection[str]) -> Iterable[Any]:
    """What stands under these names, at any depth."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name in members:
                yield one
            else:
                yield from _held(one, members)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _held(one, members)


def _atoms(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _atoms(one)
    else:
        yield value
