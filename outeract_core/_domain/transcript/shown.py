"""What people wrote and are called, so that it cannot leave the place that it is given.

Knows: line breaks, what is never seen on a screen, brackets, names that are alike.
Does not know: messages, turns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from ...model import PlatformUser
from ..values.interrupt import go_on
from ..values.sinks import BREAKS, UNSEEN

_MARK = re.compile(r"([^\S\n]*\\*)\[")
_SPACE = re.compile(r"\s+")
_WIDE = str.maketrans(":#[]", "：＃［］")
_BRACKETS = str.maketrans("[]", "［］")
_PIECE = 16_384
"""Characters of a long text that are looked at in one go: an expression holds the interpreter for as long."""
_AHEAD = 8
"""How many times as much as is wanted is looked at first; what is not seen may be most of it."""


def block(text: str) -> str:
    """A person's text: its line breaks are line feeds, what is not seen is gone, no line begins a mark."""
    lines = "".join([_seen(piece, "\n") for piece in _pieces(text)]).split("\n")
    return "\n".join([_unmarked(each) for each in lines]).strip("\n")


def _seen(text: str, end: str) -> str:
    """With `end` for each end of a line, and without what is not seen."""
    return UNSEEN.sub(lambda found: found[1] or "", BREAKS.sub(end, text))


def _pieces(text: str) -> Iterable[str]:
    """Cut before a letter or a space: in no line break, and in no flag."""
    start = 0
    while len(text) - start > _PIECE:
        go_on()
        end = start + _PIECE
        while end < len(text) and not (text[end] == " " or text[end].isalpha()):
            end += 1
        yield text[start:end]
        start = end
    yield text[start:]


def _unmarked(line: str) -> str:
    found = _MARK.match(line)
    return line if found is None else f"{found[1]}\\{line[found.end(1) :]}"


def inline(text: Any, most: int = 120) -> str:
    """A value inside a mark: one line of at most `most` characters, without brackets."""
    whole = str(text)
    line = _line(whole[: most * _AHEAD])
    if len(line) <= most and len(whole) > most * _AHEAD:
        line = _line(whole)
    return line if len(line) <= most else line[: most - 1] + "…"


def _line(text: str) -> str:
    return _SPACE.sub(" ", _seen(text, " ")).strip().translate(_BRACKETS)


def mark(*words: Any) -> str:
    """`[…]`."""
    return f"[{' '.join(str(word) for word in words if word)}]"


_RESERVED = ("", "you", "assistant", "system", "tool", "user")


def labels(people: Iterable[PlatformUser]) -> dict[Any, str]:
    """By id, what each of these people is called: no two alike, and nobody like a role."""
    known = {who.id: who for who in people}
    plain = {one: name_of(who.name or who.external_id) for one, who in known.items()}
    alike = _repeated(plain)
    named = {
        one: f"{name} #{name_of(known[one].external_id)}".strip() if one in alike else name
        for one, name in plain.items()
    }
    still = _repeated(named)
    return {
        one: f"{name} #{one.hex[-12:]}" if one in still else name for one, name in named.items()
    }


def name_of(text: str) -> str:
    """A name as one line of at most 64 characters, without what would look like ours."""
    line = inline(text, 64).translate(_WIDE)
    return "".join(char for char in line if unicodedata.category(char) != "Cf").strip()


def _repeated(names: Mapping[Any, str]) -> set[Any]:
    """Whose names are another's too, as people read them, or are a role's."""
    seen: dict[str, list[Any]] = {}
    for one, name in names.items():
        key = "".join(unicodedata.normalize("NFKC", name).casefold().split())
        seen.setdefault(key, []).append(one)
    return {
        one for name, some in seen.items() if len(some) > 1 or name in _RESERVED for one in some
    }
