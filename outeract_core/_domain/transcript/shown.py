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
from ..values.sinks import BREAKS, UNSEEN

_MARK = re.compile(r"^([^\S\n]*\\*)\[", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_WIDE = str.maketrans(":#[]", "：＃［］")
_BRACKETS = str.maketrans("[]", "［］")


def block(text: str) -> str:
    """A person's text: its line breaks are line feeds, what is not seen is gone, no line begins a mark."""
    lines = BREAKS.sub("\n", text)
    return _MARK.sub(r"\1\\[", UNSEEN.sub(lambda found: found[1] or "", lines)).strip("\n")


def inline(text: Any, most: int = 120) -> str:
    """A value inside a mark: one line of at most `most` characters, without brackets."""
    line = _SPACE.sub(" ", UNSEEN.sub(lambda found: found[1] or "", BREAKS.sub(" ", str(text))))
    line = line.strip().translate(_BRACKETS)
    return line if len(line) <= most else line[: most - 1] + "…"


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
