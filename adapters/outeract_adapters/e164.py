"""Telephone numbers as the world writes them: `+`, country, the rest, nothing else (ITU-T E.164).

Knows: spaces and marks that people put between digits, `00` and `(0)`, how long a number is.
Does not know: which countries there are, how their national numbers begin, any platform.
"""

from __future__ import annotations

import re
import unicodedata

from outeract_core.errors import BadInput

__all__ = ["e164"]

_BETWEEN = re.compile(
    r"[\s().\-/\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+"
)
_TRUNK = re.compile(r"(?<=\d)[\s.\-/]*\(0\)")
"""`+49 (0) 171 …`: the zero is dialled within the country only."""
_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{4,14})")


def e164(number: str) -> str:
    """`number` as E.164, `+4917…`. Raises BadInput for what is no number in international form.

    `4917…`, `+49 17…`, `0049-17…`, `+49 (0) 17…` are one number. A number that begins with a single
    0 is a national one: of which country, nobody can tell.
    """
    text = unicodedata.normalize("NFKC", number)
    text = "".join(str(unicodedata.decimal(one, one)) for one in text).strip()
    if not text.startswith("0") or text.startswith("00"):
        text = _TRUNK.sub("", text)
    found = _NUMBER.fullmatch(_BETWEEN.sub("", text))
    if found is None:
        raise BadInput(
            f"{number!r:.60} is no telephone number in international form; write it with its "
            "country, like +4917012345678 (5 to 15 digits)"
        )
    return f"+{found[1]}"
