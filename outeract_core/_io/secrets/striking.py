"""Secrets are struck out of what is told: as they stand, and in every form in which a request writes them.

Knows: URLs (percent signs), JSON and Python's own quotes, base64 (RFC 4648; `Authorization: Basic`).
Does not know: which values are secrets (`references.py`), where the text goes.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

_STRUCK = "•••"
_SHORTEST = 4
"""Shorter values are no secrets that can be struck out without striking out words."""
_SHORTEST_CODED = 6
"""Characters of base64 that are a secret's alone; fewer may be anything."""
_CODED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


def struck(text: str, secrets: Iterable[str]) -> str:
    """`text` without these secrets, in whatever form; the longest first."""
    plain = unquote_plus(text) if "%" in text or "+" in text else None
    for secret in sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True):
        for form in _forms(secret):
            text = text.replace(form, _STRUCK)
            if plain is not None and form in plain:
                text = _written(form).sub(_STRUCK, text)
        for core in _coded(secret):
            text = _without_runs(text, core)
            if plain is not None and core in plain:
                text = _written(core).sub(_STRUCK, text)
    return text


@lru_cache(maxsize=4096)
def _forms(secret: str) -> tuple[str, ...]:
    """As it stands, and as JSON and Python write it between their quotes."""
    raw = secret.encode("utf-8", "surrogatepass")
    quoted = json.dumps(secret)[1:-1]
    forms = (
        secret, quoted, quoted.replace("/", "\\/"), json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1], repr(raw)[2:-1],
    )  # fmt: skip
    return tuple(sorted(dict.fromkeys(forms), key=len, reverse=True))


@lru_cache(maxsize=4096)
def _coded(secret: str) -> tuple[str, ...]:
    """The characters of base64 that say nothing but this secret, wherever it begins among three bytes."""
    found = []
    for before in range(3):
        raw = bytes(before) + secret.encode("utf-8", "surrogatepass")
        code = b64encode(raw).decode().rstrip("=")
        core = code[(0, 2, 3)[before] : len(code) - (1 if len(raw) % 3 else 0)]
        found += [core, core.replace("+", "-").replace("/", "_")]
    return tuple(dict.fromkeys(one for one in found if len(one) >= _SHORTEST_CODED))


def _without_runs(text: str, core: str) -> str:
    """Without the whole base64 around each `core`: what stands beside it is half of the same."""
    return "".join(_pieces(text, core)) if core in text else text


def _pieces(text: str, core: str) -> Iterator[str]:
    done, at = 0, text.find(core)
    while at >= 0:
        begin, end = at, at + len(core)
        while begin > done and text[begin - 1] in _CODED:
            begin -= 1
        while end < len(text) and text[end] in _CODED:
            end += 1
        yield text[done:begin] + _STRUCK
        done, at = end, text.find(core, end)
    yield text[done:]


@lru_cache(maxsize=4096)
def _written(secret: str) -> re.Pattern[str]:
    """Every way in which a URL may write it: any of its characters escaped, the rest as they stand.

    RFC 3986, 2.1: the digits of an escape may be of either case. A form writes a space as `+`.
    """
    return re.compile("".join(map(_either, secret)))


def _either(character: str) -> str:
    escaped = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    forms = [re.escape(character), f"(?i:{escaped})", *(["\\+"] if character == " " else [])]
    return f"(?:{'|'.join(forms)})"
