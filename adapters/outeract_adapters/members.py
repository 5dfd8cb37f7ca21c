"""Reads members of JSON that anybody may have shaped: the right type, or nothing.

Knows: JSON as Python values. Does not know: any platform.
"""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import urlsplit

__all__ = ["Object", "host_of", "many", "number", "obj", "path_of", "said", "text", "whole"]

Object: TypeAlias = dict[str, Any]
_BITS = 53
"""What a JSON number holds exactly, everywhere (RFC 8259, section 6)."""


def text(item: Any, *path: str) -> str | None:
    """The non-empty string at `path`, or None for anything else."""
    for step in path:
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return said(item)


def number(item: Any, *path: str) -> int | None:
    """The integer of at most 53 bits at `path`, or None for anything else."""
    for step in path:
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return whole(item)


def said(value: Any) -> str | None:
    """The value if it is a non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def whole(value: Any) -> int | None:
    """The value if it is an integer of at most 53 bits, else None."""
    return value if type(value) is int and value.bit_length() <= _BITS else None


def obj(item: Any, member: str) -> Object:
    """The object in `member`, or an empty one."""
    value = item.get(member) if isinstance(item, dict) else None
    return value if isinstance(value, dict) else {}


def many(item: Any, member: str) -> list[Object]:
    """The objects in the array `member`; what is no object is left out."""
    value = item.get(member) if isinstance(item, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def host_of(url: str) -> str:
    """The host of a URL, which may be told: its path may hold a secret."""
    try:
        return urlsplit(url).hostname or "a URL that is none"
    except ValueError:
        return "a URL that is none"


def path_of(url: str) -> str:
    """Its path, or nothing."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
