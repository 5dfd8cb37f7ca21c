"""Where text may be cut without breaking a character as people see it.

Knows: the common part of Unicode's rules for grapheme clusters (UAX #29): combining marks, emoji
sequences, flags, Hangul, conjuncts, CRLF, surrogates. In doubt it does not cut.
Does not know: words, lines, limits.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

__all__ = ["boundary", "cut_before", "shorten"]

_ZWJ = "\u200d"
_EXTENDING = "\u200c\u200d\uff9e\uff9f\u0e33\u0eb3"
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e")
_HANGUL = (0x1100, 0x1160, 0x11A8, 0x1200, 0xA960, 0xA97D, 0xAC00, 0xD7A4, 0xD7B0, 0xD7C7, 0xD7CB)
_HANGUL_TYPES = ("", "L", "V", "T", "", "L", "", "S", "", "V", "T", "")
_INDICATORS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_VIRAMA = 9
"""The combining class of signs that join the consonant after them to the one before."""


def boundary(text: str, at: int, since: int = 0) -> bool:
    """Whether `text` may be cut before index `at`. `since`: a place where a character begins for certain,
    from which on flags are counted.
    """
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    return not (
        _extends(after, before)
        or _joins(before, after)
        or _is_syllable(before, after)
        or (_is_indicator(after) and _indicators(text, at, since) % 2 == 1)
    )


def cut_before(text: str, at: int, start: int = 0) -> int:
    """The last place in `text`, not after `at`, where it may be cut; `start` when there is none."""
    while at > start and not boundary(text, at, start):
        at -= 1
    return at


def shorten(text: str, limit: int) -> str:
    """`text` within `limit` code points; what does not fit ends in an ellipsis."""
    if len(text) <= limit:
        return text
    return f"{text[: cut_before(text, max(0, limit - 1))].rstrip()}…"


def _extends(after: str, before: str) -> bool:
    """Whether `after` only changes how what stands before it looks."""
    if before in "\r\n":
        return False
    code = ord(after)
    return (
        unicodedata.category(after) in ("Mn", "Me", "Mc")
        or after in _EXTENDING
        or 0x1F3FB <= code <= 0x1F3FF
        or 0xE0020 <= code <= 0xE007F
    )


def _joins(before: str, after: str) -> bool:
    """Whether `before` takes what comes after it along."""
    if after.isspace():
        return False
    return (
        before == _ZWJ
        or before in _PREPENDED
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
        or (unicodedata.combining(before) == _VIRAMA and after.isalpha())
    )


def _is_indicator(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _indicators(text: str, at: int, since: int) -> int:
    """How many regional indicators stand between `since` and `at`; two of them make a flag."""
    return at - since - len(text[since:at].rstrip(_INDICATORS))


def _is_syllable(before: str, after: str) -> bool:
    left, right = _hangul(before), _hangul(after)
    if left == "S":
        left = "V" if (ord(before) - 0xAC00) % 28 == 0 else "T"
    allowed = {"L": ("L", "V", "S"), "V": ("V", "T"), "T": ("T",)}
    return right in allowed.get(left, ())


def _hangul(char: str) -> str:
    """Which part of a Hangul syllable it is: leading, vowel, trailing, whole syllable, none."""
    kind: str = _HANGUL_TYPES[bisect_right(_HANGUL, ord(char))]
    return kind
