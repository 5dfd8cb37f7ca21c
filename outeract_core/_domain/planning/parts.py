"""The parts that one message is sent in, and how they are written down until then.

Knows: the members of a part, and their JSON.
Does not know: why a message has these parts (`plan.py`), who sends them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from attrs import asdict, fields

from ...content import Button, Contact, Location, Menu, MenuRow, Template
from ..values.classes import frozen

__all__ = ["Part", "dump_parts", "load_parts", "told_parts"]


@frozen
class Part:
    """One request's worth of a message.

    text    rendered by the adapter; `plain` the same without any markup.
    files   indices into the content's files; `text` is then their caption.
    reply   this part carries the reference to the message that is answered.
    literal nothing in the text is formatted.
    """

    text: str = ""
    plain: str = ""
    files: tuple[int, ...] = ()
    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[Button, ...] = ()
    menu: Menu | None = None
    location: Location | None = None
    contacts: tuple[Contact, ...] = ()
    template: Template | None = None
    header: str | None = None
    footer: str | None = None
    reply: bool = False
    literal: bool = False


def dump_parts(parts: tuple[Part, ...] | list[Part]) -> str:
    """The parts as a JSON list; members that say nothing are left out.

    Raises ValueError or TypeError for what JSON cannot hold (a template's components).
    """
    return json.dumps([_dumped(part) for part in parts], allow_nan=False)


def told_parts(parts: tuple[Part, ...] | list[Part]) -> list[dict[str, Any]]:
    """The same as values of JSON. Raises as `dump_parts` does."""
    if any(part.template for part in parts):
        told: list[dict[str, Any]] = json.loads(dump_parts(parts))
        return told
    return [_dumped(part) for part in parts]


_NAMES = tuple(one.name for one in fields(Part))
_DEFAULTS = tuple(one.default for one in fields(Part))
_MEMBERS = attrgetter(*_NAMES)


def _dumped(part: Part) -> dict[str, Any]:
    members = zip(_NAMES, _MEMBERS(part), _DEFAULTS, strict=True)
    return {name: _plain(value) for name, value, default in members if value != default}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    return [_plain(one) for one in value] if isinstance(value, tuple) else asdict(value)


def load_parts(written: str | list[Any]) -> tuple[Part, ...]:
    """The parts that `dump_parts` wrote, from its text or from the list that the text says."""
    told = json.loads(written) if isinstance(written, str) else written
    return tuple(map(_loaded, told))


def _loaded(told: Mapping[str, Any]) -> Part:
    made = dict(told)
    for name, load in _LOADERS.items():
        if name in made:
            made[name] = load(made[name])
    return Part(**made)


def _buttons(told: list[dict[str, Any]]) -> tuple[Button, ...]:
    return tuple(Button(**one) for one in told)


def _menu(told: dict[str, Any]) -> Menu:
    return Menu(told["button"], tuple(MenuRow(**row) for row in told.get("rows", ())))


_LOADERS: dict[str, Any] = {
    "files": tuple,
    "buttons": _buttons,
    "quick_replies": _buttons,
    "menu": _menu,
    "location": lambda told: Location(**told),
    "contacts": lambda told: tuple(Contact(**one) for one in told),
    "template": lambda told: Template(**told),
}
