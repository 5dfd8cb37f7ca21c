"""The machine-readable Bot API as a judge of what we send and of what our samples say.

Knows: its types and methods, required fields, nested types, limits told in descriptions.
Does not know: the adapter, pytest.

A call is judged as a form of names and values: `None` stands for the bytes of a file.
Corrected: an album may mix pictures and videos, where the description names an array of each.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from tests.support.shared import shared

_PLAIN: dict[str, Any] = {"String": str, "Integer": int, "Boolean": bool, "Float": (int, float)}


@cache
def _spec() -> Any:
    return json.loads(shared("telegram/bot-api-10.1.min.json").read_text())


def updates() -> list[str]:
    """The kinds of updates there are."""
    return [
        one["name"] for one in _spec()["types"]["Update"]["fields"] if one["name"] != "update_id"
    ]


def reactions() -> list[str]:
    """The emoji that a bot may react with."""
    fields = _spec()["types"]["ReactionTypeEmoji"]["fields"]
    (emoji,) = (one for one in fields if one["name"] == "emoji")
    return re.findall(r'"([^"]+)"', emoji["description"])


def message_members() -> set[str]:
    """The members that a Message may have."""
    return {one["name"] for one in _spec()["types"]["Message"]["fields"]}


def call_faults(method: str, values: dict[str, Any], files: tuple[str, ...] = ()) -> list[str]:
    """What the Bot API has against a call; an empty list for nothing.

    `values`: the parameters, decoded; `files`: the names of the form's file parts.
    """
    spec = _spec()["methods"].get(method)
    if spec is None:
        return [f"no method {method!r}"]
    named = {name: None for name in files if any(f["name"] == name for f in spec.get("fields", ()))}
    attached = {f"attach://{name}" for name in files if name not in named}
    used = set(re.findall(r"attach://[A-Za-z0-9_]+", json.dumps(values)))
    found = [f"{name} is not the name of a part" for name in sorted(used ^ attached)]
    return found + _fields(method, spec, {**values, **named})


def type_faults(name: str, value: Any, path: str = "") -> list[str]:
    """What the Bot API has against a value of this type."""
    return _value(path or name, [name], value)


def _fields(path: str, spec: Any, values: dict[str, Any]) -> list[str]:
    known = {one["name"]: one for one in spec.get("fields", ())}
    found = [f"{path}: unknown {name!r}" for name in values if name not in known]
    for name, one in known.items():
        if name not in values:
            found += [f"{path}: no {name!r}"] if one["required"] else []
            continue
        at, value = f"{path}.{name}", values[name]
        if value is None and "InputFile" in one["types"]:
            continue
        found += _value(at, one["types"], value) + _said(at, one["description"], value)
    return found


def _value(path: str, types: list[str], value: Any) -> list[str]:
    """The fewest faults that any of the types has; in an array each item has one of its own."""
    arrays = [one for one in types if one.startswith("Array of ")]
    if len(arrays) > 1 and isinstance(value, list):
        inner = [one.removeprefix("Array of ") for one in arrays]
        return [
            fault for n, one in enumerate(value) for fault in _value(f"{path}[{n}]", inner, one)
        ]
    return min((_as(path, one, value) for one in types), key=len)


def _as(path: str, name: str, value: Any) -> list[str]:
    if name.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{path}: {value!r:.60} is no array", path]
        inner = name.removeprefix("Array of ")
        return [fault for n, one in enumerate(value) for fault in _as(f"{path}[{n}]", inner, one)]
    if name in _PLAIN:
        fits = isinstance(value, _PLAIN[name]) and (name == "Boolean" or type(value) is not bool)
        return [] if fits else [f"{path}: {value!r:.60} is no {name}"]
    spec = _spec()["types"].get(name)
    if spec is None:
        return [f"{path}: {name} cannot be sent as JSON"]
    if spec.get("subtypes"):
        return _value(path, spec["subtypes"], value)
    if not isinstance(value, dict):
        return [f"{path}: {value!r:.60} is no {name}", path]
    return _fields(path, spec, value)


# ── what only the descriptions say ────────────────────────────────────────────────────────────


def _said(path: str, description: str, value: Any) -> list[str]:
    found = []
    size = re.search(r"(\d+)-(\d+) (characters|bytes)", description)
    if size and isinstance(value, str) and "after entities parsing" not in description:
        length = len(value.encode() if size[3] == "bytes" else value)
        if not int(size[1]) <= length <= int(size[2]):
            found.append(f"{path}: {length} {size[3]}, not {size[1]}-{size[2]}")
    items = re.search(r"must include (\d+)-(\d+) items", description)
    if items and not int(items[1]) <= len(value) <= int(items[2]):
        found.append(f"{path}: {len(value)} items, not {items[1]}-{items[2]}")
    only = re.search(r"(?:always|must be) [“\"]?([a-z_]+)[”\"]?$", description)
    if path.endswith(".type") and only and value != only[1]:
        found.append(f"{path}: {value!r}, not {only[1]!r}")
    if path.endswith(".emoji") and "can be one of" in description and value not in reactions():
        found.append(f"{path}: {value!r} is no reaction")
    return found
