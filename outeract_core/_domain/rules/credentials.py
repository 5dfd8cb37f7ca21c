"""Credentials in what a platform sends: whoever reads one can act with it, so that none is written down.

Knows: paths of members, JSON and forms; that a mark stays in its place, by which two can be told apart.
Does not know: which members they are (a manifest says it), who may have them meanwhile (`_io/handed.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from ..values.classes import frozen

MARK = re.compile(r"\(struck:[0-9a-f]{16}\)")
_ANYWHERE = "**."
_FIELDS = 1000
_FIELD = re.compile(r"[\w.\[\]-]{1,100}")
_WORDS = ("null", "true", "false", "[", "{", "[]", "{}")
_QUOTE = r'(?:%22|\\*")?'
_VALUE = r'(?:\\/|%(?!22)|[^"&\s,}\\%])+'


@frozen
class Names:
    """Which members are credentials. `exact`: by the whole way from the top; `anywhere`: by its end."""

    exact: frozenset[tuple[str, ...]]
    anywhere: frozenset[tuple[str, ...]]
    rough: re.Pattern[str]

    def meant(self, path: tuple[str | int, ...]) -> bool:
        """Whether this place holds one; a place in a list counts for nothing."""
        way = tuple(part for part in path if isinstance(part, str))
        return way in self.exact or any(way[-len(end) :] == end for end in self.anywhere)


@lru_cache(maxsize=256)
def names(paths: frozenset[str]) -> Names:
    """What a manifest says, ready to be looked for: `event.token`, or `**.token` at any depth."""
    anywhere = {
        tuple(path.removeprefix(_ANYWHERE).split("."))
        for path in paths
        if path.startswith(_ANYWHERE)
    }
    exact = {tuple(path.split(".")) for path in paths if not path.startswith(_ANYWHERE)}
    last = "|".join(sorted(re.escape(path.rpartition(".")[2]) for path in paths))
    colon = r"(?:\s|\+|%20)*(?:=|:|%3[Aa])(?:\s|\+|%20)*"
    rough = re.compile(rf"((?<![a-z_])(?:{last}){_QUOTE}{colon}{_QUOTE})({_VALUE})")
    return Names(frozenset(exact), frozenset(anywhere), rough)


def strike(value: Any, paths: frozenset[str]) -> tuple[Any, dict[str, Any]]:
    """A JSON value without credentials, and what they were, by their places; again, nothing changes."""
    wanted, found, box = names(paths), dict[str, Any](), [value]
    todo: list[tuple[Any, Any, tuple[str | int, ...]]] = [(box, 0, ())]
    while todo:
        holder, place, path = todo.pop()
        inner = holder[place]
        if path and wanted.meant(path):
            if not _nothing(inner):
                found[".".join(map(str, path))] = inner
                holder[place] = _mark(inner)
        elif isinstance(inner, dict | list):
            holder[place] = copy = inner.copy()
            inside: Iterable[Any] = copy if isinstance(copy, dict) else range(len(copy))
            todo += [(copy, each, (*path, each)) for each in inside]
    return (box[0] if found else value), found


def strike_body(body: bytes, paths: frozenset[str]) -> tuple[bytes, dict[str, Any]]:
    """The body of a request without credentials: JSON, a form, JSON in a form; of others what looks like one."""
    if not paths:
        return body, {}
    try:
        if body.lstrip()[:1] in (b"{", b"["):
            value, found = strike(json.loads(body), paths)
            return (json.dumps(value).encode() if found else body), found
        struck, found = _form(body.decode(), paths)
        return (struck.encode() if found else body), found
    except (ValueError, RecursionError):
        pass
    text = body.decode("latin-1")
    return names(paths).rough.sub(_roughly, text).encode("latin-1"), {}


def _form(text: str, paths: frozenset[str]) -> tuple[str, dict[str, Any]]:
    pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    if not all(_FIELD.fullmatch(name) for name, _ in pairs):
        raise ValueError("no form")
    found, kept = dict[str, Any](), list[tuple[str, str]]()
    for name, value in pairs:
        if value.lstrip()[:1] == "{":
            inner, inside = strike(json.loads(value), paths)
            found.update(inside)
            kept.append((name, json.dumps(inner) if inside else value))
        else:
            flat, inside = strike({name: value}, paths)
            found.update(inside)
            kept.append((name, flat[name]))
    return urlencode(kept), found


def _nothing(value: Any) -> bool:
    return value in (None, "", [], {}) or (isinstance(value, str) and bool(MARK.fullmatch(value)))


def _mark(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return f"(struck:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]})"


def _roughly(found: re.Match[str]) -> str:
    before, value = found.groups()
    known = value in _WORDS or MARK.fullmatch(unquote(value))
    return before + (value if known else _mark(value))
