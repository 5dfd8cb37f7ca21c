"""Link codes as text: how one is made, checked, found in what somebody wrote.

Knows: the format `DDDD-DDDD-DDDD-CCCC` and its checksum (specification, section 5).
Does not know: whom a code belongs to, how it is stored (only its keyed hash is).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from ...errors import BadChecksum

MINUTES = 15
USES = 1
ATTEMPTS = 5
APP_ATTEMPTS = 500
WINDOW_MS = 15 * 60_000
"""A platform user may try `ATTEMPTS` times within this time, all of an application guess `APP_ATTEMPTS`."""
STRUCK = "••••-••••-••••-••••"

_CODE = re.compile(r"(?<![\d-])([0-9]{4})-([0-9]{4})-([0-9]{4})-([0-9]{4})(?!-?\d)")


def new_code() -> str:
    """A fresh code: 12 digits from the system's cryptographic source, and their checksum."""
    groups = [secrets.randbelow(10_000) for _ in range(3)]
    return "-".join(f"{group:04}" for group in (*groups, checksum(groups)))


def checksum(groups: list[int]) -> int:
    """The sum of the three groups, modulo 10000."""
    return sum(groups) % 10_000


def checked(code: str) -> str:
    """The code in its normal form. Raises BadChecksum for a typing error."""
    match = _CODE.fullmatch(code.strip()) if isinstance(code, str) else None
    if match is None:
        raise BadChecksum("a link code has the form DDDD-DDDD-DDDD-CCCC, 16 digits")
    *groups, last = map(int, match.groups())
    if checksum(groups) != last:
        raise BadChecksum("the last four digits do not fit: a typing error in the link code")
    return match[0]


def find_code(text: str) -> str | None:
    """The first thing in `text` that looks like a code, its checksum not looked at."""
    if text.count("-") < 3:
        return None
    match = _CODE.search(text)
    return None if match is None else match[0]


def find_codes(text: str) -> tuple[str, ...]:
    """Every code in `text` whose checksum fits, each once."""
    if text.count("-") < 3:
        return ()
    found = (match[0] for match in _CODE.finditer(text))
    return tuple(dict.fromkeys(code for code in found if _fits(code)))


def _fits(code: str) -> bool:
    *groups, last = map(int, code.split("-"))
    return checksum(groups) == last


def strike(text: str, codes: Iterable[str]) -> str:
    """`text`, or JSON, without these codes, nor their digits one after the other."""
    for code in codes:
        text = text.replace(code, STRUCK)
        text = re.sub('[^0-9"\\\\]{1,2}'.join(code.split("-")), STRUCK, text)
        text = text.replace(code.replace("-", ""), "1" * 16)  # where a number stands it stays one
    return text


def code_hash(key: bytes, code: str) -> bytes:
    """What is stored instead of the code: HMAC-SHA256 with a key that is not in the file."""
    return hmac.new(key, code.encode(), hashlib.sha256).digest()
