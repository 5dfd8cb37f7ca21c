"""Names of files and MIME types as they may stand anywhere: in a header, in a folder, on a screen.

Knows: what RFC 6838 calls a type, what a name must not hold.
Does not know: who gave them. Both are made safe at one door, on their way into the store.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["safe_filename", "safe_mime"]

_LONGEST = 240
"""Bytes of a name; file systems and platforms take 255."""
_ENDING = 32
_HIDDEN = {"Cc", "Cf", "Cn", "Cs", "Co", "Zl", "Zp"}
"""Control characters, marks that turn the direction of reading, halves of characters."""
_WORD = r"[A-Za-z0-9!#$&^_.+-]{1,127}"
_MIME = re.compile(rf'{_WORD}/{_WORD}(?: *; *{_WORD}=(?:{_WORD}|"[^"\\\x00-\x1f\x7f]{{0,127}}"))*')


def safe_filename(name: str | None) -> str | None:
    """The last piece of `name` without what cannot be seen, at most 240 bytes; None for nothing.

    The ending stays when the name is cut.
    """
    if not name:
        return None
    bare = re.split(r"[/\\]", name.rstrip("/\\ "))[-1]
    shown = "".join(one for one in bare if unicodedata.category(one) not in _HIDDEN)
    shown = " ".join(shown.split())
    return _bounded(shown) if shown.strip(". ") else None


def safe_mime(mime: str | None) -> str | None:
    """`mime` when it is one, in its own spelling; None for anything else."""
    return mime if mime is not None and _MIME.fullmatch(mime) else None


def _bounded(name: str) -> str:
    if len(name.encode("utf-8")) <= _LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode("utf-8")) > _ENDING:
        stem, dot, ending = name, "", ""
    room = _LONGEST - len(f"{dot}{ending}".encode())
    return stem.encode("utf-8")[:room].decode("utf-8", "ignore") + dot + ending
